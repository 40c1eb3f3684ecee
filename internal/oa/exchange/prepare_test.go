package exchange

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestNumber(t *testing.T) {
	for in, want := range map[string]string{
		`{"agentid":"1000002","x":"1"}`: `{"agentid":1000002,"x":"1"}`,
		`{"agentid":"0"}`:               `{"agentid":0}`,
		`{"agentid":""}`:                `{"agentid":""}`,
		`{"agentid":"007"}`:             `{"agentid":"007"}`,
		`{"agentid":"1,\"x\":2"}`:       `{"agentid":"1,\"x\":2"}`,
		`{"agentid":7}`:                 `{"agentid":7}`,
		`{"x":{"agentid":"7"}}`:         `{"x":{"agentid":"7"}}`,
		`<agentid>7</agentid>`:          `<agentid>7</agentid>`,
		``:                              ``,
	} {
		if got := string(Number([]byte(in), "agentid")); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

func TestFill(t *testing.T) {
	if got := string(Fill([]byte(`{"a":"","b":"x"}`), "a", `"}`)); got != `{"a":"\"}","b":"x"}` {
		t.Error(got)
	}
	for _, body := range []string{`{"a":"1"}`, `{"b":""}`, `{"a":null}`} {
		if got := string(Fill([]byte(body), "a", "x")); got != body {
			t.Errorf("%s became %s", body, got)
		}
	}
}

// Whatever the data, a text that is cut stays valid JSON and UTF-8 and within its bound, and one that fits stays as it is.
func FuzzShorten(f *testing.F) {
	for _, seed := range []string{"", "报价单", `"\"}`, "ab\x80cd", "😀😀😀😀😀😀😀😀", "\u2028<>&"} {
		f.Add(seed, 16)
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = 3 + int(uint(limit)%200)
		body, err := json.Marshal(map[string]string{"a": text, "z": text})
		if err != nil {
			t.Fatal(err)
		}
		var before, after map[string]string
		if err := json.Unmarshal(body, &before); err != nil {
			t.Fatal(err)
		}
		got := Shorten(body, "a", limit)
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if len(before["a"]) <= limit && after["a"] != before["a"] || len(after["a"]) > limit || !utf8.ValidString(after["a"]) || after["z"] != before["z"] {
			t.Errorf("%q with %d became %q", before["a"], limit, after["a"])
		}
	})
}
