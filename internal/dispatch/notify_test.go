package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/digest"
	"github.com/oabridge/oabridge/internal/oa"
	crmsim "github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/rotation"
)

// hook is a webhook that people look at.
type hook struct {
	*httptest.Server
	got chan digestMessage
}

// digestMessage is what a webhook was told.
type digestMessage struct {
	id   string
	Data struct {
		digest.Digest
		Text string
	}
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{got: make(chan digestMessage, 100)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		one := digestMessage{id: r.Header.Get("webhook-id")}
		if err == nil {
			err = json.Unmarshal(body, &one)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		h.got <- one
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) next(t *testing.T) digestMessage {
	t.Helper()
	select {
	case one := <-h.got:
		return one
	case <-time.After(patience):
		t.Fatal("nobody was told")
		return digestMessage{}
	}
}

// notify tells the hook and, with a CRM, its administrators.
func (h *hook) notify(w *world, c *connector, window time.Duration, crm *simulatedCRM) {
	w.secret("channel-0", "url", h.URL)
	w.secret("channel-0", "signing-key", signingKey)
	c.Notifications = &bundle.Notifications{Window: bundle.Duration(window), Channels: []bundle.Channel{
		{Name: "ops", Type: "Webhook", Secret: "channel-0", AllowedCIDRs: []string{"127.0.0.0/8"}},
	}}
	if crm == nil {
		return
	}
	source := c.Source
	crm.configure(c)
	c.Source = source
	c.Notifications.Channels = append(c.Notifications.Channels, bundle.Channel{Name: "im", Type: "CRM", Recipients: bundle.DefaultRecipients})
}

func (s simulatedCRM) messages(t *testing.T, n int) []crmsim.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := s.WaitMessages(ctx, n)
	if err != nil {
		t.Fatalf("%d messages, and %d are expected", len(s.Messages("")), n)
	}
	return got
}

// Administrators read in the CRM what was given up, once and together, and nothing about an item that was delivered at
// last; the webhook says the same. // F64 F65 F67 F68
func TestFailuresAreTold(t *testing.T) {
	w := newWorld(t)
	crm, hook := w.withCRM(), newHook(t)
	w.bundle(func(c *connector) { hook.notify(w, c, 2*time.Second, &crm) })
	failures := 2
	w.oa.set(func(c call) oa.Attempt {
		switch {
		case c.ID == "T-1" && failures > 0:
			failures--
			return oa.Attempt{Class: oa.ServerError, Message: "busy"}
		case strings.HasPrefix(c.ID, "bad"):
			return oa.Attempt{Class: oa.BusinessCode, Message: "the OA says: no such process"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"))
	w.drained(1)
	const bad = 40
	var events []event
	for i := range bad {
		events = append(events, todo(fmt.Sprint("b", i), fmt.Sprint("bad-", i), "created"))
	}
	w.mustSend(append(events, todo("e2", "T-2", "created", "2000"))...)
	w.until("all are given up or held", func(r report.Report) bool { return r.Delivery.Dead == bad && r.Delivery.Held == 1 })

	var all []digestMessage
	var items, people int64
	for items < bad || people == 0 {
		one := hook.next(t)
		all = append(all, one)
		items, people = items+one.Data.GivenUp, people+int64(one.Data.Unbound.People)
	}
	if items != bad || people != 1 || len(all) > 3 {
		t.Errorf("%d items, %d people in %d messages", items, people, len(all))
	}
	messages := crm.messages(t, len(all))
	if len(messages) != len(all) {
		t.Errorf("%d messages in the CRM, %d to the webhook", len(messages), len(all))
	}
	var texts string
	for i, m := range messages {
		if !slices.Equal(m.To, []string{crmsim.OpenUserID("1000"), crmsim.OpenUserID("1001")}) || m.Type != "text" || m.Text != all[i].Data.Text {
			t.Errorf("message %+v; the webhook got %s", m, all[i].Data.Text)
		}
		texts += m.Text
	}
	for _, want := range []string{"crm/hq", "待办 OA 拒绝 (BusinessCode)", "the OA says: no such process", "→ 1002: OA 拒绝 (BusinessCode)", "2000（1 条，未绑定 (Unbound)）", "kubectl oab dead hq -n crm"} {
		if !strings.Contains(texts, want) {
			t.Errorf("no message says %q:\n%s", want, texts)
		}
	}
	for _, never := range []string{"T-1 ", "QT-2026-0001", "张三"} {
		if strings.Contains(texts, never) {
			t.Errorf("a message says %q:\n%s", never, texts)
		}
	}
	// A message is counted a moment after the CRM has it.
	r := w.until("the digest was sent and counted", func(r report.Report) bool {
		metrics := w.do(http.MethodGet, w.url("admin", "/metrics"), nil).body
		return r.Notifications != nil && r.Notifications.LastSent != nil &&
			strings.Contains(metrics, `oabridge_notifications_last_success_timestamp_seconds{channel="im"} `) &&
			strings.Contains(metrics, `oabridge_notifications_failed_total{channel="ops"} 0`) &&
			strings.Contains(metrics, fmt.Sprintf(`oabridge_notifications_sent_total{channel="im"} %d`, len(all)))
	})
	if r.Notifications.Problem != "" {
		t.Errorf("%+v", r.Notifications)
	}
}

// What was given up while nobody could be told is told after a restart, and what was told is not told again.
func TestToldAfterARestart(t *testing.T) {
	w := newWorld(t)
	hook := newHook(t)
	w.bundle(func(c *connector) { hook.notify(w, c, time.Hour, nil) })
	w.oa.set(func(c call) oa.Attempt {
		if strings.HasPrefix(c.ID, "bad") {
			return oa.Attempt{Class: oa.BusinessCode, Message: "no"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e1", "bad-1", "created"))
	w.until("it is given up and the window is remembered", func(r report.Report) bool { return r.Delivery.Dead == 1 && r.Notifications != nil })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.bundle(func(c *connector) { hook.notify(w, c, 200*time.Millisecond, nil) })
	w.start()
	if one := hook.next(t); one.Data.GivenUp != 1 || one.Data.Items[0].ItemID != "bad-1" {
		t.Errorf("%+v", one)
	}
	w.until("it was taken", func(r report.Report) bool { return r.Notifications != nil && r.Notifications.LastSent != nil })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.mustSend(todo("e2", "bad-2", "created"))
	if one := hook.next(t); one.Data.GivenUp != 1 || one.Data.Items[0].ItemID != "bad-2" {
		t.Errorf("%+v", one)
	}
}

// The report says with which keys a webhook's messages are signed while one is replaced. // F49
func TestKeysOfAWebhookAreReported(t *testing.T) {
	w := newWorld(t)
	hook := newHook(t)
	w.bundle(func(c *connector) { hook.notify(w, c, time.Minute, nil) })
	w.start()
	stand := func(state, inUse, next string) {
		t.Helper()
		w.until(state, func(r report.Report) bool {
			return slices.ContainsFunc(r.Credentials, func(s rotation.KeyState) bool {
				return s.Slot == "channel-0" && s.Name == "signing-key" && s.State == state && s.InUse == w.print(inUse) && s.Next == w.print(next)
			})
		})
	}
	const nextKey, noKey = "whsec_Y2FuYXJ5LW5leHQtc2lnbmluZy1rZXktMDEyMzQ1Njc=", "canary-no-key"
	stand(rotation.StateCurrent, signingKey, "")
	w.secret("channel-0", "signing-key.next", noKey)
	stand(rotation.StateNextRejected, signingKey, noKey)
	w.secret("channel-0", "signing-key.next", nextKey)
	stand(rotation.StateBoth, signingKey, nextKey)
	w.secret("channel-0", "signing-key", nextKey)
	stand(rotation.StateCurrent, nextKey, "")
}

// print is the fingerprint of a webhook's key.
func (w *world) print(key string) string {
	return rotation.Print(peerToken, "channel-0/signing-key", key)
}

// A webhook that is down is a problem in the report, until it takes the digest with the same id.
func TestWebhookIsDown(t *testing.T) {
	w := newWorld(t)
	w.options.tuning.digestRetry = 20 * time.Millisecond
	hook := newHook(t)
	w.bundle(func(c *connector) { hook.notify(w, c, 200*time.Millisecond, nil) })
	w.secret("channel-0", "url", "http://127.0.0.1:1/canary-path")
	w.oa.set(func(call) oa.Attempt { return oa.Attempt{Class: oa.BusinessCode, Message: "no"} }, nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"))
	r := w.until("the channel is in trouble", func(r report.Report) bool { return r.Notifications != nil && r.Notifications.Problem != "" })
	if !strings.Contains(r.Notifications.Problem, "channel ops: the connection to the webhook failed") || strings.Contains(r.Notifications.Problem, "canary") {
		t.Errorf("%s", r.Notifications.Problem)
	}
	w.secret("channel-0", "url", hook.URL)
	if one := hook.next(t); one.Data.GivenUp != 1 || !strings.HasPrefix(one.id, "crm/hq/ops/") {
		t.Errorf("%+v", one)
	}
	w.until("all is well", func(r report.Report) bool { return r.Notifications.Problem == "" && r.Notifications.LastSent != nil })
	if strings.Contains(w.logs.String(), "canary-path") {
		t.Error("the log holds the address of the webhook")
	}
}
