package scenario

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// The connector's own values, which every template may use as ${connector.enterpriseID} and so on.
const (
	ConnectorEnterpriseID = "enterpriseID"
	ConnectorDataCenterID = "dataCenterID"
	ConnectorRegisterCode = "registerCode"
	ConnectorSysCode      = "sysCode"
	ConnectorAppName      = "appName"
	ConnectorAppID        = "appID"
	ConnectorClientID     = "clientID"
	ConnectorCorpID       = "corpID"
	ConnectorAppKey       = "appKey"
	ConnectorAgentID      = "agentID"
	ConnectorApprovalCode = "approvalCode"
	// ConnectorSSOURL is scheme and host of the links to the gateway. When the connector has none, a string that begins
	// with it is sent empty: an item without a link is better than one with a broken link.
	ConnectorSSOURL = "ssoURL"
)

// connectorFields says where a missing value is set.
var connectorFields = map[string]string{
	ConnectorEnterpriseID: "spec.enterpriseID",
	ConnectorDataCenterID: "spec.dataCenterID",
	ConnectorRegisterCode: "spec.seeyon.registerCode",
	ConnectorSysCode:      "spec.weaver.sysCode",
	ConnectorAppName:      "spec.landray.appName",
	ConnectorAppID:        "spec.yunzhijia.appID or spec.feishu.appID",
	ConnectorClientID:     "spec.welink.clientID",
	ConnectorCorpID:       "spec.wecom.corpID",
	ConnectorAppKey:       "spec.dingtalk.appKey",
	ConnectorAgentID:      "spec.wecom.agentID or spec.dingtalk.agentID",
	ConnectorApprovalCode: "spec.feishu.approvalCode",
	ConnectorSSOURL:       "spec.sso.host",
}

// DefaultMethod of a call.
const DefaultMethod = http.MethodPost

// DefaultReadMethod of a read-back.
const DefaultReadMethod = http.MethodGet

// Instantiate fills the parameters of a template in and applies its defaults. params are the connector's values for the
// template's parameters, connector its own values by the Connector constants, template is "namespace/name". A value
// stays plain text: it cannot break out of its JSON string or URL segment, and a "#F001" in it is no placeholder. Only
// a parameter at the very beginning of a URL may bring scheme and host with it.
//
// Problems with params have a Field below "parameters", the others below the template's spec.
func Instantiate(spec v1alpha1.ScenarioTemplateSpec, params, connector map[string]string, template string) (Definition, []Problem) {
	return InstantiateChecked(spec, Check{Revision: Revision(spec)}, params, connector, template)
}

// InstantiateChecked does the same with a template that was checked, whose revision is known.
func InstantiateChecked(spec v1alpha1.ScenarioTemplateSpec, check Check, params, connector map[string]string, template string) (Definition, []Problem) {
	values, problems := parameterValues(spec.Parameters, params)
	if len(problems) > 0 {
		return Definition{}, problems
	}
	for name := range connectorFields {
		if v := connector[name]; v != "" || name == ConnectorSSOURL {
			values[connectorPrefix+name] = v
		}
	}
	return fill(spec, check.Revision, values, template)
}

func parameterValues(declared []v1alpha1.Parameter, params map[string]string) (map[string]string, []Problem) {
	values := map[string]string{}
	var problems []Problem
	names := make([]string, len(declared))
	for i, p := range declared {
		names[i] = p.Name
		value, set := params[p.Name]
		field := "parameters." + p.Name
		switch {
		case !set && p.Default == nil:
			message := "this parameter has no default; set it"
			if p.Description != "" {
				message += ": " + p.Description
			}
			problems = append(problems, Problem{reasonParameter, field, message})
			continue
		case !set:
			value = *p.Default
		}
		if message := mismatch(p, value); message != "" {
			problems = append(problems, Problem{reasonParameter, field, message})
			continue
		}
		values[p.Name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if !slices.Contains(names, name) {
			problems = append(problems, Problem{reasonParameter, "parameters." + name, "the template has no such parameter" + didYouMean(name, names)})
		}
	}
	return values, problems
}

// mismatch says why value does not match the parameter's pattern as a whole, or nothing.
func mismatch(p v1alpha1.Parameter, value string) string {
	if p.Pattern == "" {
		return ""
	}
	re, err := regexp.Compile(`\A(?:` + p.Pattern + `)\z`)
	if err != nil {
		return "the template's pattern is not a regular expression (RE2): " + err.Error()
	}
	if !re.MatchString(value) {
		return fmt.Sprintf("the value does not match the pattern %s", p.Pattern)
	}
	return ""
}

func didYouMean(name string, candidates []string) string {
	if s := Suggest(name, candidates); s != "" {
		return " (did you mean " + s + "?)"
	}
	if len(candidates) == 0 {
		return "; it has none"
	}
	return "; it has " + strings.Join(candidates, ", ")
}

// fill makes a definition with the values of all parameters by the names that stand between "${" and "}".
func fill(spec v1alpha1.ScenarioTemplateSpec, revision string, values map[string]string, template string) (Definition, []Problem) {
	d := Definition{
		Template: template, Revision: revision, Kind: string(spec.Kind),
		Calls: map[Action]Call{}, Result: resultOf(spec),
		TimeZone: orDefault(spec.TimeZone, DefaultTimeZone), DateFormat: orDefault(spec.DateFormat, DefaultDateFormat),
	}
	if spec.Protocol == v1alpha1.ProtocolWebservice {
		d.Protocol = Webservice
	}
	d.Result = d.Result.For(d.Protocol)
	f := filler{values: values, protocol: d.Protocol}
	for _, a := range Actions {
		if c := actionCall(spec.Actions, a); c.Path != "" {
			d.Calls[a] = f.call("actions."+string(a), c)
		}
	}
	return d, f.problems
}

func actionCall(a v1alpha1.Actions, action Action) v1alpha1.Call {
	switch action {
	case Create:
		return a.Create
	case Update:
		return a.Update
	case Complete:
		return a.Complete
	default:
		return a.Delete
	}
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

type filler struct {
	values   map[string]string
	protocol string
	problems []Problem
}

func (f *filler) report(field string, bad *fault) {
	if bad != nil {
		f.problems = append(f.problems, Problem{bad.reason, field, bad.message})
	}
}

func (f *filler) call(field string, c v1alpha1.Call) Call {
	out := Call{
		Method: orDefault(c.Method, DefaultMethod), Path: f.path(field, c.Path),
		Headers: f.headers(field, c.Headers), Body: f.body(field, c.Body),
	}
	if l := c.Lookup; l.Path != "" {
		below := field + ".lookup"
		out.Lookup = &Lookup{
			Method: orDefault(l.Method, DefaultReadMethod), Path: f.path(below, l.Path), Headers: f.headers(below, l.Headers),
			Body: f.body(below, l.Body), Result: Result{}.Override(l.Result), Values: map[string]string{},
		}
		for _, v := range l.Values {
			out.Lookup.Values[v.Name] = v.Path
		}
	}
	for _, v := range c.Capture {
		out.Capture = append(out.Capture, Capture{Name: v.Name, Path: v.Path, Once: v.Use == v1alpha1.CaptureOnce})
	}
	if out.Missing = string(c.Missing); out.Missing == string(v1alpha1.MissingFail) {
		out.Missing = ""
	}
	if b := c.Batch; b.Path != "" {
		out.Batch = &Batch{Path: f.path(field+".batch", b.Path), ListName: b.ListName, Failures: Failures(b.Failures)}
	}
	if r := c.ReadBack; r.Path != "" {
		field += ".readBack"
		out.ReadBack = &ReadBack{
			Method: orDefault(r.Method, DefaultReadMethod), Path: f.path(field, r.Path),
			Headers: f.headers(field, r.Headers), Body: f.body(field, r.Body), Result: Result{}.Override(r.Result).For(f.protocol),
		}
	}
	return out
}

func (f *filler) path(field, s string) string {
	path, bad := f.text(s, inPathText)
	f.report(field+".path", bad)
	return path
}

func (f *filler) headers(field string, headers []v1alpha1.CallHeader) []Header {
	var out []Header
	for _, h := range headers {
		value, bad := f.text(h.Value, inPlainText)
		f.report(field+".headers["+h.Name+"]", bad)
		out = append(out, Header{Name: h.Name, Value: value})
	}
	return out
}

func (f *filler) body(field, s string) string {
	if s == "" {
		return ""
	}
	field += ".body"
	chunks, bad := parseBody(f.protocol, s)
	f.report(field, bad)
	return f.document(field, chunks)
}

// document fills the leaves of a document in.
func (f *filler) document(field string, chunks []chunk) string {
	for i, c := range chunks {
		if c.leaf {
			chunks[i].text = f.leaf(fieldBelow(field, c.path), c.text)
		}
	}
	return formatChunks(chunks)
}

func (f *filler) leaf(field, s string) string {
	inner, bad := parseInner(s)
	if inner != nil {
		return f.document(field, inner)
	}
	if bad == nil {
		s, bad = f.text(s, inLeafText)
	}
	f.report(field, bad)
	return s
}

// textPlace is where a text stands; it decides how a parameter's value is written.
type textPlace int

const (
	inPlainText textPlace = iota
	inLeafText            // a leaf of a body; percent-encoded when it is a URL
	inPathText            // always percent-encoded
)

// text puts values in the place of parameters.
func (f *filler) text(s string, place textPlace) (string, *fault) {
	tokens, bad := parseText(s)
	if bad != nil {
		return "", bad
	}
	for i, t := range tokens {
		if t.kind != parameter || isLive(t.text) {
			continue
		}
		if i > 0 && tokens[i-1].kind == placeholder {
			return "", &fault{reasonTemplate, "the parameter ${" + t.text + "} follows #" + tokens[i-1].text +
				" directly, and its value could change the placeholder; put a character between them"}
		}
		value, bad := f.value(t.text)
		if bad != nil {
			return "", bad
		}
		if place == inLeafText && value == "" && t.text == connectorPrefix+ConnectorSSOURL && isBlank(tokens[:i]) {
			return "", nil
		}
		if place == inPathText || place == inLeafText && i > 0 && isURL(joinLiterals(tokens[:i])) {
			if value == "" {
				return "", &fault{reasonParameter, "the parameter ${" + t.text + "} is empty, and a part of a URL must not be; set it"}
			}
			value = string(appendEscaped(nil, value))
		}
		tokens[i] = token{literal, value}
	}
	return formatText(tokens), nil
}

// isBlank reports whether tokens are nothing but white space, as XML may have around a text.
func isBlank(tokens []token) bool {
	return !slices.ContainsFunc(tokens, func(t token) bool { return t.kind != literal || strings.TrimSpace(t.text) != "" })
}

func (f *filler) value(name string) (string, *fault) {
	value, ok := f.values[name]
	if ok {
		return value, nil
	}
	own, _ := strings.CutPrefix(name, connectorPrefix)
	if field, ok := connectorFields[own]; ok && own != name {
		return "", &fault{reasonParameter, "the template uses ${" + name + "}, which the connector does not set; set " + field}
	}
	candidates := slices.Collect(maps.Keys(f.values))
	for own := range connectorFields {
		candidates = append(candidates, connectorPrefix+own)
	}
	slices.Sort(candidates)
	return "", &fault{reasonParameter, "the parameter ${" + name + "} is not declared in spec.parameters" +
		didYouMean(name, slices.Compact(candidates))}
}
