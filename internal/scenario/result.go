package scenario

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// MaxMessage bounds the OA's own words in a verdict, in characters.
const MaxMessage = 512

// SeeyonResult is how Seeyon's third-party interfaces answer (SY-C1, SY-C2). It is the default of templates for Seeyon
// that name no code (F10).
var SeeyonResult = Result{CodeName: "success", MsgName: "errorMsgs", SuccessCode: "true"}

// resultOf returns the template's result mapping with the defaults of its type.
func resultOf(spec v1alpha1.ScenarioTemplateSpec) Result {
	r := Result{}.Override(spec.Result)
	if spec.Type == v1alpha1.TypeSeeyon && r.CodeName == "" && r.SuccessCode == "" {
		r.CodeName, r.SuccessCode = SeeyonResult.CodeName, SeeyonResult.SuccessCode
		r.MsgName = orDefault(r.MsgName, SeeyonResult.MsgName)
	}
	return r
}

// Override returns r with the keys that f sets.
func (r Result) Override(f v1alpha1.ResultFormat) Result {
	return Result{
		CodeName:    orDefault(f.CodeName, r.CodeName),
		MsgName:     orDefault(f.MsgName, r.MsgName),
		DataName:    orDefault(f.DataName, r.DataName),
		SuccessCode: orDefault(f.SuccessCode, r.SuccessCode),

		XMLJSONField: orDefault(f.XMLJSONField, r.XMLJSONField),
	}
}

// The protocols of an OA's interface.
const (
	REST       = string(v1alpha1.ProtocolREST)
	Webservice = string(v1alpha1.ProtocolWebservice)
)

// DefaultXMLJSONField is the element of a web service's answer that holds the JSON (F15).
const DefaultXMLJSONField = "out"

// For returns r with the default of a protocol: a web service answers in XML (F15), a REST interface in JSON (F16).
func (r Result) For(protocol string) Result {
	if protocol == Webservice {
		r.XMLJSONField = orDefault(r.XMLJSONField, DefaultXMLJSONField)
	}
	return r
}

// Verdict is what a result mapping says about an answer.
type Verdict struct {
	// OK is true only when the answer says so.
	OK bool
	// Code and Message as the OA wrote them; Message is cut to MaxMessage characters.
	Code, Message string
	// Readable is false when the answer is neither JSON nor, where that is expected, XML; such as an HTML page.
	Readable bool
	// Fault is the code of a SOAP fault, without its prefix; empty when there is none. Message then says what the fault
	// says.
	Fault string
}

// Judge reads an answer in UTF-8 (F10–F16); Decode makes that of others. DataName is looked up first, then CodeName and MsgName in it; each may be a path
// such as result.code. The code is compared as text: "0" matches 0 and "0", "true" matches true and "true"; numbers also
// match by value (0.0). An absent or null code is never success. Without a CodeName every JSON answer and the empty one
// are success.
func (r Result) Judge(body []byte) Verdict {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\uFEFF")))
	switch {
	case len(body) == 0:
		return Verdict{OK: r.CodeName == "", Readable: r.CodeName == ""}
	case body[0] == '<' && r.XMLJSONField != "":
		return r.judgeXML(body)
	}
	v, _ := r.judgeJSON(body)
	return v
}

// judgeJSON returns false when the document is not JSON.
func (r Result) judgeJSON(body []byte) (Verdict, bool) {
	if !json.Valid(body) { // not gjson.Valid, which does not bound the depth
		return Verdict{}, false
	}
	scope := gjson.ParseBytes(body)
	if r.DataName != "" {
		scope = scope.Get(LiteralPath(r.DataName))
	}
	v := Verdict{Readable: true}
	if r.MsgName != "" {
		v.Message = messageOf(scope.Get(LiteralPath(r.MsgName)))
	}
	if r.CodeName == "" {
		v.OK = true
		return v, true
	}
	code := scope.Get(LiteralPath(r.CodeName))
	switch code.Type {
	case gjson.String:
		v.Code = clean(code.Str)
		v.OK = code.Str == r.SuccessCode
	case gjson.Number:
		v.Code = clean(code.Raw)
		v.OK = code.Raw == r.SuccessCode || sameNumber(code.Raw, r.SuccessCode)
	case gjson.True, gjson.False:
		v.Code = code.Raw
		v.OK = code.Raw == r.SuccessCode
	}
	v.OK = v.OK && r.SuccessCode != ""
	return v, true
}

// LiteralPath makes a path in which only the dot has a meaning: a name can hold none of gjson's wildcards, queries or
// modifiers.
func LiteralPath(path string) string {
	names := strings.Split(path, ".")
	for i, n := range names {
		names[i] = gjson.Escape(n)
	}
	return strings.Join(names, ".")
}

// sameNumber compares short numbers by value; long ones might only look the same after rounding.
func sameNumber(a, b string) bool {
	const exact = 15 // decimal digits that a float64 always keeps
	if len(a) > exact || len(b) > exact {
		return false
	}
	x, err := strconv.ParseFloat(a, 64)
	if err != nil {
		return false
	}
	y, err := strconv.ParseFloat(b, 64)
	return err == nil && x == y
}

// messageOf returns a message as one line. The parts of a list (Seeyon's errorMsgs) are joined.
func messageOf(m gjson.Result) string {
	if m.IsArray() {
		var parts []string
		size := 0
		m.ForEach(func(_, item gjson.Result) bool {
			if s := clean(item.String()); s != "" {
				parts = append(parts, s)
				size += len(s)
			}
			return size < MaxMessage*utf8.UTFMax
		})
		return clean(strings.Join(parts, "; "))
	}
	return clean(m.String())
}

// clean makes one line of at most MaxMessage characters.
func clean(s string) string {
	if len(s) > MaxMessage*utf8.UTFMax {
		s = s[:MaxMessage*utf8.UTFMax]
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > MaxMessage {
		s = string([]rune(s)[:MaxMessage-1]) + "…"
	}
	return s
}
