package docs

import (
	"os"
	"strings"
	"testing"
)

// Rules of the seeds that no code can keep stand on the page of the OA, in the place where a reader needs them.
func TestRulesThatOnlyPagesKeep(t *testing.T) {
	for _, c := range []struct{ rule, page, section, says string }{
		// F91
		{"people see third-party to-dos in an extension column of their space", "oa/seeyon.md", "## 1. In the OA's console",
			"| 空间栏目 | each person (or a template for all) adds 扩展栏目 with the third-party to-dos in 个人设置 → 空间栏目, or they do not see them | |"},
		// F125
		{"the public cloud makes no rules by itself", "oa/welink.md", "## 3. Connector and bindings",
			"WeLink's public cloud makes no message rule by itself: what is not in `spec.scenarios` is not sent."},
		// F181
		{"the domain is the company's", "oa/wecom.md", "## 1. In the OA's console",
			"the domain must belong to the company, or to a company that is associated with it in WeCom"},
		// F191
		{"deep integration needs a domain of one's own", "oa/wecom.md", "## 7. Limits",
			"Sign-in without a password needs a host under a domain of the company, as a deployment of your own has it."},
		{"and what is left without", "oa/wecom.md", "## 7. Limits",
			"the app then only opens the CRM's own login page (`spec.sso.mode: None`), where the browser may remember the password"},
	} {
		_, rest, found := strings.Cut(read(t, c.page), "\n"+c.section+"\n")
		section, _, _ := strings.Cut(rest, "\n## ")
		if !found || !strings.Contains(unwrapped(section), c.says) {
			t.Errorf("docs/%s, %q: that %s is not said as: %s", c.page, c.section, c.rule, c.says)
		}
	}
}

// Every component of kustomize is in the table of them.
func TestComponentsAreOnThePage(t *testing.T) {
	components, err := os.ReadDir("../config/components")
	if err != nil || len(components) < 5 {
		t.Fatalf("%d components: %v", len(components), err)
	}
	page := read(t, "operate.md")
	for _, c := range components {
		if !strings.Contains(page, "\n| `"+c.Name()+"` | `") {
			t.Errorf("docs/operate.md, Install: the component %s is not in the table", c.Name())
		}
	}
}

// unwrapped joins the lines of a paragraph.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), " ") }
