package welink

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

const (
	addV3  = "/api/todo/v3/addtask"
	update = "/api/todo/v2/updatetask"
	remove = "/api/todo/v1/deltask"
)

// task is the body of v3/addtask with every field of the vendor's page (WL-TODO), and some of them changed or left out.
func task(changes ...string) string {
	in := map[string]any{
		"taskId": "T1", "taskTitle": "报价单待审批", "userId": "lina", "userNameCn": "李娜", "userNameEn": "lina",
		"detailsUrl": "https://sso.crm.example/h5/1", "detailsUrlPc": "https://sso.crm.example/pc/1", "appName": "CRM", "applicantUserId": "zhangwei",
		"applicantUserNameCn": "张伟", "applicantUserNameEn": "zhangwei", "isMsg": 0, "isShowApplicantUserName": true, "applicantId": "A1", "businessCode": "B1",
	}
	for i := 0; i+1 < len(changes); i += 2 {
		in[changes[i]] = changes[i+1]
	}
	raw, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// A to-do comes, goes on to the next approver and is taken away.
func TestLifeOfATodo(t *testing.T) {
	w := newWorld(t)
	r := w.call("POST", addV3, task())
	data, _ := r["data"].(map[string]any)
	if errcode(r) != "0" || r.Text("message") != "新增待办任务成功!" || data["taskId"] != "T1" || data["userId"] != "lina" || data["uuid"] == "" {
		t.Fatalf("add: %v", r)
	}
	got := w.open("lina")
	if len(got) != 1 || got[0].Title != "报价单待审批" || got[0].Sender != "张伟" || got[0].URL != "https://sso.crm.example/pc/1" ||
		got[0].MobileURL != "https://sso.crm.example/h5/1" || got[0].Fields["businessCode"] != "B1" {
		t.Errorf("lina sees %+v", got)
	}
	r = w.call("PUT", update+"?taskId=T1&userId=wangfang&userNameCn=x&userNameEn=x", "")
	if errcode(r) != "0" || r.Text("message") != "更新待办任务成功!" || len(w.open("lina")) != 0 || len(w.open("wangfang")) != 1 {
		t.Errorf("update: %v", r)
	}
	if r := w.call("POST", "/api/todo/v1/updatetask?taskId=T1&userId=lina", ""); errcode(r) != "0" || len(w.open("lina")) != 1 { // WL-JAVA
		t.Errorf("update v1 by POST: %v", r)
	}
	r = w.call("DELETE", remove+"?taskId=T1", "")
	data, _ = r["data"].(map[string]any)
	if errcode(r) != "0" || r.Text("message") != "删除待办任务成功!" || data["tenantId"] != "T-A" || len(w.open("lina")) != 0 {
		t.Errorf("delete: %v", r)
	}
	for call, want := range map[string]string{
		"DELETE " + remove + "?taskId=T1": deleteFailed, "DELETE " + remove: missing,
		"PUT " + update + "?taskId=T1&userId=lina&userNameCn=x&userNameEn=x": illegalUpdate,
		"PUT " + update + "?taskId=T9&userId=lina&userNameCn=x&userNameEn=x": updateFailed,
		"PUT " + update + "?taskId=T1&userId=lina":                           missing,
		"PUT " + update + "?taskId=T1&userId=zz&userNameCn=x&userNameEn=x":   invalid,
	} {
		method, path, _ := strings.Cut(call, " ")
		if r := w.call(method, path, ""); errcode(r) != want {
			t.Errorf("%s: %v, want %s", call, r, want)
		}
	}
}

func TestTodosThatAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, name := range required["v2"] {
		if r := w.call("POST", addV3, task(name, "")); errcode(r) != missing || !strings.Contains(r.Text("message"), name) {
			t.Errorf("without %s: %v", name, r)
		}
	}
	for _, tc := range []struct{ name, body, code string }{
		{"no JSON", "[", invalid},
		{"a link without a scheme", task("detailsUrl", "sso.crm.example/1"), invalid},
		{"isMsg", task("isMsg", "maybe"), invalid},
		{"an unknown person", task("userId", "nobody"), invalid},
		{"outside the visible scope", task("userId", "hidden"), createFailed}, // F118
		{"another tenant's person", task("userId", "lina-b"), invalid},
	} {
		if r := w.call("POST", addV3, tc.body); errcode(r) != tc.code {
			t.Errorf("%s: %v", tc.name, r)
		}
	}
	if r := w.call("POST", "/api/todo/v1/addtask", `{"taskId":"T2","taskTitle":"a","userId":"lina","detailsUrl":"https://x.example","appName":"CRM","applicant":"张伟"}`); errcode(r) != "0" {
		t.Errorf("v1 needs less: %v", r)
	}
	if len(w.open("lina")) != 1 || len(w.open("hidden")) != 0 {
		t.Error("a refused to-do is seen")
	}
}

// The trap: code "0" with data false means that nothing happened.
func TestSuccessThatIsNone(t *testing.T) {
	w := newWorld(t)
	if err := w.Configure(func(s *Settings) { s.DropTasks = "^T1$" }); err != nil {
		t.Fatal(err)
	}
	r := w.call("POST", addV3, task())
	if errcode(r) != "0" || r["data"] != false || len(w.open("lina")) != 0 {
		t.Errorf("dropped: %v", r)
	}
	_ = w.Configure(func(s *Settings) { s.DropTasks = "" })
	w.call("POST", addV3, task())
	token := w.ticket("crm")
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{TaskID: "T1"}, Action: fault.Action{Kind: fault.Swallow}}); err != nil {
		t.Fatal(err)
	}
	if r := w.callAs(token, "DELETE", remove+"?taskId=T1", ""); errcode(r) != "0" || r["data"] != false || len(w.open("lina")) != 1 {
		t.Errorf("a swallowed deletion: %v", r)
	}
	if err := w.Configure(func(s *Settings) { s.DropTasks = "(" }); err == nil {
		t.Error("a broken pattern was accepted")
	}
}

// A task has one receiver, whatever version writes it, and each app its own tasks.
func TestKnownTasks(t *testing.T) {
	w := newWorld(t)
	w.call("POST", addV3, task())
	w.call("POST", addV3, task("taskTitle", "改过的标题"))
	if got := w.open("lina"); len(got) != 1 || got[0].Title != "改过的标题" {
		t.Errorf("written again: %+v", got)
	}
	w.call("POST", "/api/todo/v2/addtask", task("userId", "wangfang"))
	if len(w.open("lina")) != 0 || len(w.open("wangfang")) != 1 {
		t.Error("the same task for somebody else leaves the first one")
	}
	if r := w.callAs(w.ticket("crm-b"), "DELETE", remove+"?taskId=T1", ""); errcode(r) != deleteFailed {
		t.Errorf("another app's task: %v", r)
	}
	if err := w.Configure(func(s *Settings) { s.KnownTask = "error" }); err != nil {
		t.Fatal(err)
	}
	if r := w.call("POST", addV3, task("userId", "wangfang")); errcode(r) != createFailed {
		t.Errorf("strict: %v", r)
	}
}

func TestOldTodosGo(t *testing.T) { // WL-TODO: not updated for three months
	w := newWorld(t)
	w.call("POST", addV3, task())
	w.now = w.now.AddDate(0, 0, 80)
	w.call("POST", addV3, task("taskId", "T2"))
	w.now = w.now.AddDate(0, 0, 11)
	w.call("GET", someone, "")
	if got := w.open("lina"); len(got) != 1 || got[0].TaskID != "T2" {
		t.Errorf("lina sees %+v", got)
	}
}

func note(more string, to ...string) string {
	raw, err := json.Marshal(to)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"toUserList":%s,"msgTitle":"{\"EN\":\"Quote\",\"CN\":\"报价单\"}","msgContent":"张三 提交","urlType":"html","urlPath":"https://sso.crm.example/1","msgOwner":"CRM","createTime":"1700000000000"%s}`, raw, more)
}

// Notices and cards reach who can see the app; the others are named (F118, F122).
func TestMessages(t *testing.T) {
	w := newWorld(t)
	for path, kind := range map[string]string{"/api/messages/v3/send": inbox.Notice, "/api/messages/v2/card/common": inbox.Card} {
		r := w.call("POST", path, note("", "lina", "hidden", "nobody"))
		if errcode(r) != "0" || fmt.Sprint(r["failedUserId"]) != "[hidden nobody]" {
			t.Errorf("%s: %v", path, r)
		}
		if got := w.open("lina")[0]; got.Kind != kind || got.Title != "报价单" {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if r := w.call("POST", "/api/messages/v2/send", note(`,"msgRange":"2"`)); errcode(r) != "0" || len(w.open("liuyang")) != 1 || len(w.open("lina-b")) != 0 {
		t.Errorf("everybody: %v", r)
	}
	for _, tc := range []struct{ name, body, code string }{
		{"no JSON", "[", badMessage},
		{"nobody", note(""), badMessage},
		{"nobody who sees it", note("", "hidden"), nobodyReached},
		{"no owner", strings.Replace(note("", "lina"), `"msgOwner":"CRM",`, "", 1), badMessage},
		{"urlType", strings.Replace(note("", "lina"), `"html"`, `"native"`, 1), badMessage},
		{"129 bytes of title", strings.Replace(note("", "lina"), "Quote", strings.Repeat("q", 129), 1), titleTooLong},
		{"513 bytes of content", strings.Replace(note("", "lina"), "张三 提交", strings.Repeat("q", 513), 1), contentTooLong},
		{"1001 receivers", note("", make([]string, 1001)...), tooManyUsers},
	} {
		if r := w.call("POST", "/api/messages/v3/send", tc.body); errcode(r) != tc.code {
			t.Errorf("%s: %v", tc.name, r)
		}
	}
	before := len(w.open("wangfang"))
	token := w.ticket("crm")
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{Receiver: "wangfang"}, Action: fault.Action{Kind: fault.Swallow}}); err != nil {
		t.Fatal(err)
	}
	if r := w.callAs(token, "POST", "/api/messages/v3/send", note("", "wangfang")); errcode(r) != "0" || len(w.open("wangfang")) != before {
		t.Errorf("swallowed: %v", r)
	}
}
