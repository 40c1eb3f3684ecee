package seeyon_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
	sim "github.com/oabridge/oabridge/internal/oasim/seeyon"
)

// canary is a ticket that must appear in no error.
const canary = "ticket-canary-4711"

func verifier(url, version string) *seeyon.Verifier {
	return seeyon.NewVerifier(seeyon.VerifierConfig{Endpoint: url, Client: &http.Client{}, Version: version, Timeout: 5 * time.Second})
}

// The OA names the person once; the second question about the same ticket is refused. Both addresses, and every place
// in which versions put the name. F106, F108, F42
func TestAnOANamesThePersonOnce(t *testing.T) {
	for _, version := range []struct{ name, path string }{{"V70SP2", "new"}, {"BeforeV70SP2", "old"}} {
		for _, place := range []string{"header", "body", "both"} {
			for _, bad := range []string{"empty", "error"} {
				t.Run(version.name+"/"+place+"/"+bad, func(t *testing.T) {
					o, err := sim.New(sim.Options{People: []sim.Person{{LoginName: "李四@hq"}}})
					if err != nil {
						t.Fatal(err)
					}
					if err := o.Configure(func(s *sim.Settings) { s.SSOPath, s.TicketAnswer, s.BadTicket = version.path, place, bad }); err != nil {
						t.Fatal(err)
					}
					server := httptest.NewServer(o)
					defer server.Close()
					ticket, err := o.IssueTicket("李四@hq")
					if err != nil {
						t.Fatal(err)
					}

					v := verifier(server.URL+"/", version.name)
					id, err := v.Verify(t.Context(), oa.Proof{Key: ticket})
					if err != nil || id.Account != "李四@hq" {
						t.Fatalf("first question: %+v, %v", id, err)
					}
					wantError(t, v, ticket, true, "TicketRejected")
				})
			}
		}
	}
}

// The address of another version answers 404: the OA was not asked, so the ticket may be tried again.
func TestTheAddressOfAnotherVersionIsNotAnAnswer(t *testing.T) {
	o, err := sim.New(sim.Options{People: []sim.Person{{LoginName: "lisi"}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(o)
	defer server.Close()
	wantError(t, verifier(server.URL, "BeforeV70SP2"), canary, false, "UnexpectedAnswer")
}

func TestAnswers(t *testing.T) {
	type answer struct {
		status int
		header []string
		body   string
	}
	for name, c := range map[string]struct {
		answer
		account  string // accepted
		rejected bool
		reason   string
	}{
		"header":                     {answer: answer{header: []string{"lisi"}}, account: "lisi"},
		"encoded header":             {answer: answer{header: []string{"%E6%9D%8E%E5%9B%9B"}}, account: "李四"},
		"body with line end":         {answer: answer{body: " lisi\r\n"}, account: "lisi"},
		"encoded plus is a plus":     {answer: answer{body: "li%2Bsi%40hq"}, account: "li+si@hq"},
		"both agree":                 {answer: answer{header: []string{"li%73i"}, body: "lisi\n"}, account: "lisi"},
		"both agree on a name":       {answer: answer{header: []string{"terrorist"}, body: "terrorist"}, account: "terrorist"},
		"empty":                      {rejected: true, reason: "TicketRejected"},
		"blank":                      {answer: answer{body: " \r\n"}, rejected: true, reason: "TicketRejected"},
		"error":                      {answer: answer{body: "Error: invalid ticket"}, rejected: true, reason: "TicketRejected"},
		"error beside a name":        {answer: answer{header: []string{"lisi"}, body: "error"}, reason: "UnexpectedAnswer"},
		"header and body disagree":   {answer: answer{header: []string{"lisi"}, body: "wangwu"}, reason: "UnexpectedAnswer"},
		"case is a difference":       {answer: answer{header: []string{"lisi"}, body: "LiSi"}, reason: "UnexpectedAnswer"},
		"two headers":                {answer: answer{header: []string{"lisi", "wangwu"}}, reason: "UnexpectedAnswer"},
		"a page beside a name":       {answer: answer{header: []string{"lisi"}, body: "<html>lisi</html>"}, reason: "UnexpectedAnswer"},
		"a page":                     {answer: answer{body: "<!DOCTYPE html><p>login</p>"}, reason: "UnexpectedAnswer"},
		"markup in a name":           {answer: answer{body: "li<b>si"}, reason: "UnexpectedAnswer"},
		"control character":          {answer: answer{body: "li%00si"}, reason: "UnexpectedAnswer"},
		"line break inside":          {answer: answer{body: "li%0Asi"}, reason: "UnexpectedAnswer"},
		"not UTF-8":                  {answer: answer{body: "%C0%EE"}, reason: "UnexpectedAnswer"},
		"bad escape":                 {answer: answer{body: "li%zzsi"}, reason: "UnexpectedAnswer"},
		"bare plus is ambiguous":     {answer: answer{body: "li+si"}, reason: "UnexpectedAnswer"},
		"name too long":              {answer: answer{body: strings.Repeat("a", 129)}, reason: "UnexpectedAnswer"},
		"body too long":              {answer: answer{body: strings.Repeat("a", 5<<10)}, reason: "UnexpectedAnswer"},
		"body too long beside name":  {answer: answer{header: []string{"lisi"}, body: strings.Repeat(" ", 5<<10)}, reason: "UnexpectedAnswer"},
		"500 with a name":            {answer: answer{status: 500, header: []string{"lisi"}}, reason: "ServerError"},
		"503":                        {answer: answer{status: 503}, reason: "ServerError"},
		"401":                        {answer: answer{status: 401, body: "lisi"}, reason: "TokenRejected"},
		"204 with a name":            {answer: answer{status: 204, header: []string{"lisi"}}, reason: "UnexpectedAnswer"},
		"redirect is never followed": {answer: answer{status: 302, header: []string{"lisi"}}, reason: "UnexpectedAnswer"},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				if r.Method != http.MethodGet || r.URL.Path != "/seeyon/thirdpartyController.do" || r.URL.Query().Get("ticket") != canary {
					t.Errorf("unexpected request %s %s", r.Method, r.URL)
				}
				w.Header()["LoginName"] = c.header
				w.Header().Set("Location", "/seeyon/main.do")
				if c.status != 0 {
					w.WriteHeader(c.status)
				}
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			v := verifier(server.URL, "V70SP2")
			if c.account == "" {
				wantError(t, v, canary, c.rejected, c.reason)
			} else if id, err := v.Verify(t.Context(), oa.Proof{Key: canary}); err != nil || id.Account != c.account {
				t.Fatalf("got %+v, %v", id, err)
			}
			if calls.Load() != 1 {
				t.Fatalf("the OA was asked %d times", calls.Load())
			}
		})
	}
}

// A malformed ticket never reaches the OA, and none can add a parameter or leave its value. F106
func TestTheTicketStaysOneQueryValue(t *testing.T) {
	var queries []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { queries = append(queries, r.URL.RequestURI()) }))
	defer server.Close()
	v := verifier(server.URL, "V70SP2")
	for _, ticket := range []string{"", " ", "a b", "a\x00b", "a\r\nX: y", "票", strings.Repeat("a", 513)} {
		wantError(t, v, ticket, true, "TicketRejected")
	}
	if len(queries) != 0 {
		t.Fatalf("the OA was asked: %q", queries)
	}
	nasty := "a&ticket=b#/../x?y=%2e%2e;z"
	wantError(t, v, nasty, true, "TicketRejected")
	if want := "/seeyon/thirdpartyController.do?ticket=" + url.QueryEscape(nasty); len(queries) != 1 || queries[0] != want {
		t.Fatalf("asked %q, want %q", queries, want)
	}
}

// An OA that cannot be asked says nothing about the ticket, and no error shows it.
func TestAnOAThatCannotBeAsked(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer cut.Close()
	garbage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Write([]byte(r.URL.RawQuery + "\r\n\r\n")) // echoes the ticket where the status line belongs
		_ = conn.Close()
	}))
	defer garbage.Close()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(release)

	for name, c := range map[string]struct{ url, reason string }{
		"down":        {closed.URL, "ConnectionRefused"},
		"cut":         {cut.URL, "NetworkError"},
		"not HTTP":    {garbage.URL, "NetworkError"},
		"certificate": {untrusted.URL, "TLSFailed"},
		"no name":     {"http://oa.invalid", "NameNotFound"},
		"no URL":      {"http://[::1", "NetworkError"},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, verifier(c.url, "V70SP2"), canary, false, c.reason) })
	}
	t.Run("hanging", func(t *testing.T) {
		v := seeyon.NewVerifier(seeyon.VerifierConfig{Endpoint: hanging.URL, Client: &http.Client{}, Timeout: 50 * time.Millisecond})
		wantError(t, v, canary, false, "Timeout")
	})
	t.Run("the person left", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := verifier(hanging.URL, "V70SP2").Verify(ctx, oa.Proof{Key: canary})
		var refused *oa.VerifyError
		if !errors.As(err, &refused) || refused.Verdict == oa.Rejected {
			t.Fatalf("got %v", err)
		}
	})
}

func wantError(t *testing.T, v oa.LinkVerifier, ticket string, rejected bool, reason string) {
	t.Helper()
	id, err := v.Verify(t.Context(), oa.Proof{Key: ticket})
	var refused *oa.VerifyError
	if !errors.As(err, &refused) {
		t.Fatalf("want a VerifyError, got %+v, %v", id, err)
	}
	if (refused.Verdict == oa.Rejected) != rejected || refused.Reason != reason {
		t.Errorf("got rejected %v, %v; want %v, %s", refused.Verdict, err, rejected, reason)
	}
	if id != (oa.Identity{}) {
		t.Errorf("an error came with the identity %+v", id)
	}
	if len(ticket) > 3 && strings.Contains(err.Error(), ticket) {
		t.Errorf("the error shows the ticket: %v", err)
	}
}
