package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/oabridge/oabridge/internal/audit"
)

// keeper is a dispatcher that keeps the sign-ins that it is told of.
type keeper struct {
	mu   sync.Mutex
	kept []audit.SignIn
}

func (k *keeper) take(body []byte) int {
	var batch []audit.SignIn
	if json.Unmarshal(body, &batch) != nil || len(batch) == 0 || len(batch) > audit.MaxBatch {
		return http.StatusBadRequest
	}
	for i := range batch {
		if !batch[i].Valid() {
			return http.StatusBadRequest
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = append(k.kept, batch...)
	return http.StatusNoContent
}

// wait returns the first n sign-ins.
func (k *keeper) wait(t *testing.T, n int) []audit.SignIn {
	t.Helper()
	var kept []audit.SignIn
	gomega.NewWithT(t).Eventually(func() int {
		k.mu.Lock()
		defer k.mu.Unlock()
		kept = k.kept
		return len(kept)
	}).WithTimeout(patience).Should(gomega.BeNumerically(">=", n))
	return kept
}

// Who came, how, from where and what became of it stands in a record, of those let in and of those refused; that no ticket
// or token does is looked at in every test of this package, when its world ends.
func TestSignInsAreTold(t *testing.T) {
	w := newWorld(t)
	k := &keeper{}
	take := k.take
	w.proofs.told.Store(&take)
	browser := func(r *http.Request) {
		r.Header.Set("User-Agent", "微信\u0085 "+strings.Repeat("很长", 200))
		r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	}
	ticket := w.ticket("lina")
	w.wantSignedIn(w.visit(http.MethodGet, recordPC+"?v5ticket="+ticket, browser))
	w.wantPage(w.click(recordPC, ticket), TicketSpent)
	w.wantPage(w.click(homePC, w.ticket("nobody")), NotLinked)

	got := k.wait(t, 3)
	in, spent, unbound := got[0], got[1], got[2]
	if in.Code != "OK" || in.Mode != "V5Ticket" || in.OAAccount != "lina" || in.CRMAccount != "1001" || in.Trace != "4bf92f3577b34da6a3ce929d0e0e4736" ||
		in.IP != "127.0.0.1" || !strings.HasPrefix(in.UserAgent, "微信  很长") || in.APIName != "QuoteObj" || in.DataID != "5f3c2ab1" || time.Since(in.At) > patience {
		t.Errorf("let in: %+v", in)
	}
	if spent.Code != string(TicketSpent) || spent.Reason != "TicketReused" || spent.OAAccount != "" {
		t.Errorf("spent: %+v", spent)
	}
	if unbound.Code != string(NotLinked) || unbound.Reason != "Unbound" || unbound.OAAccount != "nobody" || unbound.CRMAccount != "" {
		t.Errorf("not bound: %+v", unbound)
	}
}

// A dispatcher that does not take records holds nobody up: what has no room is dropped and counted, the rest comes later.
func TestRecordsNeverHoldUpASignIn(t *testing.T) {
	w := newWorld(t)
	k := &keeper{}
	told, again := make(chan struct{}), make(chan struct{})
	var once sync.Once
	take := func(body []byte) int {
		once.Do(func() { close(told) })
		select {
		case <-again:
			return k.take(body)
		default:
			return http.StatusServiceUnavailable
		}
	}
	w.proofs.told.Store(&take)
	w.wantSignedIn(w.click(recordPC, w.ticket("lina")))
	<-told
	// From now on the first one is in hand, and the queue has room for auditQueue.
	for range auditQueue - 1 {
		w.handler.auditor.queue <- audit.SignIn{ID: strings.Repeat("0", 32), At: time.Now(), Code: "OK"}
	}
	for range 3 {
		w.wantSignedIn(w.click(recordPC, w.ticket("lina")))
	}
	if !strings.Contains(w.metrics(), "oabridge_sso_records_dropped_total 2\n") {
		t.Error("what was dropped is not counted")
	}
	close(again)
	k.wait(t, auditQueue+1)
}

// What is not told yet when the gateway stops is told then, and what the dispatcher does not take is counted.
func TestTheLastSignInsAreTold(t *testing.T) {
	w := newWorld(t)
	a := newAuditor(200, &w.handler.live, w.handler.metrics, w.handler.log)
	over, end := context.WithCancel(t.Context())
	end()
	fill := func() {
		for range 120 {
			a.queue <- audit.SignIn{ID: strings.Repeat("0", 32), At: time.Now(), Code: "OK"}
		}
	}
	k := &keeper{}
	take := k.take
	w.proofs.told.Store(&take)
	fill()
	a.run(over)
	if got := len(k.wait(t, 120)); got != 120 {
		t.Errorf("told of %d", got)
	}
	w.proofs.status.Store(http.StatusServiceUnavailable)
	fill()
	a.run(over)
	w.proofs.status.Store(0)
	for _, line := range []string{"oabridge_sso_records_dropped_total 120\n", "oabridge_sso_records_kept_total 120\n"} {
		if !strings.Contains(w.metrics(), line) || len(a.queue) != 0 {
			t.Errorf("metrics do not say %s; %d are left", line, len(a.queue))
		}
	}
}
