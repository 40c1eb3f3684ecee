package scenario_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/internal/scenario"
)

func definition(c scenario.Call) scenario.Definition {
	if c.Method == "" {
		c.Method = http.MethodPost
	}
	if c.Path == "" {
		c.Path = "/create"
	}
	return scenario.Definition{
		Kind: "Todo", Calls: map[scenario.Action]scenario.Call{scenario.Create: c},
		TimeZone: scenario.DefaultTimeZone, DateFormat: scenario.DefaultDateFormat,
	}
}

func parse(t testing.TB, d scenario.Definition) *scenario.Scenario {
	t.Helper()
	s, err := scenario.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The order of keys, the spelling of numbers and characters such as < and & go out as they were written. // F22 F26
func TestRenderKeepsTheDocument(t *testing.T) {
	s := parse(t, definition(scenario.Call{
		Method: "PUT",
		Path:   "/rest/待办/#F012?who=#F054&n=1",
		Headers: []scenario.Header{
			{Name: "x-item", Value: "item #F012"}, {Name: "Content-Type", Value: "application/json;charset=utf-8"},
		},
		Body: `{"z": 1.0, "a": [12345678901234567890, 1e3, true, null, "<b>&#F053"], "m": {"#F-":"##F001"}, "s": "\u4e2d"}`,
	}))
	req, err := s.Render(scenario.Create, item().Fields("lisi", ""))
	if err != nil {
		t.Fatal(err)
	}
	want := scenario.Request{
		Method: "PUT",
		Path:   "/rest/%E5%BE%85%E5%8A%9E/T-0001?who=%E5%BC%A0%E4%B8%89&n=1",
		Header: http.Header{"X-Item": {"item T-0001"}, "Content-Type": {"application/json;charset=utf-8"}},
		Body:   []byte(`{"z":1.0,"a":[12345678901234567890,1e3,true,null,"<b>&QT-2026-0001 华东区 <加急>"],"m":{"#F-":"#F001"},"s":"中"}`),
	}
	if diff := cmp.Diff(want, req); diff != "" {
		t.Errorf("%s\n%s", diff, req.Body)
	}
}

func TestRenderWithoutACall(t *testing.T) {
	s := parse(t, definition(scenario.Call{Body: `{}`}))
	if _, err := s.Render(scenario.Delete, nil); !errors.Is(err, scenario.ErrNoCall) {
		t.Errorf("got %v", err)
	}
}

func TestDates(t *testing.T) { // F96
	for format, want := range map[string]string{
		"yyyy-MM-dd HH:mm":             "2026-11-22 09:30",
		"yyyy/MM/dd HH:mm:ss.SSS":      "2026/11/22 09:30:05.070",
		"yyyy-MM-dd'T'HH:mm:ss'+0800'": "2026-11-22T09:30:05+0800",
		"dd.MM.":                       "22.11.",
	} {
		d := definition(scenario.Call{Body: `["#F009"]`})
		d.DateFormat = format
		req, err := parse(t, d).Render(scenario.Create, scenario.Fields{"F009": "2026-11-22T01:30:05.07Z"})
		if err != nil || string(req.Body) != `["`+want+`"]` {
			t.Errorf("%s: got %s, %v", format, req.Body, err)
		}
	}
	s := parse(t, definition(scenario.Call{Body: `["#F009"]`}))
	if _, err := s.Render(scenario.Create, scenario.Fields{"F009": "yesterday"}); err == nil || strings.Contains(err.Error(), "yesterday") {
		t.Errorf("a wrong time gave %v", err)
	}
}

// validUTF8 replaces each byte that is not UTF-8.
func validUTF8(s string) string { return string([]rune(s)) }

// hostile values are what a person could put into a title or an id to break out of its place.
var hostile = rapid.OneOf(
	rapid.String(),
	rapid.SampledFrom([]string{
		"", ".", "..", "../..", "%2e%2e", "..%2f", "a/b", `..\..`, "?x=1", "#frag", "%", "%00", "a&b=c", ";jsessionid=1", "//evil.example", "@evil.example",
		`"`, `\`, `","state":"1`, "\n", "\r\nX-Evil: 1", "\x00", "\xff\xfe", "\u2028", "😀 提交 \"报价单\"\n第二行", "</script>", "#F001", "${ei}",
	}),
)

// Whatever the data holds, a body has the same structure, and each leaf is its text with the values in it. // F23 F26
func TestValuesStayInTheirString(t *testing.T) { // TM-04
	s := parse(t, definition(scenario.Call{Body: `{"a":"#F054 #F056 #F053","b":["x#F012"],"c":{"d":"#F001#F001"}}`}))
	rapid.Check(t, func(t *rapid.T) {
		f := scenario.Fields{}
		for _, id := range []string{"F001", "F012", "F053", "F054", "F056"} {
			f[id] = hostile.Draw(t, id)
		}
		req, err := s.Render(scenario.Create, f)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := json.Unmarshal(req.Body, &got); err != nil {
			t.Fatalf("%q: %v", req.Body, err)
		}
		v := func(id string) string { return validUTF8(f[id]) }
		want := map[string]any{
			"a": v("F054") + " " + v("F056") + " " + v("F053"),
			"b": []any{"x" + v("F012")},
			"c": map[string]any{"d": v("F001") + v("F001")},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q: %s", req.Body, diff)
		}
	})
}

// Whatever the data holds, a URL has the same scheme, host, path depth and query keys, and every value comes back whole;
// or there is an error that names the placeholder. // F30
func TestValuesStayInTheirSegment(t *testing.T) { // TM-04
	s := parse(t, definition(scenario.Call{
		Path: "/rest/#F037/.#F015/end?q=#F053&r=#F054",
		Body: `{"url":"https://sso.example/SeeYon/#F037/.#F015/714439/true?t=#F053&r=#F054"}`,
	}))
	rapid.Check(t, func(t *rapid.T) {
		f := scenario.Fields{}
		for _, id := range []string{"F037", "F015", "F053", "F054"} {
			f[id] = hostile.Draw(t, id)
		}
		req, err := s.Render(scenario.Create, f)
		dots := f["F037"] == "." || f["F037"] == ".." || f["F015"] == "."
		if impossible := f["F037"] == "" || f["F015"] == "" || dots; impossible || err != nil {
			var bad *scenario.RenderError
			if !impossible || !errors.As(err, &bad) || bad.Placeholder != "#F037" && bad.Placeholder != "#F015" {
				t.Fatalf("%q: %v", f, err)
			}
			return
		}
		var body struct{ URL string }
		if err := json.Unmarshal(req.Body, &body); err != nil {
			t.Fatal(err)
		}
		for text, shape := range map[string]struct {
			host, path string
			query      string
		}{
			"http://oa.example" + req.Path: {"oa.example", "/rest/@/.@/end", "q"},
			body.URL:                       {"sso.example", "/SeeYon/@/.@/714439/true", "t"},
		} {
			u, err := url.Parse(text)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			v := func(id string) string { return validUTF8(f[id]) }
			path := strings.Split(u.EscapedPath(), "/")
			want := strings.Split(shape.path, "/")
			want[2], want[3] = v("F037"), "."+v("F015")
			for i := range path {
				if path[i], err = url.PathUnescape(path[i]); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(want, path); diff != "" || u.Host != shape.host || u.Fragment != "" || u.User != nil {
				t.Fatalf("%q: %s", text, diff)
			}
			wantQuery := url.Values{shape.query: {v("F053")}, "r": {v("F054")}}
			if diff := cmp.Diff(wantQuery, u.Query()); diff != "" {
				t.Fatalf("%q: %s", text, diff)
			}
		}
	})
}

// A header holds one line, or there is an error.
func TestValuesStayInTheirHeader(t *testing.T) { // TM-04
	s := parse(t, definition(scenario.Call{Headers: []scenario.Header{{Name: "X-Title", Value: "[#F053]"}}}))
	rapid.Check(t, func(t *rapid.T) {
		value := hostile.Draw(t, "value")
		req, err := s.Render(scenario.Create, scenario.Fields{"F053": value})
		if strings.ContainsAny(value, "\r\n\x00") {
			if err == nil || !strings.Contains(err.Error(), "header X-Title, #F053") {
				t.Fatalf("%q went out: %v", value, err)
			}
			return
		}
		if err == nil && strings.ContainsAny(req.Header.Get("X-Title"), "\r\n\x00") {
			t.Fatalf("%q", req.Header)
		}
	})
}

func TestRenderIsBounded(t *testing.T) {
	s := parse(t, definition(scenario.Call{Body: `["#F053"]`}))
	_, err := s.Render(scenario.Create, scenario.Fields{"F053": strings.Repeat("x", scenario.MaxBody)})
	if err == nil || !strings.Contains(err.Error(), "1048576 bytes") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Render(scenario.Create, scenario.Fields{}); err == nil || !strings.Contains(err.Error(), "#F053: there is no value") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkRender(b *testing.B) {
	s := seeyonTodo(b, map[string]string{"ssoURL": "https://sso.crm.example"})
	f := item().Fields("lisi", "zhangsan")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Render(scenario.Create, f); err != nil {
			b.Fatal(err)
		}
	}
}
