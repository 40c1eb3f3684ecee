package offline

import (
	"fmt"
	"net/http"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Rendered is what one event becomes for one receiver: a request, or the reason why there is none.
type Rendered struct {
	// Origin is the connector or the template test.
	Origin   string `json:"origin"`
	Template string `json:"template,omitempty"`
	// Scenario is the name of the scenario, empty for the one without a name.
	Scenario string          `json:"scenario,omitempty"`
	Action   scenario.Action `json:"action"`
	// Receiver is the CRM account, ReceiverOA the OA account.
	Receiver   string `json:"receiver,omitempty"`
	ReceiverOA string `json:"receiverOA,omitempty"`

	Method string      `json:"method,omitempty"`
	URL    string      `json:"url,omitempty"`
	Header http.Header `json:"header,omitempty"`
	Body   string      `json:"body,omitempty"`
	// Lookup is set when this request only asks for values, and the call itself depends on the answer.
	Lookup bool `json:"lookup,omitempty"`
	// Nothing is why no request goes out.
	Nothing string `json:"nothing,omitempty"`
}

func (r *Rendered) take(base string, req scenario.Request) {
	r.Method, r.URL, r.Header, r.Body, r.Lookup = req.Method, base+req.Path, req.Header, string(req.Body), req.Lookup != nil
}

// secretValue stands for the value of a header that comes from a Secret.
const secretValue = "(from a Secret)"

// Render returns what an event becomes at a connector, one for each receiver and scenario. The connector's own authentication is left
// out: it needs the OA. Problems are what keeps the connector from being compiled.
func (s *Set) Render(c Entry[v1alpha1.OAConnector], event crm.Event) ([]Rendered, []bundle.Problem) {
	output, problems := s.Compile(c)
	if output == nil {
		return nil, problems
	}
	out := make([]Rendered, 0, len(event.Item.Receivers))
	for _, receiver := range event.Item.Receivers {
		r := Rendered{Origin: c.Source.ID(), Action: event.Action, Receiver: receiver.Account}
		definitions := serving(output.Bundle, event.Kind)
		if len(definitions) == 0 {
			r.Nothing = fmt.Sprintf("the connector has no enabled scenario for the kind %s", event.Kind)
			out = append(out, r)
		}
		for _, d := range definitions {
			each := r
			each.Scenario = d.Name
			s.render(&each, c, output, d, event)
			out = append(out, each)
		}
	}
	return out, nil
}

// RenderAt is Render for the connector of that name.
func (s *Set) RenderAt(namespace, name string, event crm.Event) ([]Rendered, []bundle.Problem) {
	for _, c := range s.Connectors {
		if c.Object.Namespace == namespace && c.Object.Name == name {
			return s.Render(c, event)
		}
	}
	return nil, []bundle.Problem{{Reason: v1alpha1.ReasonConnectorNotFound, Message: fmt.Sprintf("there is no connector %s/%s", namespace, name)}}
}

func (s *Set) render(r *Rendered, c Entry[v1alpha1.OAConnector], output *bundle.Output, definition scenario.Definition, event crm.Event) {
	b := output.Bundle
	r.Template = definition.Template + "@" + definition.Revision
	if event.Item.EnterpriseID == "" {
		event.Item.EnterpriseID = b.EnterpriseID
	}
	if event.Item.EnterpriseID != b.EnterpriseID {
		r.Nothing = "the event is of another enterprise: " + event.Item.EnterpriseID
		return
	}
	accounts := s.accounts(c)
	r.ReceiverOA = accounts[r.Receiver]
	if r.ReceiverOA == "" && b.Accounts.Unbound == string(v1alpha1.UnboundFallback) {
		r.ReceiverOA = r.Receiver
	}
	if r.ReceiverOA == "" {
		r.Nothing = "the receiver has no OA account in the AccountBindings that are given here"
		return
	}
	parsed, err := scenario.New(definition)
	if err != nil {
		r.Nothing = err.Error()
		return
	}
	// As if it were the first event of the item.
	moment := scenario.Moment{EventTime: event.Time}
	if moment.EventTime.IsZero() {
		moment.EventTime = event.Item.CreatedAt
	}
	moment.Version = moment.EventTime.UnixMilli()
	req, err := parsed.Render(event.Action, event.Item.Fields(r.ReceiverOA, accounts[event.Item.Sender.Account]).With(moment))
	if err != nil {
		r.Nothing = err.Error()
		return
	}
	for _, h := range b.OA.Headers {
		name := http.CanonicalHeaderKey(h.Name)
		if _, ok := req.Header[name]; ok {
			continue // the call's own header wins
		}
		if h.SecretFile != "" {
			h.Value = secretValue
		}
		req.Header[name] = []string{h.Value}
	}
	r.take(b.OA.URL, req)
}

// serving returns the enabled scenarios that items of a kind go to.
func serving(b *bundle.Bundle, kind string) (out []scenario.Definition) {
	for _, d := range b.Scenarios {
		if d.Enabled && d.Serves(kind) {
			out = append(out, d)
		}
	}
	return out
}

// accounts are the OA accounts by CRM account.
func (s *Set) accounts(c Entry[v1alpha1.OAConnector]) map[string]string {
	pairs, _ := bundle.Merge(s.sets(c.Object))
	accounts := make(map[string]string, len(pairs))
	for _, p := range pairs {
		accounts[p.CRM] = p.OA
	}
	return accounts
}

// TestRun is one test of a template.
type TestRun struct {
	Template string
	Test     string
	Rendered Rendered
	// Finding is nil when the test passed.
	Finding *Finding
}

// RunTests runs the tests of all templates. A template that is wrong in itself has findings and no runs.
func (s *Set) RunTests() (runs []TestRun, findings []Finding) {
	for _, t := range s.Templates {
		spec := t.Object.Spec
		untested := spec
		untested.Tests = nil
		if problems := scenario.CheckTemplate(untested).Problems; len(problems) > 0 {
			for _, p := range problems {
				findings = append(findings, finding(t.Source, p.Field, p.Reason, p.Message))
			}
			continue
		}
		for _, test := range spec.Tests {
			run := TestRun{Template: t.Source.Namespace + "/" + t.Source.Name, Test: test.Name}
			run.Rendered = Rendered{Origin: t.Source.ID() + ", test " + test.Name, Action: scenario.Action(test.Action)}
			req, problem := scenario.RunTest(spec, test)
			if req.Method != "" {
				run.Rendered.take("", req)
			}
			if problem != nil {
				f := finding(t.Source, problem.Field, problem.Reason, problem.Message)
				run.Finding = &f
				if req.Method == "" {
					run.Rendered.Nothing = problem.Message
				}
				findings = append(findings, f)
			}
			runs = append(runs, run)
		}
	}
	return runs, findings
}
