package dispatch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// While the OA is down calls are paused: a thousand items do not each burn attempts. When it is back they all go out.
func TestOutage(t *testing.T) {
	w := newWorld(t)
	w.oa.set(always(refused()), refused)
	w.start()
	w.until("the probe says so", func(r report.Report) bool { return r.OA.State == "False" && r.OA.Reason == "ConnectionRefused" })
	var events []event
	for i := range 1000 {
		events = append(events, todo(fmt.Sprintf("e%d", i), fmt.Sprintf("T-%d", i), "created"))
	}
	w.mustSend(events...)
	r := w.until("all wait", func(r report.Report) bool { return r.Delivery.Pending == 1000 })
	probes := w.oa.probed()
	w.oa.wait(t, "more probes", func() bool { return w.oa.probed() >= probes+3 })
	if got := len(w.oa.got()); got != 0 {
		t.Errorf("%d calls while the OA is down", got)
	}
	if r.OA.Message != refused().Message || r.Delivery.Retrying != 0 {
		t.Errorf("report: %+v %+v", r.OA, r.Delivery)
	}
	w.oa.set(nil, nil)
	if r := w.drained(1000); r.OA.State != "True" || r.OA.Reason != "Reachable" {
		t.Errorf("report: %+v", r.OA)
	}
}

// An outage that begins in the middle of work costs at most the calls in flight and the one on trial each time.
func TestOutageInTheMiddle(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.mustSend(todo("first", "T-0", "created"))
	w.drained(1)
	// The probe works while calls do not: the worst case.
	w.oa.set(always(oa.Attempt{Class: oa.ServerError, Reason: "ServerError", Message: "the OA answers 502"}), nil)
	var events []event
	for i := range 500 {
		events = append(events, todo(fmt.Sprintf("e%d", i), fmt.Sprintf("T-%d", i), "created"))
	}
	w.mustSend(events...)
	w.until("the gate is closed", func(r report.Report) bool { return r.OA.State == "False" })
	calls, probes := len(w.oa.got()), w.oa.probed()
	w.oa.wait(t, "more probes", func() bool { return w.oa.probed() >= probes+5 })
	if more := len(w.oa.got()) - calls; more > 16+10 {
		t.Errorf("%d calls on trial after 5 probes", more)
	}
	w.oa.set(nil, nil)
	w.drained(501)
}

// One item that the OA cannot digest does not stop the others.
func TestPoisonedItem(t *testing.T) {
	w := newWorld(t)
	w.oa.set(func(c call) oa.Attempt {
		if c.ID == "T-0" {
			return oa.Attempt{Class: oa.ServerError, Reason: "ServerError", Message: "the OA answers 500"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	var events []event
	for i := range 300 {
		events = append(events, todo(fmt.Sprintf("e%d", i), fmt.Sprintf("T-%d", i), "created"))
	}
	w.mustSend(events...)
	w.until("the others are delivered", func(r report.Report) bool { return r.Delivery.Delivered == 299 })
}

// A wrong password is seen without any event, does not lock the account, and its correction counts at once. // F40
func TestWrongPasswordCorrected(t *testing.T) {
	w := newWorld(t)
	w.options.tuning.probeToken = time.Hour
	w.oa.set(always(rejected()), rejected)
	w.start()
	r := w.until("the account is rejected", func(r report.Report) bool { return r.OA.State == "False" })
	if r.OA.Reason != "TokenRejected" || r.OA.Message != rejected().Message {
		t.Errorf("report: %+v", r.OA)
	}
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-1", "completed"))
	w.until("they wait", func(r report.Report) bool { return r.Delivery.Pending == 2 })
	if probes, calls := w.oa.probed(), len(w.oa.got()); probes > 2 || calls != 0 {
		t.Errorf("%d probes and %d calls with a wrong password", probes, calls)
	}
	w.oa.set(nil, nil)
	w.secret(bundle.SlotCredentials, "password", password+"-corrected")
	w.drained(2)
	if got := w.oa.actions("T-1"); !slices.Equal(got, []string{"create", "complete"}) {
		t.Errorf("calls: %v", got)
	}
}

// maxAge counts while the OA is down too.
func TestMaxAgeDuringAnOutage(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) { c.Delivery.MaxAge = bundle.Duration(200 * time.Millisecond) })
	w.oa.set(always(refused()), refused)
	w.start()
	w.until("the OA is down", func(r report.Report) bool { return r.OA.State == "False" })
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-1", "completed"), todo("e3", "T-2", "created"))
	w.until("all are dead", func(r report.Report) bool { return r.Delivery.Dead == 3 && r.Delivery.Pending == 0 })
	if got := len(w.oa.got()); got != 0 {
		t.Errorf("%d calls", got)
	}
}

// Calls in flight finish when the process is told to end, and what was accepted meanwhile follows after the start.
func TestDrain(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) { c.Delivery.Concurrency = 1 })
	entered, leave := make(chan struct{}), make(chan struct{})
	w.oa.set(func(c call) oa.Attempt {
		if c.ID == "T-1" {
			close(entered)
			<-leave
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-2", "created"))
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- w.stop() }()
	for {
		if a := w.send(todo("e3", "T-3", "created")); a.status == 503 {
			if a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			break
		}
	}
	close(leave)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if got := w.oa.actions("T-1"); len(got) != 1 {
		t.Errorf("calls: %v", got)
	}
	w.start()
	w.until("the rest follows", func(r report.Report) bool { return r.Delivery.Delivered >= 2 && r.Delivery.Pending == 0 })
	if got := w.oa.actions("T-1"); len(got) != 1 {
		t.Errorf("a call that was recorded is repeated: %v", got)
	}
	if got := w.oa.actions("T-2"); len(got) != 1 {
		t.Errorf("calls: %v", got)
	}
}
