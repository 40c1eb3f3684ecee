package wecom_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/oatest"
	"github.com/oabridge/oabridge/internal/oa/wecom"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	sim "github.com/oabridge/oabridge/internal/oasim/wecom"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	todo     = "wecom-todo"
	text     = "wecom-todo-text"
	reminder = "wecom-reminder"
)

type stage struct {
	*oatest.Stage
	sim *sim.WeCom
	t   *testing.T
}

var app = sim.App{AgentID: 1000002, Secret: oatest.Secret, Name: "CRM"}

func newStage(t *testing.T) *stage {
	t.Helper()
	c := oatest.NewClock()
	s, err := sim.New(sim.Options{
		Corps: []sim.Corp{{CorpID: "wwAA", Name: "AA", Apps: []sim.App{app}}}, Now: c.Now,
		People: []desk.Person{
			{ID: "lisi", Name: "李四"}, {ID: "wangwu", Name: "王五"}, {ID: "hidden", Name: "不可见", OutOfScope: true},
			{ID: "unpaid", Name: "无许可", IDs: map[string]string{"licence": "none"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &stage{sim: s, t: t, Stage: oatest.New(t, c, s, map[string]string{"corpID": "wwAA", "agentID": "1000002"}, func(s *oatest.Stage, c exchange.Config) oa.Pusher {
		return wecom.NewPusher(wecom.Config{Config: c, Credentials: s.Account("wwAA")})
	})}
}

func (s *stage) only(person string) inbox.Item {
	s.t.Helper()
	got := oatest.Of(s.sim.Inbox(), person)
	if len(got) != 1 {
		s.t.Fatalf("%s has %d messages: %+v", person, len(got), got)
	}
	return got[0]
}

func replaced(i inbox.Item) any { return i.Fields["replaced"] }

// A card is sent, and marked with the code that sending it gave. It needs no callback and no button that calls one.
func TestLifeOfACard(t *testing.T) { // F166
	for action, mark := range map[scenario.Action]string{scenario.Complete: "已处理", scenario.Delete: "已撤回"} {
		s := newStage(t)
		f := oatest.Item("T-1", "lisi")
		s.WantOK(s.Push(todo, scenario.Create, f))
		if i := s.only("lisi"); i.State != inbox.Open || i.Kind != inbox.Card || i.Title != "张三 提交 报价单" || i.TaskID != "T-1@lisi" {
			t.Fatalf("%+v", i)
		}
		s.WantOK(s.Push(todo, action, f))
		if i := s.only("lisi"); i.State != inbox.Done || replaced(i) != mark {
			t.Errorf("%s: %+v", action, i)
		}
	}
}

// A change uses the code up. The next one sends a new card, whose code then marks it as done.
func TestChangesOfACard(t *testing.T) {
	s := newStage(t)
	f := oatest.Item("T-1", "lisi")
	s.WantOK(s.Push(text, scenario.Create, f))
	f["F056"] = "再次提交"
	s.WantOK(s.Push(text, scenario.Update, f))
	if i := s.only("lisi"); i.State != inbox.Open || i.Title != "张三 再次提交 报价单" {
		t.Fatalf("%+v", i)
	}
	f["F056"] = "第三次提交"
	a := s.Push(text, scenario.Update, f)
	s.WantOK(a)
	if !strings.HasSuffix(strings.SplitN(a.URL, "?", 2)[0], "/message/send") {
		t.Errorf("the second change went to %s", a.URL)
	}
	s.WantOK(s.Push(text, scenario.Complete, f))
	if open := oatest.Of(s.sim.Inbox(), "lisi", inbox.Open); len(open) != 1 || open[0].Title != "张三 再次提交 报价单" {
		t.Errorf("open: %+v", open)
	}
}

// A code lives 72 hours, and people take longer: the card stays as it is, and that is no failure. [WC-94945]
func TestACodeThatIsTooOld(t *testing.T) {
	s := newStage(t)
	f := oatest.Item("T-1", "lisi")
	s.WantOK(s.Push(text, scenario.Create, f))
	s.Clock.Advance(80 * time.Hour)
	a := s.Push(text, scenario.Complete, f)
	s.WantOK(a)
	if !strings.Contains(a.Message, "used up or too old") || a.Captured["responseCode"] != "" {
		t.Errorf("%q %v", a.Message, a.Captured)
	}
	s.WantOK(s.Push(text, scenario.Create, f))
	s.Clock.Advance(80 * time.Hour)
	f["F056"] = "再次提交"
	s.WantOK(s.Push(text, scenario.Update, f)) // a new card
	s.WantOK(s.Push(text, scenario.Complete, f))
	done := oatest.Of(s.sim.Inbox(), "lisi", inbox.Done)
	if len(done) != 1 || done[0].Title != "张三 再次提交 报价单" {
		t.Errorf("done: %+v", done)
	}
}

// Who is out of reach is listed apart: no member, not in the visible range, without a licence. A binding cannot tell
// everybody, nor several people.
func TestReceiversOutOfReach(t *testing.T) { // F193
	s := newStage(t)
	for _, preset := range []string{todo, reminder} {
		for _, who := range []string{"hidden", "nobody", "unpaid"} {
			a := s.Push(preset, scenario.Create, oatest.Item("T-1", who))
			s.Want(a, oa.ReceiverUnknown, "", "81013")
			if a.TargetDown() {
				t.Errorf("%s for %s makes WeCom look down", preset, who)
			}
		}
		for _, crowd := range []string{"@all", "@ALL", "lisi|wangwu"} {
			s.Want(s.Push(preset, scenario.Create, oatest.Item("T-1", crowd)), oa.Internal, "", "more than one person")
		}
	}
	for list, says := range map[string]string{"invaliduser": "visible range", "unlicenseduser": "licence"} {
		s.Fault("/cgi-bin/message/send", 1, fault.Action{Kind: fault.Status, Status: 200, Body: `{"errcode":0,"errmsg":"ok","` + list + `":"lisi"}`})
		s.Want(s.Push(reminder, scenario.Create, oatest.Item("T-1", "lisi")), oa.ReceiverUnknown, "", says)
	}
	if n := len(oatest.Of(s.sim.Inbox(), "wangwu")); n != 0 {
		t.Errorf("wangwu got %d messages", n)
	}
}

// The address that WeCom saw is in the message, because it is what must be added; what is different each time is not.
func TestUntrustedIP(t *testing.T) { // F183 F193
	s := newStage(t)
	s.WantOK(s.Push(reminder, scenario.Create, oatest.Item("T-0", "lisi")))
	closed := app
	closed.TrustedIPs = "203.0.113.7;203.0.113.8"
	if err := s.sim.SetApp("wwAA", closed); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(2 * time.Minute)
	a := s.Push(reminder, scenario.Create, oatest.Item("T-1", "lisi"))
	s.Want(a, oa.AuthExpired, "CallerNotTrusted", "60020 (not allow to access from your ip, from ip: 127.0.0.1)")
	s.Clock.Advance(time.Second)
	if again := s.Push(reminder, scenario.Create, oatest.Item("T-1", "lisi")); again.Message != a.Message || strings.Contains(a.Message, "hint") {
		t.Errorf("got %q, then %q", a.Message, again.Message)
	}
	closed.TrustedIPs += ";127.0.0.1"
	if err := s.sim.SetApp("wwAA", closed); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(2 * time.Minute)
	s.WantOK(s.Push(reminder, scenario.Create, oatest.Item("T-1", "lisi")))
}

// 40014 (ended early), 42001 (expired) and one that lived its time out: one new token each, and the item still arrives.
func TestTokenDeath(t *testing.T) { // F36
	s := newStage(t)
	push := func(id string) { s.WantOK(s.Push(reminder, scenario.Create, oatest.Item(id, "lisi"))) }
	push("T-1")
	s.sim.ForgetTokens()
	push("T-2")
	s.Fault("/cgi-bin/message/send", 1, fault.Action{Kind: fault.ExpireToken})
	push("T-3")
	s.Clock.Advance(3 * time.Hour)
	push("T-4")
	if n, tokens := s.Calls("/cgi-bin/gettoken"), s.Tokens(); n != 4 || tokens != 4 {
		t.Errorf("%d token calls and %d tokens, want 4 of each", n, tokens)
	}
	before, pushes := s.Calls("/cgi-bin/gettoken"), s.Calls("/cgi-bin/message/send")
	s.Fault("/cgi-bin/message/send", 0, fault.Action{Kind: fault.ExpireToken})
	s.Want(s.Push(reminder, scenario.Create, oatest.Item("T-5", "lisi")), oa.AuthExpired, "TokenRejected", "42001")
	if n, p := s.Calls("/cgi-bin/gettoken")-before, s.Calls("/cgi-bin/message/send")-pushes; n != 1 || p != 2 {
		t.Errorf("%d token calls and %d pushes, want 1 and 2", n, p)
	}
}

// The secret stands in the query of the token call. It shows nowhere, in no spelling (the stage looks).
func TestWrongCredentials(t *testing.T) { // F35 F40 F170
	s := newStage(t)
	s.Rotate(oatest.Wrong)
	a := s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi"))
	s.Want(a, oa.AuthExpired, "TokenRejected", "40001")
	if !strings.Contains(a.URL, "corpsecret=***") || !strings.Contains(a.Message, "appSecret") {
		t.Errorf("%s: %s", a.URL, a.Message)
	}
	s.Want(s.Pusher.Probe(t.Context()), oa.AuthExpired, "TokenRejected", "40001")
	s.Rotate(oatest.Secret)
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi")))
}

func TestRateLimit(t *testing.T) { // F61
	s := newStage(t)
	if err := s.sim.Configure(func(c *sim.Settings) { c.PerMinute = 1 }); err != nil {
		t.Fatal(err)
	}
	s.WantOK(s.Push(reminder, scenario.Create, oatest.Item("T-1", "lisi")))
	s.Want(s.Push(reminder, scenario.Create, oatest.Item("T-2", "lisi")), oa.RateLimited, "", "45009")
	s.Clock.Advance(3 * time.Minute)
	s.WantOK(s.Push(reminder, scenario.Create, oatest.Item("T-2", "lisi")))
}

// An answer that was lost is asked for again, and the message is shown once.
func TestLostAnswer(t *testing.T) {
	s := newStage(t)
	s.Fault("/cgi-bin/message/send", 1, fault.Action{Kind: fault.Close, After: true})
	f := oatest.Item("T-1", "lisi")
	s.Want(s.Push(reminder, scenario.Create, f), oa.Network, "NetworkError", "unknown")
	s.WantOK(s.Push(reminder, scenario.Create, f))
	s.only("lisi")
}

func TestMarkup(t *testing.T) { // F26
	s := newStage(t)
	hostile := `"}],{"x":1} </script><a href="x"> \u0000 😀 龘 #F001 ${captured.responseCode}`
	f := oatest.Item("T-1", "lisi")
	f["F056"] = hostile
	s.WantOK(s.Push(todo, scenario.Create, f))
	if i := s.only("lisi"); i.Title != "张三 "+hostile+" 报价单" {
		t.Errorf("%+v", i)
	}
}
