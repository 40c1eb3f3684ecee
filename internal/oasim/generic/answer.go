package generic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/oabridge/oabridge/internal/oasim/soap"
)

// document is an outcome in the form of the shape.
func (r Result) document(o outcome) map[string]any {
	code := o.code
	if code == "" {
		code = r.Success
	}
	out := map[string]any{}
	set(out, r.Code, r.value(code))
	if r.Message != "" {
		set(out, r.Message, o.message)
	}
	if r.Data != "" {
		set(out, r.Data, o.data)
	}
	return out
}

func (r Result) value(code string) any {
	switch n, err := strconv.ParseFloat(code, 64); {
	case r.Numeric && err == nil:
		return n
	case r.Numeric && (code == "true" || code == "false"):
		return code == "true"
	}
	return code
}

// set puts a value at a dotted path.
func set(doc map[string]any, path string, value any) {
	head, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		doc[head] = value
		return
	}
	next, ok := doc[head].(map[string]any)
	if !ok {
		next = map[string]any{}
		doc[head] = next
	}
	set(next, rest, value)
}

func marshal(doc any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(doc)
	return strings.TrimSpace(b.String())
}

func (s *Generic) answerREST(w http.ResponseWriter, status int, o outcome) {
	body, name := []byte(marshal(s.shape.Result.document(o))), "UTF-8"
	if s.Settings().GBK {
		// A character that GBK lacks becomes an escape of JSON, which is GBK.
		name = "GBK"
		if out, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(escapeBeyondGBK(string(body)))); err == nil {
			body = out
		}
	}
	w.Header().Set("Content-Type", "application/json;charset="+name)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func escapeBeyondGBK(text string) string {
	var b strings.Builder
	encoder := simplifiedchinese.GBK.NewEncoder()
	for _, r := range text {
		if _, err := encoder.String(string(r)); err != nil {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (s *Generic) style() soap.Style {
	return soap.Style{Space: s.shape.Namespace, Prefix: s.shape.Result.Prefix, GBK: s.Settings().GBK, Qualified: true}
}

func (s *Generic) answerSOAP(w http.ResponseWriter, call soap.Call, o outcome) {
	r := s.shape.Result
	doc := r.document(o)
	out := soap.Part{Name: r.XMLField, Text: marshal(doc), Form: r.XMLForm}
	if r.XMLForm == asElements {
		out = soap.Part{Name: r.XMLField, Parts: parts(doc)}
	}
	s.style().Answer(w, call.Version, call.Operation.Name+"Response", out)
}

// parts writes a result as elements, in the order of their names.
func parts(doc map[string]any) []soap.Part {
	out := []soap.Part{}
	for _, name := range slices.Sorted(maps.Keys(doc)) {
		switch v := doc[name].(type) {
		case nil:
			out = append(out, soap.Part{Name: name})
		case map[string]any:
			out = append(out, soap.Part{Name: name, Parts: parts(v)})
		case string:
			out = append(out, soap.Part{Name: name, Text: v})
		default:
			out = append(out, soap.Part{Name: name, Text: marshal(v)})
		}
	}
	return out
}
