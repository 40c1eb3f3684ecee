package dispatch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// The life of a to-do is three calls in the right order, each with one record. // F19 F32
func TestLifeOfATodo(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.mustSend(todo("e1", "T-1", "created").version(1), todo("e2", "T-1", "updated").version(2), todo("e3", "T-1", "completed").version(3))
	w.drained(3)
	if got := w.oa.actions("T-1"); !slices.Equal(got, []string{"create", "update", "complete"}) {
		t.Fatalf("calls: %v", got)
	}
	first := w.oa.got()[0]
	if first != (call{"create", "T-1", "oa1002", "oa1000", "张三 提交 QT-2026-0001 <加急>"}) {
		t.Errorf("call: %+v", first)
	}
	records := w.records("item=T-1&outcome=Delivered")
	if len(records) != 3 {
		t.Fatalf("%d records", len(records))
	}
	r := records[0]
	if r.Attempt != 1 || r.Receiver != "1002" || r.ReceiverOA != "oa1002" || r.Template != "crm/todo" || r.Revision != "r1" || r.Method != "POST" ||
		!strings.Contains(r.Request, "QT-2026-0001") || r.EventID != "e1" || r.AcceptedAt.IsZero() {
		t.Errorf("record: %+v", r)
	}
	if got := w.records("receiver=oa1002&limit=2&since=1h"); len(got) != 2 || got[1].EventID != "e3" {
		t.Errorf("the newest two: %+v", got)
	}
	if got := w.records("receiver=1003"); len(got) != 0 {
		t.Errorf("records of another person: %+v", got)
	}
}

// Every way to send an event that the contract names, and the answers to what it does not take.
func TestIntake(t *testing.T) {
	w := newWorld(t)
	w.start()
	encode := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	bearer := []string{"Authorization", "Bearer " + eventToken}
	signed := func(e event) []string { return signature(e["id"].(string), time.Now(), encode(e)) }
	binary := func(e event) ([]byte, []string) {
		var header []string
		for k, v := range e {
			if s, ok := v.(string); ok {
				header = append(header, "ce-"+k, s)
			}
		}
		return encode(e["data"]), append(header, "Content-Type", "application/json")
	}
	bin, binHeader := binary(todo("b1", "T-3", "created"))
	foreign := todo("f1", "T-4", "created")
	foreign["datacenterid"] = "dc-2"
	stale := todo("s9", "T-9", "created")
	for _, c := range []struct {
		name   string
		body   []byte
		header []string
		status int
		says   string
	}{
		{"structured, signed", encode(todo("s1", "T-1", "created")), append(signed(todo("s1", "T-1", "created")), "Content-Type", "application/cloudevents+json"), 202, `{"accepted":1,"duplicates":0}`},
		{"structured, bearer", encode(todo("s2", "T-2", "created")), append(bearer, "Content-Type", "application/cloudevents+json"), 202, `{"accepted":1,"duplicates":0}`},
		{"binary", bin, append(bearer, binHeader...), 202, `{"accepted":1,"duplicates":0}`},
		{"batch with two receivers", encode([]event{todo("m1", "T-5", "created", "1002", "1003"), todo("m2", "T-6", "created")}), append(bearer, "Content-Type", "application/cloudevents-batch+json"), 202, `{"accepted":2,"duplicates":0}`},
		{"a repeat", encode(todo("s2", "T-2", "created")), append(bearer, "Content-Type", "application/cloudevents+json"), 202, `{"accepted":1,"duplicates":1}`},
		{"a batch with a repeat in it, twice", encode([]event{todo("m2", "T-6", "created"), todo("m3", "T-7", "created"), todo("m3", "T-7", "created")}), append(bearer, "Content-Type", "application/cloudevents-batch+json"), 202, `{"accepted":3,"duplicates":2}`},
		{"an empty batch", []byte(`[]`), append(bearer, "Content-Type", "application/cloudevents-batch+json"), 202, `{"accepted":0,"duplicates":0}`},
		{"wrong token", encode(todo("x", "T-8", "created")), []string{"Authorization", "Bearer wrong-token-0123456789", "Content-Type", "application/cloudevents+json"}, 401, "bearer token"},
		{"no proof", encode(todo("x", "T-8", "created")), []string{"Content-Type", "application/cloudevents+json"}, 401, "proof of origin"},
		{"stale signature", encode(stale), append(signature("s9", time.Now().Add(-time.Hour), encode(stale)), "Content-Type", "application/cloudevents+json"), 401, "in the past"},
		{"not a CloudEvent", []byte(`{}`), append(bearer, "Content-Type", "text/plain"), 415, "Content-Type"},
		{"another data center", encode(foreign), append(bearer, "Content-Type", "application/cloudevents+json"), 400, "datacenterid"},
		{"one bad event of two", []byte(`[` + string(encode(todo("g", "T-8", "created"))) + `,{"specversion":"1.0"}]`), append(bearer, "Content-Type", "application/cloudevents-batch+json"), 400, `"event":1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.do(http.MethodPost, w.url("public", "/events"), c.body, c.header...)
			if a.status != c.status || !strings.Contains(a.body, c.says) {
				t.Errorf("%d %s; want %d with %s", a.status, a.body, c.status, c.says)
			}
		})
	}
	w.drained(7) // T-1 T-2 T-3 T-5 (two) T-6 T-7
	if got := len(w.oa.got()); got != 7 {
		t.Errorf("%d calls: %v", got, w.oa.got())
	}
	metrics := w.do(http.MethodGet, w.url("admin", "/metrics"), nil).body
	for _, line := range []string{
		"oabridge_events_accepted_total 6", "oabridge_event_duplicates_total 3", `oabridge_events_refused_total{reason="unauthorized"} 3`,
		`oabridge_attempts_total{class="OK"} 7`, `oabridge_deliveries_total{outcome="Delivered"} 7`, `oabridge_items{state="Pending"} 0`, "oabridge_target_up 1",
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("metrics lack %q", line)
		}
	}
}

// Which failures are tried again is the user's choice, and so is whether at all. // F61 F62 F63
func TestRetry(t *testing.T) {
	for _, c := range []struct {
		name    string
		retry   bool
		on      []string
		class   oa.Class
		answers int // failures before it works
		want    []string
	}{
		{"a class of the list", true, []string{"ServerError"}, oa.ServerError, 2, []string{"Retrying/ServerError", "Retrying/ServerError", "Delivered"}},
		{"a class that is not in the list", true, []string{"Network"}, oa.ServerError, 2, []string{"Dead/ServerError"}},
		{"the OA's own refusal, by default", true, []string{"Network", "Timeout", "ServerError", "RateLimited", "AuthExpired"}, oa.BusinessCode, 2, []string{"Dead/BusinessCode"}},
		{"the OA's own refusal, when wanted", true, []string{"BusinessCode"}, oa.BusinessCode, 1, []string{"Retrying/BusinessCode", "Delivered"}},
		{"switched off", false, []string{"ServerError"}, oa.ServerError, 2, []string{"Dead/ServerError"}},
		{"a request that cannot be made", true, []string{"Network", "Internal"}, oa.Internal, 1, []string{"Dead/Internal"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.bundle(func(b *connector) { b.Delivery.Retry, b.Delivery.RetryOn = c.retry, c.on })
			failures := c.answers
			w.oa.set(func(x call) oa.Attempt {
				if x.ID == "T-1" && failures > 0 {
					failures--
					return oa.Attempt{Class: c.class, Message: "it did not work"}
				}
				return oa.Attempt{}
			}, nil)
			w.start()
			// A failing item never blocks another one.
			w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-2", "created"))
			w.until("both are done", func(r report.Report) bool { return r.Delivery.Delivered+r.Delivery.Dead == 2 })
			if got := w.outcomes("T-1"); !slices.Equal(got, c.want) {
				t.Errorf("outcomes %v, want %v", got, c.want)
			}
			if got := w.outcomes("T-2"); !slices.Equal(got, []string{"Delivered"}) {
				t.Errorf("the other item: %v", got)
			}
			dead := w.do(http.MethodGet, w.url("local", "/dead"), nil).body
			if isDead := strings.HasPrefix(c.want[len(c.want)-1], "Dead"); isDead != strings.Contains(dead, `"delivery":{"event":{"id":"e1"`) {
				t.Errorf("dead letters: %s", dead)
			}
		})
	}
}

// Later changes of an item wait for the one that is being retried: order holds across retries.
func TestOrderAcrossRetries(t *testing.T) {
	w := newWorld(t)
	failures := 3
	w.oa.set(func(c call) oa.Attempt {
		if c.Action == "create" && failures > 0 {
			failures--
			return oa.Attempt{Class: oa.ServerError, Message: "busy"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-1", "updated"), todo("e3", "T-1", "deleted"))
	w.drained(3)
	if got := w.oa.actions("T-1"); !slices.Equal(got, []string{"create", "create", "create", "create", "update", "delete"}) {
		t.Errorf("calls: %v", got)
	}
}

// An old event never revives a finished item, and never undoes a newer one.
func TestSuperseded(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.mustSend(todo("e3", "T-1", "completed").version(3))
	w.drained(1)
	w.mustSend(todo("e1", "T-1", "created").version(1), todo("e2", "T-1", "updated").version(3), todo("e4", "T-1", "updated").version(4))
	w.drained(2)
	if got := w.oa.actions("T-1"); !slices.Equal(got, []string{"complete", "update"}) {
		t.Errorf("calls: %v", got)
	}
	if got := w.outcomes("T-1"); !slices.Equal(got, []string{"Delivered", "Skipped/Superseded", "Skipped/Superseded", "Delivered"}) {
		t.Errorf("outcomes: %v", got)
	}
}

// A scenario that is switched off pushes nothing, and says so. // F3 F18 F172
func TestDisabledScenario(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) {
		c.Scenarios[0].Enabled = false
		delete(c.Scenarios[1].Calls, "create")
	})
	w.start()
	reminder := todo("r1", "R-1", "created")
	reminder["type"] = "dev.oabridge.reminder.created"
	w.mustSend(todo("e1", "T-1", "created"), reminder)
	w.until("both are skipped", func(r report.Report) bool { return r.Delivery.Skipped == 2 })
	if got := append(w.outcomes("T-1"), w.outcomes("R-1")...); !slices.Equal(got, []string{"Skipped/ScenarioDisabled", "Skipped/NoCall"}) {
		t.Errorf("outcomes: %v", got)
	}
	w.bundle(func(c *connector) { c.Scenarios = c.Scenarios[:1] })
	w.until("the new bundle is live", func(report.Report) bool { return w.d.live.Load().scenarios[target{kind: "Reminder"}] == nil })
	again := todo("r2", "R-2", "created")
	again["type"] = "dev.oabridge.reminder.created"
	w.mustSend(todo("e2", "T-2", "created"), again)
	w.until("one is delivered", func(r report.Report) bool { return r.Delivery.Delivered == 1 && r.Delivery.Skipped == 3 })
	if got := w.outcomes("R-2"); !slices.Equal(got, []string{"Skipped/NoScenario"}) {
		t.Errorf("outcomes: %v", got)
	}
}

// An item for somebody without an OA account waits, visibly and without blocking others, and goes out as soon as the
// person is bound. Nobody is guessed.
func TestHeldUntilBound(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) { c.conflicts = []string{"3000"} })
	w.start()
	w.mustSend(todo("e1", "T-1", "created", "2000"), todo("e2", "T-1", "completed", "2000"), todo("e3", "T-2", "created", "3000"), todo("e4", "T-3", "created"))
	// What is behind a held one waits for the same change, and counts as held too.
	r := w.until("three are held", func(r report.Report) bool { return r.Delivery.Held == 3 && r.Delivery.Delivered == 1 })
	if r.Delivery.HeldReasons["Unbound"] != 2 || r.Delivery.HeldReasons["BindingConflict"] != 1 || r.Delivery.Pending != 0 || r.Delivery.OldestTime == nil {
		t.Errorf("report: %+v", r.Delivery)
	}
	// A change that binds neither leaves them where they are, and leaves no further record.
	w.bundle(func(c *connector) { c.conflicts = []string{"3000"}; c.pairs["4000"] = "oa4000" })
	w.until("the bundle is live", func(r report.Report) bool {
		return w.d.live.Load().accounts.Len() == 101 && r.Delivery.Held == 3
	})
	w.bundle(func(c *connector) { c.pairs["2000"], c.pairs["3000"] = "wangwu", "zhaoliu" })
	w.drained(4)
	if got := w.oa.actions("T-1"); !slices.Equal(got, []string{"create", "complete"}) {
		t.Errorf("calls: %v", got)
	}
	if got := w.outcomes("T-2"); !slices.Equal(got, []string{"Held/BindingConflict", "Delivered"}) {
		t.Errorf("outcomes: %v", got)
	}
}

// While its connector is being deleted, a dispatcher delivers what it has and takes nothing new.
func TestDrainingTakesNothingNew(t *testing.T) {
	w := newWorld(t)
	w.bundle(nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created", "2000"))
	w.until("it is held", func(r report.Report) bool { return r.Delivery.Held == 1 })
	w.bundle(func(c *connector) { c.Draining = true; c.pairs["2000"] = "wangwu" })
	w.drained(1)
	if a := w.send(todo("e2", "T-2", "created")); a.status != http.StatusGone || !strings.Contains(a.body, "being deleted") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// What happens to items of unbound people is a policy. // F99 F119
func TestUnboundPolicies(t *testing.T) { // TM-05
	for policy, want := range map[string]string{"DeadLetter": "Dead/Unbound", "Fallback": "Delivered"} {
		t.Run(policy, func(t *testing.T) {
			w := newWorld(t)
			w.bundle(func(c *connector) { c.Accounts.Unbound = policy })
			w.start()
			e := todo("e1", "T-1", "created", "2000")
			e["data"].(map[string]any)["sender"] = map[string]string{"account": "2001", "name": "外人"}
			w.mustSend(e)
			w.until("it is done", func(r report.Report) bool { return r.Delivery.Delivered+r.Delivery.Dead == 1 })
			if got := w.outcomes("T-1"); !slices.Equal(got, []string{want}) {
				t.Errorf("outcomes: %v", got)
			}
			if policy == "Fallback" && (w.oa.got()[0].To != "2000" || w.oa.got()[0].From != "") {
				t.Errorf("call: %+v", w.oa.got()[0])
			}
		})
	}
}

// What cannot be delivered or bound within maxAge becomes a dead letter that names the last failure.
func TestMaxAge(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) { c.Delivery.MaxAge = bundle.Duration(300 * time.Millisecond) })
	w.oa.set(func(c call) oa.Attempt {
		if c.ID == "T-1" {
			return oa.Attempt{Class: oa.ServerError, Message: "busy"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-2", "created", "2000"), todo("e3", "T-3", "created"))
	w.until("two are dead", func(r report.Report) bool { return r.Delivery.Dead == 2 && r.Delivery.Delivered == 1 })
	records := w.records("item=T-1&outcome=Dead")
	if len(records) != 1 || records[0].Reason != "Expired" || records[0].Class != "ServerError" || !strings.Contains(records[0].Message, "busy") {
		t.Errorf("records: %+v", records)
	}
	if got := w.outcomes("T-2"); !slices.Equal(got, []string{"Held/Unbound", "Dead/Expired"}) {
		t.Errorf("outcomes: %v", got)
	}
}

// A delivery that was held or retried is still that after a restart; what was delivered is not sent again.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	block := true
	w.oa.set(func(c call) oa.Attempt {
		if c.ID == "T-1" && block {
			return oa.Attempt{Class: oa.ServerError, Message: "busy"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created").version(1), todo("e2", "T-1", "completed").version(2), todo("e3", "T-2", "created", "2000"), todo("e4", "T-3", "completed").version(7))
	w.until("it settles", func(r report.Report) bool {
		return r.Delivery.Delivered == 1 && r.Delivery.Held == 1 && r.Delivery.LastFailure != nil
	})
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	before := len(w.oa.got())
	block = false
	w.start()
	r := w.until("the rest is delivered", func(r report.Report) bool { return r.Delivery.Delivered == 3 && r.Delivery.Held == 1 })
	if r.Delivery.LastFailure == nil || r.Delivery.LastFailure.Class != "ServerError" {
		t.Errorf("the last failure was forgotten: %+v", r.Delivery)
	}
	var after []string
	for _, c := range w.oa.got()[before:] {
		after = append(after, c.ID+" "+c.Action)
	}
	if !slices.Equal(after, []string{"T-1 create", "T-1 complete"}) {
		t.Errorf("calls after the restart: %v", after)
	}
	if got := w.outcomes("T-2"); !slices.Equal(got, []string{"Held/Unbound"}) {
		t.Errorf("held twice: %v", got)
	}
	last := w.records("item=T-1&outcome=Delivered")[0]
	if first := w.records("item=T-1")[0]; last.Attempt < 2 || first.Attempt != 1 {
		t.Errorf("attempts start again after a restart: %d", last.Attempt)
	}
	// The repeat of an event from before, and an event that is older than what was delivered before.
	if _, duplicates := w.send(todo("e4", "T-3", "completed").version(7)).counts(t); duplicates != 1 {
		t.Error("a repeat after the restart was taken as new")
	}
	w.mustSend(todo("e5", "T-3", "created").version(6))
	w.until("it is skipped", func(r report.Report) bool { return r.Delivery.Skipped == 1 })
}

// More waits than memory may hold: the rest stays on disk, in order, and follows.
func TestMoreThanMemory(t *testing.T) {
	w := newWorld(t)
	w.options.tuning.maxWaiting, w.options.tuning.maxReady = 20, 10
	w.oa.set(always(refused()), refused)
	w.start()
	for batch := range 5 {
		var events []event
		for i := range 100 {
			n := batch*100 + i
			events = append(events, todo(fmt.Sprintf("e%d", n), fmt.Sprintf("T-%d", n%37), "updated").version(n+1))
		}
		w.mustSend(events...)
	}
	r := w.until("the OA is down", func(r report.Report) bool {
		return r.OA.State == "False" && r.Delivery.Pending+r.Delivery.Retrying == 500
	})
	if n := w.engine().lanesLen(); n > 20 {
		t.Errorf("%d in memory", n)
	}
	if r.Store.Problem != "" {
		t.Errorf("problem: %s", r.Store.Problem)
	}
	w.oa.set(nil, nil)
	w.drained(500)
}

func (e *engine) lanesLen() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lanes.Len()
}
