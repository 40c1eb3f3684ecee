package weaver_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/oatest"
	"github.com/oabridge/oabridge/internal/oa/weaver"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/soap"
	sim "github.com/oabridge/oabridge/internal/oasim/weaver"
	"github.com/oabridge/oabridge/internal/scenario"
)

// presets of to-dos, one for each protocol.
var presets = []string{"weaver-todo", "weaver-todo-soap"}

type stage struct {
	*oatest.Stage
	sim *sim.Weaver
	t   *testing.T
}

func newStage(t *testing.T, connector map[string]string) *stage {
	t.Helper()
	c := oatest.NewClock()
	s, err := sim.New(sim.Options{
		Systems: []sim.System{{Code: "fxiaoke", Name: "CRM"}}, Now: c.Now,
		People: []desk.Person{{ID: "zhangsan", Name: "张三"}, {ID: "lisi", Name: "李四"}, {ID: "hidden", OutOfScope: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"sysCode": "fxiaoke"}
	for name, value := range connector {
		values[name] = value
	}
	return &stage{sim: s, t: t, Stage: oatest.New(t, c, s, values, func(_ *oatest.Stage, c exchange.Config) oa.Pusher {
		return weaver.NewPusher(c)
	})}
}

func item(id, receiver string) scenario.Fields {
	f := oatest.Item(id, receiver)
	f["F049"] = "zhangsan"
	return f
}

func (s *stage) configure(change func(*sim.Settings)) {
	s.t.Helper()
	if err := s.sim.Configure(change); err != nil {
		s.t.Fatal(err)
	}
}

// Over both protocols an item lives and ends, and an older write that comes late does not win.
func TestLifeOfATodo(t *testing.T) { // F8 F15 F19
	for _, preset := range presets {
		t.Run(preset, func(t *testing.T) {
			s := newStage(t, nil)
			s.WantOK(s.Push(preset, scenario.Create, item("T-1", "lisi")))
			changed := item("T-1", "lisi")
			changed["F056"] = "再次提交"
			s.WantOK(s.Push(preset, scenario.Update, changed))
			s.WantOK(s.PushAt(preset, scenario.Update, item("T-1", "lisi"), 1000))
			got := oatest.Of(s.sim.Inbox(), "lisi", inbox.Open)
			if len(got) != 1 || got[0].Title != "张三 再次提交 报价单" || got[0].Sender != "张三" {
				t.Fatalf("%+v", got)
			}
			s.WantOK(s.Push(preset, scenario.Complete, item("T-1", "lisi")))
			if got := oatest.Of(s.sim.Inbox(), "lisi"); got[0].State != inbox.Done || got[0].Fields["isremark"] != "2" {
				t.Errorf("%+v", got)
			}
			// Opened again: isremark 0 with a later receivets.
			s.WantOK(s.Push(preset, scenario.Create, item("T-1", "lisi")))
			s.WantOK(s.Push(preset, scenario.Delete, item("T-1", "lisi")))
			if got := oatest.Of(s.sim.Inbox(), "lisi", inbox.Open, inbox.Done); len(got) != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// operResult 1 for an item that nobody can open is no delivery.
func TestTodoWithoutALink(t *testing.T) { // F14
	for _, preset := range presets {
		s := newStage(t, map[string]string{"ssoURL": ""})
		s.Want(s.Push(preset, scenario.Create, item("T-1", "lisi")), oa.BusinessCode, "", "without a link")
		s.WantOK(s.Push(preset, scenario.Complete, item("T-1", "lisi")))
	}
}

// What the OA says of one item ends that item; what it says of the whole system lets everything wait.
func TestRefusals(t *testing.T) { // F14 F118
	for _, preset := range presets {
		t.Run(preset, func(t *testing.T) {
			s := newStage(t, nil)
			for _, who := range []string{"hidden", "nobody"} {
				a := s.Push(preset, scenario.Create, item("T-1", who))
				s.Want(a, oa.BusinessCode, "", "接收人不存在")
			}
			s.configure(func(c *sim.Settings) { c.TodoCentre = false })
			s.Want(s.Push(preset, scenario.Create, item("T-1", "lisi")), oa.AuthExpired, v1alpha1.ReasonCallerNotTrusted, "统一待办中心未启用")
			s.configure(func(c *sim.Settings) { c.TodoCentre = true })
			elsewhere := []sim.System{{Code: "fxiaoke", AllowedIPs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}
			if err := s.sim.SetSystems(elsewhere); err != nil {
				t.Fatal(err)
			}
			s.Want(s.Push(preset, scenario.Create, item("T-1", "lisi")), oa.AuthExpired, v1alpha1.ReasonCallerNotTrusted, "permit the addresses of the cluster")
		})
	}
}

// The answer of the web service is found under any prefix, escaped, plain or in CDATA, and in GBK.
func TestFormsOfTheAnswer(t *testing.T) { // F15
	s := newStage(t, nil)
	for _, form := range soap.Forms {
		for _, gbk := range []bool{false, true} {
			s.configure(func(c *sim.Settings) { c.SOAPForm, c.SOAPPrefix, c.GBK = soap.Form(form), "axis7", gbk })
			s.WantOK(s.Push(presets[1], scenario.Create, item("T-"+form, "lisi")))
			s.Want(s.Push(presets[1], scenario.Create, item("T-"+form, "nobody")), oa.BusinessCode, "", "接收人不存在：nobody")
		}
	}
}

func TestFaults(t *testing.T) {
	s := newStage(t, nil)
	s.Fault("/services", 1, fault.Action{Kind: fault.Business, Code: "Client", ErrorMsgs: []string{"no in0"}})
	s.Want(s.Push(presets[1], scenario.Create, item("T-1", "lisi")), oa.BusinessCode, "", "no in0")
	s.Fault("/services", 1, fault.Action{Kind: fault.Business, Code: "Server", ErrorMsgs: []string{"database"}})
	s.Want(s.Push(presets[1], scenario.Create, item("T-1", "lisi")), oa.ServerError, v1alpha1.ReasonServerError, "database")
	for _, preset := range presets {
		s.Fault("/", 1, fault.Action{Kind: fault.HTML})
		s.Want(s.Push(preset, scenario.Create, item("T-1", "lisi")), oa.ServerError, v1alpha1.ReasonUnexpectedBody, "web page")
		s.Fault("/", 1, fault.Action{Kind: fault.Status, Status: http.StatusTooManyRequests, RetryAfter: "7"})
		if a := s.Push(preset, scenario.Create, item("T-1", "lisi")); a.Class != oa.RateLimited || a.RetryAfter != 7*time.Second {
			t.Errorf("%+v", a)
		}
	}
}

// A group is one call while all are good. A bad one takes no good one down, and a switched-off to-do centre burns nothing.
func TestBatch(t *testing.T) { // F93
	s := newStage(t, nil)
	scene := s.Preset(presets[0])
	calls := func(receivers ...string) (out []oa.Call) {
		for n, who := range receivers {
			f := item("B-"+string(rune('a'+n)), who).With(scenario.Moment{EventTime: s.Clock.Now(), Version: s.Clock.Now().UnixMilli()})
			req, err := scene.Render(scenario.Create, f)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, oa.Call{Request: req, Result: scene.Definition().Result})
		}
		return out
	}
	push := func(receivers ...string) []oa.Attempt {
		return s.Pusher.(oa.BatchPusher).PushBatch(t.Context(), calls(receivers...))
	}
	for _, a := range push("lisi", "lisi", "zhangsan") {
		s.WantOK(a)
	}
	if n := s.Calls("/rest/ofs/"); n != 1 {
		t.Errorf("%d calls for one group", n)
	}
	mixed := push("lisi", "nobody", "lisi")
	s.WantOK(mixed[0])
	s.Want(mixed[1], oa.BusinessCode, "", "接收人不存在：nobody")
	s.WantOK(mixed[2])
	s.configure(func(c *sim.Settings) { c.TodoCentre = false })
	before := s.Calls("/rest/ofs/")
	for _, a := range push("lisi", "lisi") {
		s.Want(a, oa.AuthExpired, v1alpha1.ReasonCallerNotTrusted, "IsUse")
	}
	if n := s.Calls("/rest/ofs/") - before; n != 1 {
		t.Errorf("%d calls to an OA that takes nothing", n)
	}
	unlinked := newStage(t, map[string]string{"ssoURL": ""})
	s, scene = unlinked, unlinked.Preset(presets[0])
	for _, a := range push("lisi", "zhangsan") {
		s.Want(a, oa.BusinessCode, "", "without a link")
	}
}
