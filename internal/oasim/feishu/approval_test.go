package feishu

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

const (
	instances = approvalBase + "external_instances"
	check     = instances + "/check"
)

type f map[string]any

func todo(task, user, status string, version int) f {
	return f{"task_id": task, "user_id": user, "status": status, "create_time": "1000", "end_time": "0", "update_time": fmt.Sprint(version), "title": "@i18n@t"}
}

// approval is an instance as the vendor's page describes it (FS-SDK), with some fields changed.
func approval(version int, change f, tasks ...f) string {
	in := f{
		"approval_code": "CRM", "status": "PENDING", "instance_id": "Q-1", "links": f{"pc_link": "https://sso.crm.example/pc/1", "mobile_link": "https://sso.crm.example/h5/1"},
		"title": "@i18n@t", "form": []f{{"name": "@i18n@f", "value": "甲"}}, "user_id": "zhangwei", "user_name": "张伟", "start_time": "1000", "end_time": "0",
		"update_time": fmt.Sprint(version), "update_mode": "UPDATE", "task_list": tasks,
		"i18n_resources": []f{{"locale": "en-US", "is_default": true, "texts": []f{{"key": "@i18n@t", "value": "Quote"}}}, {"locale": "zh-CN", "texts": []f{{"key": "@i18n@t", "value": "报价单待审批"}, {"key": "@i18n@f", "value": "客户"}}}},
	}
	for k, v := range change {
		in[k] = v
	}
	raw, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// A to-do of two people comes and is finished; the answer repeats the instance.
func TestLifeOfAnApproval(t *testing.T) {
	w := newWorld(t)
	r := w.call("POST", instances, approval(1, nil, todo("k1", "lina", "PENDING", 1), todo("k2", "wangfang", "PENDING", 1)))
	if errcode(r) != 0 || r.In("data").In("data").Text("instance_id") != "Q-1" {
		t.Fatalf("%v", r)
	}
	got := w.open("lina")
	if len(got) != 1 || got[0].Title != "报价单待审批" || got[0].Text != "客户: 甲 " || got[0].Sender != "张伟" || got[0].TaskID != "Q-1" ||
		got[0].URL != "https://sso.crm.example/pc/1" || got[0].MobileURL != "https://sso.crm.example/h5/1" {
		t.Errorf("lina sees %+v", got)
	}
	w.call("POST", instances, approval(2, nil, todo("k1", "lina", "APPROVED", 2)))
	if len(w.done("lina")) != 1 || len(w.open("wangfang")) != 1 {
		t.Error("in the mode UPDATE who is not named keeps the task")
	}
	w.call("POST", instances, approval(3, f{"update_mode": "REPLACE", "status": "APPROVED"}, todo("k1", "lina", "APPROVED", 2)))
	if len(w.open("wangfang")) != 0 || len(w.done("lina")) != 1 {
		t.Error("in the mode REPLACE who is not named loses the task")
	}
	w.call("POST", instances, approval(4, f{"status": "DELETED"}))
	if len(w.done("lina")) != 0 {
		t.Error("a deleted instance is still seen")
	}
}

// The trap: what is older than what is known is left out, and the answer does not tell (FS-DOC).
func TestOlderVersionIsIgnored(t *testing.T) {
	w := newWorld(t)
	w.call("POST", instances, approval(5, nil, todo("k1", "lina", "APPROVED", 5)))
	for _, late := range []int{4, 5} {
		r := w.call("POST", instances, approval(late, f{"user_name": "别人"}, todo("k1", "lina", "PENDING", late)))
		if errcode(r) != 0 || r.In("data").In("data").Text("update_time") != fmt.Sprint(late) {
			t.Errorf("version %d: %v", late, r)
		}
	}
	if got := w.done("lina"); len(got) != 1 || got[0].Revived != 0 || got[0].Sender != "张伟" || w.Inbox().Stats().Stale != 1 {
		t.Errorf("lina: %+v, %+v", got, w.Inbox().Stats())
	}
	if err := w.Configure(func(s *Settings) { s.InstanceAnswer = "stored" }); err != nil {
		t.Fatal(err)
	}
	if r := w.call("POST", instances, approval(4, nil)); r.In("data").In("data").Text("update_time") != "5" {
		t.Errorf("the stored version: %v", r)
	}
	if err := w.Configure(func(s *Settings) { s.InstanceAnswer = "none" }); err == nil {
		t.Error("an unknown setting was accepted")
	}
	r := w.call("POST", check, `{"instances":[{"instance_id":"Q-1","update_time":"5","tasks":[{"task_id":"k1","update_time":"5"}]}]}`)
	if list, _ := r.In("data")["diff_instances"].([]any); errcode(r) != 0 || len(list) != 0 {
		t.Errorf("nothing differs: %v", r)
	}
	r = w.call("POST", check, `{"instances":[{"instance_id":"Q-1","update_time":"6","tasks":[{"task_id":"k1","update_time":"5"}]},{"instance_id":"Q-9","update_time":"1"}]}`)
	if raw, _ := json.Marshal(r.In("data")); string(raw) != `{"diff_instances":[{"instance_id":"Q-1","tasks":[{"task_id":"k1","update_time":"5"}],"update_time":"5"},{"instance_id":"Q-9","tasks":[],"update_time":""}]}` {
		t.Errorf("two differ: %s", raw)
	}
	w.call("POST", instances, approval(1, f{"update_mode": "REPLACE"}, todo("k1", "lina", "PENDING", 1)))
	if got := w.open("lina"); len(got) != 1 || got[0].Revived != 1 {
		t.Errorf("REPLACE asks for no version: %+v", got)
	}
}

func TestReadBack(t *testing.T) { // FS-SDK: a GET with a body
	w := newWorld(t)
	for i := range 3 {
		w.call("POST", instances, approval(7, f{"instance_id": fmt.Sprint("Q-", i)}, todo("k1", "lina", "PENDING", 7)))
	}
	r := w.call("GET", approvalBase+"external_tasks?page_size=2", `{"approval_codes":["CRM"],"user_ids":["lina"],"status":"PENDING"}`)
	raw, _ := json.Marshal(r.In("data"))
	if !strings.Contains(string(raw), `{"approval_code":"CRM","approval_id":"CRM","instance_id":"Q-0","status":"PENDING","tasks":[{"id":"k1","status":"PENDING","update_time":"7"}],"update_time":"7"}`) ||
		r.In("data")["has_more"] != true {
		t.Errorf("page 1: %s", raw)
	}
	r = w.call("GET", approvalBase+"external_tasks?page_size=2&page_token="+r.In("data").Text("page_token"), "")
	if list, _ := r.In("data")["data"].([]any); len(list) != 1 || r.In("data")["has_more"] != false {
		t.Errorf("page 2: %v", r)
	}
	for body, want := range map[string]int{`{"instance_ids":["Q-1"]}`: 1, `{"user_ids":["wangfang"]}`: 0, `{"approval_codes":["BI"]}`: 0} {
		if list, _ := w.call("GET", approvalBase+"external_tasks", body).In("data")["data"].([]any); len(list) != want {
			t.Errorf("%s: %v", body, list)
		}
	}
	for _, query := range []string{"?page_size=501", "?page_size=x", "?page_token=x"} {
		if r := w.call("GET", approvalBase+"external_tasks"+query, ""); errcode(r) != badApproval {
			t.Errorf("%s: %v", query, r)
		}
	}
	if r := w.callAs(w.token("tenant_access_token", "cli_bi"), "GET", approvalBase+"external_tasks", ""); fmt.Sprint(r.In("data")["data"]) != "[]" {
		t.Errorf("another app's: %v", r)
	}
}

func TestApprovalsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	ok := todo("k1", "lina", "PENDING", 1)
	for _, tc := range []struct {
		name, body string
		code       int
	}{
		{"no JSON", "[", badApproval},
		{"unknown approval", approval(1, f{"approval_code": "X"}, ok), noApproval},
		{"another app's approval", approval(1, f{"approval_code": "BI"}, ok), noApproval},
		{"no id", approval(1, f{"instance_id": ""}, ok), badApproval},
		{"status", approval(1, f{"status": "DONE"}, ok), badApproval},
		{"mode", approval(1, f{"update_mode": "MERGE"}, ok), badApproval},
		{"no initiator", approval(1, f{"user_id": ""}, ok), badApproval},
		{"no links", approval(1, f{"links": f{}}, ok), badApproval},
		{"time", approval(1, f{"update_time": "today"}, ok), badApproval},
		{"no texts", approval(1, f{"i18n_resources": []f{}}, ok), badApproval},
		{"a key without a text", approval(1, f{"title": "@i18n@missing"}, ok), badApproval},
		{"task status", approval(1, nil, todo("k1", "lina", "OPEN", 1)), badApproval},
		{"a task twice", approval(1, nil, ok, ok), badApproval},
		{"task time", approval(1, nil, f{"task_id": "k1", "user_id": "lina", "status": "PENDING", "update_time": "x"}), badApproval},
		{"an unknown person", approval(1, nil, todo("k1", "nobody", "PENDING", 1)), badApproval},
		{"outside the visible scope", approval(1, nil, todo("k1", "hidden", "PENDING", 1)), approvalDenied}, // F118
		{"read status", approval(1, f{"cc_list": []f{{"cc_id": "c1", "user_id": "lina", "read_status": "MAYBE"}}}), badApproval},
		{"no cc id", approval(1, f{"cc_list": []f{{"user_id": "lina", "read_status": "READ"}}}), badApproval},
	} {
		if r := w.call("POST", instances, tc.body); errcode(r) != tc.code {
			t.Errorf("%s: %v", tc.name, r)
		}
	}
	if n := len(w.Inbox().Where(func(*inbox.Item) bool { return true })); n != 0 {
		t.Errorf("%d items", n)
	}
}

func TestCopies(t *testing.T) {
	w := newWorld(t)
	cc := func(version int, read string) f {
		return f{"cc_list": []f{{"cc_id": "c1", "open_id": "ou_1", "read_status": read, "create_time": "1", "update_time": fmt.Sprint(version)}}}
	}
	w.call("POST", instances, approval(1, cc(1, "UNREAD")))
	w.call("POST", instances, approval(2, cc(2, "READ")))
	if got := w.open("lina"); len(got) != 1 || got[0].Kind != inbox.Notice || !got[0].Read {
		t.Errorf("lina sees %+v", got)
	}
	w.call("POST", instances, approval(3, f{"update_mode": "REPLACE"}))
	if len(w.open("lina")) != 0 {
		t.Error("a copy that is not named in REPLACE stays")
	}
}

func TestNewApprovals(t *testing.T) {
	w := newWorld(t)
	create := func(body string) simtest.Object { return w.call("POST", approvalBase+"external_approvals", body) }
	r := create(`{"approval_name":"@i18n@n","approval_code":"NEW","external":{"support_pc":true,"create_link_pc":"https://sso.crm.example"}}`)
	if errcode(r) != 0 || r.In("data").Text("approval_code") != "NEW" {
		t.Fatalf("%v", r)
	}
	if r := w.call("POST", instances, approval(1, f{"approval_code": "NEW"}, todo("k1", "lina", "PENDING", 1))); errcode(r) != 0 {
		t.Errorf("%v", r)
	}
	for body, want := range map[string]int{
		"[": badApproval, `{"approval_code":"X","external":{"support_pc":true}}`: badApproval, `{"approval_name":"x"}`: badApproval,
		`{"approval_name":"x","approval_code":"BI","external":{"support_mobile":true}}`: approvalDenied,
	} {
		if r := create(body); errcode(r) != want {
			t.Errorf("%s: %v", body, r)
		}
	}
}

func TestApprovalLimits(t *testing.T) { // FS-DOC: 50 in a second, 1000 in a minute
	w := newWorld(t)
	token := w.token("tenant_access_token", "cli_crm")
	calls := func() (taken int) {
		for range 60 {
			if r := w.callAs(token, "POST", check, "{}"); errcode(r) == 0 {
				taken++
			} else if errcode(r) != tooOften {
				t.Fatal(r)
			}
		}
		return taken
	}
	if n := calls(); n != 50 {
		t.Errorf("%d in one second", n)
	}
	w.now = w.now.Add(time.Second)
	if n := calls(); n != 50 {
		t.Errorf("%d in the next", n)
	}
	if err := w.Configure(func(s *Settings) { s.ApprovalsPerSecond, s.ApprovalsPerMinute = 0, 130 }); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	if n := calls() + calls() + calls(); n != 130 {
		t.Errorf("%d in one minute", n)
	}
}

// What is swallowed shows only when it is read back.
func TestSwallowed(t *testing.T) {
	w := newWorld(t)
	token := w.token("tenant_access_token", "cli_crm")
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{TaskID: "Q-1", Receiver: "lina", Title: "报价单"}, Action: fault.Action{Kind: fault.Swallow}}); err != nil {
		t.Fatal(err)
	}
	r := w.callAs(token, "POST", instances, approval(1, nil, todo("k1", "lina", "PENDING", 1)))
	if errcode(r) != 0 || len(w.open("lina")) != 0 {
		t.Errorf("%v", r)
	}
	r = w.callAs(token, "POST", check, `{"instances":[{"instance_id":"Q-1","update_time":"1","tasks":[]}]}`)
	if list, _ := r.In("data")["diff_instances"].([]any); len(list) != 1 {
		t.Errorf("%v", r)
	}
	w.Faults().Clear()
	w.call("POST", instances, approval(1, nil, todo("k1", "lina", "PENDING", 1)))
	w.Inbox().Reset()
	if r := w.call("GET", approvalBase+"external_tasks", ""); fmt.Sprint(r.In("data")["data"]) != "[]" {
		t.Errorf("the instances go with the inbox: %v", r)
	}
}
