package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"maps"
	"net/url"
	"regexp"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// A record holds what the driver sent. Drivers add to what the template makes: an account in the header of a SOAP envelope, a
// token in the query, a number where the template can only have a string. A test is about the template, so that is undone.

// undone is the body of a record as the template made it, where only the driver's own part differs.
func undone(protocol string, sent string, made []byte) string {
	if protocol == scenario.Webservice {
		return withHeader(sent, made)
	}
	var was, is any
	if read([]byte(sent), &was) != nil || read(made, &is) != nil {
		return sent
	}
	out, err := json.Marshal(withStrings(was, is))
	if err != nil {
		return sent
	}
	return string(out)
}

func read(data []byte, v *any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(v)
}

// withStrings turns numbers of was into strings where is has the same digits as a string.
func withStrings(was, is any) any {
	switch w := was.(type) {
	case map[string]any:
		if i, ok := is.(map[string]any); ok {
			for k := range w {
				w[k] = withStrings(w[k], i[k])
			}
		}
	case []any:
		if i, ok := is.([]any); ok && len(i) == len(w) {
			for n := range w {
				w[n] = withStrings(w[n], i[n])
			}
		}
	case json.Number:
		if text, ok := is.(string); ok && text == w.String() {
			return text
		}
	}
	return was
}

// withHeader gives a SOAP envelope the header that the template made.
func withHeader(sent string, made []byte) string {
	was, end, there := header(sent)
	if !there {
		return sent
	}
	own := ""
	if from, to, ok := header(string(made)); ok {
		own = string(made[from:to])
	}
	return sent[:was] + own + sent[end:]
}

// header is where the header of a SOAP envelope begins and ends.
func header(envelope string) (from, to int64, there bool) {
	d := xml.NewDecoder(strings.NewReader(envelope))
	for depth, before := 0, int64(0); ; before = d.InputOffset() {
		token, err := d.Token()
		if err != nil {
			return 0, 0, false
		}
		switch e := token.(type) {
		case xml.StartElement:
			if depth == 1 && e.Name.Local == "Header" {
				return before, endOf(d), true
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

// endOf skips what is left of an element.
func endOf(d *xml.Decoder) int64 {
	_ = d.Skip() // a document that ends too early ends here
	return d.InputOffset()
}

// sentinel stands for a value that is to be found.
const sentinel = "oabridge0lookup0value"

// found adds the values that the lookup of a call found. A record has only the call itself: they are read from where the
// template writes them.
func found(t Template, test v1alpha1.TemplateTest, r *record.Record) v1alpha1.TemplateTest {
	made, _ := scenario.RunTest(t.Spec, withoutExpectations(test)) // that the lookup has no answer is the problem
	if made.Lookup == nil {
		return test
	}
	address := pathOf(r.URL)
	if u, err := url.Parse(r.URL); err == nil {
		address = u.RequestURI()
	}
	for name := range made.Lookup.Values {
		trial := withoutExpectations(test)
		trial.Fields = maps.Clone(test.Fields)
		for other := range made.Lookup.Values {
			trial.Fields[scenario.LookupPrefix+other] = "x"
		}
		trial.Fields[scenario.LookupPrefix+name] = sentinel
		call, problem := scenario.RunTest(t.Spec, trial)
		if problem != nil {
			continue
		}
		if value := cmp.Or(behind(call.Path, address), behind(string(call.Body), r.Request)); value != "" {
			test.Fields[scenario.LookupPrefix+name] = value
		}
	}
	return test
}

// withoutExpectations is a test that only renders.
func withoutExpectations(t v1alpha1.TemplateTest) v1alpha1.TemplateTest {
	return v1alpha1.TemplateTest{Name: t.Name, Action: t.Action, Fields: t.Fields, Parameters: t.Parameters}
}

// behind is what stands in a text in the place of the first sentinel of a pattern, or "".
func behind(pattern, text string) string {
	before, after, ok := strings.Cut(pattern, sentinel)
	if !ok {
		return ""
	}
	after, _, _ = strings.Cut(after, sentinel)
	end := after
	if end == "" {
		end = "$"
	} else {
		end = regexp.QuoteMeta(end)
	}
	m := regexp.MustCompile(regexp.QuoteMeta(before) + `([^/?&"<]+)` + end).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}
