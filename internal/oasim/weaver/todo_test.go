package weaver

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// A to-do is created, changed, handled and deleted over REST (WV-BLOG, WV-C1; F19, F34): finishing is the same call with
// isremark 2 or 4.
func TestLifeOverREST(t *testing.T) {
	w := newWorld(t)
	if got := w.rest("ReceiveRequestInfoByJson", item()).Body; got != `{"syscode":"fxiaoke","dataType":"WfData","operType":"New","operResult":"1","message":""}`+"\n" {
		t.Fatalf("answer: %s", got)
	}
	got := w.Inbox().Of("0001", inbox.Open)
	if len(got) != 1 || got[0].Title != "张伟 的 报价单 待审批" || got[0].URL != "https://sso.example/pc/T1" || got[0].MobileURL != "https://m.example/app/T1" ||
		got[0].Sender != "王五" || got[0].Fields["pushes"] != 1 {
		t.Fatalf("inbox = %+v", got)
	}
	if r := w.push("ReceiveRequestInfoByJson", item("requestname", "改了", "viewtype", "1", "receivets", "1001")); r.OperType != "Edit" {
		t.Errorf("edit: %+v", r)
	}
	for remark, kind := range map[string]inbox.State{"2": inbox.Done, "4": inbox.Done, "0": inbox.Open} {
		w.push("ReceiveRequestInfoByJson", item("isremark", remark, "receivets", "2000"))
		if i, _ := w.Inbox().Get("fxiaoke/T1", "0001"); i.State != kind {
			t.Errorf("isremark %s: %s", remark, i.State)
		}
	}
	w.push("ReceiveRequestInfoByJson", map[string]string{"syscode": "fxiaoke", "flowid": "T1", "receiver": "0001", "isremark": "2"})
	if i, _ := w.Inbox().Get("fxiaoke/T1", "0001"); i.State != inbox.Done || i.Title != "张伟 的 报价单 待审批" || i.URL == "" {
		t.Errorf("finished with what names it: %+v", i)
	}
	w.push("ReceiveRequestInfoByJson", item("flowid", "T2", "isremark", "8"))
	if i, _ := w.Inbox().Get("fxiaoke/T2", "0001"); i.Kind != inbox.Notice || i.State != inbox.Open {
		t.Errorf("a copy: %+v", i)
	}
	if r := w.push("deleteUserRequestInfoByJson", map[string]string{"syscode": "fxiaoke", "flowid": "T1", "userid": "0001"}); r.OperResult != "1" || r.OperType != "Del" {
		t.Errorf("delete: %+v", r)
	}
	if n := len(w.Inbox().Of("0001", inbox.Open)); n != 1 {
		t.Errorf("%d open", n)
	}
	if r := w.push("ReceiveRequestInfoByJson", map[string]string{"syscode": "fxiaoke", "flowid": "T9", "receiver": "0001", "isremark": "2"}); r.DataType != "SetParam" {
		t.Errorf("an unknown item cannot be finished like that: %+v", r)
	}
}

// An older receivets never overwrites a newer one (WV-BLOG), and nobody is told.
func TestLateWritesLose(t *testing.T) {
	w := newWorld(t)
	w.push("ReceiveRequestInfoByJson", item("isremark", "2", "receivets", "2000"))
	if r := w.push("ReceiveRequestInfoByJson", item("receivets", "1999")); r.OperResult != "1" {
		t.Errorf("late: %+v", r)
	}
	i, _ := w.Inbox().Get("fxiaoke/T1", "0001")
	if s := w.Inbox().Stats(); i.State != inbox.Done || s.Stale != 1 || s.Revived != 0 {
		t.Errorf("%+v %+v", i, s)
	}
	_ = w.Configure(func(s *Settings) { s.StaleFails = true })
	if r := w.push("ReceiveRequestInfoByJson", item("receivets", "1999")); r.OperResult != "0" {
		t.Errorf("late, told: %+v", r)
	}
	if r := w.push("ReceiveRequestInfoByJson", item("receivets", "-")); r.OperResult != "1" {
		t.Errorf("without receivets: %+v", r)
	}
	if i, _ := w.Inbox().Get("fxiaoke/T1", "0001"); i.State != inbox.Open || i.Version != 2000 {
		t.Errorf("without receivets: %+v", i)
	}
}

func TestFailures(t *testing.T) {
	w := newWorld(t)
	refuse := func(name, dataType string, f map[string]string) {
		t.Helper()
		if r := w.push("ReceiveRequestInfoByJson", f); r.OperResult != "0" || r.DataType != dataType || r.Message == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	refuse("unknown system", "OtherSys", item("syscode", "nobody"))
	refuse("no title", "SetParam", item("requestname", " "))
	refuse("isremark", "SetParam", item("isremark", "1"))
	refuse("viewtype", "SetParam", item("viewtype", "2"))
	refuse("date", "SetParam", item("createdatetime", "2026-11-26 09:30"))
	refuse("receivets", "SetParam", item("receivets", "soon"))
	refuse("unknown field", "SetParam", item("recipient", "x"))
	refuse("unknown receiver", "WfData", item("receiver", "nobody"))
	refuse("receiver out of scope", "WfData", item("receiver", "gone"))
	if a := w.rest("ReceiveRequestInfoByJson", map[string]any{"syscode": "fxiaoke", "isremark": 0}); !strings.Contains(a.Body, `"operResult":"0"`) {
		t.Errorf("a number where a string must be: %s", a.Body)
	}
	_ = w.Configure(func(s *Settings) { s.NewWorkflows, s.Workflows = false, []string{"别的"} })
	refuse("unknown flow type", "WfType", item())
	_ = w.Configure(func(s *Settings) { s.TodoCentre = false })
	refuse("switched off", "IsUse", item())
	if n := w.Inbox().Stats().Distinct; n != 0 {
		t.Errorf("%d items were stored", n)
	}
}

// The trap: success with an empty pcurl, and nobody can open the item.
func TestSuccessWithoutLink(t *testing.T) {
	w := newWorld(t)
	if r := w.push("ReceiveRequestInfoByJson", item("pcurl", "", "appurl", "")); r.OperResult != "1" {
		t.Fatalf("%+v", r)
	}
	c := w.Browser()
	w.Do(c, "POST", "/login", "choose=0001", "Content-Type", "application/x-www-form-urlencoded")
	if a := w.Do(c, "GET", "/open?id=i1", ""); a.Status != 404 || !strings.Contains(a.Body, "没有可以打开的链接") {
		t.Errorf("open: %d %s", a.Status, a.Body)
	}
	_ = w.Configure(func(s *Settings) { s.RequireLinks = true })
	if r := w.push("ReceiveRequestInfoByJson", item("pcurl", "")); r.OperResult != "0" {
		t.Errorf("required: %+v", r)
	}
}

// A bad item does not take the good ones of its batch down (WV-C1 has the calls; the list of results is derived).
func TestBatches(t *testing.T) {
	w := newWorld(t)
	var got []result
	a := w.rest("batchReceiveRequestInfoByJson", []any{item(), item("flowid", "T2", "receiver", "nobody"), item("flowid", "T3")})
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil || len(got) != 3 || got[0].OperResult+got[1].OperResult+got[2].OperResult != "101" {
		t.Fatalf("%s", a.Body)
	}
	del := map[string]string{"syscode": "fxiaoke", "flowid": "T3", "userid": "0001"}
	a = w.rest("batchDeleteUserRequestInfoByJson", []any{del})
	if !strings.HasPrefix(a.Body, `[{"syscode":"fxiaoke","dataType":"WfData","operType":"Del","operResult":"1"`) || len(w.Inbox().Of("0001", inbox.Open)) != 1 {
		t.Errorf("delete: %s", a.Body)
	}
	for _, bad := range []any{item(), []any{}} {
		if a := w.rest("batchReceiveRequestInfoByJson", bad); !strings.Contains(a.Body, `"operResult":"0"`) {
			t.Errorf("%v: %s", bad, a.Body)
		}
	}
}

func TestDeletes(t *testing.T) {
	w := newWorld(t)
	w.push("ReceiveRequestInfoByJson", item())
	w.push("ReceiveRequestInfoByJson", item("receiver", "wangwu"))
	flow := map[string]string{"syscode": "fxiaoke", "flowid": "T1"}
	if r := w.push("deleteRequestInfoByJson", flow); r.OperResult != "1" || w.Inbox().Stats().Gone != 2 {
		t.Errorf("whole flow: %+v %+v", r, w.Inbox().Stats())
	}
	if r := w.push("deleteRequestInfoByJson", flow); r.OperResult != "1" {
		t.Errorf("again: %+v", r)
	}
	_ = w.Configure(func(s *Settings) { s.UnknownDeleteFails = true })
	for _, f := range []map[string]string{
		flow, {"syscode": "fxiaoke", "flowid": "T1", "userid": "0001"},
	} {
		call := "deleteRequestInfoByJson"
		if f["userid"] != "" {
			call = "deleteUserRequestInfoByJson"
		}
		if r := w.push(call, f); r.OperResult != "0" {
			t.Errorf("unknown: %+v", r)
		}
	}
	if r := w.push("deleteUserRequestInfoByJson", flow); r.DataType != "SetParam" {
		t.Errorf("without userid: %+v", r)
	}
	// A deleted item is forgotten, and with it its receivets: a late create brings it back.
	w.push("ReceiveRequestInfoByJson", item("receivets", "1"))
	if s := w.Inbox().Stats(); s.Revived != 1 {
		t.Errorf("%+v", s)
	}
}

func TestStaffCodesAndNetworks(t *testing.T) {
	w := newWorld(t)
	_ = w.Configure(func(s *Settings) { s.Account = "workcode" })
	if r := w.push("ReceiveRequestInfoByJson", item("receiver", "E1001")); r.OperResult != "1" || len(w.Inbox().Of("0001", inbox.Open)) != 1 {
		t.Errorf("by staff code: %+v", r)
	}
	if r := w.push("ReceiveRequestInfoByJson", item()); r.OperResult != "0" {
		t.Errorf("by login: %+v", r)
	}
	_ = w.SetSystems([]System{{Code: "fxiaoke", AllowedIPs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}})
	if r := w.push("ReceiveRequestInfoByJson", item("receiver", "E1001")); r.DataType != "OtherSys" || !strings.Contains(r.Message, "127.0.0.1") {
		t.Errorf("from elsewhere: %+v", r)
	}
	if err := w.SetSystems([]System{{}}); err == nil {
		t.Error("a system without a code")
	}
}

func TestScriptedFaults(t *testing.T) {
	w := newWorld(t)
	if err := w.Faults().Replace([]fault.Rule{
		{Match: fault.Match{TaskID: "T1", Receiver: "0001"}, Times: 1, Action: fault.Action{Kind: fault.Business, ErrorMsgs: []string{"流程类型已停用"}}},
		{Match: fault.Match{TaskID: "T1"}, Times: 1, Action: fault.Action{Kind: fault.Swallow}},
		{Match: fault.Match{TaskID: "T1"}, Times: 1, Action: fault.Action{Kind: fault.RateLimit, RetryAfter: "1"}},
	}); err != nil {
		t.Fatal(err)
	}
	if r := w.push("ReceiveRequestInfoByJson", item("flowid", "T2")); r.OperResult != "1" {
		t.Errorf("another item: %+v", r)
	}
	if r := w.push("ReceiveRequestInfoByJson", item()); r.OperResult != "0" || r.Message != "流程类型已停用" || r.SysCode != "fxiaoke" {
		t.Errorf("business: %+v", r)
	}
	if r := w.push("ReceiveRequestInfoByJson", item()); r.OperResult != "1" || w.Inbox().Stats().Distinct != 1 {
		t.Errorf("false success: %+v %+v", r, w.Inbox().Stats())
	}
	if a := w.rest("ReceiveRequestInfoByJson", item()); a.Status != 429 || a.Header.Get("Retry-After") != "1" {
		t.Errorf("rate limit: %d", a.Status)
	}
	if err := w.Faults().Replace([]fault.Rule{{Action: fault.Action{Kind: fault.Business}}}); err != nil {
		t.Fatal(err)
	}
	if a := w.rest("batchReceiveRequestInfoByJson", []any{item(), item()}); strings.Count(a.Body, `"operResult":"0"`) != 2 {
		t.Errorf("batch: %s", a.Body)
	}
	a := w.soap(envelope11, "receiveRequestInfoByJson", strings.ReplaceAll(text(item()), `"`, "&quot;"))
	if got := w.out(a).Text; !strings.Contains(got, `"operResult":"0"`) {
		t.Errorf("SOAP: %s", got)
	}
	if err := w.Faults().Replace([]fault.Rule{{Action: fault.Action{Kind: fault.Business, Code: "Server", ErrorMsgs: []string{"空指针"}}}}); err != nil {
		t.Fatal(err)
	}
	a = w.soap(envelope12, "receiveRequestInfoByJson", "{}")
	if a.Status != 500 || !strings.Contains(a.Body, "soap:Receiver") || !strings.Contains(a.Body, "空指针") {
		t.Errorf("SOAP fault: %d %s", a.Status, a.Body)
	}
}
