package scenario_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/internal/scenario"
)

func item() scenario.Item {
	return scenario.Item{
		ID: "T-0001", Version: 3, Heading: "报价单审批", Subject: "提交", Detail: "QT-2026-0001 华东区 <加急>",
		CreatedAt:    time.Date(2026, 11, 22, 9, 30, 0, 0, time.FixedZone("", 8*3600)),
		EnterpriseID: "714439",
		Object:       scenario.Object{APIName: "QuoteObj", ID: "5f3c2ab1"},
		Sender:       scenario.Person{Account: "1000", Name: "张三"},
		Receivers:    []scenario.Person{{Account: "1002", Name: "李四"}},
	}
}

func TestFieldsGiveEveryPlaceholderAValue(t *testing.T) { // F31
	got := item().Fields("lisi", "zhangsan")
	want := scenario.Fields{
		"F001": "lisi", "F009": "2026-11-22T09:30:00+08:00", "F012": "T-0001", "F015": "5f3c2ab1", "F028": "714439",
		"F037": "QuoteObj", "F049": "zhangsan", "F053": "QT-2026-0001 华东区 <加急>", "F054": "张三", "F055": "报价单审批", "F056": "提交",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, p := range scenario.Dictionary() {
		if _, ok := got[p.ID]; !ok {
			t.Errorf("#%s is in the dictionary but has no value", p.ID)
		}
		delete(got, p.ID)
	}
	if len(got) > 0 {
		t.Errorf("not in the dictionary: %v", got)
	}
}

func TestValidate(t *testing.T) {
	if bad := item().Validate(); len(bad) > 0 {
		t.Fatalf("a good item is refused: %v", bad)
	}
	many := make([]scenario.Person, scenario.MaxReceivers+1)
	for i := range many {
		many[i].Account = "a"
	}
	for name, c := range map[string]struct {
		field string
		spoil func(*scenario.Item)
	}{
		"no id":              {"id", func(it *scenario.Item) { it.ID = "" }},
		"id too long":        {"id", func(it *scenario.Item) { it.ID = strings.Repeat("待", scenario.MaxID+1) }},
		"id with line break": {"id", func(it *scenario.Item) { it.ID = "T\n1" }},
		"id with tab":        {"id", func(it *scenario.Item) { it.ID = "T\t1" }},
		"id not UTF-8":       {"id", func(it *scenario.Item) { it.ID = "T\xff" }},
		"version":            {"version", func(it *scenario.Item) { it.Version = -1 }},
		"heading too long":   {"heading", func(it *scenario.Item) { it.Heading = strings.Repeat("x", scenario.MaxText+1) }},
		"subject too long":   {"subject", func(it *scenario.Item) { it.Subject = strings.Repeat("x", scenario.MaxText+1) }},
		"detail too long":    {"detail", func(it *scenario.Item) { it.Detail = strings.Repeat("x", scenario.MaxText+1) }},
		"no time":            {"createdAt", func(it *scenario.Item) { it.CreatedAt = time.Time{} }},
		"year 12026":         {"createdAt", func(it *scenario.Item) { it.CreatedAt = it.CreatedAt.AddDate(10000, 0, 0) }},
		"enterprise":         {"enterpriseID", func(it *scenario.Item) { it.EnterpriseID = "1\x00" }},
		"api name dots":      {"object.apiName", func(it *scenario.Item) { it.Object.APIName = ".." }}, // F43
		"api name slash":     {"object.apiName", func(it *scenario.Item) { it.Object.APIName = "a/b" }},
		"no object id":       {"object.id", func(it *scenario.Item) { it.Object.ID = "" }},
		"object id space":    {"object.id", func(it *scenario.Item) { it.Object.ID = "a b" }},
		"no sender":          {"sender.account", func(it *scenario.Item) { it.Sender.Account = "" }},
		"no sender name":     {"sender.name", func(it *scenario.Item) { it.Sender.Name = "" }},
		"no receivers":       {"receivers", func(it *scenario.Item) { it.Receivers = nil }},
		"too many receivers": {"receivers", func(it *scenario.Item) { it.Receivers = many }},
		"empty receiver":     {"receivers[1].account", func(it *scenario.Item) { it.Receivers = append(it.Receivers, scenario.Person{}) }},
	} {
		t.Run(name, func(t *testing.T) {
			it := item()
			c.spoil(&it)
			bad := it.Validate()
			if len(bad) != 1 || bad[0].Field != c.field || bad[0].Cause == "" || bad[0].NextStep == "" {
				t.Errorf("want one error on %s, got %v", c.field, bad)
			}
		})
	}
	all := scenario.Item{}.Validate()
	if len(all) < 6 {
		t.Errorf("an empty item must be told everything at once, got %v", all)
	}
}
