package seeyon_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	sim "github.com/oabridge/oabridge/internal/oasim/seeyon"
)

// The life of a to-do: it appears, is finished, and another one is revoked. F92, F94, F95, F100, F101
func TestLifeOfATodo(t *testing.T) {
	s := simulate(t)
	for _, id := range []string{"T-1", "T-2"} {
		a := s.push(todo(id))
		wantOK(t, a)
		if a.Method != http.MethodPost || a.Status != 200 || !strings.HasSuffix(a.URL, "/thirdpartyPending/receive") ||
			!strings.Contains(string(a.Request), id) || !strings.Contains(string(a.Answer), `"success":true`) {
			t.Errorf("the record is incomplete: %+v", a)
		}
	}
	if got := len(s.Inbox("lisi")); got != 2 {
		t.Fatalf("%d items are open, want 2", got)
	}
	wantOK(t, s.push(state("T-1", "1")))
	wantOK(t, s.push(state("T-2", "2")))
	if st := s.Stats(); st.Open != 0 || st.Done != 1 || st.Deleted != 1 {
		t.Errorf("got %+v", st)
	}
	// F36: one token for all of it. F9: the common headers went along.
	if n := s.tokenCalls(http.MethodPost) + s.tokenCalls(http.MethodGet); n != 1 {
		t.Errorf("%d token calls, want 1", n)
	}
	for _, e := range s.Journal().Entries("/seeyon") {
		if e.Headers["X-From"] != "crm" || e.Headers["User-Agent"] != "oabridge" {
			t.Errorf("%s has the headers %v", e.Path, e.Headers)
		}
	}
}

// The OA's own words come back, and nothing suggests that the OA is down. F85
func TestTheOARefusesAnItem(t *testing.T) {
	s := simulate(t)
	req := todo("T-1")
	req.Body = []byte(strings.Replace(string(req.Body), `"3004"`, `"9999"`, 1))
	a := s.push(req)
	wantFailure(t, a, oa.BusinessCode, "", "registerCode: 9999 is not a registered app")
	if a.TargetDown() {
		t.Error("one refused item makes the OA look down")
	}
}

// F37: the token travels in the header or in the query, behind whatever the path has.
func TestPlacement(t *testing.T) {
	for _, test := range []struct {
		placement seeyon.Placement
		suffix    string
	}{
		{seeyon.InHeader, ""}, {seeyon.InHeader, "?lang=zh"}, {seeyon.InQuery, ""}, {seeyon.InQuery, "?lang=zh"}, {seeyon.InQuery, "?"},
	} {
		s := simulate(t, func(c *seeyon.Config) { c.Placement = test.placement })
		req := todo("T-1")
		req.Path += test.suffix
		a := s.push(req)
		wantOK(t, a)
		want := strings.TrimSuffix(test.suffix, "?")
		if test.placement == seeyon.InQuery {
			want = strings.TrimSuffix(test.suffix, "?")
			if want == "" {
				want = "?"
			} else {
				want += "&"
			}
			want += "token=***"
		}
		if _, query, _ := strings.Cut(a.URL, "/receive"); query != want && (test.placement != seeyon.InHeader || query != test.suffix) {
			t.Errorf("%s %q: the record shows %q", test.placement, test.suffix, query)
		}
	}
}

// F36: a token that the OA no longer knows is replaced once, and the item arrives in the same attempt.
func TestTheOAForgetsTheToken(t *testing.T) {
	s := simulate(t)
	wantOK(t, s.push(todo("T-1")))
	s.ForgetTokens()
	wantOK(t, s.push(todo("T-2")))
	if n := s.tokenCalls(http.MethodPost); n != 2 {
		t.Errorf("%d token calls, want 2", n)
	}
	pushes := len(s.Journal().Entries("/seeyon/rest/thirdpartyPending"))
	if pushes != 3 {
		t.Errorf("%d pushes, want 3: the second item was refused once and sent again", pushes)
	}
}

// A token that idled for too long is replaced before it is used; one in use lives on. [SY-AUTH]
func TestIdleToken(t *testing.T) {
	s := simulate(t)
	wantOK(t, s.push(todo("T-1")))
	for range 5 { // longer than a token idles, but never idle
		s.clock.advance(10 * time.Minute)
		wantOK(t, s.push(todo("T-1")))
	}
	if n := s.tokenCalls(http.MethodPost); n != 1 {
		t.Errorf("%d token calls while in use, want 1", n)
	}
	s.clock.advance(14*time.Minute + 45*time.Second) // within the margin
	s.Journal().Clear()
	wantOK(t, s.push(todo("T-1")))
	if n, pushes := s.tokenCalls(http.MethodPost), len(s.Journal().Entries("/seeyon/rest/thirdpartyPending")); n != 1 || pushes != 1 {
		t.Errorf("%d token calls and %d pushes, want 1 and 1: nothing was sent with the idle token", n, pushes)
	}
}

// F40: each of the three ways to refuse an account is recognised, and no password goes into a path for it.
func TestWrongPassword(t *testing.T) {
	for _, status := range []int{401, 404, 200} {
		s := simulate(t)
		s.SetPassword(username, "another one")
		if err := s.Configure(func(c *sim.Settings) { c.WrongPassword = status }); err != nil {
			t.Fatal(err)
		}
		a := s.push(todo("T-1"))
		wantFailure(t, a, oa.AuthExpired, "TokenRejected", "check username and password in the credentials Secret")
		if a.Status != status || !strings.HasSuffix(a.URL, "/seeyon/rest/token") || !strings.Contains(string(a.Request), username) {
			t.Errorf("the record is incomplete: %+v", a)
		}
		if n := s.tokenCalls(http.MethodGet); n != 0 {
			t.Errorf("%d: the password was sent in a path", status)
		}
		// The administrator corrects the account in the OA: the next attempt succeeds.
		s.SetPassword(username, password)
		wantOK(t, s.push(todo("T-1")))
	}
}

// An OA that knows only the older form of the token call is served with it, and asked for the newer form only once.
func TestOAThatKnowsOnlyGET(t *testing.T) {
	for _, status := range []int{404, 405, 415, 501} {
		s := simulate(t)
		if _, err := s.Faults().Add(fault.Rule{Match: fault.Match{Method: http.MethodPost, Path: "/seeyon/rest/token"},
			Action: fault.Action{Kind: fault.Status, Status: status, Body: "<html>no such page</html>"}}); err != nil {
			t.Fatal(err)
		}
		wantOK(t, s.push(todo("T-1")))
		s.ForgetTokens()
		wantOK(t, s.push(todo("T-2")))
		if post, get := s.tokenCalls(http.MethodPost), s.tokenCalls(http.MethodGet); post != 1 || get != 2 {
			t.Errorf("%d: %d POST and %d GET token calls, want 1 and 2", status, post, get)
		}
		// A password that is wrong now must not show in the record of the GET either.
		s.SetPassword(username, "another one")
		s.ForgetTokens()
		a := s.push(todo("T-3"))
		wantFailure(t, a, oa.AuthExpired, "TokenRejected", "(401)")
		if !strings.HasSuffix(a.URL, "/seeyon/rest/token/fxiaoke/***") {
			t.Errorf("the record shows %s", a.URL)
		}
	}
}

// Failures of the OA that say something about it as a whole.
func TestOutages(t *testing.T) {
	for name, test := range map[string]struct {
		action fault.Action
		class  oa.Class
		reason string
		says   string
		after  time.Duration
	}{
		"500":                      {fault.Action{Kind: fault.Status, Status: 500}, oa.ServerError, "ServerError", "500 Internal Server Error", 0},
		"503 with Retry-After":     {fault.Action{Kind: fault.Status, Status: 503, RetryAfter: "30"}, oa.ServerError, "ServerError", "503", 30 * time.Second},
		"429 in seconds":           {fault.Action{Kind: fault.Status, Status: 429, RetryAfter: "120"}, oa.RateLimited, "", "429", 2 * time.Minute},
		"429 as a date":            {fault.Action{Kind: fault.Status, Status: 429, RetryAfter: "Sun, 22 Nov 2026 09:31:30 GMT"}, oa.RateLimited, "", "429", 90 * time.Second},
		"429 without":              {fault.Action{Kind: fault.Status, Status: 429}, oa.RateLimited, "", "429", 0},
		"web page":                 {fault.Action{Kind: fault.HTML}, oa.ServerError, "UnexpectedAnswer", "web page", 0},
		"redirect":                 {fault.Action{Kind: fault.Status, Status: 302}, oa.ServerError, "UnexpectedAnswer", "redirects (302)", 0},
		"no such address":          {fault.Action{Kind: fault.Status, Status: 404}, oa.ServerError, "UnexpectedAnswer", "does not serve this address", 0},
		"forbidden":                {fault.Action{Kind: fault.Status, Status: 403, Body: "{}"}, oa.AuthExpired, "TokenRejected", "grant this REST user", 0},
		"empty":                    {fault.Action{Kind: fault.Status, Status: 200}, oa.ServerError, "UnexpectedAnswer", "not the JSON", 0},
		"text":                     {fault.Action{Kind: fault.Status, Status: 200, Body: "ok"}, oa.ServerError, "UnexpectedAnswer", "not the JSON", 0},
		"connection closed":        {fault.Action{Kind: fault.Close}, oa.Network, "NetworkError", "whether it took the request is unknown", 0},
		"done, but answer lost":    {fault.Action{Kind: fault.Close, After: true}, oa.Network, "NetworkError", "whether it took the request is unknown", 0},
		"says that it failed":      {fault.Action{Kind: fault.Business, ErrorMsgs: []string{"库存\n\x00不足"}}, oa.BusinessCode, "", "库存 不足", 0},
		"refuses every token":      {fault.Action{Kind: fault.ExpireToken}, oa.AuthExpired, "TokenRejected", "grant this REST user", 0},
		"refuses in other clothes": {fault.Action{Kind: fault.Status, Status: 200, Body: `{"code":401,"message":"Invalid token,please authenticate again"}`}, oa.AuthExpired, "TokenRejected", "has just issued", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulate(t)
			if _, err := s.Faults().Add(fault.Rule{Match: fault.Match{Path: "/seeyon/rest/thirdpartyPending"}, Action: test.action}); err != nil {
				t.Fatal(err)
			}
			a := s.push(todo("T-1"))
			wantFailure(t, a, test.class, test.reason, test.says)
			if a.RetryAfter != test.after {
				t.Errorf("got Retry-After %s, want %s", a.RetryAfter, test.after)
			}
			// The same failure reads the same the next time.
			if again := s.push(todo("T-1")); again.Message != a.Message {
				t.Errorf("got %q, then %q", a.Message, again.Message)
			}
			// When it is over, the item arrives, once.
			s.Faults().Clear()
			wantOK(t, s.push(todo("T-1")))
			if st := s.Stats(); st.Distinct != 1 || st.Duplicates != 0 {
				t.Errorf("got %+v", st)
			}
		})
	}
}

// Exactly one new token and one more sending, even if the OA refuses every token. F36
func TestExactlyOneRefresh(t *testing.T) {
	s := simulate(t)
	if _, err := s.Faults().Add(fault.Rule{Match: fault.Match{Path: "/seeyon/rest/thirdpartyPending"},
		Action: fault.Action{Kind: fault.ExpireToken}}); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, s.push(todo("T-1")), oa.AuthExpired, "TokenRejected", "")
	if tokens, pushes := s.tokenCalls(http.MethodPost), len(s.Journal().Entries("/seeyon/rest/thirdpartyPending")); tokens != 2 || pushes != 2 {
		t.Errorf("%d token calls and %d pushes, want 2 and 2", tokens, pushes)
	}
}

// F39: an OA that says nothing is a timeout, in a push as well as in the token call.
func TestTheOAHangs(t *testing.T) {
	for name, path := range map[string]string{"push": "/seeyon/rest/thirdpartyPending", "token": "/seeyon/rest/token"} {
		t.Run(name, func(t *testing.T) {
			s := simulate(t, func(c *seeyon.Config) { c.Timeout = 500 * time.Millisecond })
			if _, err := s.Faults().Add(fault.Rule{Match: fault.Match{Path: path}, Action: fault.Action{Kind: fault.Hang}}); err != nil {
				t.Fatal(err)
			}
			wantFailure(t, s.push(todo("T-1")), oa.Timeout, "Timeout", "did not answer within 500ms")
			s.Faults().Clear()
			wantOK(t, s.push(todo("T-1")))
		})
	}
}

// Many pushes at once share one token, at the start and after the OA forgot it.
func TestConcurrentPushesShareTheToken(t *testing.T) {
	s := simulate(t)
	all := func() {
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				if a := s.Push(t.Context(), todo("T-1"), result); a.Class != oa.OK {
					t.Errorf("got %s: %s", a.Class, a.Message)
				}
			})
		}
		wg.Wait()
	}
	all()
	if n := s.tokenCalls(http.MethodPost); n != 1 {
		t.Errorf("%d token calls, want 1", n)
	}
	s.ForgetTokens()
	all()
	if n := s.tokenCalls(http.MethodPost); n != 2 {
		t.Errorf("%d token calls after the OA forgot, want 2", n)
	}
}

// A probe writes nothing, spares the OA when it has just answered, and notices what is wrong.
func TestProbe(t *testing.T) {
	s := simulate(t)
	wantOK(t, s.Probe(t.Context()))
	wantOK(t, s.Probe(t.Context()))
	if n := s.tokenCalls(http.MethodPost); n != 1 {
		t.Errorf("%d token calls, want 1: the second probe was spared", n)
	}
	// Later it asks the OA again, but for no token while the one at hand lives. F80
	s.clock.advance(time.Minute)
	wantOK(t, s.Probe(t.Context()))
	if n := s.tokenCalls(http.MethodPost); n != 1 {
		t.Errorf("%d token calls, want 1: the token of the first probe lives", n)
	}
	s.clock.advance(15 * time.Minute)
	s.SetPassword(username, "another one")
	wantFailure(t, s.Probe(t.Context()), oa.AuthExpired, "TokenRejected", "(401)")
	s.SetPassword(username, password)
	wantOK(t, s.Probe(t.Context()))
	if entries := s.Journal().Entries("/seeyon/rest/thirdpartyPending"); len(entries) != 0 {
		t.Errorf("the probe wrote: %v", entries)
	}
	// After an outage only a call of its own is proof, however short ago the last success was.
	if _, err := s.Faults().Add(fault.Rule{Action: fault.Action{Kind: fault.Status, Status: 502}}); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, s.push(todo("T-1")), oa.ServerError, "ServerError", "502")
	wantFailure(t, s.Probe(t.Context()), oa.ServerError, "ServerError", "502")
	s.Faults().Clear()
	wantOK(t, s.Probe(t.Context()))
}
