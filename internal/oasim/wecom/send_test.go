package wecom

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// textCard is the plainest message with a link (WC-GO); F169.
func textCard(to string) string {
	return fmt.Sprintf(`{"touser":%q,"msgtype":"textcard","agentid":1000002,"textcard":{"title":"报价单待审批","description":"张三 提交","url":"https://sso.crm.example/q/1","btntxt":"详情"}}`, to)
}

// buttonCard can be updated later.
func buttonCard(to, task string) string {
	return fmt.Sprintf(`{"touser":%q,"msgtype":"template_card","agentid":1000002,"template_card":{"card_type":"button_interaction","task_id":%q,`+
		`"main_title":{"title":"报价单待审批","desc":"张三 提交"},"card_action":{"type":1,"url":"https://sso.crm.example/q/1"},"button_list":[{"text":"处理","key":"k1"}]}}`, to, task)
}

// Receivers who do not exist, or to whom the app is not visible, are listed; the others get the message (F118).
func TestInvisibleReceiversAreListed(t *testing.T) {
	w := newWorld(t)
	r := w.post(sendPath, textCard("lina|nobody|hidden|wangfang"))
	if errcode(r) != 0 || r.Text("invaliduser") != "nobody|hidden" || r.Text("msgid") == "" {
		t.Errorf("partly: %v", r)
	}
	if got := w.open("lina"); len(got) != 1 || got[0].Title != "报价单待审批" || got[0].URL != "https://sso.crm.example/q/1" || got[0].Kind != inbox.Notice {
		t.Errorf("lina sees %+v", got)
	}
	if len(w.open("wangfang")) != 1 || len(w.open("hidden")) != 0 || len(w.open("lina-of-BB")) != 0 {
		t.Error("wrong people got it")
	}
	if r := w.post(sendPath, textCard("liuyang|unpaid")); errcode(r) != 0 || r.Text("unlicenseduser") != "unpaid" || r.Text("invaliduser") != "" || len(w.open("unpaid")) != 0 {
		t.Errorf("without a licence: %v", r)
	}
	if r := w.post(sendPath, textCard("nobody|hidden")); errcode(r) != nobodyToSendTo {
		t.Errorf("nobody left: %v", r)
	}
	body := strings.Replace(textCard(""), `"touser":""`, `"toparty":"2|9","totag":"t1"`, 1)
	if r := w.post(sendPath, body); errcode(r) != 0 || r.Text("invalidparty") != "9" || r.Text("invalidtag") != "t1" {
		t.Errorf("a department: %v", r)
	}
	if len(w.open("liuyang")) != 2 || len(w.open("lina")) != 2 {
		t.Error("a department includes those below it")
	}
	if r := w.post(sendPath, textCard("@all")); errcode(r) != 0 || len(w.open("lina")) != 3 || len(w.open("lina-of-BB")) != 0 {
		t.Errorf("everybody: %v", r)
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("很", 700)
	for _, tc := range []struct {
		name, body string
		code       int
	}{
		{"no JSON", "[", badParameter},
		{"another app of the company", strings.Replace(textCard("lina"), "1000002", "1000003", 1), noRightsOnTheApp},
		{"no such app", strings.Replace(textCard("lina"), "1000002", "7", 1), badAgent},
		{"unknown type", strings.Replace(textCard("lina"), `"textcard","agentid"`, `"hologram","agentid"`, 1), badParameter},
		{"no link", strings.Replace(textCard("lina"), "https://sso.crm.example/q/1", "", 1), badParameter},
		{"too long", `{"touser":"lina","msgtype":"text","agentid":1000002,"text":{"content":"` + long + `"}}`, tooLong},
		{"empty text", `{"touser":"lina","msgtype":"text","agentid":1000002,"text":{"content":""}}`, badParameter},
		{"1001 receivers", textCard(strings.Repeat("lina|", 1000) + "lina"), badParameter},
		{"repeat window above four hours", strings.Replace(textCard("lina"), `{"touser"`, `{"duplicate_check_interval":14401,"touser"`, 1), badParameter},
		{"card type", strings.Replace(buttonCard("lina", "T1"), "button_interaction", "button", 1), badParameter},
		{"card without a task", buttonCard("lina", ""), badParameter},
		{"seven buttons", strings.Replace(buttonCard("lina", "T1"), `{"text":"处理","key":"k1"}`, `{},{},{},{},{},{},{}`, 1), badParameter},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if r := w.post(sendPath, tc.body); errcode(r) != tc.code {
				t.Errorf("%v", r)
			}
		})
	}
	if items := w.Inbox().Where(func(*inbox.Item) bool { return true }); len(items) != 0 {
		t.Errorf("something was stored: %+v", items)
	}
}

// The button of a card is replaced once, for those who are named; after 72 hours it cannot be (WC-94945).
func TestCardIsUpdatedOnce(t *testing.T) {
	w := newWorld(t)
	done := func(users, code string) simtest.Object {
		return w.post(updatePath, fmt.Sprintf(`{"userids":[%s],"agentid":1000002,"response_code":%q,"button":{"replace_name":"已处理"}}`, users, code))
	}
	r := w.post(sendPath, buttonCard("lina|wangfang", "T1"))
	code := r.Text("response_code")
	if errcode(r) != 0 || code == "" || len(w.open("lina")) != 1 || w.open("lina")[0].TaskID != "T1" {
		t.Fatalf("send: %v", r)
	}
	if r := done(`"lina","nobody"`, code); errcode(r) != 0 || r.Text("invaliduser") != "nobody" {
		t.Errorf("update: %v", r)
	}
	if got := w.Inbox().Of("lina", inbox.Done); len(got) != 1 || got[0].Fields["replaced"] != "已处理" || len(w.open("wangfang")) != 1 {
		t.Errorf("lina: %+v, wangfang: %+v", got, w.open("wangfang"))
	}
	if r := done(`"wangfang"`, code); errcode(r) != badParameter {
		t.Errorf("used twice: %v", r)
	}

	code = w.post(sendPath, buttonCard("lina", "T2")).Text("response_code")
	w.now = w.now.Add(72 * time.Hour)
	if r := done(`"lina"`, code); errcode(r) != badParameter {
		t.Errorf("after 72 hours: %v", r)
	}

	code = w.post(sendPath, buttonCard("lina|wangfang", "T3")).Text("response_code")
	card := `{"card_type":"text_notice","main_title":{"title":"已由他人处理"},"card_action":{"type":1,"url":"https://sso.crm.example/q/3"},"replace_text":"完成"}`
	if r := w.post(updatePath, `{"atall":1,"agentid":1000002,"response_code":"`+code+`","template_card":`+card+`}`); errcode(r) != 0 {
		t.Errorf("whole card: %v", r)
	}
	if got := w.Inbox().Of("wangfang", inbox.Done); len(got) != 1 || got[0].Title != "已由他人处理" {
		t.Errorf("wangfang: %+v", got)
	}
}

func TestNoticeCards(t *testing.T) {
	w := newWorld(t)
	notice := strings.NewReplacer("button_interaction", "text_notice", `,"button_list":[{"text":"处理","key":"k1"}]`, "").Replace(buttonCard("lina", "T1"))
	if r := w.post(sendPath, notice); errcode(r) != 0 || r.Text("response_code") != "" {
		t.Errorf("nothing to press, nothing to update: %v", r)
	}
	if err := w.Configure(func(s *Settings) { s.ResponseCodes = "all" }); err != nil {
		t.Fatal(err)
	}
	if r := w.post(sendPath, notice); r.Text("response_code") == "" {
		t.Errorf("all cards: %v", r)
	}
}

func TestRecall(t *testing.T) {
	w := newWorld(t)
	id := w.post(sendPath, textCard("lina")).Text("msgid")
	if r := w.post(recallPath, `{"msgid":"`+id+`"}`); errcode(r) != 0 || len(w.open("lina")) != 0 {
		t.Errorf("%v, lina still sees %d", r, len(w.open("lina")))
	}
	if r := w.post(recallPath, `{"msgid":"unknown"}`); errcode(r) != badParameter {
		t.Errorf("unknown: %v", r)
	}
}

// What is sent twice in the interval is shown once, and what is too much for a member is dropped without a word
// (WC-SIL, WC-90454).
func TestMessagesThatNobodySees(t *testing.T) {
	w := newWorld(t)
	checked := strings.Replace(textCard("lina"), `{"touser"`, `{"enable_duplicate_check":1,"touser"`, 1)
	for range 3 {
		if r := w.post(sendPath, checked); errcode(r) != 0 {
			t.Fatalf("%v", r)
		}
	}
	if got := len(w.open("lina")); got != 1 {
		t.Errorf("the repeat is shown %d times", got)
	}
	w.now = w.now.Add(30 * time.Minute)
	if w.post(sendPath, checked); len(w.open("lina")) != 2 {
		t.Error("after half an hour it is no repeat any more")
	}
	for i := range 40 {
		if r := w.post(sendPath, textCard("wangfang")); errcode(r) != 0 {
			t.Fatalf("message %d: %v", i, r)
		}
	}
	if got := len(w.open("wangfang")); got != 30 {
		t.Errorf("wangfang got %d of 40 in one minute", got)
	}
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{Receiver: "liuyang"}, Action: fault.Action{Kind: fault.Swallow}}); err != nil {
		t.Fatal(err)
	}
	if r := w.post(sendPath, textCard("liuyang")); errcode(r) != 0 || len(w.open("liuyang")) != 0 {
		t.Errorf("swallowed: %v, %d stored", r, len(w.open("liuyang")))
	}
}

func TestTodos(t *testing.T) { // WC-101534
	w := newWorld(t)
	if err := w.AddTodo("wwAA", "d1", "审批", "https://sso.crm.example/q/1", "lina", "wangfang"); err != nil {
		t.Fatal(err)
	}
	if err := w.AddTodo("wwAA", "d2", "审批", "", "nobody"); err == nil {
		t.Error("a to-do for nobody")
	}
	if r := w.post(todoPath, `{"todo_id":"d1","attendees":[{"userid":"lina","status":0}]}`); errcode(r) != 0 {
		t.Fatal(r)
	}
	if len(w.Inbox().Of("lina", inbox.Done)) != 1 || len(w.open("wangfang")) != 1 {
		t.Error("one attendee")
	}
	if r := w.post(todoPath, `{"todo_id":"d1","status":0}`); errcode(r) != 0 || len(w.open("wangfang")) != 0 {
		t.Errorf("as a whole: %v", r)
	}
	for body, want := range map[string]int{
		`{"todo_id":"d9","status":0}`: badParameter, `{"todo_id":"d1"}`: badParameter,
		`{"todo_id":"d1","attendees":[{"userid":"liuyang","status":0}]}`: userMissing,
	} {
		if r := w.post(todoPath, body); errcode(r) != want {
			t.Errorf("%s: %v", body, r)
		}
	}
}

func TestFaults(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct {
		rule fault.Rule
		body string
		code int
	}{
		{fault.Rule{Match: fault.Match{TaskID: "T1"}, Action: fault.Action{Kind: fault.Business, Code: "45033", ErrorMsgs: []string{"concurrency"}}}, buttonCard("lina", "T1"), 45033},
		{fault.Rule{Match: fault.Match{Title: "报价"}, Action: fault.Action{Kind: fault.Business}}, textCard("lina"), busy},
		{fault.Rule{Match: fault.Match{Path: sendPath}, Action: fault.Action{Kind: fault.RateLimit}}, textCard("lina"), tooOften},
	} {
		w.Faults().Clear()
		tc.rule.Times = 1
		token := w.token()
		if _, err := w.Faults().Add(tc.rule); err != nil {
			t.Fatal(err)
		}
		if r := w.call("POST", sendPath+"?access_token="+token, tc.body); errcode(r) != tc.code {
			t.Errorf("%+v: %v", tc.rule, r)
		}
	}
	w.Faults().Clear()
	code := w.post(sendPath, buttonCard("lina", "T7")).Text("response_code")
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{Path: updatePath, TaskID: "T7"}, Action: fault.Action{Kind: fault.Business}}); err != nil {
		t.Fatal(err)
	}
	if r := w.post(updatePath, `{"userids":["lina"],"agentid":1000002,"response_code":"`+code+`","button":{"replace_name":"x"}}`); errcode(r) != busy {
		t.Errorf("an update is known by the task of its card: %v", r)
	}
}
