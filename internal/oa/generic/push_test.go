package generic_test

import (
	"testing"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/generic"
	"github.com/oabridge/oabridge/internal/oa/oatest"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	sim "github.com/oabridge/oabridge/internal/oasim/generic"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/soap"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

// presets of to-dos, one for each protocol.
var presets = []string{"generic-todo", "generic-todo-soap"}

// ways of proving who makes a call.
var ways = map[string]struct {
	oa     sim.Auth
	driver generic.Config
}{
	"basic":  {sim.Auth{Type: "basic", User: "crm"}, generic.Config{Authentication: "Basic", ProbePath: "/rest/transmit/fxiaoke/read"}},
	"bearer": {sim.Auth{Type: "static", Place: "bearer"}, generic.Config{Authentication: "Static", Placement: "Bearer"}},
	"header": {sim.Auth{Type: "static", Place: "header", Name: "X-Token"}, generic.Config{Authentication: "Static", Placement: "Header", Parameter: "X-Token"}},
	"query":  {sim.Auth{Type: "static", Place: "query", Name: "key"}, generic.Config{Authentication: "Static", Placement: "Query", Parameter: "key"}},
	"token": {sim.Auth{Type: "token", User: "crm", Place: "query", Name: "access_token", TokenPath: "/token"}, generic.Config{
		Authentication: "Token", Placement: "Query", Parameter: "access_token",
		Request: generic.TokenRequest{Path: "/token", UsernameField: "username", PasswordField: "password", TokenName: "access_token", LifeName: "expires_in", Life: time.Hour},
	}},
	"client credentials": {sim.Auth{Type: "token", User: "crm", Place: "bearer", TokenPath: "/token"}, generic.Config{
		Authentication: "ClientCredentials", Placement: "Bearer",
		Request: generic.TokenRequest{Path: "/token", TokenName: "access_token", LifeName: "expires_in", Life: time.Hour},
	}},
}

type stage struct {
	*oatest.Stage
	sim *sim.Generic
}

func newStage(t *testing.T, way string, change func(*sim.Settings)) *stage {
	t.Helper()
	w := ways[way]
	w.oa.Password = oatest.Secret
	c := oatest.NewClock()
	s, err := sim.New(sim.Options{Auth: w.oa, People: []desk.Person{{ID: "lisi", Name: "李四"}, {ID: "hidden", OutOfScope: true}}, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		if err := s.Configure(change); err != nil {
			t.Fatal(err)
		}
	}
	return &stage{sim: s, Stage: oatest.New(t, c, s, nil, func(s *oatest.Stage, c exchange.Config) oa.Pusher {
		d := w.driver
		d.Config, d.Account = c, s.Account("crm")
		d.Token = func(v rotation.Version) (string, error) {
			a, err := s.Account("")(v)
			return a.Secret, err
		}
		p, err := generic.NewPusher(d)
		if err != nil {
			t.Fatal(err)
		}
		return p
	})}
}

// Every way of proving who calls, over both protocols. A wrong secret that is written over a good one is not used before the
// good one is worn out; then it is named, and its correction heals.
func TestAuthentication(t *testing.T) { // F8 F9 F35 F38
	for way := range ways {
		for _, preset := range presets {
			t.Run(way+" "+preset, func(t *testing.T) {
				s := newStage(t, way, nil)
				s.WantOK(s.Push(preset, scenario.Create, oatest.Item("T-1", "lisi")))
				s.WantOK(s.Push(preset, scenario.Update, oatest.Item("T-1", "lisi")))
				s.Rotate(oatest.Wrong)
				s.WantOK(s.Push(preset, scenario.Update, oatest.Item("T-1", "lisi")))
				s.Clock.Advance(3 * time.Hour) // longer than a token lives, and than rotation.Grace
				a := s.Push(preset, scenario.Complete, oatest.Item("T-1", "lisi"))
				s.Want(a, oa.AuthExpired, v1alpha1.ReasonTokenRejected, "")
				s.Rotate(oatest.Secret)
				s.WantOK(s.Push(preset, scenario.Complete, oatest.Item("T-1", "lisi")))
				if got := oatest.Of(s.sim.Inbox(), "lisi"); len(got) != 1 || got[0].State != inbox.Done {
					t.Errorf("%+v", got)
				}
			})
		}
	}
}

// A token that the OA forgot is fetched anew, once.
func TestTokenDeath(t *testing.T) { // F36
	s := newStage(t, "token", nil)
	s.WantOK(s.Push(presets[0], scenario.Create, oatest.Item("T-1", "lisi")))
	s.Fault("/rest/", 1, fault.Action{Kind: fault.ExpireToken})
	s.WantOK(s.Push(presets[0], scenario.Create, oatest.Item("T-2", "lisi")))
	if n := s.Calls("/token"); n != 2 {
		t.Errorf("%d token calls, want 2", n)
	}
}

// Forms of answers that mean the same: GBK, and the JSON of a web service in every form.
func TestFormsOfTheAnswer(t *testing.T) { // F11 F12 F14 F15
	for _, form := range soap.Forms {
		shape := sim.DefaultShape()
		shape.Result.XMLForm, shape.Result.Prefix = soap.Form(form), "q1"
		c := oatest.NewClock()
		settings := sim.DefaultSettings()
		settings.GBK = true
		sm, err := sim.New(sim.Options{Shape: &shape, Settings: &settings, People: []desk.Person{{ID: "lisi"}}, Now: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		s := oatest.New(t, c, sm, nil, func(_ *oatest.Stage, c exchange.Config) oa.Pusher {
			p, err := generic.NewPusher(generic.Config{Config: c, Authentication: "None"})
			if err != nil {
				t.Fatal(err)
			}
			return p
		})
		for _, preset := range presets {
			f := oatest.Item("T-1", "lisi")
			f["F056"] = "<b>&amp;</b> ]]> 龘 😀"
			s.WantOK(s.Push(preset, scenario.Create, f))
			if got := oatest.Of(sm.Inbox(), "lisi"); got[0].Title != "张三 <b>&amp;</b> ]]> 龘 😀 报价单" {
				t.Errorf("%s: %q", preset, got[0].Title)
			}
			s.Want(s.Push(preset, scenario.Create, oatest.Item("T-2", "王五")), oa.BusinessCode, "", `there is no receiver "王五"`)
		}
	}
}

func TestLimitsAndFaults(t *testing.T) {
	s := newStage(t, "basic", func(c *sim.Settings) { c.PerSecond = 1 })
	s.WantOK(s.Push(presets[0], scenario.Create, oatest.Item("T-1", "lisi")))
	if a := s.Push(presets[0], scenario.Create, oatest.Item("T-2", "lisi")); a.Class != oa.RateLimited || a.RetryAfter != time.Second {
		t.Errorf("%+v", a)
	}
	s.Clock.Advance(time.Second)
	for code, class := range map[string]oa.Class{"Client": oa.BusinessCode, "Server": oa.ServerError} {
		s.Fault("/services/", 1, fault.Action{Kind: fault.Business, Code: code, ErrorMsgs: []string{"bad"}})
		if a := s.Push(presets[1], scenario.Create, oatest.Item("T-3", "lisi")); a.Class != class {
			t.Errorf("%s: %+v", code, a)
		}
	}
	if _, err := generic.NewPusher(generic.Config{Authentication: "Magic"}); err == nil {
		t.Error("an unknown authentication is accepted")
	}
}
