package seeyon_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

const success = `{"success":true,"errorMsgs":[]}`

// What one push looks like on the wire: path prefix kept, headers merged in order, body untouched. F9
func TestOnTheWire(t *testing.T) {
	var got *http.Request
	var body []byte
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oa/seeyon/rest/token", answer(200, `{"id":"`+issued+`"}`))
	mux.HandleFunc("/oa/", func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		got = r
		_, _ = io.WriteString(w, success)
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	p := pusherFor(t, s.URL+"/oa/", newClock())
	wantOK(t, p.Push(t.Context(), scenario.Request{Method: "PUT", Path: "/a%2Fb/%E5%BC%A0?x=1", Body: []byte(`{"a":"张"}`),
		Header: http.Header{"x-from": {"call"}, "token": {"forged"}, "Content-Type": {"application/json"}}}, result))
	if got.Method != "PUT" || got.URL.EscapedPath() != "/oa/a%2Fb/%E5%BC%A0" || got.URL.RawQuery != "x=1" || string(body) != `{"a":"张"}` {
		t.Errorf("got %s %s %s", got.Method, got.URL, body)
	}
	for name, want := range map[string]string{"X-From": "call", "X-Api-Key": apiKey, "Token": issued, "Content-Type": "application/json",
		"Accept": "application/json", "User-Agent": "oabridge"} {
		if v := strings.Join(got.Header.Values(name), ","); v != want {
			t.Errorf("%s: got %s, want %s", name, v, want)
		}
	}
}

// The token call comes as the vendor's page describes it. [SY-AUTH]
func TestTokenCallOnTheWire(t *testing.T) {
	for name, form := range map[string]string{
		"JSON":             `{"bindingUser":null,"id":"` + issued + `"}`,
		"JSON, person":     `{"bindingUser":{"loginName":"x"},"id":"` + issued + `"}`,
		"bare text":        issued + "\n",
		"quoted text":      `"` + issued + `"`,
		"XML":              `<?xml version="1.0"?><UserToken><bindingUser/><id>` + issued + `</id></UserToken>`,
		"byte order mark":  "\ufeff" + `{"id":"` + issued + `"}`,
		"an unusual token": `{"id":"A_very.unusual~token"}`,
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("POST /seeyon/rest/token", func(w http.ResponseWriter, r *http.Request) {
				var in map[string]string
				if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in) != 2 || in["userName"] != username || in["password"] != password {
					t.Errorf("got %v, %v", in, err)
				}
				if a, c := r.Header.Get("Accept"), r.Header.Get("Content-Type"); a != "application/json" || c != "application/json;charset=UTF-8" {
					t.Errorf("got Accept %s, Content-Type %s", a, c)
				}
				w.Header().Set("Content-Type", "text/html") // which is not believed
				_, _ = io.WriteString(w, form)
			})
			mux.HandleFunc("/", answer(200, success))
			s := httptest.NewServer(mux)
			defer s.Close()
			wantOK(t, pusherFor(t, s.URL, newClock()).Push(t.Context(), todo("T-1"), result))
		})
	}
}

// The answers to a token call that are no token. F40
func TestNoToken(t *testing.T) {
	tests := map[string]struct {
		answer http.HandlerFunc
		class  oa.Class
		reason string
		says   string
	}{
		"refused":              {answer(401, ""), oa.AuthExpired, "TokenRejected", "(401)"},
		"refused as text":      {answer(200, "-1"), oa.AuthExpired, "TokenRejected", "(200)"},
		"refused as a number":  {answer(200, `{"id":-1}`), oa.AuthExpired, "TokenRejected", "(200)"},
		"refused as XML":       {answer(200, "<UserToken><id>-1</id></UserToken>"), oa.AuthExpired, "TokenRejected", "(200)"},
		"refused by a proxy":   {answer(403, "<html>no</html>"), oa.AuthExpired, "TokenRejected", "(403)"},
		"404 to every form":    {answer(404, "<html>no</html>"), oa.AuthExpired, "TokenRejected", "check spec.endpoint.url too"},
		"fails":                {answer(500, "x"), oa.ServerError, "ServerError", "500"},
		"limits":               {answer(429, "", "Retry-After", "7"), oa.RateLimited, "", "429"},
		"redirects":            {answer(302, "", "Location", "/login"), oa.ServerError, "UnexpectedAnswer", "redirects"},
		"login page":           {answer(200, "<!DOCTYPE html><html>login</html>"), oa.ServerError, "UnexpectedAnswer", "web page"},
		"words":                {answer(200, "forced offline"), oa.ServerError, "UnexpectedAnswer", "holds no token"},
		"no id":                {answer(200, "{}"), oa.ServerError, "UnexpectedAnswer", "holds no token"},
		"an id with a newline": {answer(200, `{"id":"`+issued+`\r\nX: y"}`), oa.ServerError, "UnexpectedAnswer", "holds no token"},
		"accepted, but not OK": {answer(202, `{"id":"`+issued+`"}`), oa.ServerError, "UnexpectedAnswer", "(202)"},
		"endless":              {answer(200, strings.Repeat("x", 1<<20+1)), oa.ServerError, "UnexpectedAnswer", "longer than 1048576 bytes"},
		"empty":                {answer(200, ""), oa.ServerError, "UnexpectedAnswer", "holds no token"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(test.answer)
			defer s.Close()
			a := pusherFor(t, s.URL, newClock()).Push(t.Context(), todo("T-1"), result)
			wantFailure(t, a, test.class, test.reason, test.says)
			if len(a.Answer) > 8<<10 {
				t.Errorf("%d bytes of the answer are kept", len(a.Answer))
			}
		})
	}
}

// Nothing secret is kept, even if the OA echoes everything that it was sent.
func TestSecretsAreMasked(t *testing.T) {
	for _, placement := range []seeyon.Placement{seeyon.InHeader, seeyon.InQuery} {
		for _, status := range []int{200, 400, 401, 500} {
			s := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(status)
				echo, _ := json.Marshal(map[string]any{"success": false, "errorMsgs": []string{
					fmt.Sprint(r.URL, r.Header), password, strings.Repeat("x", 8000) + apiKey}})
				_, _ = w.Write(echo)
			})
			a := pusherFor(t, s.URL, newClock(), func(c *seeyon.Config) { c.Placement = placement }).Push(t.Context(), todo("T-1"), result)
			if a.Class == oa.OK || !strings.Contains(string(a.Answer), oa.Mask) || len(a.Answer) > 8<<10 {
				t.Errorf("%d: got %+v", status, a)
			}
			wantNoSecret(t, a)
		}
	}
}

// The account is replaced in the OA and in the Secret: the next push uses a token of the new one, and nobody logs in with the
// old one any more.
func TestRotatedAccount(t *testing.T) {
	s := simulate(t)
	var current atomic.Value
	current.Store(password)
	p := pusherFor(t, s.url, s.clock, func(c *seeyon.Config) {
		c.Credentials = func(rotation.Version) (tokens.Account, error) {
			return tokens.Account{Name: username, Secret: current.Load().(string)}, nil
		}
	})
	wantOK(t, p.Push(t.Context(), todo("T-1"), result))
	s.SetPassword(username, "rotated-password")
	current.Store("rotated-password")
	wantOK(t, p.Push(t.Context(), todo("T-1"), result))
	s.clock.advance(16 * time.Minute) // nobody calls, and the token dies
	wantOK(t, p.Push(t.Context(), todo("T-1"), result))
	if n := s.tokenCalls(http.MethodPost); n != 2 {
		t.Errorf("%d token calls, want 2", n)
	}
}

// F35: a key that is not there is named.
func TestMissingKeys(t *testing.T) {
	s := simulate(t)
	for name, test := range map[string]struct {
		change func(*seeyon.Config)
		says   string
	}{
		"unreadable": {func(c *seeyon.Config) {
			c.Credentials = func(rotation.Version) (tokens.Account, error) {
				return tokens.Account{}, errors.New("the key password is missing")
			}
		}, "the key password is missing"},
		"empty": {func(c *seeyon.Config) {
			c.Credentials = func(rotation.Version) (tokens.Account, error) { return tokens.Account{Name: username}, nil }
		}, "spec.credentialsSecretRef"},
		"header": {func(c *seeyon.Config) {
			c.Headers = func(rotation.Version) ([]exchange.Header, error) {
				return nil, errors.New("the value of the header X is missing")
			}
		}, "header X"},
	} {
		t.Run(name, func(t *testing.T) {
			p := pusherFor(t, s.url, s.clock, test.change)
			wantFailure(t, p.Push(t.Context(), todo("T-1"), result), oa.AuthExpired, "KeyMissing", test.says)
			wantFailure(t, p.Probe(t.Context()), oa.AuthExpired, "KeyMissing", test.says)
		})
	}
	if entries := s.Journal().Entries("/"); len(entries) != 0 {
		t.Errorf("the OA was called: %v", entries)
	}
}

// No path of a template leads to another host.
func TestPathsStayOnTheHost(t *testing.T) {
	var calls atomic.Int32
	s := scripted(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	for _, path := range []string{"", "x", ".evil.example/", "@evil.example/", ":1@evil.example/", "/%zz", "http://evil.example/"} {
		req := todo("T-1")
		req.Path = path
		wantFailure(t, pusherFor(t, s.URL, newClock()).Push(t.Context(), req, result), oa.Internal, "", "path")
	}
	req := todo("T-1")
	req.Method = "PO ST"
	wantFailure(t, pusherFor(t, s.URL, newClock()).Push(t.Context(), req, result), oa.Internal, "", "method")
	if calls.Load() != 0 {
		t.Error("the OA was called")
	}
}

// An item whose title speaks of tokens is refused as an item, and makes nobody fetch a token.
func TestBusinessErrorThatQuotesATitle(t *testing.T) {
	var calls atomic.Int32
	s := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_, _ = io.WriteString(w, `{"success":false,"errorMsgs":["title: Invalid token,please authenticate again"]}`)
	})
	wantFailure(t, pusherFor(t, s.URL, newClock()).Push(t.Context(), todo("T-1"), result), oa.BusinessCode, "", "Invalid token")
	if calls.Load() != 1 {
		t.Errorf("sent %d times", calls.Load())
	}
}

// What keeps a connection from being made has a reason and one sentence. F39
func TestNoConnection(t *testing.T) {
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + closed.Addr().String()
	_ = closed.Close()
	https := httptest.NewUnstartedServer(answer(200, success))
	https.Config.ErrorLog = log.New(io.Discard, "", 0) // its handshakes are meant to fail
	https.StartTLS()
	defer https.Close()
	plain := httptest.NewServer(answer(200, success))
	defer plain.Close()
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	for name, test := range map[string]struct {
		endpoint string
		config   outbound.Config
		class    oa.Class
		reason   string
		says     string
	}{
		"refused":         {refused, outbound.Config{}, oa.Network, "ConnectionRefused", "refuses the connection"},
		"unknown CA":      {https.URL, outbound.Config{}, oa.Network, "TLSFailed", "unknown authority"},
		"no CA":           {https.URL, outbound.Config{CA: func() ([]byte, error) { return nil, errors.New("gone") }}, oa.Network, "TLSFailed", "ca.crt"},
		"no TLS":          {strings.Replace(plain.URL, "http:", "https:", 1), outbound.Config{}, oa.Network, "TLSFailed", "does not speak TLS"},
		"no name":         {"http://nobody.invalid", outbound.Config{}, oa.Network, "", "nobody.invalid"},
		"denied":          {strings.Replace(plain.URL, "127.0.0.1", "127.0.0.2", 1), outbound.Config{AllowedCIDRs: []string{"127.0.0.1/32"}}, oa.Network, "EgressDenied", "127.0.0.2"},
		"connect timeout": {"https://" + silent.Addr().String(), outbound.Config{ConnectTimeout: 50 * time.Millisecond}, oa.Timeout, "Timeout", "no connection"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.config.AllowedCIDRs == nil {
				test.config.AllowedCIDRs = []string{"127.0.0.0/8"}
			}
			client, err := outbound.NewClient(test.config)
			if err != nil {
				t.Fatal(err)
			}
			p := pusherFor(t, test.endpoint, newClock(), func(c *seeyon.Config) { c.Client = client })
			a := p.Push(t.Context(), todo("T-1"), result)
			if name == "no name" { // without any DNS on this host the reason is another one
				test.reason = a.Reason
			}
			wantFailure(t, a, test.class, test.reason, test.says)
			if !a.TargetDown() || a.Status != 0 {
				t.Errorf("got %+v", a)
			}
		})
	}
}

// A caller that waits for somebody else's token call gives up with its own context; the others get the token.
func TestWaitingForATokenIsBounded(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /seeyon/rest/token", func(w http.ResponseWriter, _ *http.Request) {
		close(asked) // panics if there is a second token call
		<-release
		_, _ = io.WriteString(w, `{"id":"`+issued+`"}`)
	})
	mux.HandleFunc("/", answer(200, success))
	s := httptest.NewServer(mux)
	defer s.Close()
	p := pusherFor(t, s.URL, newClock())

	first, cancelFirst := context.WithCancel(t.Context())
	done := make(chan oa.Attempt, 1)
	go func() { done <- p.Push(first, todo("T-1"), result) }()
	<-asked
	cancelFirst() // the one that started the token call goes away
	wantFailure(t, <-done, oa.Network, "", "cancelled")

	second, cancelSecond := context.WithDeadline(t.Context(), time.Now())
	defer cancelSecond()
	wantFailure(t, p.Push(second, todo("T-1"), result), oa.Timeout, "Timeout", "did not issue a token in time")

	go func() { done <- p.Push(t.Context(), todo("T-1"), result) }()
	close(release)
	wantOK(t, <-done)
}

func BenchmarkPush(b *testing.B) {
	s := scripted(b, answer(200, success))
	p := pusherFor(b, s.URL, newClock())
	req := todo("T-1")
	b.ReportAllocs()
	for b.Loop() {
		if a := p.Push(b.Context(), req, result); a.Class != oa.OK {
			b.Fatal(a.Message)
		}
	}
}
