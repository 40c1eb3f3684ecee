package digest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm/fxiaoke"
	"github.com/oabridge/oabridge/internal/dispatch/digest"
)

const hookKey = "whsec_Y2FuYXJ5LXNpZ25pbmcta2V5LTAxMjM0NTY3ODk="

func example() *digest.Digest {
	at := time.Date(2026, 11, 22, 9, 40, 0, 0, time.UTC)
	return &digest.Digest{
		ID: "crm/hq/ops/1795340400000", Connector: connector, From: at.Add(-window), To: at, GivenUp: 1,
		Groups: []digest.Group{{Kind: "Todo", Reason: "BusinessCode", Count: 1, Example: "refused"}},
		Items:  []digest.Item{{Kind: "Todo", ItemID: "T-1", Receiver: "1002", Action: "create", Reason: "BusinessCode", Attempts: 3, At: at}},
	}
}

// hook is a channel of type Webhook with its Secret in a directory.
type hook struct {
	t       *testing.T
	secrets string
	digest.Sink
}

func newHook(t *testing.T, allowed ...string) *hook {
	t.Helper()
	h := &hook{t: t, secrets: t.TempDir()}
	sink, err := digest.NewWebhook(h.secrets, bundle.Channel{Name: "ops", Type: "Webhook", Secret: "channel-0", AllowedCIDRs: allowed})
	if err != nil {
		t.Fatal(err)
	}
	h.Sink = sink
	return h
}

func (h *hook) secret(key, value string) {
	h.t.Helper()
	dir := filepath.Join(h.secrets, "channel-0")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, key), []byte(value), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// A webhook gets JSON that any Standard Webhooks library verifies; the same digest has the same id and body each time.
func TestWebhook(t *testing.T) {
	type request struct {
		header http.Header
		body   []byte
	}
	var got []request
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, request{r.Header, body})
	}))
	defer server.Close()
	h := newHook(t, "127.0.0.0/8")
	h.secret("url", server.URL+"/hook?token=canary-token\n")
	h.secret("signing-key", hookKey)
	for range 2 {
		if f := h.Send(t.Context(), example()); f != nil {
			t.Fatal(f.Message)
		}
	}
	verifier, err := standardwebhooks.NewWebhook(hookKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		if err := verifier.Verify(r.body, r.header); err != nil {
			t.Error(err)
		}
		if id := r.header.Get("webhook-id"); id != "crm/hq/ops/1795340400000" {
			t.Errorf("id %q", id)
		}
	}
	if len(got) != 2 || string(got[0].body) != string(got[1].body) {
		t.Fatalf("%d requests, or their bodies differ", len(got))
	}
	var body struct {
		Type string
		Data struct {
			Connector struct{ Namespace, Name string }
			GivenUp   int
			Items     []struct{ ItemID, Receiver, Reason string }
			Text      string
		}
	}
	if err := json.Unmarshal(got[0].body, &body); err != nil {
		t.Fatal(err)
	}
	if d := body.Data; body.Type != "dev.oabridge.digest" || d.Connector.Name != "hq" || d.GivenUp != 1 || len(d.Items) != 1 ||
		d.Items[0].ItemID != "T-1" || !strings.Contains(d.Text, "crm/hq") {
		t.Errorf("%s", got[0].body)
	}
	// Without a key there is no signature, and with a new one the next digest carries it.
	if err := os.Remove(filepath.Join(h.secrets, "channel-0", "signing-key")); err != nil {
		t.Fatal(err)
	}
	if f := h.Send(t.Context(), example()); f != nil || got[2].header.Get("webhook-signature") != "" || got[2].header.Get("webhook-id") == "" {
		t.Errorf("%v %v", f, got[2].header)
	}
}

// The key of a webhook is replaced: while the next one is there, messages are signed with both, so that the receiver can go over when
// it likes, and a next one that is none harms nobody.
func TestTheKeyOfAWebhookIsReplaced(t *testing.T) {
	const nextKey = "whsec_Y2FuYXJ5LW5leHQtc2lnbmluZy1rZXktMDEyMzQ1Njc="
	verifier := map[string]*standardwebhooks.Webhook{}
	for _, key := range []string{hookKey, nextKey} {
		var err error
		if verifier[key], err = standardwebhooks.NewWebhook(key); err != nil {
			t.Fatal(err)
		}
	}
	signedBy := func(*http.Request) {}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { signedBy(r) }))
	defer server.Close()
	h := newHook(t, "127.0.0.0/8")
	h.secret("url", server.URL)
	for _, step := range []struct {
		name, current, next string
		good                []string
	}{
		{"before", hookKey, "", []string{hookKey}},
		{"a next one that is none", hookKey, "whsec_c2hvcnQ=", []string{hookKey}},
		{"both", hookKey, nextKey, []string{hookKey, nextKey}},
		{"the next one has moved, and is still there", nextKey, nextKey, []string{nextKey}},
		{"after", nextKey, "", []string{nextKey}},
	} {
		var got []string
		signedBy = func(r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			for _, key := range []string{hookKey, nextKey} {
				if verifier[key].Verify(body, r.Header) == nil {
					got = append(got, key)
				}
			}
		}
		h.secret("signing-key", step.current)
		h.secret("signing-key.next", step.next)
		if f := h.Send(t.Context(), example()); f != nil || !slices.Equal(got, step.good) {
			t.Errorf("%s: %v, signed with %v", step.name, f, got)
		}
	}
}

// Each way in which a webhook fails says what to do, and never the address: a token may be in it.
func TestWebhookFails(t *testing.T) {
	var status atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch answer := int(status.Load()); answer {
		case 0:
			<-r.Context().Done()
		case http.StatusFound:
			http.Redirect(w, r, "http://127.0.0.1:1/", answer)
		default:
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(answer)
		}
	}))
	defer server.Close()
	open := []string{"127.0.0.0/8"}
	for _, c := range []struct {
		name    string
		allowed []string
		secret  map[string]string
		answer  int
		says    string
		after   time.Duration
	}{
		{"it is in trouble", open, map[string]string{"url": server.URL + "/canary"}, 500, "answered HTTP 500", 2 * time.Minute},
		{"it sends us elsewhere", open, map[string]string{"url": server.URL + "/canary"}, 302, "answered HTTP 302", 0},
		{"it is silent", open, map[string]string{"url": server.URL + "/canary"}, 0, "did not answer in time", 0},
		{"nobody is there", open, map[string]string{"url": "http://127.0.0.1:1/canary"}, 200, "the connection to the webhook failed", 0},
		{"the egress policy", nil, map[string]string{"url": server.URL + "/canary"}, 200, "127.0.0.1 is refused by the egress policy (loopback)", 0},
		{"no address", open, nil, 200, "the key url of the Secret is missing", 0},
		{"not an address", open, map[string]string{"url": "canary"}, 200, "no absolute http or https URL", 0},
		{"not a key", open, map[string]string{"url": server.URL, "signing-key": "whsec_%%canary"}, 200, "signing-key of the Secret is no Standard Webhooks secret", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			status.Store(int32(c.answer))
			h := newHook(t, c.allowed...)
			for key, value := range c.secret {
				h.secret(key, value)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			f := h.Send(ctx, example())
			if f == nil || !strings.Contains(f.Message, c.says) || f.RetryAfter != c.after {
				t.Fatalf("%+v", f)
			}
			if strings.Contains(f.Message, "canary") {
				t.Errorf("it shows the address or the key: %s", f.Message)
			}
		})
	}
	if _, err := digest.NewWebhook("", bundle.Channel{Name: "ops", AllowedCIDRs: []string{"all"}}); err == nil || !strings.Contains(err.Error(), "channel ops: allowedCIDRs") {
		t.Errorf("%v", err)
	}
}

// messenger is the CRM's message interface, which takes 500 people at once.
type messenger struct {
	to   []string
	down bool
}

func (m *messenger) Send(_ context.Context, to []string, _ fxiaoke.Message) (int, error) {
	n := min(len(to), fxiaoke.MaxRecipients)
	m.to = append(m.to, to[:n]...)
	if n < len(to) && m.down {
		return n, &fxiaoke.Error{Kind: fxiaoke.RateLimited, Message: "the CRM limits its calls", RetryAfter: time.Minute}
	}
	m.to = append(m.to, to[n:]...)
	return len(to), nil
}

// The people of the roles are told, each once, also when the CRM stops in the middle of them. // F65
func TestMessageToRoles(t *testing.T) {
	roles := map[string][]string{"crm-admins": {"FSUID_1", "FSUID_2"}, "integration-admins": {"FSUID_2", "FSUID_3"}, "others": {"FSUID_9"}}
	m := &messenger{}
	if f := digest.NewMessage(m, []string{"crm-admins", "integration-admins", "user:FSUID_7"}, roles).Send(t.Context(), example()); f != nil {
		t.Fatal(f.Message)
	}
	if !slices.Equal(m.to, []string{"FSUID_1", "FSUID_2", "FSUID_3", "FSUID_7"}) {
		t.Errorf("%v", m.to)
	}
	if f := digest.NewMessage(m, []string{"nobody"}, roles).Send(t.Context(), example()); f == nil || !strings.Contains(f.Message, "spec.source.crm.roles") {
		t.Errorf("%+v", f)
	}
	var many []string
	for i := range 1200 {
		many = append(many, fmt.Sprintf("FSUID_%04d", i))
	}
	m = &messenger{down: true}
	sink := digest.NewMessage(m, []string{"all"}, map[string][]string{"all": many})
	f := sink.Send(t.Context(), example())
	if f == nil || f.RetryAfter != time.Minute || f.Message != "the CRM limits its calls" {
		t.Fatalf("%+v", f)
	}
	m.down = false
	if f := sink.Send(t.Context(), example()); f != nil {
		t.Fatal(f.Message)
	}
	if !slices.Equal(m.to, many) {
		t.Errorf("%d people were told", len(m.to))
	}
}
