package dispatch

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/dispatch/progress"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// A full store takes nothing more and says so; when deliveries are done and old enough, it takes events again, although
// one held delivery keeps the floor down.
func TestFullStore(t *testing.T) {
	w := newWorld(t)
	w.options.StoreMaxBytes = 32 << 20
	w.options.tuning.housekeeping = 50 * time.Millisecond
	w.oa.set(always(refused()), refused)
	w.start()
	w.mustSend(todo("held", "T-held", "created", "2000"))
	taken := 0
	var refusal answer
	for batch := 0; refusal.status == 0; batch++ {
		var events []event
		for i := range 20 {
			e := todo(fmt.Sprintf("e%d-%d", batch, i), fmt.Sprintf("T-%d-%d", batch, i), "created")
			e["data"].(map[string]any)["detail"] = strings.Repeat("长", 1300)
			e["pad"] = strings.Repeat("x", 100)
			e["data"].(map[string]any)["heading"] = strings.Repeat("头", 1300)
			events = append(events, e)
		}
		switch a := w.send(events...); a.status {
		case http.StatusAccepted:
			taken += 20
		default:
			refusal = a
		}
	}
	if refusal.status != http.StatusServiceUnavailable || refusal.header.Get("Retry-After") == "" || !strings.Contains(refusal.body, "full") {
		t.Fatalf("%d %s %v", refusal.status, refusal.body, refusal.header)
	}
	w.until("the report says so", func(r report.Report) bool { return strings.Contains(r.Store.Problem, "full") })
	w.oa.set(nil, nil)
	w.until("what was taken is delivered", func(r report.Report) bool { return r.Delivery.Delivered == int64(taken) && r.Delivery.Held == 1 })
	deadline := time.Now().Add(patience)
	for n := 0; ; n++ {
		if a := w.send(todo(fmt.Sprintf("again%d", n), "T-again", "created")); a.status == http.StatusAccepted {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the store stays full")
		}
	}
	w.until("the problem is gone", func(r report.Report) bool { return r.Store.Problem == "" && r.Delivery.Delivered == int64(taken)+1 })
}

// RECORDS drops its oldest when it is full; by then a checkpoint holds what they said.
func TestRecordsMakeRoom(t *testing.T) {
	w := newWorld(t)
	w.options.StoreMaxBytes = 32 << 20
	w.options.tuning.housekeeping = time.Hour // so that only the amount of records makes checkpoints
	w.start()
	const batches, size = 15, 100
	for batch := range batches {
		var events []event
		for i := range size {
			e := todo(fmt.Sprintf("e%d-%d", batch, i), fmt.Sprintf("T-%d", i), "updated").version(batch + 1)
			e["data"].(map[string]any)["detail"] = strings.Repeat("d", 4000)
			e["data"].(map[string]any)["subject"] = strings.Repeat("s", 4000)
			events = append(events, e)
		}
		w.mustSend(events...)
		w.drained(int64((batch + 1) * size))
	}
	part := w.engine().part
	b, err := part.Records.Bounds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b.First == 1 {
		t.Fatal("nothing was dropped: the test proves nothing")
	}
	data, err := part.LoadCheckpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := progress.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if p.RecordsFrame+1 < b.First {
		t.Errorf("the checkpoint ends at record %d, the oldest that is left is %d", p.RecordsFrame, b.First)
	}
}

// another runs a second dispatcher with the same directories and waits for what it says about its store.
func (w *world) another(what string, ok func(report.Report) bool) {
	w.t.Helper()
	second := newWorldOf(w.t, w.options)
	second.run()
	second.until(what, ok)
	if err := second.stop(); err != nil {
		w.t.Error(err)
	}
}

// Two processes never share a store; the second one waits for the first, says so, and goes on by itself.
func TestStoreIsLocked(t *testing.T) {
	w := newWorld(t)
	w.options.LockWait = 50 * time.Millisecond
	w.start()
	second := newWorldOf(t, w.options)
	second.run()
	second.until("it says who is in the way", func(r report.Report) bool {
		return strings.Contains(r.Store.Problem, "in use by another dispatcher") && r.Store.Reason == v1alpha1.ReasonStoreBroken
	})
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	second.until("it takes over", func(r report.Report) bool { return r.Store.Problem == "" && r.OA != nil })
}

// A store that cannot be read is not replaced by an empty one. The report says what to do; when it was done, the same
// process goes on.
func TestDamagedStore(t *testing.T) { // TM-27
	w := newWorld(t)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"))
	w.drained(1)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	meta := filepath.Join(w.options.Store, "journal", "jetstream", "$G", "streams", "EVENTS_0", "meta.inf")
	whole, err := os.ReadFile(meta)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(meta, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.until("it says so", func(r report.Report) bool {
		return strings.Contains(r.Store.Problem, "nothing was changed") && r.Store.Reason == v1alpha1.ReasonStoreBroken
	})
	if a := w.send(todo("e2", "T-2", "created")); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if b, err := os.ReadFile(meta); err != nil || string(b) != "garbage" {
		t.Errorf("the store was changed: %q %v", b, err)
	}
	if err := os.WriteFile(meta, whole, 0o600); err != nil { // the backup
		t.Fatal(err)
	}
	w.until("it goes on", func(r report.Report) bool { return r.Store.Problem == "" && r.Delivery.Delivered == 1 })
}

// A volume on which nothing can be made is a problem that says what to look at.
func TestUnusableVolume(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.options.Store = filepath.Join(file, "store")
	w.another("it names the volume", func(r report.Report) bool { return strings.Contains(r.Store.Problem, "check the volume") })
	w.options.Store = t.TempDir()
	w.options.StoreMaxBytes = 1 << 20
	w.another("it names the size", func(r report.Report) bool { return strings.Contains(r.Store.Problem, "at least 32 MiB") })
}

// Of many gateways that present the same proof exactly one may go on, also across a restart.
func TestProofs(t *testing.T) { // TM-11
	w := newWorld(t)
	w.start()
	bearer := []string{"Authorization", "Bearer " + peerToken}
	put := func(hash, ttl string, header ...string) int {
		return w.do(http.MethodPut, w.url("peer", "/proofs/"+hash+"?ttl="+ttl), nil, header...).status
	}
	hash := strings.Repeat("0a", 32)
	var mu sync.Mutex
	counts := map[int]int{}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			status := put(hash, "10m", bearer...)
			mu.Lock()
			defer mu.Unlock()
			counts[status]++
		})
	}
	all.Wait()
	if counts[http.StatusCreated] != 1 || counts[http.StatusConflict] != 49 {
		t.Errorf("answers: %v", counts)
	}
	for _, c := range []struct {
		name, hash, ttl string
		header          []string
		want            int
	}{
		{"no token", hash, "10m", nil, 401},
		{"wrong token", hash, "10m", []string{"Authorization", "Bearer x"}, 401},
		{"the token without its scheme", hash, "10m", []string{"Authorization", peerToken}, 401},
		{"not a hash", "ticket-in-clear", "10m", bearer, 400},
		{"upper case", strings.Repeat("0A", 32), "10m", bearer, 400},
		{"no ttl", hash, "", bearer, 400},
		{"too long", hash, "2h", bearer, 400},
		{"negative", hash, "-1s", bearer, 400},
	} {
		if got := put(c.hash, c.ttl, c.header...); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	if got := put(hash, "10m", bearer...); got != http.StatusConflict {
		t.Errorf("a used proof after a restart: %d", got)
	}
	if got := w.do(http.MethodDelete, w.url("peer", "/proofs/"+hash), nil, bearer...).status; got != http.StatusNoContent {
		t.Errorf("release: %d", got)
	}
	if got := put(hash, "1s", bearer...); got != http.StatusCreated {
		t.Errorf("after the release: %d", got)
	}
	// It is forgotten when its time is over.
	deadline := time.Now().Add(patience)
	for put(hash, "1s", bearer...) != http.StatusCreated {
		if time.Now().After(deadline) {
			t.Fatal("the proof is never forgotten")
		}
	}
}

// No secret is in anything that the dispatcher keeps or shows.
func TestNoSecretLeaks(t *testing.T) { // TM-22
	w := newWorld(t)
	w.oa.set(func(c call) oa.Attempt {
		if c.ID == "T-2" {
			return oa.Attempt{Class: oa.BusinessCode, Message: "refused", Answer: []byte(`{"success":false}`)}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-2", "created"), todo("e3", "T-3", "created", "2000"))
	e := todo("e4", "T-4", "created")
	w.sendBody("application/cloudevents+json", e, "Authorization", "Bearer "+eventToken+"-wrong")
	hash := strings.Repeat("0b", 32)
	w.do(http.MethodPut, w.url("peer", "/proofs/"+hash+"?ttl=1m"), nil, "Authorization", "Bearer "+peerToken)
	w.secret("signing", "signing-key.next", "not a key: canary-next-key")
	w.until("it settles", func(r report.Report) bool {
		return r.Delivery.Delivered == 1 && r.Delivery.Dead == 1 && r.Delivery.Held == 1 && strings.Contains(r.Config.Problem, "signing-key.next")
	})
	shown := map[string]string{
		"records": w.do(http.MethodGet, w.url("local", "/records"), nil).body,
		"dead":    w.do(http.MethodGet, w.url("local", "/dead"), nil).body,
		"report":  w.do(http.MethodGet, w.url("admin", "/report"), nil).body,
		"metrics": w.do(http.MethodGet, w.url("admin", "/metrics"), nil).body,
		"ready":   w.do(http.MethodGet, w.url("admin", "/readyz"), nil).body,
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	shown["log"] = w.logs.String()
	err := filepath.WalkDir(w.options.Store, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		shown[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range shown {
		for _, secret := range []string{eventToken, peerToken, signingKey, strings.TrimPrefix(signingKey, "whsec_"), password, "canary-next-key"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds the secret %q", where, secret)
			}
		}
	}
	for _, where := range []string{"records", "dead", "report", "metrics", "log"} {
		if len(shown[where]) < 100 {
			t.Errorf("%s is empty: the test proves nothing", where)
		}
	}
}
