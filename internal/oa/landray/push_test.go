package landray_test

import (
	"strings"
	"testing"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/landray"
	"github.com/oabridge/oabridge/internal/oa/oatest"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	sim "github.com/oabridge/oabridge/internal/oasim/landray"
	"github.com/oabridge/oabridge/internal/scenario"
)

// ways of talking to EKP: preset, authentication, and the paths of its calls.
var ways = []struct{ preset, authentication, path string }{
	{"landray-todo", "Basic", "/api/sys-notify/"},
	{"landray-todo-soap", "SOAPHeader", "/sys/webservice/"},
	{"landray-todo-soap", "Basic", "/sys/webservice/"},
}

type stage struct {
	*oatest.Stage
	sim *sim.Landray
	t   *testing.T
}

func newStage(t *testing.T, authentication string, md5 bool, change func(*sim.Settings)) *stage {
	t.Helper()
	c := oatest.NewClock()
	s, err := sim.New(sim.Options{
		Users: map[string]string{"crm": oatest.Secret}, Now: c.Now,
		People: []desk.Person{{ID: "lisi", Name: "李四"}, {ID: "wangwu", Name: "王五"}, {ID: "hidden", OutOfScope: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		if err := s.Configure(change); err != nil {
			t.Fatal(err)
		}
	}
	return &stage{sim: s, t: t, Stage: oatest.New(t, c, s, map[string]string{"appName": "CRM"}, func(s *oatest.Stage, c exchange.Config) oa.Pusher {
		return landray.NewPusher(landray.Config{Config: c, Credentials: s.Account("crm"), Authentication: authentication, MD5: md5})
	})}
}

func (s *stage) of(person string, states ...inbox.State) []inbox.Item {
	return oatest.Of(s.sim.Inbox(), person, states...)
}

// Each receiver has an item of their own: what happens to one leaves the other alone.
func TestLifeOfATodo(t *testing.T) { // F8 F19 F50
	for _, w := range ways {
		t.Run(w.preset+" "+w.authentication, func(t *testing.T) {
			s := newStage(t, w.authentication, false, nil)
			mine, theirs := oatest.Item("T-1", "lisi"), oatest.Item("T-1", "wangwu")
			s.WantOK(s.Push(w.preset, scenario.Create, mine))
			s.WantOK(s.Push(w.preset, scenario.Create, theirs))
			mine["F056"] = "再次<提交>"
			s.WantOK(s.Push(w.preset, scenario.Update, mine))
			if got := s.of("lisi", inbox.Open); len(got) != 1 || got[0].Title != "张三 再次<提交> 报价单" {
				t.Errorf("%+v", got)
			}
			if got := s.of("wangwu", inbox.Open); len(got) != 1 || got[0].Title != "张三 提交 报价单" {
				t.Errorf("%+v", got)
			}
			s.WantOK(s.Push(w.preset, scenario.Complete, mine))
			s.WantOK(s.Push(w.preset, scenario.Delete, theirs))
			if len(s.of("lisi", inbox.Done)) != 1 || len(s.of("wangwu", inbox.Gone)) != 1 {
				t.Errorf("lisi %+v, wangwu %+v", s.of("lisi"), s.of("wangwu"))
			}
		})
	}
}

// 2 is the only success: 0 means that nothing was done, 1 that it failed, over both protocols and in GBK.
func TestReturnStates(t *testing.T) { // F14 F118
	for _, w := range ways {
		s := newStage(t, w.authentication, false, func(c *sim.Settings) { c.GBK, c.Prefix = true, "ns2" })
		s.Want(s.Push(w.preset, scenario.Create, oatest.Item("T-1", "hidden")), oa.BusinessCode, "", "找不到人员")
		s.Want(s.Push(w.preset, scenario.Complete, oatest.Item("T-9", "lisi")), oa.BusinessCode, "", "0")
		s.Fault(w.path, 1, fault.Action{Kind: fault.Business, Code: "1", ErrorMsgs: []string{"流程已归档"}})
		s.Want(s.Push(w.preset, scenario.Create, oatest.Item("T-1", "lisi")), oa.BusinessCode, "", "流程已归档")
	}
}

// A wrong account is told from a wrong item, whether EKP answers 401 or a fault, and the probe finds it.
func TestWrongAccount(t *testing.T) { // F35 F40
	for _, w := range ways {
		for _, failure := range []string{"fault", "401"} {
			t.Run(w.preset+" "+w.authentication+" "+failure, func(t *testing.T) {
				s := newStage(t, w.authentication, false, func(c *sim.Settings) { c.AuthFailure = failure })
				s.Rotate(oatest.Wrong)
				a := s.Push(w.preset, scenario.Create, oatest.Item("T-1", "lisi"))
				s.Want(a, oa.AuthExpired, v1alpha1.ReasonTokenRejected, "does not accept the account")
				if len(s.of("lisi")) != 0 {
					t.Errorf("%+v", s.of("lisi"))
				}
				if a := s.Pusher.Probe(t.Context()); w.preset == "landray-todo" || w.authentication == "SOAPHeader" {
					s.Want(a, oa.AuthExpired, v1alpha1.ReasonTokenRejected, "")
				}
				s.Rotate(oatest.Secret)
				s.WantOK(s.Pusher.Probe(t.Context()))
				s.WantOK(s.Push(w.preset, scenario.Create, oatest.Item("T-1", "lisi")))
			})
		}
	}
}

// The MD5 of the password goes out where EKP wants it, and neither form is kept.
func TestPasswordAsMD5(t *testing.T) {
	s := newStage(t, "SOAPHeader", true, func(c *sim.Settings) { c.Password, c.Auth = "md5", "header" })
	a := s.Push("landray-todo-soap", scenario.Create, oatest.Item("T-1", "lisi"))
	s.WantOK(a)
	if !strings.Contains(string(a.Request), "<password>***</password>") {
		t.Errorf("request: %s", a.Request)
	}
}

// Faults that speak of something else are about the item, or about the server.
func TestFaults(t *testing.T) {
	s := newStage(t, "SOAPHeader", false, nil)
	s.Fault("/sys/webservice/", 1, fault.Action{Kind: fault.Business, Code: "Client", ErrorMsgs: []string{"targets"}})
	s.Want(s.Push("landray-todo-soap", scenario.Create, oatest.Item("T-1", "lisi")), oa.BusinessCode, "", "targets")
	s.Fault("/sys/webservice/", 1, fault.Action{Kind: fault.Business, Code: "Server", ErrorMsgs: []string{"hibernate"}})
	s.Want(s.Push("landray-todo-soap", scenario.Create, oatest.Item("T-1", "lisi")), oa.ServerError, v1alpha1.ReasonServerError, "hibernate")
}
