package dictionary

import (
	"strings"
	"testing"
	"unicode"
)

// Every entry can be acted on: a known side, both sentences in both languages, and a source.
func TestEveryEntryIsComplete(t *testing.T) {
	sides := map[string]bool{SideOAAdmin: true, SidePlatform: true, SideCRM: true, SidePerson: true, SideNobody: true}
	classes := map[string]bool{"": true, "Network": true, "Timeout": true, "ServerError": true, "RateLimited": true,
		"AuthExpired": true, "BusinessCode": true, "ReceiverUnknown": true}
	if len(OAs()) == 0 {
		t.Fatal("there is no dictionary")
	}
	for _, oa := range OAs() {
		for _, e := range Of(oa).Entries() {
			name := oa + " " + strings.Join(e.Codes, ",")
			if !sides[e.Side] || !classes[e.Class] || e.Source == "" {
				t.Errorf("%s: side %q, class %q, source %q", name, e.Side, e.Class, e.Source)
			}
			if e.TokenLost && e.Class != "AuthExpired" {
				t.Errorf("%s: a lost token is AuthExpired, not %q", name, e.Class)
			}
			for _, text := range []Text{e.Cause, e.Next} {
				if text.EN == "" || !strings.ContainsFunc(text.ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
					t.Errorf("%s: a sentence is missing in %+v", name, text)
				}
			}
		}
	}
}

func TestExplain(t *testing.T) {
	if got := Explain("-1", "seeyon"); len(got) != 1 || got[0].OA != "Seeyon" || got[0].Side != SidePlatform {
		t.Errorf("got %+v", got)
	}
	if got := Explain("no such code", ""); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
	if _, _, err := parse([]byte("oa: X\nentries:\n- {codes: [\"1\"]}\n- {codes: [\"1\"]}\n")); err == nil {
		t.Error("a code that is there twice was taken")
	}
	if _, _, err := parse([]byte("oa: X\nentries:\n- {}\n")); err == nil {
		t.Error("an entry without a code was taken")
	}
}
