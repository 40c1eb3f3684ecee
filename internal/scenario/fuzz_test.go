package scenario_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/oabridge/oabridge/internal/scenario"
)

// Whatever a template and the values in it are, a rendered body is JSON of the template's own shape, and the path holds
// the values as data.
func FuzzRender(f *testing.F) {
	for _, body := range []string{`{"id":"#F012"}`, `["#F053",{"a":"x#F054#F056"}]`, `{"n": 1.0, "t": "##F001", "u": "https://x/#F012"}`,
		`"#F012"`, `{"in":"{\"a\":\"#F053\"}"}`, `{"a":"#F012","a":"#F053"}`} {
		for _, value := range []string{"", `"},{"`, "\\", "../..", "#F001", "\x00\xff", "a b&c=d"} {
			f.Add("/rest/#F012?q=#F053", body, value)
		}
	}
	f.Fuzz(func(t *testing.T, path, body, value string) {
		s, err := scenario.New(definition(scenario.Call{Path: path, Body: body}))
		if err != nil {
			return
		}
		shape := func(value string) (string, []string) {
			fields := scenario.Fields{}
			for _, p := range scenario.Dictionary() {
				fields[p.ID] = value
			}
			fields["F009"] = "2026-11-22T01:30:00Z"
			req, err := s.Render(scenario.Create, fields)
			if err != nil {
				var bad *scenario.RenderError
				if !errors.As(err, &bad) {
					t.Fatalf("%q: %v", value, err)
				}
				return "", nil
			}
			u, err := url.ParseRequestURI(req.Path)
			if err != nil {
				t.Fatalf("path %q: %v", req.Path, err)
			}
			var keys []string
			for k := range u.Query() {
				keys = append(keys, k)
			}
			if len(req.Body) > 0 && !json.Valid(req.Body) {
				t.Fatalf("not JSON: %q", req.Body)
			}
			return outline(t, req.Body), keys
		}
		plain, keys := shape("x")
		other, otherKeys := shape(value)
		if keys != nil && otherKeys != nil && len(keys) != len(otherKeys) {
			t.Fatalf("%q changes the query: %q, %q", value, keys, otherKeys)
		}
		if plain != "" && other != "" && plain != other {
			t.Fatalf("%q changes the document from %s to %s", value, plain, other)
		}
	})
}

// outline of a JSON document: its tokens without the texts.
func outline(t *testing.T, document []byte) string {
	var b strings.Builder
	d := json.NewDecoder(strings.NewReader(string(document)))
	for d.More() {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch v := token.(type) {
		case json.Delim:
			b.WriteString(v.String())
		default:
			b.WriteString(".")
		}
	}
	return b.String()
}

// Whatever an OA answers, and however its result format is described, there is a verdict with a message that is bounded
// and safe to show, and nothing that is not an answer counts as success. // F10 F14 F15
func FuzzResult(f *testing.F) {
	for _, answer := range []string{`{"success":true,"errorMsgs":[]}`, `{"success":"false","errorMsgs":["x"]}`, `{"a":{"b":[0]}}`, "", "null", "<html>", "200",
		`<soap:Envelope xmlns:soap="x"><out>{"success":true}</out></soap:Envelope>`, `<o><out><![CDATA[{"success":true}]]></out></o>`,
		`<o><out>{&quot;success&quot;:&quot;true&quot;}</out></o>`, "<?xml version=\"1.0\" encoding=\"GBK\"?><out>\xc4\xe3</out>",
		`<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`} {
		f.Add(200, answer, "success", "errorMsgs", "true", "out")
		f.Add(500, answer, "a.b.0", "a", "0", "")
	}
	f.Fuzz(func(t *testing.T, status int, answer, code, message, success, field string) {
		r := scenario.Result{CodeName: code, MsgName: message, SuccessCode: success, XMLJSONField: field}
		v := r.Judge([]byte(answer))
		class, words := scenario.Classify(status, []byte(answer), r)
		for _, m := range []string{v.Message, words} {
			if !utf8.ValidString(m) || strings.ContainsAny(m, "\r\n\x00") {
				t.Fatalf("message %q", m)
			}
		}
		if v.OK && !v.Readable {
			t.Fatalf("%q is success and cannot be read", answer)
		}
		if class == "" && (status < 200 || status > 299) {
			t.Fatalf("status %d is success", status)
		}
	})
}
