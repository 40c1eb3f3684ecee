package explain

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/oabridge/oabridge/internal/gateway"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
)

// A code of an OA has a cause, a side and a next step in both languages; the same number at several OAs is told apart.
func TestCodesOfOAs(t *testing.T) {
	got := Find("60020", "wecom")
	if len(got) != 1 || got[0].Of != "WeCom" || got[0].Side == "" || got[0].Cause.ZH == "" || got[0].Next.EN == "" {
		t.Fatalf("%+v", got)
	}
	if got := Find("60020", "Seeyon"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := Find("-1", ""); len(got) < 2 {
		t.Errorf("-1 is a code of several OAs: %+v", got)
	}
	if got := Suggest("60O20", "WeCom"); got != "60020" {
		t.Errorf("suggested %q", got)
	}
	if OA("wecom") != "WeCom" || OA("Lotus") != "" {
		t.Error("names of OAs")
	}
}

// Every code that the page of the gateway shows is explained.
func TestCodesOfTheSignIn(t *testing.T) {
	for _, code := range gateway.Codes() {
		got := Find(string(code), "")
		if len(got) != 1 || got[0].Shown.ZH == "" || got[0].Shown.EN == "" || got[0].Cause.EN == "" {
			t.Errorf("%s: %+v", code, got)
		}
	}
	if got := Suggest("SSO-1O03", ""); got != "SSO-1003" {
		t.Errorf("suggested %q", got)
	}
}

// What the pages say in English, zh.yaml says in Chinese: each cause and each next step, and nothing that is on no page.
func TestChinese(t *testing.T) {
	used := map[string]bool{}
	for _, e := range slices.Concat(signIn(), conditions()) {
		key := strings.Split(e.Of, ", ")[0] + "/" + e.Code
		if translations()[key] == nil {
			key = e.Code
		}
		used[key] = true
		for part, text := range map[string]dictionary.Text{"cause": e.Cause, "next step": e.Next} {
			if (text.EN == "") != (text.ZH == "") {
				t.Errorf("internal/explain/zh.yaml: the %s of %s: %q in English, %q in Chinese", part, key, text.EN, text.ZH)
			}
			if text.ZH != "" && !strings.ContainsFunc(text.ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
				t.Errorf("internal/explain/zh.yaml: the %s of %s is not Chinese", part, key)
			}
		}
	}
	for key := range translations() {
		if !used[key] {
			t.Errorf("internal/explain/zh.yaml has %s, which is on no page", key)
		}
	}
}

// Every reason that a condition can have is explained.
func TestReasonsOfConditions(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		n++
		found := Find(reason, "")
		if len(found) == 0 {
			t.Errorf("docs/operate.md does not explain the reason %s", reason)
		}
		for _, e := range found {
			if e.Of == "" || e.Cause.EN == "" {
				t.Errorf("docs/operate.md: %s: %+v", reason, e)
			}
		}
		return true
	})
	if n < 50 {
		t.Errorf("only %d reasons were found", n)
	}
}
