package scenario

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var compareTokens = cmp.AllowUnexported(token{})

func TestParseText(t *testing.T) { // F23 F29
	for text, want := range map[string][]token{
		"#F054 #F056 #F053": {{placeholder, "F054"}, {literal, " "}, {placeholder, "F056"}, {literal, " "}, {placeholder, "F053"}},
		"提交人:#F054提交":       {{literal, "提交人:"}, {placeholder, "F054"}, {literal, "提交"}},
		"#1 # ## #f001 #F":  {{literal, "#1 # ## #f001 #F"}},
		"##F001":            {{literal, "#F001"}},
		"###F001":           {{literal, "#"}, {placeholder, "F001"}},
		"####F001":          {{literal, "##F001"}},
		"#F0O1":             {{placeholder, "F0O1"}},
		"${ei}/$5":          {{parameter, "ei"}, {literal, "/$5"}},
		"$${ei}":            {{literal, "${ei}"}},
		"${connector.x}":    {{parameter, "connector.x"}},
		"":                  nil,
	} {
		got, bad := parseText(text)
		if bad != nil {
			t.Errorf("%q: %v", text, bad)
		}
		if diff := cmp.Diff(want, got, compareTokens); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for _, text := range []string{"${", "${}", "${a b}", "${a.b}", "${connector.}", "a ${x", "$$${"} {
		if got, bad := parseText(text); bad == nil {
			t.Errorf("%q gave %v", text, got)
		}
	}
}

// Whatever text and values stand side by side, writing tokens down and reading them again gives the same tokens: a
// parameter's value can never become a placeholder.
func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Custom(func(t *rapid.T) token {
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				return token{placeholder, rapid.SampledFrom([]string{"F001", "F0O1", "Fx"}).Draw(t, "id")}
			case 1:
				return token{parameter, rapid.SampledFrom([]string{"a", "connector.b"}).Draw(t, "name")}
			default:
				pieces := rapid.SliceOfN(rapid.SampledFrom([]string{"#", "##", "F", "F001", "0", "$", "{", "}", "{a}", "é", " "}), 1, 6)
				return token{literal, strings.Join(pieces.Draw(t, "text"), "")}
			}
		})
		tokens := joinLiterals(rapid.SliceOfN(one, 0, 6).Draw(t, "tokens"))
		// An id swallows letters and digits that follow it. Instantiate refuses a parameter there, so it is not drawn.
		for i := 1; i < len(tokens); i++ {
			if tokens[i-1].kind == placeholder && tokens[i].kind == literal && isAlnum(tokens[i].text[0]) {
				tokens[i].text = " " + tokens[i].text
			}
		}
		text := formatText(tokens)
		again, bad := parseText(text)
		if bad != nil {
			t.Fatalf("%q: %v", text, bad)
		}
		if diff := cmp.Diff(tokens, again, compareTokens); diff != "" && len(tokens)+len(again) > 0 {
			t.Fatalf("%q: %s", text, diff)
		}
	})
}

func TestUnknownPlaceholderHasASuggestion(t *testing.T) { // F23
	for id, want := range map[string]string{
		"F0O1": "F001", "FO01": "F001", "F0I2": "F012", "F01": "F001", "F0012": "F001", "Fo53": "F053", "F05S": "F055", "Ffff": "",
	} {
		if got := suggestPlaceholder(id); got != want {
			t.Errorf("#%s: got %q, want %q", id, got, want)
		}
	}
	if m := unknownPlaceholder("F0O1"); !strings.Contains(m, "did you mean #F001?") || !strings.Contains(m, "##F0O1") {
		t.Error(m)
	}
}
