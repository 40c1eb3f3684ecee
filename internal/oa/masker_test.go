package oa

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestMasker(t *testing.T) {
	m := NewMasker("p<w>/ö\"1", "", "tok-123", "tok-123-long")
	for in, want := range map[string]string{
		"nothing here":                         "nothing here",
		`p<w>/ö"1`:                             "***",
		"/token/rest/p%3Cw%3E%2F%C3%B6%221":    "/token/rest/***",
		"?token=tok-123&a=b":                   "?token=***&a=b",
		`{"password":"p<w>/ö\"1"}`:             `{"password":"***"}`,
		`{"password":"p\u003cw\u003e/ö\"1"}`:   `{"password":"***"}`,
		"<b>p&lt;w&gt;/ö&#34;1</b>":            "<b>***</b>",
		"tok-123-long tok-123-lon tok-123tok-": "*** ***-lon ***tok-",
	} {
		if got := m.String(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// A short secret is masked as a word of its own, in every spelling, and not inside of other words and numbers.
func TestShortSecrets(t *testing.T) {
	m := NewMasker("1", "a<b", "ab1")
	for in, want := range map[string]string{
		`{"userName":"ab12","password":"ab1"}`: `{"userName":"ab12","password":"***"}`,
		"/token/crm/1":                         "/token/crm/***",
		"T-1001 of 2026-11-22, 10:31":          "T-1001 of 2026-11-22, 10:31",
		"?u=x%2F1&p=ab1&q=ab1c":                "?u=x%2F***&p=***&q=ab1c",
		`"x\n1" "x\u003c1" "\\1"`:              `"x\n***" "x\u003c***" "\\***"`,
		"密码ab1错误":                              "密码***错误",
		"a&lt;b a<b xa<b a<bc":                 "*** *** xa<b a<bc",
		"a%3Cb":                                "***",
		"ab1ab1 ab1":                           "ab1ab1 ***",
		"1":                                    "***",
	} {
		if got := m.String(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// A secret that straddles the cut is masked whole, and the cut never splits a character.
func TestMaskerCutsAfterMasking(t *testing.T) {
	m := NewMasker("0123456789")
	if got := string(m.Bytes([]byte("abc0123456789def"), 6)); got != "abc***" {
		t.Errorf("got %s", got)
	}
	if got := m.Bytes([]byte("长长长"), 4); string(got) != "长" || !utf8.Valid(got) {
		t.Errorf("got %q", got)
	}
	if got := m.Bytes(nil, 4); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestZeroMaskerChangesNothing(t *testing.T) {
	var none *Masker
	for _, m := range []*Masker{none, {}, NewMasker(), NewMasker("")} {
		if got := m.String("as it is"); got != "as it is" {
			t.Errorf("got %s", got)
		}
	}
	if none.Knows() || !NewMasker("a", "b").Knows("a", "b") || NewMasker("a").Knows("b") {
		t.Error("Knows is wrong")
	}
}

// No secret survives in any of the places where a request keeps one.
func TestMaskerProperty(t *testing.T) { // TM-22
	rapid.Check(t, func(r *rapid.T) {
		secrets := rapid.SliceOfN(rapid.StringN(minAnywhere, 20, -1), 1, 4).Draw(r, "secrets")
		m := NewMasker(secrets...)
		for _, s := range secrets {
			quoted, err := json.Marshal(map[string]string{"password": s})
			if err != nil {
				r.Fatal(err)
			}
			for _, in := range []string{s, "/token/u/" + url.PathEscape(s), "?token=" + url.QueryEscape(s), string(quoted)} {
				out := m.String(in)
				if !strings.Contains(out, Mask) {
					r.Fatalf("%q is not masked: %q", in, out)
				}
				if !strings.Contains(Mask+"/token/u/?token={\"password\":\"\"}", s) && strings.Contains(out, s) {
					r.Fatalf("%q still holds %q: %q", in, s, out)
				}
			}
		}
	})
}
