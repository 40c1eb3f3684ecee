package welink_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/oatest"
	"github.com/oabridge/oabridge/internal/oa/welink"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	sim "github.com/oabridge/oabridge/internal/oasim/welink"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	todo   = "welink-todo"
	notice = "welink-reminder"
	card   = "welink-card"
)

type stage struct {
	*oatest.Stage
	sim *sim.WeLink
	t   *testing.T
}

var app = sim.App{ClientID: "crm", ClientSecret: oatest.Secret, Name: "CRM"}

func newStage(t *testing.T) *stage {
	t.Helper()
	c := oatest.NewClock()
	s, err := sim.New(sim.Options{
		Tenants: []sim.Tenant{{ID: "T", Name: "团队"}}, Apps: []sim.App{app}, Now: c.Now,
		People: []desk.Person{{ID: "lisi", Name: "李四"}, {ID: "wangwu", Name: "王五"}, {ID: "hidden", Name: "不可见", OutOfScope: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &stage{sim: s, t: t, Stage: oatest.New(t, c, s, map[string]string{"clientID": "crm", "appName": "CRM"}, func(s *oatest.Stage, c exchange.Config) oa.Pusher {
		c.Endpoint = s.Address("/api")
		return welink.NewPusher(welink.Config{Config: c, Credentials: s.Account("crm")})
	})}
}

func (s *stage) of(person string, states ...inbox.State) []inbox.Item {
	return oatest.Of(s.sim.Inbox(), person, states...)
}

// A to-do of two people is two to-dos in WeLink; finishing one leaves the other. An id that was finished is not used again.
func TestLifeOfATodo(t *testing.T) { // F19 F36 F59
	s := newStage(t)
	mine, theirs := oatest.Item("T-1", "lisi"), oatest.Item("T-1", "wangwu")
	for _, item := range []scenario.Fields{mine, theirs} {
		s.WantOK(s.Push(todo, scenario.Create, item))
	}
	s.WantOK(s.Push(todo, scenario.Update, mine))
	got := s.of("lisi", inbox.Open)
	if len(got) != 1 || got[0].Title != "张三 提交 报价单" || got[0].Sender != "张三" || !strings.HasPrefix(got[0].MobileURL, "https://sso.crm.example/erp/") {
		t.Fatalf("%+v", got)
	}
	s.WantOK(s.Push(todo, scenario.Complete, mine))
	if len(s.of("lisi", inbox.Open)) != 0 || len(s.of("wangwu", inbox.Open)) != 1 {
		t.Errorf("lisi %v, wangwu %v", s.of("lisi", inbox.Open), s.of("wangwu", inbox.Open))
	}
	s.WantOK(s.Push(todo, scenario.Delete, theirs))
	if n := s.Calls("/api/auth/v2/tickets"); n != 1 {
		t.Errorf("%d token calls, want 1", n)
	}
}

// Code "0" is not delivery.
func TestSaysZeroAndDoesNothing(t *testing.T) { // F14
	s := newStage(t)
	if err := s.sim.Configure(func(c *sim.Settings) { c.DropTasks = "^T-lost@" }); err != nil {
		t.Fatal(err)
	}
	a := s.Push(todo, scenario.Create, oatest.Item("T-lost", "lisi"))
	s.Want(a, oa.BusinessCode, "", "data:false")
	if a.TargetDown() || len(s.of("lisi")) != 0 {
		t.Errorf("%+v", a)
	}
}

// Somebody outside the visible range, or whom WeLink does not know, is told apart from everything that may pass.
func TestReceiversOutOfReach(t *testing.T) { // F118
	for _, field := range []string{"message", "errorMessage"} {
		s := newStage(t)
		if err := s.sim.Configure(func(c *sim.Settings) { c.ErrorField = field }); err != nil {
			t.Fatal(err)
		}
		for _, preset := range []string{todo, notice, card} {
			for _, who := range []string{"hidden", "nobody"} {
				a := s.Push(preset, scenario.Create, oatest.Item("T-1", who))
				s.Want(a, oa.ReceiverUnknown, "", "visible range")
				if a.TargetDown() {
					t.Errorf("%s for %s makes WeLink look down", preset, who)
				}
			}
		}
	}
}

// One new token, one repeat; a token that is refused again is the administrator's matter.
func TestTokenDeath(t *testing.T) { // F36
	s := newStage(t)
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi")))
	s.sim.ForgetTokens()
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-2", "lisi")))
	s.Clock.Advance(3 * time.Hour)
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-3", "lisi")))
	if n := s.Calls("/api/auth/v2/tickets"); n != 3 {
		t.Errorf("%d token calls, want 3", n)
	}
	before, pushes := s.Calls("/api/auth/v2/tickets"), s.Calls("/api/todo/v3/addtask")
	s.Fault("/api/todo", 0, fault.Action{Kind: fault.ExpireToken})
	s.Want(s.Push(todo, scenario.Create, oatest.Item("T-4", "lisi")), oa.AuthExpired, "TokenRejected", "47103")
	if n, p := s.Calls("/api/auth/v2/tickets")-before, s.Calls("/api/todo/v3/addtask")-pushes; n != 1 || p != 2 {
		t.Errorf("%d token calls and %d pushes, want 1 and 2", n, p)
	}
}

func TestWrongCredentials(t *testing.T) { // F40
	s := newStage(t)
	s.Rotate(oatest.Wrong)
	s.Want(s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi")), oa.AuthExpired, "TokenRejected", "spec.welink.clientID and the key appSecret")
	s.Rotate(oatest.Secret)
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi")))
}

// A permission that is granted later counts from the next token on [WL-DOC], which nobody has to wait for: a push that is
// refused for its lack, and the notice too, fetches one.
func TestPermission(t *testing.T) { // F116
	s := newStage(t)
	without := app
	without.Permissions = []string{sim.Identity}
	if err := s.sim.SetApp(without); err != nil {
		t.Fatal(err)
	}
	s.Want(s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi")), oa.AuthExpired, "TokenRejected", "to-do")
	s.Want(s.Push(notice, scenario.Create, oatest.Item("T-1", "lisi")), oa.AuthExpired, "TokenRejected", "message")
	if err := s.sim.SetApp(app); err != nil {
		t.Fatal(err)
	}
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi")))
	s.WantOK(s.Push(notice, scenario.Create, oatest.Item("T-1", "lisi")))
}

func TestRateLimit(t *testing.T) { // F61
	s := newStage(t)
	if err := s.sim.Configure(func(c *sim.Settings) { c.PerMinute = 1 }); err != nil {
		t.Fatal(err)
	}
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi")))
	a := s.Push(todo, scenario.Create, oatest.Item("T-2", "lisi"))
	s.Want(a, oa.RateLimited, "", "48503")
	s.Clock.Advance(3 * time.Minute)
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-2", "lisi")))
}

// A text is what it is, however it looks; a long one is cut at a character to what WeLink takes.
func TestTexts(t *testing.T) { // F122
	s := newStage(t)
	hostile := `"}],{"x":1} </script> \u0000 😀 龘 #F001 ${appName}`
	f := oatest.Item("T-1", "lisi")
	f["F056"] = hostile
	s.WantOK(s.Push(todo, scenario.Create, f))
	if got := s.of("lisi", inbox.Open); len(got) != 1 || got[0].Title != "张三 "+hostile+" 报价单" {
		t.Fatalf("%+v", got)
	}
	f["F053"], f["F055"] = strings.Repeat("报价单", 50), strings.Repeat("审批 ", 200)
	for preset, kind := range map[string]string{notice: inbox.Notice, card: inbox.Card} {
		a := s.Push(preset, scenario.Create, f)
		s.WantOK(a)
		for _, i := range s.of("lisi", inbox.Open) {
			if i.Kind != kind {
				continue
			}
			if len(i.Title) > 128 || len(i.Text) > 512 || !utf8.ValidString(i.Title) || !strings.HasSuffix(i.Title, "…") || !strings.HasPrefix(i.Title, "张三 ") {
				t.Errorf("%d bytes %q, %d bytes %q", len(i.Title), i.Title, len(i.Text), i.Text)
			}
		}
	}
}
