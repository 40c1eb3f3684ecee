package dispatch

import (
	"encoding/json"
	"mime"
	"net/http"
	"regexp"
	"time"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/scenario"
)

// maxTestEvent bounds the body of a request for a test event, in bytes.
const maxTestEvent = 16 << 10

// testItems are the ids that a test event may have: whoever may reach this port cannot touch an item of the CRM.
var testItems = regexp.MustCompile(`^` + lookup.TestItemPrefix + `[0-9a-z]{1,32}$`)

// testWords are the last words of the event types that a test event may have.
var testWords = map[scenario.Action]string{scenario.Create: "created", scenario.Delete: "deleted"}

// sendTest takes in a marked event that the dispatcher makes itself: the texts are not the caller's, and neither is the
// source. It goes the way of all events from the store on.
func (l local) sendTest(w http.ResponseWriter, r *http.Request) {
	_, session, _, problem := l.intake.ready()
	if problem != nil {
		problem.WriteTo(w)
		return
	}
	e, problem := readTestEvent(r)
	if problem == nil {
		_, _, problem = l.intake.store(r.Context(), session, []crm.Event{e})
	}
	if problem != nil {
		problem.WriteTo(w)
		return
	}
	l.log.Info("a test event was taken in", "itemID", e.Item.ID, "action", string(e.Action), "receiver", e.Item.Receivers[0].Account)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(lookup.TestAccepted{EventID: e.ID})
}

// readTestEvent makes an event of a request, checked as every event is.
func readTestEvent(r *http.Request) (crm.Event, *crm.Problem) {
	// A web page that knows the port of a port-forward cannot send this type without asking first.
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return crm.Event{}, crm.NewProblem(http.StatusUnsupportedMediaType, "send application/json")
	}
	body, problem := crm.ReadBody(r, crm.Limits{Request: maxTestEvent})
	if problem != nil {
		return crm.Event{}, problem
	}
	var t lookup.TestEvent
	if err := json.Unmarshal(body, &t); err != nil {
		return crm.Event{}, crm.NewProblem(http.StatusBadRequest, "the body is no test event: %v", err)
	}
	typ, _, ok := crm.Meaning(t.Kind, testWords[t.Action])
	var wrong []crm.FieldError
	if !testItems.MatchString(t.ItemID) {
		wrong = append(wrong, crm.FieldError{Field: "itemID", Cause: "it is not that of a test item", NextStep: "give " + lookup.TestItemPrefix + " and up to 32 letters and digits"})
	}
	if !ok {
		wrong = append(wrong, crm.FieldError{Field: "kind", Cause: "there is no such event for a test", NextStep: "create an item of a kind that is known, or delete a Todo"})
	}
	if len(wrong) > 0 {
		p := crm.NewProblem(http.StatusBadRequest, "no test event was made: see errors")
		p.Errors = wrong
		return crm.Event{}, p
	}
	now := time.Now()
	person := scenario.Person{Account: t.Receiver, Name: "OA Bridge"}
	event, err := json.Marshal(map[string]any{
		"specversion": "1.0", "id": t.ItemID + "-" + string(t.Action), "source": lookup.TestSource, "type": typ, "time": now,
		"data": map[string]any{
			"id": t.ItemID, "heading": "OA Bridge 测试 test", "subject": "测试，请忽略 test, please ignore", "detail": t.ItemID, "createdAt": now,
			"object": t.Object, "sender": person, "receivers": []scenario.Person{{Account: t.Receiver}},
		},
	})
	if err != nil {
		panic("dispatch: an event is always JSON: " + err.Error())
	}
	events, problem := crm.Parse(http.Header{"Content-Type": {"application/cloudevents+json"}}, event, crm.DefaultLimits())
	if problem != nil {
		return crm.Event{}, problem
	}
	return events[0], nil
}
