package conformance

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/report"
)

// cases are run in this order on one stage.
var cases = []struct {
	name string
	// rules of the seeds that a pass proves for the type.
	rules []string
	run   func(*run)
}{
	{"create", []string{"F1", "F19", "F20", "F21", "F22", "F32", "F30", "F34"}, create},
	{"update", []string{"F19", "F20"}, update},
	{"complete", []string{"F19", "F94", "F100"}, complete},
	{"delete", []string{"F19", "F20"}, remove},
	{"reminder", []string{"F1", "F3"}, reminder},
	{"batch", []string{"F93"}, batch},
	{"token death", []string{"F36", "F80"}, tokenDeath},
	{"rate limit", []string{"F61", "F62"}, rateLimit},
	{"false success", []string{"F11", "F12", "F14", "F15"}, falseSuccess},
	{"unbound", []string{"F119"}, unboundReceiver},
	{"out of scope", []string{"F118"}, outOfScope},
	{"unicode and markup", []string{"F23", "F25", "F26", "F29", "F30"}, markup},
	{"capture", []string{"F24"}, captured},
	{"repeated secrets", []string{"TM-22"}, repeatedSecrets},
	{"wrong credentials", []string{"F35", "F40", "F52"}, wrongCredentials},
}

func create(r *run) {
	r.send(r.todo("created", 1))
	r.expect(r.settled(r.task, 1), "Delivered")
	i := r.only(r.task)
	shown := i.Title + " " + i.Text
	if i.Person != receiver || i.State != inbox.Open || i.Kind != inbox.ToDo || !strings.Contains(shown, subject) {
		r.Errorf("item: %+v", i)
	}
	if !strings.Contains(i.URL, "//"+ssoHost+"/") || !strings.Contains(i.URL, "/QuoteObj/5f3c2ab1") {
		r.Errorf("the link leads to %q", i.URL)
	}
}

func update(r *run) {
	r.send(r.todo("created", 1))
	r.settled(r.task, 1)
	r.send(r.todo("updated", 2).with("subject", "再次提交"))
	records := r.settled(r.task, 2)
	i := r.only(r.task)
	if !r.updates {
		r.expect(records, "Delivered", "Skipped/"+record.ReasonNoCall)
		return
	}
	r.expect(records, "Delivered", "Delivered")
	if i.State != inbox.Open || !strings.Contains(i.Title+" "+i.Text, "再次提交") {
		r.Errorf("item: %+v", i)
	}
}

func complete(r *run) {
	r.send(r.todo("created", 1), r.todo("completed", 2))
	r.expect(r.settled(r.task, 2), "Delivered", "Delivered")
	if i := r.only(r.task); i.State == inbox.Open || i.Revived != 0 {
		r.Errorf("item: %+v", i)
	}
}

func remove(r *run) {
	r.send(r.todo("created", 1), r.todo("deleted", 2))
	r.expect(r.settled(r.task, 2), "Delivered", "Delivered")
	if i := r.only(r.task); i.State == inbox.Open || i.Revived != 0 {
		r.Errorf("item: %+v", i)
	}
}

func reminder(r *run) {
	r.send(r.event("reminder", "created", r.task, "1002", 1))
	r.expect(r.settled(r.task, 1), "Delivered")
	if i := r.only(r.task); i.Person != receiver || i.Kind == inbox.ToDo || !strings.Contains(i.Title+" "+i.Text, subject) {
		r.Errorf("item: %+v", i)
	}
}

// batch: one that the OA refuses takes no good one down.
func batch(r *run) {
	const n = 6
	since := r.calls(r.batch)
	var events []event
	item := func(i int) string { return fmt.Sprintf("%s-%d", r.task, i) }
	for i := range n {
		events = append(events, r.event("todo", "created", item(i), "1002", 1))
	}
	refused := item(n)
	r.send(append(events, r.event("todo", "created", refused, "1004", 1))...)
	for i := range n {
		r.expect(r.settled(item(i), 1), "Delivered")
		if i := r.only(item(i)); i.Person != receiver {
			r.Errorf("item: %+v", i)
		}
	}
	if records := r.settled(refused, 1); records[len(records)-1].Outcome != record.Dead {
		r.Errorf("refused: %s", story(records))
	}
	if r.batch != "" && r.calls(r.batch) == since {
		r.Errorf("nothing went to %s", r.batch)
	}
}

// calls counts the requests to a path.
func (r *run) calls(path string) int {
	if path == "" {
		return 0
	}
	return len(r.oa.Journal().Entries(path))
}

// script lets the pushes of an item fail.
func (r *run) script(item string, times int, a fault.Action) {
	r.Helper()
	if r.matter != nil {
		item = r.matter(item)
	}
	rule := fault.Rule{Match: fault.Match{Path: r.push, TaskID: item}, Times: times, Action: a}
	if _, err := r.oa.Faults().Add(rule); err != nil {
		r.Fatal(err)
	}
}

// tokenDeath: the OA forgets the token; one new token, one repeat, and it is still the same attempt.
func tokenDeath(r *run) {
	r.script(r.task, 1, fault.Action{Kind: fault.ExpireToken})
	r.send(r.todo("created", 1))
	records := r.settled(r.task, 1)
	r.expect(records, "Delivered")
	if records[0].Attempt != 1 {
		r.Errorf("%d attempts: %s", records[0].Attempt, story(records))
	}
	r.only(r.task)
}

func rateLimit(r *run) {
	r.script(r.task, 1, fault.Action{Kind: fault.RateLimit, RetryAfter: "1"})
	r.send(r.todo("created", 1))
	r.expect(r.settled(r.task, 1), "Retrying/RateLimited", "Delivered")
	r.only(r.task)
}

// falseSuccess: HTTP 200 is not delivery.
func falseSuccess(r *run) {
	page := r.task + "-page"
	r.script(page, 1, fault.Action{Kind: fault.HTML})
	r.send(r.event("todo", "created", page, "1002", 1))
	r.expect(r.settled(page, 1), "Retrying/ServerError", "Delivered")

	refused := r.task + "-refused"
	r.script(refused, 1, fault.Action{Kind: fault.Business, ErrorMsgs: []string{"单据不合规"}})
	r.send(r.event("todo", "created", refused, "1002", 1))
	records := r.settled(refused, 1)
	if last := records[len(records)-1]; last.Outcome == record.Delivered && len(records) == 1 {
		r.Errorf("a refusal counts as delivered: %s", story(records))
	} else if !strings.Contains(records[0].Message, "单据不合规") {
		r.Errorf("the OA's words are lost: %s", story(records))
	}
	for n, l := range r.lies {
		item := fmt.Sprintf("%s-%d", r.task, n)
		r.script(item, 1, fault.Action{Kind: fault.Status, Status: http.StatusOK, Body: l.body})
		r.send(r.event("todo", "created", item, "1002", 1))
		records := r.settled(item, 1)
		if got := records[0]; got.Outcome == record.Delivered || got.Class != string(l.class) {
			r.Errorf("%s: want class %s: %s", l.name, l.class, story(records))
		}
	}
}

func unboundReceiver(r *run) {
	r.send(r.event("todo", "created", r.task, unbound, 1))
	records := r.settled(r.task, 1)
	r.expect(records, "Held/"+record.ReasonUnbound)
	if !strings.Contains(records[0].Message, unbound) || len(r.oa.items(r.task)) != 0 {
		r.Errorf("%s; the OA has %v", records[0].Message, r.oa.items(r.task))
	}
}

// outOfScope: nothing but a change in the OA or in a binding helps, so it is not tried again.
func outOfScope(r *run) {
	r.send(r.event("todo", "created", r.task, "1004", 1))
	records := r.settled(r.task, 1)
	r.expect(records, "Dead/"+string(r.scope))
	if records[0].Attempt != 1 || len(r.oa.items(r.task)) != 0 {
		r.Errorf("%s; the OA has %v", story(records), r.oa.items(r.task))
	}
}

// hostile is text that breaks out of JSON, of XML, of a CDATA section, and of a URL, where it may.
const hostile = `报价 "a" 'b' \n <b>&amp;</b> ]]> {"x":1} ${item.version} #F001 %2F ?a=b 😀 龘`

func markup(r *run) {
	r.send(r.todo("created", 1).with("subject", hostile))
	r.expect(r.settled(r.task, 1), "Delivered")
	if i := r.only(r.task); !strings.Contains(i.Title+" "+i.Text, hostile) || i.State != inbox.Open || i.Person != receiver {
		r.Errorf("item: %+v", i)
	}
}

// wrongCredentials: what is pending waits, the report says whose move it is, the correction heals, and no secret is in
// anything that is kept.
func wrongCredentials(r *run) {
	if r.spoil != nil {
		if err := r.spoil(r.oa); err != nil {
			r.Fatal(err)
		}
	}
	if r.wrong != nil {
		// One that runs goes on with the account that it knows to be good; one that starts knows only what stands there.
		r.stop(r.T)
		r.credentials(r.T, r.wrong)
		r.start(r.T)
		r.until(r.T, "events are taken", func(x report.Report) bool { return x.Store != nil && x.Store.Problem == "" })
	}
	r.send(r.todo("created", 1))
	r.until(r.T, "the account is rejected", func(x report.Report) bool {
		return x.OA != nil && x.OA.State == "False" &&
			(x.OA.Reason == v1alpha1.ReasonTokenRejected || x.OA.Reason == v1alpha1.ReasonCallerNotTrusted)
	})
	if len(r.oa.items(r.task)) != 0 {
		r.Errorf("the OA has %v", r.oa.items(r.task))
	}
	if r.mend != nil {
		if err := r.mend(r.oa); err != nil {
			r.Fatal(err)
		}
	}
	r.credentials(r.T, r.account)
	records := r.recorded(r.task, "it is delivered", func(found []lookup.Record) bool {
		return len(found) > 0 && found[len(found)-1].Outcome.Final()
	})
	if last := records[len(records)-1]; last.Outcome != record.Delivered {
		r.Errorf("outcome: %s", story(records))
	}
	r.only(r.task)
	r.discreet()
}
