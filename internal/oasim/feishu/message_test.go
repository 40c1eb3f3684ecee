package feishu

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

const cardContent = `{"config":{"update_multi":true},"header":{"title":{"tag":"plain_text","content":"报价单待审批"}},"elements":[{"tag":"div","text":{"content":"张三 提交"}},` +
	`{"tag":"action","actions":[{"tag":"button","url":"https://sso.crm.example/1"}]}]}`

func message(to, kind, content, uuid string) string {
	raw, err := json.Marshal(f{"receive_id": to, "msg_type": kind, "content": content, "uuid": uuid})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// A card is sent once, shown, replaced and withdrawn (FS-SDK, FS-DOC).
func TestCards(t *testing.T) {
	w := newWorld(t)
	send := func() simtest.Object {
		return w.call("POST", messagePath+"?receive_id_type=open_id", message("ou_1", "interactive", cardContent, "Q-1"))
	}
	r := send()
	id := r.In("data").Text("message_id")
	if errcode(r) != 0 || !strings.HasPrefix(id, "om_") || r.In("data").Text("msg_type") != "interactive" {
		t.Fatalf("%v", r)
	}
	if again := send().In("data").Text("message_id"); again != id || len(w.open("lina")) != 1 {
		t.Error("the same uuid made a second message")
	}
	if got := w.open("lina")[0]; got.Title != "报价单待审批" || got.Text != "张三 提交" || got.URL != "https://sso.crm.example/1" || got.Kind != inbox.Card || got.TaskID != "Q-1" {
		t.Errorf("lina sees %+v", got)
	}
	update := func(content string) simtest.Object {
		raw, err := json.Marshal(f{"content": content})
		if err != nil {
			t.Fatal(err)
		}
		return w.call("PATCH", messagePath+"/"+id, string(raw))
	}
	if r := update(strings.Replace(cardContent, "待审批", "已审批", 1)); errcode(r) != 0 || w.open("lina")[0].Title != "报价单已审批" {
		t.Errorf("%v", r)
	}
	if r := w.call("GET", messagePath+"/"+id, ""); errcode(r) != 0 {
		t.Errorf("read: %v", r)
	}
	for range 4 {
		update(cardContent)
	}
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{TaskID: "Q-1", Method: "PATCH"}, Times: 1, Action: fault.Action{Kind: fault.Business}}); err != nil {
		t.Fatal(err)
	}
	if r := update(cardContent); errcode(r) != internalError {
		t.Errorf("an update is known by the matter of its card: %v", r)
	}
	if r := update(cardContent); errcode(r) != cardTooOften {
		t.Errorf("the sixth in one second: %v", r)
	}
	w.now = w.now.Add(14*24*time.Hour + time.Second)
	if r := update(cardContent); errcode(r) != cardTooOld {
		t.Errorf("after 14 days: %v", r)
	}
	if r := w.call("DELETE", messagePath+"/"+id, ""); errcode(r) != 0 || len(w.open("lina")) != 0 {
		t.Errorf("withdrawn: %v", r)
	}
	if r := update(cardContent); errcode(r) != noMessage {
		t.Errorf("after that: %v", r)
	}
}

func TestMessages(t *testing.T) {
	w := newWorld(t)
	for kind, id := range map[string]string{"user_id": "lina", "union_id": "on_1", "email": "lina@corp.example"} {
		if r := w.call("POST", messagePath+"?receive_id_type="+kind, message(id, "text", `{"text":"报价单"}`, "")); errcode(r) != 0 {
			t.Errorf("%s: %v", kind, r)
		}
	}
	w.call("POST", messagePath+"?receive_id_type=user_id", message("lina", "post", `{"zh_cn":{"title":"报价单","content":[]}}`, ""))
	if got := w.open("lina"); len(got) != 4 || got[0].Title != "报价单" || got[0].Kind != inbox.Notice {
		t.Errorf("lina sees %+v", got)
	}
	for _, tc := range []struct {
		name, kind, body string
		code             int
	}{
		{"no JSON", "user_id", "[", badMessage},
		{"kind of id", "chat_id", message("lina", "text", `{"text":"a"}`, ""), badMessage},
		{"no such person", "user_id", message("nobody", "text", `{"text":"a"}`, ""), badMessage},
		{"an open_id is no user_id", "user_id", message("ou_1", "text", `{"text":"a"}`, ""), badMessage},
		{"outside the visible scope", "user_id", message("hidden", "text", `{"text":"a"}`, ""), notAvailable}, // F118
		{"content is no JSON", "user_id", message("lina", "text", "a", ""), badMessage},
		{"type", "user_id", message("lina", "hologram", `{"text":"a"}`, ""), badMessage},
	} {
		if r := w.call("POST", messagePath+"?receive_id_type="+tc.kind, tc.body); errcode(r) != tc.code {
			t.Errorf("%s: %v", tc.name, r)
		}
	}
	text := w.open("lina")[1].Key
	fixed := w.call("POST", messagePath+"?receive_id_type=user_id", message("wangfang", "interactive", strings.Replace(cardContent, "true", "false", 1), "")).In("data").Text("message_id")
	body, _ := json.Marshal(f{"content": cardContent})
	for _, id := range []string{text, fixed, "om_unknown"} {
		if r := w.call("PATCH", messagePath+"/"+id, string(body)); errcode(r) != badMessage {
			t.Errorf("update of %s: %v", id, r)
		}
	}
	if r := w.callAs(w.token("tenant_access_token", "cli_bi"), "DELETE", messagePath+"/"+text, ""); errcode(r) != badMessage {
		t.Errorf("another app's message: %v", r)
	}
	token := w.token("tenant_access_token", "cli_crm")
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{Receiver: "wangfang", Title: "只此"}, Action: fault.Action{Kind: fault.Swallow}}); err != nil {
		t.Fatal(err)
	}
	r := w.callAs(token, "POST", messagePath+"?receive_id_type=user_id", message("wangfang", "text", `{"text":"只此一次"}`, ""))
	if errcode(r) != 0 || r.In("data").Text("message_id") == "" || len(w.open("wangfang")) != 1 {
		t.Errorf("swallowed: %v", r)
	}
}

// A task comes once, is changed, finished and deleted (FS-SDK).
func TestTasks(t *testing.T) {
	w := newWorld(t)
	body := `{"summary":"报价单待审批","description":"张三 提交","client_token":"Q-1","mode":2,"due":{"timestamp":"1795000000000"},` +
		`"origin":{"platform_i18n_name":{"zh_cn":"CRM"},"href":{"url":"https://sso.crm.example/1","title":"报价单"}},"members":[{"id":"lina","type":"user","role":"assignee"},{"id":"wangfang","role":"follower"}]}`
	create := func(body string) simtest.Object { return w.call("POST", taskPath+"?user_id_type=user_id", body) }
	task := create(body).In("data").In("task")
	guid := task.Text("guid")
	if guid == "" || task.Text("status") != "todo" || create(body).In("data").In("task").Text("guid") != guid {
		t.Fatalf("%v", task)
	}
	if got := w.open("lina"); len(got) != 1 || got[0].TaskID != "Q-1" || got[0].URL != "https://sso.crm.example/1" || got[0].Sender != "CRM" || len(w.open("wangfang")) != 0 {
		t.Errorf("lina sees %+v", got)
	}
	patch := func(body string) simtest.Object { return w.call("PATCH", taskPath+"/"+guid, body) }
	if r := patch(`{"task":{"summary":"改过"},"update_fields":["summary"]}`); errcode(r) != 0 || w.open("lina")[0].Title != "改过" || w.open("lina")[0].Text != "张三 提交" {
		t.Errorf("%v", r)
	}
	done := `{"task":{"completed_at":"1795000000000"},"update_fields":["completed_at"]}`
	if r := patch(done); r.In("data").In("task").Text("status") != "done" || len(w.done("lina")) != 1 {
		t.Errorf("%v", r)
	}
	if r := patch(done); errcode(r) != badTask {
		t.Errorf("finished twice: %v", r)
	}
	if r := patch(`{"task":{"completed_at":"0"},"update_fields":["completed_at"]}`); errcode(r) != 0 || len(w.open("lina")) != 1 {
		t.Errorf("open again: %v", r)
	}
	if r := w.call("GET", taskPath+"/"+guid, ""); r.In("data").In("task").Text("summary") != "改过" {
		t.Errorf("%v", r)
	}
	for _, tc := range []struct{ name, body string }{
		{"no fields", `{"task":{"summary":"x"}}`}, {"unknown field", `{"task":{},"update_fields":["color"]}`},
		{"emptied summary", `{"task":{},"update_fields":["summary"]}`}, {"no JSON", "["},
	} {
		if r := patch(tc.body); errcode(r) != badTask {
			t.Errorf("%s: %v", tc.name, r)
		}
	}
	for _, wrong := range []string{
		"[", `{}`, `{"summary":"a","mode":3}`, `{"summary":"a","due":{"timestamp":"x"}}`, `{"summary":"a","members":[{"id":"lina","role":"owner"}]}`,
		`{"summary":"a","members":[{"id":"hidden","role":"assignee"}]}`, `{"summary":"a","members":[{"id":"ou_1","role":"assignee"}]}`,
	} {
		if r := create(wrong); errcode(r) != badTask {
			t.Errorf("%s: %v", wrong, r)
		}
	}
	token := w.token("tenant_access_token", "cli_crm")
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{TaskID: "Q-1", Method: "DELETE"}, Times: 1, Action: fault.Action{Kind: fault.Swallow}}); err != nil {
		t.Fatal(err)
	}
	for i, left := range []int{1, 0} {
		if r := w.callAs(token, "DELETE", taskPath+"/"+guid, ""); errcode(r) != 0 || len(w.open("lina")) != left {
			t.Errorf("deletion %d: %v, %d left", i, r, len(w.open("lina")))
		}
	}
	if r := w.call("GET", taskPath+"/"+guid, ""); errcode(r) != noTask {
		t.Errorf("%v", r)
	}
}
