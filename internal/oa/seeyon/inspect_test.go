package seeyon_test

import (
	"net/http"
	"testing"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	sim "github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/internal/scenario"
)

// opened says that an item is there and open.
var opened = scenario.Result{CodeName: "state", SuccessCode: "0", MsgName: "errorMsgs"}

// question is a rendered read-back for an item.
func question(taskID string) scenario.Request {
	return scenario.Request{Method: http.MethodGet, Path: "/seeyon/rest/custom/thirdpartyPending/3004/" + taskID + "/lisi"}
}

// An OA that says yes and drops the item is found out by asking it.
func TestAcceptedIsNotDelivered(t *testing.T) {
	s := simulate(t)
	s.configure(func(c *sim.Settings) { c.DropTasks = "^T-2$" })
	b := pendings()
	group := calls(b, "T-1", "T-2")
	for i := range group {
		group[i].Request.Confirm = true
	}
	alone := todo("T-3")
	alone.Confirm = true
	for _, a := range append(s.PushBatch(t.Context(), group), s.push(alone)) {
		wantOK(t, a)
		if !a.Accepted {
			t.Error("the OA's word is taken for delivery")
		}
	}
	if a := s.push(todo("T-4")); a.Accepted {
		t.Error("there is nothing to ask, and still it is not delivered")
	}
	for task, want := range map[string]scenario.Presence{"T-1": scenario.Found, "T-2": scenario.Missing, "T-3": scenario.Found} {
		found, a := s.Inspect(t.Context(), question(task), opened)
		wantOK(t, a)
		wantNoSecret(t, a)
		if found != want || (a.Message == "") != (want == scenario.Found) || a.Status != 200 || len(a.Answer) == 0 {
			t.Errorf("%s: %s %+v", task, found, a)
		}
	}
	// It is there, but not as it should be: somebody revived it.
	if found, _ := s.Inspect(t.Context(), question("T-1"), scenario.Result{CodeName: "state", SuccessCode: "1"}); found != scenario.Missing {
		t.Errorf("got %s", found)
	}
}

// When the OA cannot be asked the answer is unknown; what it says about the question never makes it look down, and a
// refused token is replaced.
func TestReadBackWithoutAnAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		action fault.Action
		class  oa.Class
		down   bool
	}{
		"fails":          {fault.Action{Kind: fault.Status, Status: 503}, oa.ServerError, true},
		"no such path":   {fault.Action{Kind: fault.Status, Status: 404, Body: "<html>"}, oa.ServerError, false},
		"wrong question": {fault.Action{Kind: fault.Status, Status: 400, Body: `{"code":400}`}, oa.ServerError, false},
		"login page":     {fault.Action{Kind: fault.HTML}, oa.ServerError, true},
		"no token":       {fault.Action{Kind: fault.ExpireToken}, oa.AuthExpired, true},
		"closes":         {fault.Action{Kind: fault.Close}, oa.Network, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulate(t)
			if _, err := s.Faults().Add(fault.Rule{Match: fault.Match{Path: "/seeyon/rest/custom"}, Action: test.action}); err != nil {
				t.Fatal(err)
			}
			found, a := s.Inspect(t.Context(), question("T-1"), opened)
			if found != scenario.Unknown || a.Class != test.class || a.TargetDown() != test.down || a.Message == "" {
				t.Errorf("got %s %+v", found, a)
			}
			wantNoSecret(t, a)
		})
	}
	s := simulate(t)
	wantOK(t, s.push(todo("T-1")))
	s.ForgetTokens()
	if found, a := s.Inspect(t.Context(), question("T-1"), opened); found != scenario.Found {
		t.Errorf("got %s %+v", found, a)
	}
	// A REST resource may say 404 for an item that is not there.
	gone := scripted(t, answer(404, `{"success":false}`))
	req := question("T-1")
	req.Path = "/seeyon/rest/thirdpartyPending/x"
	if found, a := pusherFor(t, gone.URL, newClock()).Inspect(t.Context(), req, opened); found != scenario.Missing || a.Class != oa.OK {
		t.Errorf("got %s %+v", found, a)
	}
}

// 202 says that the OA has not done it yet.
func TestAcceptedByStatus(t *testing.T) {
	s := scripted(t, answer(202, success))
	p := pusherFor(t, s.URL, newClock())
	a := p.Push(t.Context(), todo("T-1"), result)
	wantOK(t, a)
	if !a.Accepted {
		t.Error("202 was taken for delivery")
	}
	for _, a := range p.PushBatch(t.Context(), calls(pendings(), "T-1", "T-2")) {
		if !a.Accepted || a.Class != oa.OK {
			t.Errorf("got %+v", a)
		}
	}
}
