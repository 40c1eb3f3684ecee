// Package capture turns what a connector exchanged with an OA into tests of the template: the fields that the item had, the
// request that went out, the answer that came, and what it meant. A test that it makes passes; what cannot be repeated is
// refused with the reason.
package capture

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Exchange is one call that was made.
type Exchange struct {
	// Record of the call.
	Record record.Record
	// Event that it was made for.
	Event crm.Event
	// SenderOA is the OA account of the sender, empty when there is none.
	SenderOA string
	// Captured are the values of earlier answers that the call could use.
	Captured map[string]string
}

// Template is what a request was made from.
type Template struct {
	Spec v1alpha1.ScenarioTemplateSpec
	// Parameters of the template, and of the connector as connector.enterpriseID and so on.
	Parameters map[string]string
	// Revision of Spec.
	Revision string
}

// Test makes a test of an exchange. With masks, the texts, names, accounts and ids of the item are replaced; nil keeps them.
func Test(t Template, x *Exchange, m *Masks) (v1alpha1.TemplateTest, error) {
	r := &x.Record
	test := v1alpha1.TemplateTest{
		Name:   fmt.Sprintf("captured %s, %s, %s", r.Action, said(r), r.At.UTC().Format(time.RFC3339)),
		Action: string(r.Action), Fields: fields(t, x), Parameters: mentioned(t),
	}
	if r.Method == "" {
		return test, errors.New("no request went out")
	}
	if len(r.Request) >= record.MaxBody || len(r.Answer) >= record.MaxBody {
		return test, fmt.Errorf("the record holds only the first %d KiB of the request or the answer", record.MaxBody>>10)
	}
	test = found(t, test, r)
	// What went out is what the template makes of the same fields, or else a test of it would prove nothing.
	made, problem := scenario.RunTest(t.Spec, test)
	if problem != nil {
		return test, t.differs(r, problem)
	}
	if test.Request = sent(string(t.Spec.Protocol), r, made); test.Request.Path == "" && test.Request.Batch.Path == "" {
		return test, fmt.Errorf("it went to %s, and the template makes %s", pathOf(r.URL), made.Path)
	}
	test.Answer = answer(r)
	if _, problem := scenario.RunTest(t.Spec, test); problem != nil {
		return test, t.differs(r, problem)
	}
	if m == nil {
		return test, nil
	}
	return m.hide(t, test)
}

// differs says why a test of the exchange does not pass.
func (t Template) differs(r *record.Record, p *scenario.Problem) error {
	_, field, _ := strings.Cut(p.Field, "].")
	if r.Revision != "" && r.Revision != t.Revision {
		return fmt.Errorf("it was made by revision %s of the template, which is %s now: %s: %s", r.Revision, t.Revision, field, p.Message)
	}
	return fmt.Errorf("%s: %s", field, p.Message)
}

// said is what the OA made of it, in a word.
func said(r *record.Record) string {
	if r.Class != "" {
		return r.Class
	}
	return string(record.Delivered)
}

// fields that the template uses, with the values that they had: also the empty ones, which a test has to give.
func fields(t Template, x *Exchange) map[string]string {
	at := x.Event.Time
	if at.IsZero() {
		at = x.Record.AcceptedAt
	}
	all := x.Event.Item.Fields(x.Record.ReceiverOA, x.SenderOA).With(scenario.Moment{EventTime: at, Version: x.Record.Sent, Captured: x.Captured})
	text := written(t.Spec)
	for name := range all {
		if !strings.Contains(text, "#"+name) && !strings.Contains(text, "${"+name+"}") {
			delete(all, name)
		}
	}
	return all
}

// sent is the request as the record has it; the zero one when it went elsewhere. What the driver adds to an address, such as
// a token, is no part of it.
func sent(protocol string, r *record.Record, made scenario.Request) v1alpha1.TestRequest {
	if leadsTo(r.URL, made.Path) {
		return v1alpha1.TestRequest{Method: r.Method, Path: made.Path, Body: undone(protocol, r.Request, made.Body)}
	}
	if made.Batch != nil && leadsTo(r.URL, made.Batch.Path) {
		alone, err := made.Batch.Join([][]byte{made.Body})
		if err != nil {
			return v1alpha1.TestRequest{}
		}
		return v1alpha1.TestRequest{Batch: v1alpha1.TestBatch{Path: made.Batch.Path, Body: undone(protocol, r.Request, alone)}}
	}
	return v1alpha1.TestRequest{}
}

// leadsTo reports whether an address ends in a path and has at least its query.
func leadsTo(address, path string) bool {
	went, err := url.Parse(address)
	if err != nil {
		return false
	}
	want, err := url.Parse(path)
	if err != nil || !strings.HasSuffix(went.EscapedPath(), want.EscapedPath()) {
		return false
	}
	query := went.Query()
	for name, values := range want.Query() {
		if strings.Join(query[name], "\n") != strings.Join(values, "\n") {
			return false
		}
	}
	return true
}

// pathOf an address, without what may be in its query.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be parsed"
	}
	return u.EscapedPath()
}

// answer that came and what it meant; nothing when none came, or when not the template judged it.
func answer(r *record.Record) v1alpha1.TestAnswer {
	if r.Status == 0 {
		return v1alpha1.TestAnswer{}
	}
	switch outcome := said(r); outcome {
	case "ReceiverUnknown", "Internal":
		return v1alpha1.TestAnswer{}
	default:
		return v1alpha1.TestAnswer{Status: int32(r.Status), Body: r.Answer, Outcome: outcome}
	}
}

// mentioned are the parameters that the template uses.
func mentioned(t Template) map[string]string {
	text, out := written(t.Spec), map[string]string{}
	for name, value := range t.Parameters {
		if value != "" && strings.Contains(text, "${"+name+"}") {
			out[name] = value
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// written is a template without its tests, as text.
func written(spec v1alpha1.ScenarioTemplateSpec) string {
	spec.Tests = nil
	text, err := json.Marshal(spec)
	if err != nil {
		panic("capture: a template spec is always JSON: " + err.Error())
	}
	return string(text)
}
