package feishu_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/feishu"
	"github.com/oabridge/oabridge/internal/oa/oatest"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	sim "github.com/oabridge/oabridge/internal/oasim/feishu"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	todo     = "feishu-todo"
	reminder = "feishu-reminder"

	login     = "/open-apis/auth/v3/tenant_access_token/internal"
	instances = "/open-apis/approval/v4/external_instances"
	messages  = "/open-apis/im/v1/messages"
)

type stage struct {
	*oatest.Stage
	sim *sim.Feishu
	t   *testing.T
}

var app = sim.App{AppID: "cli_crm", AppSecret: oatest.Secret, Name: "CRM", Approvals: []string{"CRM"}}

// id is the open_id of a person, as long as Feishu's are.
func id(person string) string { return "ou_0123456789abcdef0123456789abcdef" + person }

func newStage(t *testing.T) *stage {
	t.Helper()
	c := oatest.NewClock()
	people := []desk.Person{{ID: "lisi", Name: "李四"}, {ID: "wangwu", Name: "王五"}, {ID: "hidden", Name: "不可见", OutOfScope: true}}
	for i := range people {
		people[i].IDs = map[string]string{"open_id": id(people[i].ID)}
	}
	s, err := sim.New(sim.Options{TenantKey: "tenant", Apps: []sim.App{app}, People: people, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return &stage{sim: s, t: t, Stage: oatest.New(t, c, s, map[string]string{"appID": "cli_crm", "approvalCode": "CRM"}, func(s *oatest.Stage, c exchange.Config) oa.Pusher {
		return feishu.NewPusher(feishu.Config{Config: c, Credentials: s.Account("cli_crm")})
	})}
}

func (s *stage) of(person string, states ...inbox.State) []inbox.Item {
	return oatest.Of(s.sim.Inbox(), person, states...)
}

// One approval for each receiver: what one of them does says nothing about another. A sender whom nobody is bound to is
// shown by name.
func TestLifeOfATodo(t *testing.T) { // F19 F36
	s := newStage(t)
	mine, theirs := oatest.Item("T-1", id("lisi")), oatest.Item("T-1", id("wangwu"))
	for _, item := range []scenario.Fields{mine, theirs} {
		s.WantOK(s.Push(todo, scenario.Create, item))
	}
	mine["F056"] = "再次提交"
	s.WantOK(s.Push(todo, scenario.Update, mine))
	got := s.of("lisi")
	if len(got) != 1 || got[0].State != inbox.Open || got[0].Title != "张三 再次提交 报价单" || got[0].Sender != "张三" || got[0].URL == "" || got[0].MobileURL == "" {
		t.Fatalf("%+v", got)
	}
	s.WantOK(s.Push(todo, scenario.Complete, mine))
	if len(s.of("lisi", inbox.Done)) != 1 || len(s.of("wangwu", inbox.Open)) != 1 {
		t.Errorf("lisi %+v, wangwu %+v", s.of("lisi"), s.of("wangwu"))
	}
	s.WantOK(s.Push(todo, scenario.Delete, theirs))
	if len(s.of("wangwu", inbox.Gone)) != 1 {
		t.Errorf("wangwu %+v", s.of("wangwu"))
	}
	if n := s.Calls(login); n != 1 {
		t.Errorf("%d token calls, want 1", n)
	}
}

// Feishu ignores an older state and says code 0. It shows where the answer repeats what is stored; where it repeats what was
// sent nobody can see it, and only versions that grow keep it from happening.
func TestOlderStateIsIgnored(t *testing.T) { // F14
	s := newStage(t)
	f := oatest.Item("T-1", id("lisi"))
	s.WantOK(s.PushAt(todo, scenario.Create, f, 0))
	f["F056"] = "晚到"
	late := s.Clock.Now().Add(-time.Minute).UnixMilli()
	s.WantOK(s.PushAt(todo, scenario.Update, f, late))
	if err := s.sim.Configure(func(c *sim.Settings) { c.InstanceAnswer = "stored" }); err != nil {
		t.Fatal(err)
	}
	a := s.PushAt(todo, scenario.Update, f, late)
	s.Want(a, oa.BusinessCode, "", "update_time")
	if got := s.of("lisi", inbox.Open); len(got) != 1 || got[0].Title != "张三 提交 报价单" || a.TargetDown() {
		t.Errorf("%+v", got)
	}
	s.WantOK(s.Push(todo, scenario.Update, f))
	if got := s.of("lisi", inbox.Open); got[0].Title != "张三 晚到 报价单" {
		t.Errorf("%+v", got)
	}
}

// Who is not within the availability of the application, or no member, is listed apart, whatever the HTTP status.
func TestReceiversOutOfReach(t *testing.T) { // F118
	for _, status := range []int{400, 200} {
		s := newStage(t)
		if err := s.sim.Configure(func(c *sim.Settings) { c.ErrorStatus = status }); err != nil {
			t.Fatal(err)
		}
		f := oatest.Item("T-1", id("hidden"))
		f["F049"] = id("lisi")
		s.Want(s.Push(todo, scenario.Create, f), oa.ReceiverUnknown, "", "availab")
		s.Want(s.Push(reminder, scenario.Create, f), oa.ReceiverUnknown, "", "availab")
		f["F001"] = id("nobody")
		s.Want(s.Push(todo, scenario.Create, f), oa.ReceiverUnknown, "", "correct the binding")
		a := s.Push(reminder, scenario.Create, f)
		s.Want(a, oa.ReceiverUnknown, "", "correct the binding")
		if a.TargetDown() {
			t.Error("one receiver makes Feishu look down")
		}
	}
}

// An approval code that is not there is the platform's matter.
func TestNoSuchApproval(t *testing.T) {
	s := newStage(t)
	a := s.Push(todo, scenario.Create, oatest.Item("T-1", id("lisi")))
	s.WantOK(a)
	s.Fault(instances, 1, fault.Action{Kind: fault.Business, Code: "1390002", ErrorMsgs: []string{"approval code not found"}})
	s.Want(s.Push(todo, scenario.Create, oatest.Item("T-2", id("lisi"))), oa.BusinessCode, "", "spec.feishu.approvalCode")
}

func TestTokenDeath(t *testing.T) { // F36
	for _, status := range []int{400, 200} {
		s := newStage(t)
		if err := s.sim.Configure(func(c *sim.Settings) { c.ErrorStatus = status }); err != nil {
			t.Fatal(err)
		}
		push := func(item string) { s.WantOK(s.Push(todo, scenario.Create, oatest.Item(item, id("lisi")))) }
		push("T-1")
		s.sim.ForgetTokens()
		push("T-2")
		s.Clock.Advance(3 * time.Hour)
		push("T-3")
		if n := s.Calls(login); n != 3 {
			t.Errorf("%d token calls, want 3", n)
		}
		before, pushes := s.Calls(login), s.Calls(instances)
		s.Fault(instances, 0, fault.Action{Kind: fault.ExpireToken})
		s.Want(s.Push(todo, scenario.Create, oatest.Item("T-4", id("lisi"))), oa.AuthExpired, "TokenRejected", "99991663")
		if n, p := s.Calls(login)-before, s.Calls(instances)-pushes; n != 1 || p != 2 {
			t.Errorf("%d token calls and %d pushes, want 1 and 2", n, p)
		}
	}
}

func TestWrongCredentials(t *testing.T) { // F40
	s := newStage(t)
	s.Rotate(oatest.Wrong)
	s.Want(s.Push(todo, scenario.Create, oatest.Item("T-1", id("lisi"))), oa.AuthExpired, "TokenRejected", "spec.feishu.appID and the key appSecret")
	s.Rotate(oatest.Secret)
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", id("lisi"))))
	without := app
	without.Permissions = []string{sim.Contacts}
	if err := s.sim.SetApp(without); err != nil {
		t.Fatal(err)
	}
	s.Want(s.Push(todo, scenario.Create, oatest.Item("T-2", id("lisi"))), oa.AuthExpired, "TokenRejected", "99991672")
}

func TestRateLimit(t *testing.T) { // F61
	s := newStage(t)
	if err := s.sim.Configure(func(c *sim.Settings) { c.ApprovalsPerSecond = 1 }); err != nil {
		t.Fatal(err)
	}
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", id("lisi"))))
	a := s.Push(todo, scenario.Create, oatest.Item("T-2", id("lisi")))
	s.Want(a, oa.RateLimited, "", "99991400")
	if a.RetryAfter != time.Second {
		t.Errorf("retry after %s, want what x-ogw-ratelimit-reset says", a.RetryAfter)
	}
	s.Clock.Advance(3 * time.Second)
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-2", id("lisi"))))
}

// A message whose answer was lost is sent again and shown once, although id and account are longer than a uuid may be.
func TestLostAnswer(t *testing.T) {
	s := newStage(t)
	f := oatest.Item("R-0123456789abcdef", id("lisi"))
	s.Fault(messages, 1, fault.Action{Kind: fault.Close, After: true})
	s.Want(s.Push(reminder, scenario.Create, f), oa.Network, "NetworkError", "unknown")
	s.WantOK(s.Push(reminder, scenario.Create, f))
	got := s.of("lisi")
	if len(got) != 1 || got[0].Kind != inbox.Card || len(got[0].TaskID) > 50 || !strings.HasPrefix(got[0].URL, "https://sso.crm.example/erp/") {
		t.Errorf("%+v", got)
	}
	other := oatest.Item("R-0123456789abcdef", id("wangwu"))
	s.WantOK(s.Push(reminder, scenario.Create, other))
	if len(s.of("wangwu")) != 1 {
		t.Errorf("%+v", s.of("wangwu"))
	}
}

// Data in a card, which is JSON in JSON, stays data: it mentions nobody and adds no element.
func TestMarkup(t *testing.T) { // F26
	s := newStage(t)
	hostile := `"}]}","x":"1 <at user_id=\"all\"></at> \u0000 😀 龘 #F001 @i18n@sender ${item.version}`
	f := oatest.Item("T-1", id("lisi"))
	f["F056"] = hostile
	for preset, kind := range map[string]string{todo: inbox.ToDo, reminder: inbox.Card} {
		s.WantOK(s.Push(preset, scenario.Create, f))
		seen := false
		for _, i := range s.of("lisi", inbox.Open) {
			seen = seen || i.Kind == kind && i.Title == "张三 "+hostile+" 报价单"
		}
		if !seen {
			t.Errorf("%s: %+v", preset, s.of("lisi"))
		}
	}
}
