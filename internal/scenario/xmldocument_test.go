package scenario_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

// xmlText is a value as it comes back from an XML parser: what XML forbids was replaced.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return utf8.RuneError
		}
		return r
	}, validUTF8(s))
}

var hostileXML = rapid.OneOf(hostile, rapid.StringMatching(`[\]>&;<"'{}\\,:a]{0,12}`), rapid.SampledFrom([]string{
	"]]>", "]]", "]", ">", "]>", "]]]]>>", "<![CDATA[x]]>", "&amp;", "&#x0;", "</in0>", "<!--", "?>", "\r", "\r\n", "\t", "\u0085", "\ufffe",
	`"}`, `"},{"x":"`, `'}`, "</p></d></json>", `\`, `\u0022`, "<?xml version='1.0'?>",
}))

// read parses XML into the path of each element and attribute with its text, in order.
func read(t interface{ Fatalf(string, ...any) }, document string) (paths, texts []string) {
	d := xml.NewDecoder(strings.NewReader(document))
	var open []int
	path := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return paths, texts
		}
		if err != nil {
			t.Fatalf("%v in %q", err, document)
		}
		switch v := token.(type) {
		case xml.StartElement:
			path += "/" + v.Name.Local
			open = append(open, len(paths))
			paths, texts = append(paths, path), append(texts, "")
			for _, a := range v.Attr {
				paths, texts = append(paths, path+"/@"+a.Name.Local), append(texts, a.Value)
			}
		case xml.EndElement:
			open = open[:len(open)-1]
			path = path[:strings.LastIndexByte(path, '/')]
		case xml.CharData:
			if len(open) > 0 {
				texts[open[len(open)-1]] += string(v)
			}
		case xml.Comment, xml.Directive:
			t.Fatalf("a comment or directive came out of %q", document)
		}
	}
}

// Whatever the data holds, the document has the same elements and attributes, no placeholder is left, and every value comes
// back whole: from text, attributes, CDATA, URLs, and from JSON and XML that stand in them. // F23 F25
func TestValuesStayInTheirElement(t *testing.T) { // TM-04
	const body = `<r a="#F001" b='x#F012#F053'><t>#F053]]&gt;#F054</t><c><![CDATA[#F012]#F053>#F054]>]]></c><u>https://sso.example/#F015?q=#F054</u>` +
		`<json>{"d":"#F053","p":["#F054",{"n":"#F012#F001"}]}</json><cd><![CDATA[ {"d":"#F053>#F012"} ]]></cd><at j='{"d":"#F053"}'/>` +
		`<x>&lt;m k="#F012"&gt;#F053&lt;/m&gt;</x><xc><![CDATA[<m><n><![CDATA[#F053]]]]><![CDATA[></n></m>]]></xc></r>`
	s := parse(t, webservice(body))
	rapid.Check(t, func(t *rapid.T) {
		f := scenario.Fields{}
		for _, id := range []string{"F001", "F012", "F053", "F054"} {
			f[id] = hostileXML.Draw(t, id)
		}
		f["F015"] = "id"
		req, err := s.Render(scenario.Create, f)
		if err != nil {
			t.Fatal(err)
		}
		paths, texts := read(t, string(req.Body))
		wantPaths := []string{"/r", "/r/@a", "/r/@b", "/r/t", "/r/c", "/r/u", "/r/json", "/r/cd", "/r/at", "/r/at/@j", "/r/x", "/r/xc"}
		if diff := cmp.Diff(wantPaths, paths); diff != "" {
			t.Fatalf("%q: %s", req.Body, diff)
		}
		v := func(id string) string { return xmlText(f[id]) }
		equal := func(what, want, got string) {
			t.Helper()
			if want != got {
				t.Fatalf("%s: got %q, want %q in %q", what, got, want, req.Body)
			}
		}
		equal("a", v("F001"), texts[1])
		equal("b", "x"+v("F012")+v("F053"), texts[2])
		equal("t", v("F053")+"]]>"+v("F054"), texts[3])
		equal("c", v("F012")+"]"+v("F053")+">"+v("F054")+"]>", texts[4])
		u, err := url.Parse(texts[5])
		if err != nil || u.Query().Get("q") != validUTF8(f["F054"]) || u.Path != "/id" {
			t.Fatalf("u: %q %v", texts[5], err)
		}
		var j struct {
			D string
			P []any
		}
		// JSON has room for control characters, but not XML for U+FFFE.
		jv := func(id string) string {
			return strings.NewReplacer("\ufffe", "\uFFFD", "\uffff", "\uFFFD").Replace(validUTF8(f[id]))
		}
		if err := json.Unmarshal([]byte(texts[6]), &j); err != nil {
			t.Fatalf("json: %q %v", texts[6], err)
		}
		equal("json.d", jv("F053"), j.D)
		if diff := cmp.Diff([]any{jv("F054"), map[string]any{"n": jv("F012") + jv("F001")}}, j.P); diff != "" {
			t.Fatal(diff)
		}
		for i, want := range map[int]string{7: jv("F053") + ">" + jv("F012"), 9: jv("F053")} {
			var inner map[string]string
			if err := json.Unmarshal([]byte(texts[i]), &inner); err != nil || len(inner) != 1 {
				t.Fatalf("%s: %q %v", paths[i], texts[i], err)
			}
			equal(paths[i], want, inner["d"])
		}
		paths, inner := read(t, texts[10])
		if diff := cmp.Diff([]string{"/m", "/m/@k"}, paths); diff != "" {
			t.Fatalf("%q: %s", texts[10], diff)
		}
		equal("x", v("F053"), inner[0])
		equal("x/@k", v("F012"), inner[1])
		paths, inner = read(t, texts[11])
		if diff := cmp.Diff([]string{"/m", "/m/n"}, paths); diff != "" {
			t.Fatalf("%q: %s", texts[11], diff)
		}
		equal("xc", v("F053"), inner[1])
	})
}

// JSON that stands as a string in JSON, as some OA products want it, is kept whole too. // F26
func TestValuesStayInJSONInsideJSON(t *testing.T) { // TM-04
	s := parse(t, definition(scenario.Call{Body: `{"content":"{\"text\":\"#F053\",\"url\":\"https://x.example/#F015\"}","html":"<b class='x'>#F053</b>","no":"[#F053] {#F054}"}`}))
	rapid.Check(t, func(t *rapid.T) {
		f := scenario.Fields{"F015": "id", "F053": hostileXML.Draw(t, "F053"), "F054": hostileXML.Draw(t, "F054")}
		req, err := s.Render(scenario.Create, f)
		if err != nil {
			t.Fatal(err)
		}
		var outer, inner map[string]string
		if err := json.Unmarshal(req.Body, &outer); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(outer["content"]), &inner); err != nil {
			t.Fatalf("%q: %v", outer["content"], err)
		}
		paths, texts := read(t, outer["html"])
		if inner["text"] != validUTF8(f["F053"]) || len(inner) != 2 || inner["url"] != "https://x.example/id" ||
			outer["no"] != "["+validUTF8(f["F053"])+"] {"+validUTF8(f["F054"])+"}" || len(paths) != 2 || texts[0] != xmlText(f["F053"]) {
			t.Fatalf("%q", req.Body)
		}
	})
}

// Whatever a parameter's value is, it is plain text in XML as well.
func TestParametersStayInTheirElement(t *testing.T) {
	spec := template()
	spec.Protocol = v1alpha1.ProtocolWebservice
	spec.Actions.Create.Body = `<r a="${category}"><t>${category} #F012</t><in0>{"c":"${category}","u":"${connector.ssoURL}/${category}/#F015"}</in0><l> ${connector.ssoURL}/x/#F015</l></r>`
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(hostileXML, rapid.StringMatching(`[#$F0{}1a]{1,8}`)).Draw(t, "value")
		ssoURL := rapid.SampledFrom([]string{"https://sso.example", ""}).Draw(t, "ssoURL")
		d, problems := scenario.Instantiate(spec, map[string]string{"app": "7", "category": value}, map[string]string{"ssoURL": ssoURL}, "crm/t")
		if value == "" || strings.TrimSpace(value) == "." || value == ".." || strings.HasPrefix(strings.TrimSpace(value), "//") || strings.HasPrefix(value, "<?xml") {
			return // refused as in JSON, or a URL whose host would be data, or XML with text after it
		}
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		s, err := scenario.New(d)
		if err != nil {
			t.Fatal(err)
		}
		req, err := s.Render(scenario.Create, item().Fields("lisi", ""))
		if err != nil {
			t.Fatal(err)
		}
		paths, texts := read(t, string(req.Body))
		if diff := cmp.Diff([]string{"/r", "/r/@a", "/r/t", "/r/in0", "/r/l"}, paths); diff != "" {
			t.Fatalf("%q: %s", req.Body, diff)
		}
		var in0 struct{ C, U string }
		if err := json.Unmarshal([]byte(texts[3]), &in0); err != nil {
			t.Fatalf("%q: %v", texts[3], err)
		}
		want := strings.NewReplacer("\ufffe", "\uFFFD", "\uffff", "\uFFFD").Replace(validUTF8(value))
		if texts[1] != xmlText(value) || texts[2] != xmlText(value)+" T-0001" || in0.C != want {
			t.Fatalf("%q came as %q, %q, %q", value, texts[1], texts[2], in0.C)
		}
		if ssoURL == "" && (in0.U != "" || texts[4] != "") { // F109
			t.Fatalf("links without a host: %q %q", in0.U, texts[4])
		}
		if u, err := url.Parse(in0.U); ssoURL != "" && (err != nil || u.Host != "sso.example" || strings.Count(u.EscapedPath(), "/") != 2) {
			t.Fatalf("%q: %v", in0.U, err)
		}
	})
}

// Every mistake in an XML body is named with its place and what to do. // F25
func TestMistakesInXML(t *testing.T) {
	envelope := func(ns string) string { return `<e:Envelope xmlns:e="` + ns + `"/>` }
	for name, c := range map[string]struct {
		body                   string
		reason, field, message string
	}{
		"JSON":                     {`{"a":1}`, v1alpha1.ReasonBodyInvalid, "body", "line 1, column 1: there is text outside the root element"},
		"not closed":               {"<a>\n <b>报</a>", v1alpha1.ReasonBodyInvalid, "body", "line 2, column 6: the end tag a closes no element"},
		"cut off":                  {"<a>\n <b", v1alpha1.ReasonBodyInvalid, "body", "line 2"},
		"end missing":              {"<a>\n <b/>", v1alpha1.ReasonBodyInvalid, "body", "line 2, column 6: the element a is not closed"},
		"two roots":                {"<a/>\n<b/>", v1alpha1.ReasonBodyInvalid, "body", "line 2, column 1: there is a second root element, b"},
		"nothing":                  {"<!-- -->", v1alpha1.ReasonBodyInvalid, "body", "there is no element"},
		"bare ampersand":           {"<a>R&D</a>", v1alpha1.ReasonBodyInvalid, "body", "line 1, column"},
		"entity":                   {"<a>&nbsp;</a>", v1alpha1.ReasonBodyInvalid, "body", "invalid character entity &nbsp;"},
		"DOCTYPE":                  {`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, v1alpha1.ReasonBodyInvalid, "body", "a DOCTYPE is not allowed"},
		"processing instruction":   {`<a><?php x?></a>`, v1alpha1.ReasonBodyInvalid, "body", "line 1, column 4: the processing instruction php"},
		"late declaration":         {" <?xml version=\"1.0\"?><a/>", v1alpha1.ReasonBodyInvalid, "body", "at the very beginning"},
		"other charset":            {`<?xml version="1.0" encoding="GBK"?><a/>`, v1alpha1.ReasonBodyInvalid, "body", `declare encoding="UTF-8" instead of GBK`},
		"prefix":                   {"<a><web:in0/></a>", v1alpha1.ReasonBodyInvalid, "body", "line 1, column 4: the prefix of web:in0 is not declared; add xmlns:web"},
		"prefix out of scope":      {`<a><b xmlns:x="u"/><x:c/></a>`, v1alpha1.ReasonBodyInvalid, "body", "x:c is not declared"},
		"prefix of an attribute":   {`<a x:y="1"/>`, v1alpha1.ReasonBodyInvalid, "body", "x:y is not declared"},
		"attribute twice":          {`<a xmlns:x="u" xmlns:y="u" x:a="1" y:a="2"/>`, v1alpha1.ReasonBodyInvalid, "body", "the attribute y:a is there twice"},
		"placeholder as element":   {"<a><#F012/></a>", v1alpha1.ReasonBodyInvalid, "body", "text, CDATA and attribute values only"},
		"parameter as attribute":   {`<a ${b}="1"/>`, v1alpha1.ReasonBodyInvalid, "body", "text, CDATA and attribute values only"},
		"placeholder in a comment": {"<a><!-- #F012 --></a>", v1alpha1.ReasonBodyInvalid, "body", "a comment holds a placeholder"},
		"placeholder as namespace": {`<a xmlns="#F012"/>`, v1alpha1.ReasonBodyInvalid, "body", "the namespace xmlns holds a placeholder"},
		"typo":                     {"<a><b><c>x #F0O1</c></b></a>", v1alpha1.ReasonUnknownPlaceholder, "body.a.b.c", "did you mean #F001?"},
		"typo in an attribute":     {`<a><b d="#F0O1"/></a>`, v1alpha1.ReasonUnknownPlaceholder, "body.a.b.@d", "did you mean #F001?"},
		"typo in CDATA":            {"<a><![CDATA[#F0O1]]></a>", v1alpha1.ReasonUnknownPlaceholder, "body.a", "did you mean #F001?"},
		"typo in JSON inside":      {`<in0>{"a":["#F0O1"]}</in0>`, v1alpha1.ReasonUnknownPlaceholder, "body.in0.a[0]", "did you mean #F001?"},
		"JSON inside is broken":    {`<in0>{"a":"#F001",}</in0>`, v1alpha1.ReasonBodyInvalid, "body.in0", "this text is JSON in itself: line 1, column 14"},
		"single quotes inside":     {`<in0>{'a':'#F001'}</in0>`, v1alpha1.ReasonBodyInvalid, "body.in0", "this text is JSON in itself"},
		"key inside":               {`<in0>{"#F001":"a"}</in0>`, v1alpha1.ReasonBodyInvalid, "body.in0", "values only"},
		"XML inside is broken":     {`<in0><![CDATA[<?xml version="1.0"?><a>#F001</b>]]></in0>`, v1alpha1.ReasonBodyInvalid, "body.in0", "this text is XML in itself"},
		"host from data":           {"<u>https://#F053/x</u>", v1alpha1.ReasonBodyInvalid, "body.u", "host"},
		"parameter left":           {"<u>${ei}</u>", v1alpha1.ReasonParameterInvalid, "body.u", "${ei} has no value"},
		"envelope of no version":   {envelope("http://schemas.xmlsoap.org/soap/envelope"), v1alpha1.ReasonBodyInvalid, "body", "is that of no SOAP version"},
		"envelope without one":     {"<Envelope/>", v1alpha1.ReasonBodyInvalid, "body", "is that of no SOAP version"},
		"too deep":                 {strings.Repeat("<a>", 80) + strings.Repeat("</a>", 80), v1alpha1.ReasonBodyInvalid, "body", "nested more than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scenario.New(webservice(c.body))
			var invalid *scenario.InvalidError
			if !errors.As(err, &invalid) || len(invalid.Problems) != 1 {
				t.Fatalf("got %v", err)
			}
			p := invalid.Problems[0]
			if p.Reason != c.reason || p.Field != "actions.create."+c.field || !strings.Contains(p.Message, c.message) {
				t.Errorf("got %s %s", p.Reason, p)
			}
		})
	}
	for name, c := range map[string]struct {
		spoil          func(*scenario.Call)
		field, message string
	}{
		"batch": {func(c *scenario.Call) { c.Batch = &scenario.Batch{Path: "/x"} }, ".batch", "every item goes alone"},
		"action with data": {func(c *scenario.Call) {
			c.Headers = []scenario.Header{{Name: "SOAPAction", Value: "urn:#F012"}}
		}, ".headers[SOAPAction]", "no placeholder"},
		"read-back by GET": {func(c *scenario.Call) {
			c.ReadBack = &scenario.ReadBack{Method: "GET", Path: "/x", Body: "<a/>", Result: scenario.Result{CodeName: "a", SuccessCode: "1"}}
		}, ".readBack.method", "set method: POST"},
	} {
		d := webservice(`<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>`)
		call := d.Calls[scenario.Create]
		c.spoil(&call)
		d.Calls[scenario.Create] = call
		_, err := scenario.New(d)
		var invalid *scenario.InvalidError
		if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Field != "actions.create"+c.field || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Whatever a body and a value are, there is an error or a document with nothing unresolved and nothing broken out.
func FuzzRenderXML(f *testing.F) {
	for _, body := range []string{weaverTodo, weaverDelete, landraySend, "<a b='#F012'>#F053</a>", "<a><![CDATA[#F012>]]></a>",
		`<a>&lt;b&gt;#F012&lt;/b&gt;</a>`, "<a>[#F012]</a>", "<a>https://x/#F012</a>", "<?xml version='1.0'?><a>##F012</a>"} {
		for _, value := range []string{"", "]]>", `"},{"`, "</a><b>", "..", "\x00\xff", "#F001"} {
			f.Add(body, value)
		}
	}
	f.Fuzz(func(t *testing.T, body, value string) {
		s, err := scenario.New(webservice(body))
		if err != nil {
			return
		}
		values := func(v string) scenario.Fields {
			fields := scenario.Fields{}
			for _, p := range scenario.Dictionary() {
				fields[p.ID] = v
			}
			fields["F009"] = "2026-11-22T01:30:00Z"
			return fields
		}
		plain, err := s.Render(scenario.Create, values("x"))
		if err != nil {
			t.Fatalf("an ordinary value: %v", err)
		}
		got, err := s.Render(scenario.Create, values(value))
		if err != nil {
			var bad *scenario.RenderError
			if !errors.As(err, &bad) || value != "" && !strings.Contains(value, ".") && len(value) < 1<<10 {
				t.Fatalf("%q: %v", value, err)
			}
			return
		}
		if len(plain.Body) == 0 {
			return
		}
		structure := func(document []byte) (tokens []string) {
			d := xml.NewDecoder(strings.NewReader(string(document)))
			for {
				token, err := d.Token()
				if errors.Is(err, io.EOF) {
					return tokens
				}
				if err != nil {
					t.Fatalf("%v in %q", err, document)
				}
				switch v := token.(type) {
				case xml.StartElement:
					tokens = append(tokens, v.Name.Space+" "+v.Name.Local)
					for _, a := range v.Attr {
						tokens = append(tokens, "@"+a.Name.Space+" "+a.Name.Local)
					}
				case xml.EndElement:
					tokens = append(tokens, "/")
				}
			}
		}
		if diff := cmp.Diff(structure(plain.Body), structure(got.Body)); diff != "" {
			t.Fatalf("%q in %q changes the document:\n%s", value, body, diff)
		}
	})
}
