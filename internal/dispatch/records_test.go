package dispatch

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/index/pgtest"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// ask is the client that people's tools use.
func (w *world) ask() *lookup.Client {
	return &lookup.Client{URL: w.url("local", ""), HTTP: http.DefaultClient}
}

// refuseSome refuses the items that begin with T-bad for good, and fails those that begin with T-slow once.
func refuseSome() func(call) oa.Attempt {
	failed := map[string]bool{}
	return func(c call) oa.Attempt {
		switch {
		case strings.HasPrefix(c.ID, "T-bad"):
			return oa.Attempt{Class: oa.BusinessCode, Message: "该待办不允许接收", Method: "POST", URL: "http://oa.example/create", Answer: []byte(`{"success":false}`)}
		case strings.HasPrefix(c.ID, "T-slow") && !failed[c.ID]:
			failed[c.ID] = true
			return oa.Attempt{Class: oa.ServerError, Message: "the OA answered 500"}
		}
		return oa.Attempt{}
	}
}

// Profiles are there for who asks for them, and only beside the records.
func TestProfiles(t *testing.T) {
	for _, on := range []bool{false, true} {
		w := newWorld(t)
		w.options.Profile = on
		w.bundle(nil)
		w.start()
		want := http.StatusNotFound
		if on {
			want = http.StatusOK
		}
		if got := w.do(http.MethodGet, w.url("local", "/debug/pprof/allocs"), nil); got.status != want {
			t.Errorf("profiles %t: status %d", on, got.status)
		}
		for _, part := range []string{"public", "admin", "peer"} {
			if got := w.do(http.MethodGet, w.url(part, "/debug/pprof/allocs"), nil); got.status != http.StatusNotFound {
				t.Errorf("profiles %t: %s answers %d", on, part, got.status)
			}
		}
		_ = w.stop()
	}
}

// A to-do's whole story: what came when, each attempt with what the OA said, and what it waits for.
func TestTrace(t *testing.T) {
	w := newWorld(t)
	w.oa.set(refuseSome(), nil)
	w.bundle(func(c *connector) { c.Notifications = &bundle.Notifications{Window: bundle.Duration(10 * time.Minute)} })
	w.start()
	trace := strings.Repeat("ab", 16)
	first := todo("e1", "T-slow", "created")
	first["traceparent"] = "00-" + trace + "-00f067aa0ba902b7-01"
	w.mustSend(first, todo("e2", "T-other", "created"))
	w.drained(2)
	w.mustSend(todo("e3", "T-slow", "updated", "2000"), todo("e4", "T-bad", "created"))
	w.until("one is held and one dead", func(r report.Report) bool { return r.Delivery.Held == 1 && r.Delivery.Dead == 1 })

	got, incomplete, err := w.ask().Trace(t.Context(), url.Values{"item": {"T-slow"}})
	if err != nil || incomplete != "" || len(got) != 2 {
		t.Fatalf("%+v, %q, %v", got, incomplete, err)
	}
	d := got[0]
	if d.EventID != "e1" || d.State != "Delivered" || d.TraceID != trace || d.Receiver != "1002" || d.ReceiverOA != "oa1002" || d.AcceptedAt.IsZero() || d.Action != "create" {
		t.Errorf("%+v", d)
	}
	if len(d.Steps) != 2 || d.Steps[0].Outcome != record.Retrying || d.Steps[0].Message != "the OA answered 500" || d.Steps[0].Revision != "r1" ||
		d.Steps[1].Attempt != 2 || d.Steps[1].Outcome != record.Delivered || d.Steps[1].At.Before(d.Steps[0].At) {
		t.Errorf("%+v", d.Steps)
	}
	if d := got[1]; d.EventID != "e3" || d.State != "Held" || !strings.Contains(d.Note, "bound") {
		t.Errorf("%+v", d)
	}
	// The same by the trace id of the event.
	if got, _, err := w.ask().Trace(t.Context(), url.Values{"traceID": {trace}}); err != nil || len(got) != 1 || got[0].EventID != "e1" {
		t.Errorf("%+v, %v", got, err)
	}
	dead, _, err := w.ask().Trace(t.Context(), url.Values{"item": {"T-bad"}})
	if err != nil || len(dead) != 1 || dead[0].State != "Dead" || dead[0].Digest.Sub(dead[0].Steps[0].At) > 10*time.Minute || !dead[0].Digest.After(dead[0].Steps[0].At) || dead[0].Steps[0].Answer != `{"success":false}` {
		t.Errorf("%+v, %v", dead, err)
	}
	if got, _, err := w.ask().Trace(t.Context(), url.Values{"item": {"T-unknown"}}); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// What was accepted and not tried yet is part of the story too, and says what it waits for.
func TestTraceOfWhatWaits(t *testing.T) {
	w := newWorld(t)
	w.oa.set(always(refused()), refused)
	w.start()
	w.mustSend(todo("e1", `T-"quoted" <1>`, "created"))
	w.until("the OA is down", func(r report.Report) bool { return r.OA.State == "False" })
	w.mustSend(todo("e2", `T-"quoted" <1>`, "updated"))
	got, _, err := w.ask().Trace(t.Context(), url.Values{"item": {`T-"quoted" <1>`}})
	if err != nil || len(got) != 2 || got[1].EventID != "e2" || got[1].State != lookup.Waiting || len(got[1].Steps) != 0 || !strings.Contains(got[1].Note, "OA") {
		t.Fatalf("%+v, %v", got, err)
	}
}

// People page through records and dead letters with every filter; what they ask wrongly is named.
func TestLookup(t *testing.T) {
	w := newWorld(t)
	w.oa.set(refuseSome(), nil)
	w.start()
	var events []event
	for i := range 30 {
		events = append(events, todo(fmt.Sprintf("b%d", i), fmt.Sprintf("T-bad-%d", i), "created", fmt.Sprint(1000+i%3)), todo(fmt.Sprintf("g%d", i), fmt.Sprintf("T-%d", i), "created"))
	}
	w.mustSend(events...)
	w.until("all have ended", func(r report.Report) bool { return r.Delivery.Delivered == 30 && r.Delivery.Dead == 30 })
	c := w.ask()

	found, more, err := c.Records(t.Context(), url.Values{"outcome": {"Dead", "Delivered"}, "kind": {"Todo"}, "since": {"1h"}, "limit": {"7"}})
	if err != nil || len(found) != 7 || !more || !slices.IsSortedFunc(found, func(a, b lookup.Record) int { return a.At.Compare(b.At) }) {
		t.Errorf("%d records, more %t, %v", len(found), more, err)
	}
	for query, want := range map[string]int{
		"reason=BusinessCode": 30, "class=BusinessCode&receiver=oa1001": 10, "item=T-1&item=T-2": 2, "eventID=g7": 1,
		"until=1h": 0, "kind=Reminder": 0, "outcome=Held": 0, "limit=1000": 60,
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if found, more, err := c.Records(t.Context(), q); err != nil || len(found) != want || more {
			t.Errorf("%s: %d records, want %d, more %t, %v", query, len(found), want, more, err)
		}
	}
	// Gaps, as replays leave them, do not matter.
	s := w.d.session.Load()
	for seq := uint64(5); seq < 15; seq++ {
		if err := s.journal.RemoveDead(t.Context(), seq); err != nil {
			t.Fatal(err)
		}
	}
	letters, more, err := c.Dead(t.Context(), url.Values{"limit": {"1000"}})
	if err != nil || len(letters) != 20 || more || letters[0].Delivery == nil {
		t.Fatalf("%d letters, more %t, %v", len(letters), more, err)
	}
	if newest, more, err := c.Dead(t.Context(), url.Values{"limit": {"3"}}); err != nil || !more || len(newest) != 3 || newest[2].Record.Seq != letters[19].Record.Seq {
		t.Errorf("%d letters, more %t, %v", len(newest), more, err)
	}
	if found, _, err := c.Dead(t.Context(), url.Values{"item": {letters[4].Record.ItemID}, "limit": {"3"}}); err != nil || len(found) != 1 {
		t.Errorf("%d letters, %v", len(found), err)
	}
	sum, err := c.Summary(t.Context(), url.Values{"since": {"1h"}})
	if err != nil || sum.Outcomes[record.Delivered] != 30 || sum.DeadReasons["BusinessCode"] != 30 {
		t.Errorf("%+v, %v", sum, err)
	}

	for _, c := range []struct{ path, parameter string }{
		{"/records?since=yesterday", "since"}, {"/records?limit=0", "limit"}, {"/records?limit=99999", "limit"}, {"/records?cursor=x", "cursor"},
		{"/records?outcome=Lost", "outcome"}, {"/records?traceID=XYZ", "traceID"}, {"/records?itme=T-1", "itme"}, {"/records?until=2h&since=1h", "until"},
		{"/records?since=1h&since=2h", "since"}, {"/records?item=" + strings.Repeat("x", 600), "item"}, {"/dead?cursor=-1", "cursor"},
		{"/dead?outcome=Dead", "outcome"}, {"/trace", "item"}, {"/trace?item=T-1&limit=3", "limit"}, {"/summary?item=T-1", "item"},
	} {
		a := w.do(http.MethodGet, w.url("local", c.path), nil)
		if a.status != http.StatusBadRequest || a.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(a.body, `"field":"`+c.parameter+`"`) ||
			!strings.Contains(a.body, `"nextStep":"`) {
			t.Errorf("%s: %d %s", c.path, a.status, a.body)
		}
	}
	_, _, err = c.Records(t.Context(), url.Values{"since": {"soon"}})
	if !lookup.BadQuery(err) || !strings.Contains(err.Error(), "since: it is neither a time nor a duration; give a time") {
		t.Errorf("error: %v", err)
	}
}

// An index that is lost, damaged or of another store is made again from the log; nobody has to do anything.
func TestIndexIsMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-2", "created"))
	w.drained(2)
	w.records("")
	for name, damage := range map[string]func(file string) error{
		"untouched": func(string) error { return nil },
		"lost":      os.Remove,
		"damaged":   func(file string) error { return os.WriteFile(file, []byte(strings.Repeat("garbage", 4096)), 0o600) },
		"in the way": func(file string) error {
			return errors.Join(os.Remove(file), os.Mkdir(file, 0o700))
		},
	} {
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		if err := damage(filepath.Join(w.options.Store, indexFile)); err != nil {
			t.Fatal(err)
		}
		w.start()
		if name == "in the way" {
			// Deliveries go on; the report and the answer say what is wrong.
			w.mustSend(todo("e3", "T-3", "created"))
			w.drained(3)
			w.until("it says so", func(r report.Report) bool {
				return strings.Contains(r.Store.Records, indexFile) && r.Store.Problem == ""
			})
			if a := w.do(http.MethodGet, w.url("local", "/records"), nil); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "deliveries go on") {
				t.Errorf("%d %s", a.status, a.body)
			}
			if err := os.Remove(filepath.Join(w.options.Store, indexFile)); err != nil {
				t.Fatal(err)
			}
			w.until("it goes on", func(r report.Report) bool { return r.Store.Records == "" })
		}
		if got := w.records("item=T-1"); len(got) != 1 || got[0].Request == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// Another store under the same index: what the index says of the old one is forgotten.
	if err := errors.Join(w.stop(), os.RemoveAll(filepath.Join(w.options.Store, "journal"))); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.mustSend(todo("e9", "T-9", "created"))
	w.drained(1)
	if got := w.records(""); len(got) != 1 || got[0].ItemID != "T-9" {
		t.Errorf("%+v", got)
	}
}

// The index is in PostgreSQL: while that is away, deliveries go on; when it is back, all records are there. A URL that is
// replaced in the Secret counts without a restart, and another choice in the bundle too.
func TestIndexInPostgres(t *testing.T) {
	url := pgtest.Database(t)
	w := newWorld(t)
	w.secret(bundle.SlotIndex, "url", "postgres://oab:canary-pw@127.0.0.1:1/records?connect_timeout=1")
	w.bundle(func(c *connector) { c.Records.Postgres = true })
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-2", "created"))
	r := w.until("it says that the database is away", func(r report.Report) bool { return r.Store.Records != "" && r.Delivery.Delivered == 2 })
	if r.Store.Problem != "" || strings.Contains(r.Store.Records+w.logs.String(), "canary-pw") {
		t.Errorf("%+v", r.Store)
	}
	w.secret(bundle.SlotIndex, "url", url)
	w.until("the database is used", func(r report.Report) bool { return r.Store.Records == "" })
	if got := w.records(""); len(got) != 2 {
		t.Errorf("%d records", len(got))
	}
	if _, err := os.Stat(filepath.Join(w.options.Store, indexFile)); !os.IsNotExist(err) {
		t.Errorf("there is a file too: %v", err)
	}
	w.bundle(nil)
	deadline := time.Now().Add(patience)
	for {
		if _, err := os.Stat(filepath.Join(w.options.Store, indexFile)); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the index stays in the database")
		}
		w.until("a session", func(r report.Report) bool { return r.OA != nil })
	}
	w.until("the store is open again", func(r report.Report) bool { return r.OA != nil && r.Store.Problem == "" })
	if got := w.records("item=T-1"); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

// The index forgets with the log: what the log had to drop is not found any more, and the metrics say that all is in.
func TestIndexForgetsWithTheLog(t *testing.T) {
	w := newWorld(t)
	w.options.StoreMaxBytes = journal.MinBytes
	w.options.tuning.housekeeping = 50 * time.Millisecond
	w.start()
	const batches, size = 15, 100
	for batch := range batches {
		var events []event
		for i := range size {
			e := todo(fmt.Sprintf("e%d-%d", batch, i), fmt.Sprintf("T-%d-%d", batch, i), "created")
			e["data"].(map[string]any)["detail"] = strings.Repeat("d", 4000)
			e["data"].(map[string]any)["subject"] = strings.Repeat("s", 4000)
			events = append(events, e)
		}
		w.mustSend(events...)
		w.drained(int64((batch + 1) * size))
	}
	b, err := w.engine().part.Records.Bounds(t.Context())
	if err != nil || b.First == 1 {
		t.Fatalf("nothing was dropped: the test proves nothing (%+v, %v)", b, err)
	}
	deadline := time.Now().Add(patience)
	for len(w.records("item=T-0-0")) > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the index never forgets")
		}
	}
	if got := w.records(fmt.Sprintf("item=T-%d-%d", batches-1, size-1)); len(got) != 1 {
		t.Errorf("the latest: %+v", got)
	}
	metrics := w.do(http.MethodGet, w.url("admin", "/metrics"), nil).body
	for _, line := range []string{"oabridge_records_index_up 1", "oabridge_records_index_behind 0"} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("the metrics lack %q", line)
		}
	}
}
