package yunzhijia_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/oatest"
	"github.com/oabridge/oabridge/internal/oa/yunzhijia"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	sim "github.com/oabridge/oabridge/internal/oasim/yunzhijia"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	todo   = "yunzhijia-todo"
	tokens = "/gateway/oauth2/token/"
	newtdo = "/gateway/newtodo/"
)

type stage struct {
	*oatest.Stage
	sim *sim.Yunzhijia
	t   *testing.T
}

func newStage(t *testing.T) *stage {
	t.Helper()
	c := oatest.NewClock()
	s, err := sim.New(sim.Options{
		EID: "10001", Apps: []sim.App{{ID: "500723908", Secret: oatest.Secret, Name: "CRM"}}, Now: c.Now,
		People: []desk.Person{{ID: "zhangsan", Name: "张三"}, {ID: "lisi", Name: "李四"}, {ID: "hidden", OutOfScope: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &stage{sim: s, t: t, Stage: oatest.New(t, c, s, map[string]string{"appID": "500723908"}, func(s *oatest.Stage, c exchange.Config) oa.Pusher {
		return yunzhijia.NewPusher(yunzhijia.Config{Config: c, Credentials: s.Account("500723908")})
	})}
}

func (s *stage) configure(change func(*sim.Settings)) {
	s.t.Helper()
	if err := s.sim.Configure(change); err != nil {
		s.t.Fatal(err)
	}
}

// success may be text or a truth value; one token does for everything.
func TestLifeOfATodo(t *testing.T) { // F19 F51 F52 F53
	for _, form := range []string{"string", "bool"} {
		s := newStage(t)
		s.configure(func(c *sim.Settings) { c.SuccessForm = form })
		s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi")))
		got := oatest.Of(s.sim.Inbox(), "lisi", inbox.Open)
		if len(got) != 1 || got[0].Title != "提交" || got[0].Text != "提交人:张三" || got[0].URL != "https://sso.crm.example/erp/syncdata/open/oa/authorizeWeb/webhook/QuoteObj/5f3c2ab1/714439" {
			t.Fatalf("%+v", got)
		}
		s.WantOK(s.Push(todo, scenario.Complete, oatest.Item("T-1", "lisi")))
		if got := oatest.Of(s.sim.Inbox(), "lisi"); got[0].State != inbox.Done {
			t.Errorf("%+v", got)
		}
		s.WantOK(s.Push(todo, scenario.Delete, oatest.Item("T-1", "lisi")))
		if n := s.Calls(tokens); n != 1 {
			t.Errorf("%d token calls", n)
		}
	}
}

// errorCode 0 is the code of a bad parameter too, and its words stand in data.
func TestBadParameterWithZero(t *testing.T) { // F14
	s := newStage(t)
	nothing := oatest.Item("T-1", "lisi")
	nothing["F055"] = "" // title
	s.Want(s.Push(todo, scenario.Create, nothing), oa.BusinessCode, "", "param error:'title' is null.")
	for body, says := range map[string]string{
		`{"error":"","data":{},"errorCode":0,"success":"true"}`:       "errorCode=0",
		`{"error":"x","data":{},"errorCode":200,"success":"false"}`:   "success false",
		`{"error":"","data":["lisi"],"errorCode":501,"success":true}`: "501",
		`{"success":true}`: "no code",
	} {
		s.Fault(newtdo, 1, fault.Action{Kind: fault.Status, Status: http.StatusOK, Body: body})
		if a := s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi")); a.Class == oa.OK {
			t.Errorf("%s is taken for a success", body)
		} else {
			s.Want(a, a.Class, "", says)
		}
	}
}

func TestReceiversOutOfReach(t *testing.T) { // F118
	s := newStage(t)
	for _, who := range []string{"hidden", "nobody"} {
		s.Want(s.Push(todo, scenario.Create, oatest.Item("T-1", who)), oa.ReceiverUnknown, "", "505")
		s.Want(s.Push(todo, scenario.Complete, oatest.Item("T-9", who)), oa.ReceiverUnknown, "", "correct the binding")
	}
}

// One new token, one repeat, whatever form the refusal has; a token that is refused again is the administrator's matter.
func TestTokenDeath(t *testing.T) { // F36
	for _, status := range []int{http.StatusOK, http.StatusUnauthorized} {
		s := newStage(t)
		s.configure(func(c *sim.Settings) { c.TokenErrorStatus = status })
		s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi")))
		s.sim.ForgetTokens()
		s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-2", "lisi")))
		s.Clock.Advance(2 * time.Hour)
		s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-3", "lisi")))
		if n := s.Calls(tokens); n != 3 {
			t.Errorf("%d token calls, want 3", n)
		}
		before := s.Calls(newtdo)
		s.Fault(newtdo, 0, fault.Action{Kind: fault.ExpireToken})
		s.Want(s.Push(todo, scenario.Create, oatest.Item("T-4", "lisi")), oa.AuthExpired, v1alpha1.ReasonTokenRejected, "just issued")
		if n := s.Calls(newtdo) - before; n != 2 {
			t.Errorf("%d calls, want 2", n)
		}
	}
}

func TestWrongSecret(t *testing.T) { // F35 F40
	s := newStage(t)
	s.Rotate(oatest.Wrong)
	s.Want(s.Push(todo, scenario.Create, oatest.Item("T-1", "lisi")), oa.AuthExpired, v1alpha1.ReasonTokenRejected, "appSecret")
	s.Want(s.Pusher.Probe(t.Context()), oa.AuthExpired, v1alpha1.ReasonTokenRejected, "secret无效")
	s.Rotate(oatest.Secret)
	s.WantOK(s.Pusher.Probe(t.Context()))
}

// 203 is a limit, 202 a busy service: neither is about the item.
func TestLimits(t *testing.T) {
	s := newStage(t)
	s.configure(func(c *sim.Settings) { c.PerSecond = 2 })
	for n := range 2 {
		s.WantOK(s.Push(todo, scenario.Create, oatest.Item(fmt.Sprint("T-", n), "lisi")))
	}
	s.Want(s.Push(todo, scenario.Create, oatest.Item("T-3", "lisi")), oa.RateLimited, "", "203")
	s.Clock.Advance(time.Second)
	s.Fault(newtdo, 1, fault.Action{Kind: fault.Business})
	s.Want(s.Push(todo, scenario.Create, oatest.Item("T-3", "lisi")), oa.RateLimited, "", "202")
	s.WantOK(s.Push(todo, scenario.Create, oatest.Item("T-3", "lisi")))
}
