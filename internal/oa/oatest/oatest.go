// Package oatest lets a test of a driver push what a preset renders into a simulated OA, the way a dispatcher does.
package oatest

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

// The secrets of a stage. None of them may be seen in an Attempt, in whatever spelling.
const (
	// Secret of the application, with characters that JSON, XML and URLs write in other ways.
	Secret = "s3cret/canary+\"1\"&<ü>"
	// APIKey is the value of a secret header.
	APIKey = "api-key-canary-0815"
	// Wrong is a secret that the OA does not know.
	Wrong = "wrong-canary/+4711"
)

// timeout of one exchange.
const timeout = 5 * time.Second

// Simulator of an OA.
type Simulator interface {
	http.Handler
	Faults() *fault.Set
	Journal() *journal.Journal
	Close()
}

// Clock is moved by the test.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock returns a clock that stands.
func NewClock() *Clock { return &Clock{t: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// Stage is a simulated OA, its driver, and what a dispatcher remembers of the items.
type Stage struct {
	t *testing.T
	// Sim is the OA, URL where it serves, Clock its time and the driver's.
	Sim   Simulator
	URL   string
	Clock *Clock
	// Pusher is the driver.
	Pusher oa.Pusher

	// connector are the values of ${connector.…}.
	connector map[string]string
	mu        sync.Mutex
	secret    string
	version   int64
	captured  map[string]string
	// tokens that calls carried.
	tokens map[string]bool
}

// tokenHeaders carry the token of a call, beside the query parameters access_token and accessToken.
var tokenHeaders = []string{"Authorization", "X-Wlk-Authorization", "X-Acs-Dingtalk-Access-Token"}

// serve is the OA, overheard.
func (s *Stage) serve(w http.ResponseWriter, r *http.Request) {
	carried := []string{r.URL.Query().Get("access_token"), r.URL.Query().Get("accessToken")}
	for _, name := range tokenHeaders {
		carried = append(carried, strings.TrimPrefix(strings.TrimPrefix(r.Header.Get(name), "Bearer "), "Basic "))
	}
	s.mu.Lock()
	for _, token := range carried {
		s.tokens[token] = token != ""
	}
	s.mu.Unlock()
	s.Sim.ServeHTTP(w, r)
}

// Tokens counts the different tokens that calls carried.
func (s *Stage) Tokens() int { return len(s.carried()) }

func (s *Stage) carried() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for token, some := range s.tokens {
		if some {
			list = append(list, token)
		}
	}
	return list
}

// New serves an OA and makes its driver.
func New(t *testing.T, c *Clock, sim Simulator, connector map[string]string, driver func(s *Stage, c exchange.Config) oa.Pusher) *Stage {
	t.Helper()
	s := &Stage{t: t, Sim: sim, Clock: c, secret: Secret, captured: map[string]string{}, tokens: map[string]bool{}, connector: map[string]string{
		"enterpriseID": "714439", "dataCenterID": "", "ssoURL": "https://sso.crm.example",
	}}
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() { sim.Close(); server.Close() })
	s.URL = server.URL
	maps.Copy(s.connector, connector)
	s.Pusher = driver(s, s.Config(nil))
	return s
}

// Config of a driver for the OA, as a connector makes it.
func (s *Stage) Config(shared tokens.Store) exchange.Config {
	s.t.Helper()
	client, err := outbound.NewClient(outbound.Config{AllowedCIDRs: []string{"127.0.0.0/8"}, ConnectTimeout: timeout})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(client.CloseIdleConnections)
	return exchange.Config{
		Endpoint: s.Address(""), Client: client, Now: s.Clock.Now, Timeout: timeout, Tokens: shared,
		Headers: func(rotation.Version) ([]exchange.Header, error) {
			return []exchange.Header{{Name: "X-From", Value: "crm"}, {Name: "X-Api-Key", Value: APIKey, Secret: true}}, nil
		},
	}
}

// Address is a path of the OA.
func (s *Stage) Address(path string) *url.URL {
	u, err := url.Parse(s.URL + path)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// Account returns what the Secret of the connector holds now, beside a name.
func (s *Stage) Account(name string) tokens.Source {
	return func(rotation.Version) (tokens.Account, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return tokens.Account{Name: name, Secret: s.secret}, nil
	}
}

// Rotate replaces the secret in the connector's Secret.
func (s *Stage) Rotate(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
}

// Item returns the fields of an item for one receiver.
func Item(id, receiver string) scenario.Fields {
	return scenario.Fields{
		"F001": receiver, "F009": "2026-11-22T09:30:00+08:00", "F012": id, "F015": "5f3c2ab1", "F028": "714439", "F037": "QuoteObj", "F049": "",
		"F053": "报价单", "F054": "张三", "F055": "报价单审批", "F056": "提交",
	}
}

// Preset returns a preset with the values of the connector and its own defaults.
func (s *Stage) Preset(name string) *scenario.Scenario {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../config/presets", name+".yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	var template v1alpha1.ScenarioTemplate
	if err := yaml.UnmarshalStrict(text, &template); err != nil {
		s.t.Fatal(err)
	}
	d, problems := scenario.Instantiate(template.Spec, nil, s.connector, "oabridge/"+name)
	if len(problems) > 0 {
		s.t.Fatal(problems)
	}
	compiled, err := scenario.New(d)
	if err != nil {
		s.t.Fatal(err)
	}
	return compiled
}

// Push renders an action of a preset for an item and sends it. What the OA's answer gives is kept for later actions, as a
// dispatcher keeps it. No secret may show.
func (s *Stage) Push(preset string, a scenario.Action, f scenario.Fields) oa.Attempt {
	s.t.Helper()
	return s.PushAt(preset, a, f, 0)
}

// PushAt is Push of a state with a version of its own; 0 is a newer one than all before.
func (s *Stage) PushAt(preset string, a scenario.Action, f scenario.Fields, version int64) oa.Attempt {
	s.t.Helper()
	scene := s.Preset(preset)
	s.version = max(s.version+1, s.Clock.Now().UnixMilli())
	if version == 0 {
		version = s.version
	}
	live := maps.Clone(f).With(scenario.Moment{EventTime: s.Clock.Now(), Version: version, Captured: s.captured})
	req, err := scene.Render(a, live)
	if err != nil {
		s.t.Fatalf("%s %s: %v", preset, a, err)
	}
	got := s.Pusher.Push(s.t.Context(), req, scene.Definition().Result)
	for name, value := range got.Captured {
		s.captured[name] = value
	}
	s.wantNoSecret(got)
	return got
}

// Of returns what a person sees in a box, in one of the states; in any when none is named.
func Of(box *inbox.Box, person string, states ...inbox.State) []inbox.Item {
	return box.Where(func(i *inbox.Item) bool {
		return i.Person == person && (len(states) == 0 || slices.Contains(states, i.State))
	})
}

// Calls counts the requests to a path and everything below it.
func (s *Stage) Calls(path string) int { return len(s.Sim.Journal().Entries(path)) }

// Fault scripts a failure.
func (s *Stage) Fault(path string, times int, a fault.Action) {
	s.t.Helper()
	if _, err := s.Sim.Faults().Add(fault.Rule{Match: fault.Match{Path: path}, Times: times, Action: a}); err != nil {
		s.t.Fatal(err)
	}
}

// WantOK fails unless the attempt succeeded.
func (s *Stage) WantOK(a oa.Attempt) {
	s.t.Helper()
	if a.Class != oa.OK || a.Reason != "" {
		s.t.Fatalf("got %s %s: %s; %s %s %s → %d %s", a.Class, a.Reason, a.Message, a.Method, a.URL, a.Request, a.Status, a.Answer)
	}
}

// Want checks class, reason and a part of the message.
func (s *Stage) Want(a oa.Attempt, class oa.Class, reason, says string) {
	s.t.Helper()
	if a.Class != class || a.Reason != reason || !strings.Contains(a.Message, says) {
		s.t.Fatalf("got %s %q %q, want %s %q about %q; %s %s → %d %s", a.Class, a.Reason, a.Message, class, reason, says, a.Method, a.URL, a.Status, a.Answer)
	}
}

func (s *Stage) wantNoSecret(a oa.Attempt) {
	s.t.Helper()
	shown := fmt.Sprintf("%+v %s %s %v", a, a.Request, a.Answer, a.Captured)
	for _, secret := range []string{Secret, Wrong, APIKey} {
		for _, spelling := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), "canary"} {
			if strings.Contains(shown, spelling) {
				s.t.Errorf("the attempt shows %q: %s", spelling, shown)
			}
		}
	}
	for _, token := range s.carried() {
		if strings.Contains(shown, token) {
			s.t.Errorf("the attempt shows the token %q: %s", token, shown)
		}
	}
}
