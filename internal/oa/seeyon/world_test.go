package seeyon_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	sim "github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

// The secrets of these tests: none of them may be seen in an Attempt, in whatever spelling.
const (
	username = "fxiaoke"
	password = "p@ss/wörd \"1\"&<x>"
	apiKey   = "api-key-canary-0815"
)

// result is how Seeyon answers (SY-C1).
var result = scenario.Result{CodeName: "success", MsgName: "errorMsgs", SuccessCode: "true"}

// clock is moved by the test.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// pusherFor returns a Pusher for an OA on this host.
func pusherFor(t testing.TB, endpoint string, c *clock, change ...func(*seeyon.Config)) *exchange.Pusher {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	client, err := outbound.NewClient(outbound.Config{AllowedCIDRs: []string{"127.0.0.0/8"}, ConnectTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	config := seeyon.Config{
		Config: exchange.Config{
			Endpoint: u, Client: client, Now: c.now, Timeout: 5 * time.Second,
			Headers: func(rotation.Version) ([]exchange.Header, error) {
				return []exchange.Header{{Name: "X-From", Value: "crm"}, {Name: "X-Api-Key", Value: apiKey, Secret: true}}, nil
			},
		},
		IdleTimeout: 15 * time.Minute,
		Credentials: func(rotation.Version) (tokens.Account, error) {
			return tokens.Account{Name: username, Secret: password}, nil
		},
	}
	for _, f := range change {
		f(&config)
	}
	return seeyon.NewPusher(config)
}

// todo is a rendered create call.
func todo(taskID string) scenario.Request {
	return scenario.Request{
		Method: http.MethodPost, Path: "/seeyon/rest/thirdpartyPending/receive",
		Body: fmt.Appendf(nil, `{"registerCode":"3004","taskId":%q,"title":"张三 提交 报价单","senderName":"张三","state":"0",`+
			`"thirdSenderId":"1000","thirdReceiverId":"lisi","creationDate":"2026-11-22 09:30","content":"",`+
			`"h5url":"//sso.example/SeeYon/QuoteObj/1/714439/true","url":"//sso.example/SeeYon/QuoteObj/1/714439/false",`+
			`"noneBindingSender":"","noneBindingReceiver":"lisi"}`, taskID),
	}
}

// state is a rendered call that changes a state.
func state(taskID, to string) scenario.Request {
	r := todo(taskID)
	r.Path = "/seeyon/rest/thirdpartyPending/updatePendingState"
	r.Body = []byte(strings.Replace(string(r.Body), `"state":"0"`, `"state":"`+to+`"`, 1))
	return r
}

// simulated is a simulated Seeyon and a Pusher for it.
type simulated struct {
	*sim.Seeyon
	*exchange.Pusher
	t     *testing.T
	clock *clock
	url   string
}

func simulate(t *testing.T, change ...func(*seeyon.Config)) *simulated {
	t.Helper()
	c := newClock()
	s, err := sim.New(sim.Options{
		RESTUsers: map[string]string{username: password},
		Apps:      []sim.App{{Code: "3004", Name: "CRM"}},
		People:    []sim.Person{{LoginName: "lisi", Name: "李四"}},
		Now:       c.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return &simulated{Seeyon: s, Pusher: pusherFor(t, srv.URL, c, change...), t: t, clock: c, url: srv.URL}
}

// push sends a request; a failure must show no secret.
func (s *simulated) push(req scenario.Request) oa.Attempt {
	s.t.Helper()
	a := s.Push(s.t.Context(), req, result)
	wantNoSecret(s.t, a)
	return a
}

// tokenCalls counts the token calls by method.
func (s *simulated) tokenCalls(method string) int {
	n := 0
	for _, e := range s.Journal().Entries("/seeyon/rest/token") {
		if e.Method == method {
			n++
		}
	}
	return n
}

func wantOK(t testing.TB, a oa.Attempt) {
	t.Helper()
	if a.Class != oa.OK || a.Reason != "" {
		t.Fatalf("got %s %s: %s", a.Class, a.Reason, a.Message)
	}
}

// wantFailure checks class, reason and a part of the message.
func wantFailure(t testing.TB, a oa.Attempt, class oa.Class, reason, says string) {
	t.Helper()
	if a.Class != class || a.Reason != reason || !strings.Contains(a.Message, says) {
		t.Fatalf("got %s %s %q, want %s %s about %q", a.Class, a.Reason, a.Message, class, reason, says)
	}
	wantNoSecret(t, a)
}

func wantNoSecret(t testing.TB, a oa.Attempt) {
	t.Helper()
	all := fmt.Sprintf("%+v %s %s", a, a.Request, a.Answer)
	for _, secret := range []string{password, url.PathEscape(password), url.QueryEscape(password), "wörd", "w%C3%B6rd", apiKey, issued} {
		if strings.Contains(all, secret) {
			t.Errorf("the attempt shows %q: %s", secret, all)
		}
	}
}

// issued is the token of the OAs that scripted makes.
const issued = "a5ad648c-0a40-49b0-bedd-9fd7025313b5"

// scripted is an OA that issues a token and answers every push with the handler.
func scripted(t testing.TB, push http.HandlerFunc) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /seeyon/rest/token", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"bindingUser":null,"id":"`+issued+`"}`)
	})
	mux.HandleFunc("/seeyon/rest/thirdpartyPending/", push)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// answer returns a handler that always says the same; headers are pairs.
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
