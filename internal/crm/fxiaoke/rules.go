package fxiaoke

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Names that the fields of a rule may have. All are paths (GJSON) into the object's data; what a rule leaves out is taken
// from the place that fallbacks names.
const (
	fieldID            = "id"
	fieldVersion       = "version"
	fieldHeading       = "heading"
	fieldSubject       = "subject"
	fieldDetail        = "detail"
	fieldCreatedAt     = "createdAt"
	fieldObjectAPIName = "object.apiName"
	fieldObjectID      = "object.id"
	fieldSenderAccount = "sender.account"
	fieldSenderName    = "sender.name"
	fieldReceivers     = "receivers"
	// fieldState refines the action: an action "update/done" counts when the value at the path of state is done.
	fieldState = "state"
)

var fieldNames = []string{fieldID, fieldVersion, fieldHeading, fieldSubject, fieldDetail, fieldCreatedAt, fieldObjectAPIName,
	fieldObjectID, fieldSenderAccount, fieldSenderName, fieldReceivers, fieldState}

// maxPath bounds a path, in bytes.
const maxPath = 512

// rules are those of one bundle, ready for use.
type rules struct {
	enterpriseAccount, enterpriseID, dataCenterID string
	list                                          []bundle.CallbackRule
}

// compileRules checks the rules. An error names the field of the connector.
func compileRules(b *bundle.Bundle) (*rules, error) {
	callback := b.Source.Callback
	if callback.EnterpriseAccount == "" {
		return nil, misconfigured("spec.source.callback.enterpriseAccount is missing: set it to the account of the enterprise in the CRM")
	}
	seen := map[string]int{}
	for i, r := range callback.Rules {
		at := fmt.Sprintf("spec.source.callback.rules[%d]", i)
		if !scenario.ValidObjectPart(r.APIName) {
			return nil, misconfigured(at + ".apiName is not the API name of a CRM object")
		}
		if len(r.Actions) == 0 {
			return nil, misconfigured(at + ".actions is empty: say which event types of the CRM are which actions")
		}
		for _, event := range slices.Sorted(maps.Keys(r.Actions)) {
			word := r.Actions[event]
			if _, _, ok := crm.Meaning(r.Kind, word); !ok {
				return nil, misconfigured(fmt.Sprintf("%s.actions: %q is not an action of the kind %q: use created, updated, completed or deleted", at, word, r.Kind))
			}
			key := r.APIName + " " + r.Kind + " " + event
			if first, taken := seen[key]; taken {
				return nil, misconfigured(fmt.Sprintf("%s.actions: %q is in rules[%d] too, for the same object and kind: keep one of them", at, event, first))
			}
			seen[key] = i
		}
		for _, name := range slices.Sorted(maps.Keys(r.Fields)) {
			path := r.Fields[name]
			if !slices.Contains(fieldNames, name) {
				return nil, misconfigured(fmt.Sprintf("%s.fields: there is no field %q: use %s", at, name, strings.Join(fieldNames, ", ")))
			}
			if path == "" || len(path) > maxPath {
				return nil, misconfigured(fmt.Sprintf("%s.fields: the path of %q is empty or longer than %d bytes", at, name, maxPath))
			}
		}
		if r.Fields[fieldReceivers] == "" {
			return nil, misconfigured(fmt.Sprintf("%s.fields: %q is missing: name the path of the people who have the to-do", at, fieldReceivers))
		}
	}
	return &rules{enterpriseAccount: callback.EnterpriseAccount, enterpriseID: b.EnterpriseID, dataCenterID: b.DataCenterID, list: callback.Rules}, nil
}

// about returns the rules that may want an object for what happened to it.
func (rs *rules) about(n notice) (found []bundle.CallbackRule) {
	for _, r := range rs.list {
		if r.APIName != n.apiName {
			continue
		}
		for event := range r.Actions {
			if event == n.eventType || strings.HasPrefix(event, n.eventType+"/") {
				found = append(found, r)
				break
			}
		}
	}
	return found
}

// events applies the rules to the object's data.
func (rs *rules) events(asked []bundle.CallbackRule, n notice, data []byte) ([]crm.Event, *crm.Problem) {
	var events []crm.Event
	var wrong []crm.FieldError
	for _, r := range asked {
		state := first(data, r.Fields[fieldState])
		word, ok := r.Actions[n.eventType+"/"+state]
		if !ok || state == "" {
			word, ok = r.Actions[n.eventType]
		}
		if !ok || slices.ContainsFunc(events, func(e crm.Event) bool { return e.Kind == r.Kind }) {
			continue
		}
		typ, action, _ := crm.Meaning(r.Kind, word)
		item, errs := rs.item(r.Fields, n, data)
		for _, e := range append(errs, item.Validate()...) {
			wrong = append(wrong, crm.FieldError{Event: len(events), Field: e.Field, Cause: e.Cause,
				NextStep: fmt.Sprintf("correct the path of %q in the rule for %s, or the record %s in the CRM", e.Field, n.apiName, n.dataID)})
		}
		events = append(events, crm.Event{
			ID: n.messageID, Source: "/fxiaoke/" + rs.enterpriseAccount + "/" + n.apiName + "/" + r.Kind, Type: typ, Kind: r.Kind, Action: action,
			Time: n.at, DataCenterID: rs.dataCenterID, TraceParent: crm.NewTraceParent(), Untraced: true, Item: item,
		})
	}
	if len(wrong) > 0 {
		p := crm.NewProblem(http.StatusUnprocessableEntity, "the record %s %s makes no whole item, so the callback is not taken: see errors", n.apiName, n.dataID)
		p.Errors = wrong
		return nil, p
	}
	return events, nil
}

// first returns the value at the first of the paths that has one; a list stands for its first entry, as the CRM writes an
// owner ["1000"].
func first(data []byte, paths ...string) string {
	for _, path := range paths {
		if path == "" {
			continue
		}
		if values := scalars(gjson.GetBytes(data, path)); len(values) > 0 && values[0] != "" {
			return values[0]
		}
	}
	return ""
}

// scalars flattens a value: a text or number, or a list of them, nested or not.
func scalars(r gjson.Result) (values []string) {
	if r.IsArray() {
		for _, one := range r.Array() {
			values = append(values, scalars(one)...)
		}
		return values
	}
	if s := plain(r); s != "" {
		return []string{s}
	}
	return nil
}
