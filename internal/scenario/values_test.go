package scenario

import (
	"strings"
	"testing"
	"unicode"
)

// Everything that a template may use has an entry with a meaning in both languages and an example. // F24
func TestEveryValueIsExplained(t *testing.T) {
	listed := map[string]Value{}
	for _, v := range Values() {
		listed[v.Spelled] = v
		if v.EN == "" || v.Example == "" || v.Source == "" || !strings.ContainsFunc(v.ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%+v", v)
		}
	}
	for id := range known {
		if _, ok := listed["#"+id]; !ok {
			t.Errorf("#%s is not listed", id)
		}
	}
	for _, name := range append([]string{LookupPrefix + "NAME", CapturedPrefix + "NAME"}, itemValues...) {
		if _, ok := listed["${"+name+"}"]; !ok {
			t.Errorf("${%s} is not listed", name)
		}
	}
	for name := range connectorFields {
		if _, ok := listed["${connector."+name+"}"]; !ok {
			t.Errorf("${connector.%s} is not listed", name)
		}
	}
	if v := listed["#F001"]; !v.Matches("RECEIVER") || !v.Matches("接收人") || v.Matches("nothing of the kind") {
		t.Errorf("search in %+v", v)
	}
}
