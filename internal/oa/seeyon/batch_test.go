package seeyon_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	sim "github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/internal/scenario"
)

const listPath = "/seeyon/rest/thirdpartyPending/receive/pendings"

// pendings is the list form of Seeyon's create call [SEED3].
func pendings() *scenario.Batch { return &scenario.Batch{Path: listPath, ListName: "pendingList"} }

// namedFailures is how an OA would name the bad items of a list that answers in the shape of SY-ORG.
var namedFailures = scenario.Failures{ListName: "errorMsgs", IDName: "ent.taskId", MsgName: "message", ItemIDName: "taskId"}

// calls are rendered create calls of one action.
func calls(b *scenario.Batch, taskIDs ...string) []oa.Call {
	var out []oa.Call
	for _, id := range taskIDs {
		req := todo(id)
		req.Batch = b
		out = append(out, oa.Call{Request: req, Result: result})
	}
	return out
}

// pushed counts the exchanges by path.
func (s *simulated) pushed(path string) int {
	n := 0
	for _, e := range s.Journal().Entries(path) {
		if e.Path == path {
			n++
		}
	}
	return n
}

func (s *simulated) configure(change func(*sim.Settings)) {
	s.t.Helper()
	if err := s.Configure(change); err != nil {
		s.t.Fatal(err)
	}
}

// Many items go in one call, and each has a record of its own. F93
func TestBatch(t *testing.T) {
	s := simulate(t)
	attempts := s.PushBatch(t.Context(), calls(pendings(), "T-1", "T-2", "T-3"))
	if len(attempts) != 3 || len(s.Inbox("lisi")) != 3 || s.pushed(listPath) != 1 || s.pushed(receive) != 0 {
		t.Fatalf("%d attempts, %d items, %d lists, %d single calls", len(attempts), len(s.Inbox("lisi")), s.pushed(listPath), s.pushed(receive))
	}
	for i, a := range attempts {
		wantOK(t, a)
		wantNoSecret(t, a)
		own, other := fmt.Sprintf("T-%d", i+1), fmt.Sprintf("T-%d", (i+1)%3+1)
		if !strings.HasSuffix(a.URL, listPath) || !strings.Contains(string(a.Request), own) || strings.Contains(string(a.Request), other) ||
			!strings.Contains(string(a.Answer), `"success":true`) || a.Shared != (i > 0) {
			t.Errorf("%s: %+v", own, a)
		}
	}
}

const receive = "/seeyon/rest/thirdpartyPending/receive"

// Batching or not, the inbox is the same, and a bad item never takes good ones down: whether the OA stores the others of a
// refused list or none of it, and whether or not it says which one is bad. F93
func TestABadItemInABatch(t *testing.T) {
	for _, test := range []struct {
		name   string
		atomic bool
		form   string
		batch  scenario.Batch
		// singles is how many items are pushed alone after the list.
		singles int
	}{
		{"stores the others", false, "text", *pendings(), 4},
		{"stores nothing", true, "text", *pendings(), 4},
		{"stores the others, names the bad one", false, "object", scenario.Batch{Path: listPath, ListName: "pendingList", Failures: namedFailures}, 0},
		{"names in words only", false, "text", scenario.Batch{Path: listPath, ListName: "pendingList", Failures: namedFailures}, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := simulate(t)
			s.configure(func(c *sim.Settings) { c.AtomicBatches, c.ErrorForm, c.RefuseTasks = test.atomic, test.form, "^T-2$" })
			attempts := s.PushBatch(t.Context(), calls(&test.batch, "T-1", "T-2", "T-3", "T-4"))
			for i, a := range attempts {
				if i == 1 {
					wantFailure(t, a, oa.BusinessCode, "", "refused by the settings")
					continue
				}
				wantOK(t, a)
			}
			if got := len(s.Inbox("lisi")); got != 3 {
				t.Errorf("%d items arrived, want 3", got)
			}
			if got := s.pushed(receive); got != test.singles {
				t.Errorf("%d items went alone, want %d", got, test.singles)
			}
		})
	}
}

// The receivers of one to-do have one id: the answer does not say which of them is meant, so they go alone.
func TestOneIDOfSeveralItems(t *testing.T) {
	s := simulate(t)
	s.configure(func(c *sim.Settings) { c.ErrorForm = "object" })
	b := pendings()
	b.Failures = namedFailures
	group := calls(b, "T-1", "T-1", "T-2")
	group[1].Request.Body = []byte(strings.ReplaceAll(string(group[1].Request.Body), "lisi", "nobody"))
	attempts := s.PushBatch(t.Context(), group)
	wantOK(t, attempts[0])
	wantFailure(t, attempts[1], oa.BusinessCode, "", "no OA person")
	wantOK(t, attempts[2])
	if n := s.pushed(receive); n != 2 {
		t.Errorf("%d items went alone, want the two of T-1", n)
	}
}

// An answer that names nobody of the list, or does not name at all, is not relied on.
func TestAnswersThatAreNotReliedOn(t *testing.T) {
	for _, errorMsgs := range []string{`[]`, `"T-1"`, `null`, `[{"ent":{"taskId":"T-9"}}]`, `[{"ent":{"taskId":"T-1"}},{"ent":{}}]`, `["T-1"]`} {
		var singles atomic.Int32
		s := scripted(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == listPath {
				_, _ = io.WriteString(w, `{"success":false,"errorMsgs":`+errorMsgs+`}`)
				return
			}
			singles.Add(1)
			_, _ = io.WriteString(w, success)
		})
		b := pendings()
		b.Failures = namedFailures
		for _, a := range pusherFor(t, s.URL, newClock()).PushBatch(t.Context(), calls(b, "T-1", "T-2")) {
			wantOK(t, a)
		}
		if singles.Load() != 2 {
			t.Errorf("%s: %d items went alone, want 2", errorMsgs, singles.Load())
		}
	}
}

// A failure of the OA as a whole is that of every item, and is told once.
func TestTheOAFailsAWholeBatch(t *testing.T) {
	for name, test := range map[string]struct {
		action fault.Action
		class  oa.Class
	}{
		"fails":         {fault.Action{Kind: fault.Status, Status: 502}, oa.ServerError},
		"limits":        {fault.Action{Kind: fault.Status, Status: 429, RetryAfter: "30"}, oa.RateLimited},
		"login page":    {fault.Action{Kind: fault.HTML}, oa.ServerError},
		"closes":        {fault.Action{Kind: fault.Close}, oa.Network},
		"every token":   {fault.Action{Kind: fault.ExpireToken}, oa.AuthExpired},
		"answer is cut": {fault.Action{Kind: fault.Status, Status: 200, Body: `{"success":`}, oa.ServerError},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulate(t)
			if _, err := s.Faults().Add(fault.Rule{Match: fault.Match{Path: "/seeyon/rest/thirdpartyPending"}, Action: test.action}); err != nil {
				t.Fatal(err)
			}
			attempts := s.PushBatch(t.Context(), calls(pendings(), "T-1", "T-2", "T-3"))
			for i, a := range attempts {
				if a.Class != test.class || a.Message != attempts[0].Message || a.Shared != (i > 0) || a.Accepted {
					t.Errorf("%d: got %+v", i, a)
				}
				wantNoSecret(t, a)
				if !strings.Contains(string(a.Request), fmt.Sprintf("T-%d", i+1)) {
					t.Errorf("the record is not that of the item: %s", a.Request)
				}
			}
			if n := s.pushed(receive); n != 0 {
				t.Errorf("%d items went alone", n)
			}
		})
	}
	// Without a token nothing is sent at all.
	s := simulate(t)
	s.SetPassword(username, "another one")
	for i, a := range s.PushBatch(t.Context(), calls(pendings(), "T-1", "T-2")) {
		wantFailure(t, a, oa.AuthExpired, "TokenRejected", "(401)")
		if a.Shared != (i > 0) {
			t.Errorf("%d: got %+v", i, a)
		}
	}
}

// While items go alone the OA fails: the rest shares that failure, and what had arrived stays delivered.
func TestTheOAFailsWhileItemsGoAlone(t *testing.T) {
	s := simulate(t)
	s.configure(func(c *sim.Settings) { c.RefuseTasks = "^T-1$" })
	// The first rule that matches acts, so the second one never sees the list.
	if _, err := s.Faults().Add(fault.Rule{Match: fault.Match{Path: listPath}, Action: fault.Action{Kind: fault.Business, ErrorMsgs: []string{"拒绝"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Faults().Add(fault.Rule{Match: fault.Match{Path: receive, TaskID: "T-3"}, Action: fault.Action{Kind: fault.Status, Status: 503}}); err != nil {
		t.Fatal(err)
	}
	a := s.PushBatch(t.Context(), calls(pendings(), "T-1", "T-2", "T-3", "T-4", "T-5"))
	wantFailure(t, a[0], oa.BusinessCode, "", "refused")
	wantOK(t, a[1])
	for i, got := range a[2:] {
		wantFailure(t, got, oa.ServerError, "ServerError", "503")
		if got.Shared != (i > 0) {
			t.Errorf("%d: got %+v", i, got)
		}
	}
}

// An OA without the list form gets the items alone, and is asked for it again only after a while.
func TestAnOAWithoutLists(t *testing.T) {
	for _, status := range []int{404, 405, 501} {
		s := simulate(t)
		if _, err := s.Faults().Add(fault.Rule{Match: fault.Match{Path: listPath}, Action: fault.Action{Kind: fault.Status, Status: status}}); err != nil {
			t.Fatal(err)
		}
		for round := range 3 {
			for _, a := range s.PushBatch(t.Context(), calls(pendings(), "T-1", "T-2")) {
				wantOK(t, a)
			}
			if want := 1 + round/2; s.pushed(listPath) != want {
				t.Errorf("%d, round %d: %d lists, want %d", status, round, s.pushed(listPath), want)
			}
			if round == 1 {
				s.clock.advance(10*60*1e9 + 1)
			}
		}
	}
}

// A refused token is replaced once for the whole batch. F36
func TestTheOAForgetsTheTokenOfABatch(t *testing.T) {
	s := simulate(t)
	wantOK(t, s.push(todo("T-0")))
	s.ForgetTokens()
	for _, a := range s.PushBatch(t.Context(), calls(pendings(), "T-1", "T-2")) {
		wantOK(t, a)
	}
	if tokens, lists := s.tokenCalls(http.MethodPost), s.pushed(listPath); tokens != 2 || lists != 2 {
		t.Errorf("%d token calls and %d lists, want 2 and 2", tokens, lists)
	}
}

// Every exchange but the first waits for its turn, and when there is no more time what is left is not sent.
func TestThePaceOfABatch(t *testing.T) {
	turns := 2
	s := simulate(t, func(c *seeyon.Config) {
		c.Pace = func(context.Context) error {
			if turns--; turns < 0 {
				return errors.New("the wait would exceed the deadline")
			}
			return nil
		}
	})
	s.configure(func(c *sim.Settings) { c.AtomicBatches, c.RefuseTasks = true, "^T-4$" })
	a := s.PushBatch(t.Context(), calls(pendings(), "T-1", "T-2", "T-3", "T-4"))
	wantOK(t, a[0])
	wantOK(t, a[1])
	for _, got := range a[2:] {
		wantFailure(t, got, oa.Timeout, "", "was not sent")
	}
	if n := s.pushed(listPath) + s.pushed(receive); n != 3 {
		t.Errorf("%d exchanges, want 3", n)
	}
}

// A batch never has a larger body than an item may have, and an item that is not JSON spoils no other.
func TestSizesOfBatches(t *testing.T) {
	var lists, singles atomic.Int32
	s := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct{ PendingList []json.RawMessage }
		body, _ := io.ReadAll(r.Body)
		if len(body) > scenario.MaxBody+100 {
			t.Errorf("a body of %d bytes", len(body))
		}
		if r.URL.Path != listPath {
			singles.Add(1)
		} else if lists.Add(1); json.Unmarshal(body, &in) != nil || len(in.PendingList) < 2 {
			t.Errorf("a list of %d", len(in.PendingList))
		}
		_, _ = io.WriteString(w, success)
	})
	p := pusherFor(t, s.URL, newClock())
	large := calls(pendings(), "T-1", "T-2", "T-3", "T-4", "T-5")
	for i := range large {
		large[i].Request.Body = fmt.Appendf(nil, `{"taskId":"T-%d","title":"%s"}`, i, strings.Repeat("x", scenario.MaxBody*2/5))
	}
	for _, a := range p.PushBatch(t.Context(), large) {
		wantOK(t, a)
	}
	if lists.Load() != 2 || singles.Load() != 1 {
		t.Errorf("%d lists and %d single items, want 2 and 1", lists.Load(), singles.Load())
	}
	broken := calls(pendings(), "T-1", "T-2")
	broken[0].Request.Body = []byte(`{"a":1}, {"b":2}`)
	if p.PushBatch(t.Context(), broken); lists.Load() != 2 || singles.Load() != 3 {
		t.Error("a body that is no JSON went into a list")
	}
	if got := p.PushBatch(t.Context(), nil); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}
