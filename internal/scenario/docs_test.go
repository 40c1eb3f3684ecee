package scenario_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/internal/scenario"
)

var update = flag.Bool("update", false, "rewrite generated files")

const reference = "../../docs/reference/placeholders.md"

//go:generate go test -run TestPlaceholderReference -update .

// The reference page is written from the dictionary in code. // F24 F31
func TestPlaceholderReference(t *testing.T) {
	want := placeholderPage()
	if *update {
		if err := os.WriteFile(reference, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("the page differs from the dictionary (go generate ./internal/scenario):\n%s", diff)
	}
}

func placeholderPage() string {
	var out strings.Builder
	intro, rules, _ := strings.Cut(placeholderText, "TABLE\n")
	out.WriteString(intro)
	out.WriteString("| placeholder | 含义 | meaning | example | from the event's field | evidence |\n|---|---|---|---|---|---|\n")
	for _, p := range scenario.Dictionary() {
		evidence := "given by use: "
		if p.Inferred {
			evidence = "**inferred** from: "
		}
		fmt.Fprintf(&out, "| `#%s` | %s | %s | `%s` | %s | %s |\n", p.ID, p.ZH, p.EN, p.Example, p.Source, evidence+p.Evidence)
	}
	out.WriteString(rules)
	return out.String()
}

const placeholderText = `# Placeholders: the fields of a CRM item in a template

<!-- Written by: go generate ./internal/scenario. Do not edit. -->

A template's path, header values and body strings take the fields of an item through placeholders. The numbers are those
of the CRM's own console. Its help pages show them in use without a list, so some meanings are inferred.

TABLE

## Rules

- A placeholder is ` + "`#F`" + ` and the letters and digits that follow it; any number of them may stand in one string, with text
  between them: ` + "`#F054 #F056 #F053`" + `. One that is not in the table is an error, with the one that was probably meant.
- Any other ` + "`#`" + ` is plain text. Plain text that looks like a placeholder is written with two: ` + "`##F001`" + ` is the text
  ` + "`#F001`" + `, and ` + "`###F001`" + ` is ` + "`#`" + ` and the value.
- Values that are known only when an item goes out are written ${…} too: ` + "`${item.version}`" + ` is a number like a time in ms that
  grows with each state of an item, for OAs that ignore older states; ` + "`${item.reopened}`" + ` is empty at first and ` + "`-2`" + `, ` + "`-3`" + ` …
  after the item was finished at the OA and opened again, for OAs that never open one again; ` + "`${item.eventTime}`" + ` is the time of
  the event in dateFormat, ` + "`${item.eventTimeMillis}`" + ` and ` + "`${item.createdAtMillis}`" + ` are times in ms since 1970.
  ` + "`${lookup.NAME}`" + ` is a value that the action's ` + "`lookup`" + ` found, ` + "`${captured.NAME}`" + ` one that an earlier answer of the OA gave
  (` + "`capture`" + `). See [objects.md](../objects.md#values-of-the-oa).
- Parameters are written ` + "`${name}`" + `, the connector's own values ` + "`${connector.enterpriseID}`" + `, ` + "`${connector.dataCenterID}`" + `,
  ` + "`${connector.ssoURL}`" + ` and ` + "`${connector.registerCode}`" + `. Plain text that looks like one is written ` + "`$${name}`" + `. A parameter's
  value is plain text: a ` + "`#F001`" + ` in it stays as it is.
- With protocol REST a body is a JSON document. Placeholders and parameters stand in its strings, not in its keys. Numbers
  and the order of keys go out as they are written, spaces between tokens do not.
- With protocol Webservice a body is an XML document: one root element, declared prefixes, no DOCTYPE, no entities but the
  five of XML, no processing instruction but the declaration. Placeholders and parameters stand in text, CDATA sections and
  attribute values. Everything else goes out as it is written. Characters that XML 1.0 forbids, such as U+0001, go out as
  U+FFFD.
- A text that is itself a JSON object or list, such as Weaver's ` + "`in0`" + `, or that is itself XML, is treated as such: values are
  escaped for it first, and then for what it stands in. JSON must have double quotes.
- A string that begins with ` + "`http://`, `https://` or `//`" + ` is a URL: values in it are percent-encoded, for one path segment or
  for the query. Data cannot stand in the host. An empty value in a path segment, or one that makes it ` + "`.` or `..`" + `, is
  an error. A parameter at the very beginning of the string brings scheme and host with it; anywhere else in a URL it is
  encoded like data. The path of a call is treated in the same way.
- A string that begins with ` + "`${connector.ssoURL}`" + ` goes out empty when the connector has no ` + "`spec.sso.host`" + `.
- A value with a line break cannot stand in a header.
- ` + "`#F009`" + ` is written in the template's ` + "`dateFormat`" + ` (letters ` + "`yyyy MM dd HH mm ss SSS`" + `, other letters in single quotes) and
  ` + "`timeZone`" + `.
`
