package dingtalk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

func notify(to, msg string) string {
	return fmt.Sprintf(`{"agent_id":7,%s,"msg":%s}`, to, msg)
}

const card = `{"msgtype":"action_card","action_card":{"title":"报价单","markdown":"张三 提交","single_title":"查看","single_url":"https://sso.crm.example/1"}}`

// A work notice is taken at once; who did not get it shows in the result only (DT-GO, F118).
func TestNotices(t *testing.T) {
	w := newWorld(t)
	r := w.old(noticeBase+"asyncsend_v2", notify(`"userid_list":"lina,hidden,nobody"`, card))
	id, _ := r["task_id"].(float64)
	if errcode(r) != 0 || id == 0 {
		t.Fatalf("send: %v", r)
	}
	about := fmt.Sprintf(`{"agent_id":7,"task_id":%d}`, int(id))
	if p := w.old(noticeBase+"getsendprogress", about).In("progress"); p["progress_in_percent"] != 100.0 || p["status"] != 2.0 {
		t.Errorf("progress: %v", p)
	}
	result := w.old(noticeBase+"getsendresult", about).In("send_result")
	if fmt.Sprint(result["invalid_user_id_list"]) != "[hidden nobody]" || fmt.Sprint(result["unread_user_id_list"]) != "[lina]" {
		t.Errorf("result: %v", result)
	}
	if got := w.open("lina"); len(got) != 1 || got[0].Title != "报价单" || got[0].URL != "https://sso.crm.example/1" {
		t.Errorf("lina sees %+v", got)
	}
	if r := w.old(noticeBase+"status_bar/update", strings.Replace(about, "}", `,"status_value":"已处理"}`, 1)); errcode(r) != 0 || w.open("lina")[0].Fields["status"] != "已处理" {
		t.Errorf("status bar: %v", r)
	}
	if r := w.old(noticeBase+"recall", strings.Replace(about, "task_id", "msg_task_id", 1)); errcode(r) != 0 || len(w.open("lina")) != 0 {
		t.Errorf("recall: %v", r)
	}
	for _, wrong := range []string{`{"agent_id":8,"task_id":1}`, `{"agent_id":7,"task_id":99}`, "["} {
		if r := w.old(noticeBase+"getsendresult", wrong); errcode(r) != badParameter {
			t.Errorf("%s: %v", wrong, r)
		}
	}
}

// The same content reaches a person once a day.
func TestSameNoticeTwice(t *testing.T) {
	w := newWorld(t)
	send := func() simtest.Object {
		r := w.old(noticeBase+"asyncsend_v2", notify(`"userid_list":"lina"`, card))
		return w.old(noticeBase+"getsendresult", fmt.Sprintf(`{"agent_id":7,"task_id":%v}`, r["task_id"])).In("send_result")
	}
	send()
	if r := send(); fmt.Sprint(r["forbidden_user_id_list"]) != "[lina]" || len(w.open("lina")) != 1 {
		t.Errorf("twice: %v", r)
	}
	w.now = w.now.Add(15 * time.Hour)
	if r := send(); fmt.Sprint(r["unread_user_id_list"]) != "[lina]" || len(w.open("lina")) != 2 {
		t.Errorf("tomorrow: %v", r)
	}
}

func TestNoticeForms(t *testing.T) {
	w := newWorld(t)
	for _, msg := range []string{
		`{"msgtype":"text","text":{"content":"报价单"}}`,
		`{"msgtype":"link","link":{"messageUrl":"https://x.example","title":"报价单","text":"a"}}`,
		`{"msgtype":"markdown","markdown":{"title":"报价单","text":"# a"}}`,
		`{"msgtype":"oa","oa":{"message_url":"https://x.example","head":{"text":"CRM"},"body":{"title":"报价单","content":"a"}}}`,
	} {
		if r := w.old(noticeBase+"asyncsend_v2", notify(`"dept_id_list":"1"`, msg)); errcode(r) != 0 {
			t.Errorf("%s: %v", msg, r)
		}
		if got := w.open("wangfang"); got[0].Title != "报价单" {
			t.Errorf("%s: %+v", msg, got[0])
		}
	}
	if r := w.old(noticeBase+"asyncsend_v2", notify(`"to_all_user":true`, card)); errcode(r) != 0 || len(w.open("zhangwei")) != 5 || len(w.open("hidden")) != 0 {
		t.Errorf("everybody: %v", r)
	}
	for _, wrong := range []string{
		notify(`"userid_list":""`, card), notify(`"userid_list":"lina"`, `{"msgtype":"hologram"}`), notify(`"userid_list":"lina"`, `{"msgtype":"text"}`),
		strings.Replace(notify(`"userid_list":"lina"`, card), `"agent_id":7`, `"agent_id":8`, 1), notify(`"userid_list":"`+strings.Repeat("a,", 100)+`b"`, card), "[",
	} {
		if r := w.old(noticeBase+"asyncsend_v2", wrong); errcode(r) != badParameter {
			t.Errorf("%.80s: %v", wrong, r)
		}
	}
	before := len(w.open("lina"))
	token := w.token()
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{Receiver: "lina", Title: "只此"}, Action: fault.Action{Kind: fault.Swallow}}); err != nil {
		t.Fatal(err)
	}
	_, r := w.JSON("POST", noticeBase+"asyncsend_v2?access_token="+token, notify(`"userid_list":"lina"`, `{"msgtype":"text","text":{"content":"只此一次"}}`))
	if errcode(r) != 0 || len(w.open("lina")) != before {
		t.Errorf("swallowed: %v", r)
	}
}
