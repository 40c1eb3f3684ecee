package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every condition reason that the code uses is explained in operate.md, and every one that operate.md lists exists.
func TestReasons(t *testing.T) {
	page := read(t, "operate.md")
	used := 0
	for name, value := range reasons(t) {
		if !usedIn(t, name) {
			t.Logf("v1alpha1.%s (%s) is used nowhere", name, value)
			continue
		}
		used++
		if !strings.Contains(page, "`"+value+"`") {
			t.Errorf("docs/operate.md does not name the reason %s (v1alpha1.%s)", value, name)
		}
	}
	if used == 0 {
		t.Error("no reason is used: the parsing of conditions.go is wrong")
	}
}

// reasons returns the constants of api/v1alpha1/conditions.go that begin with Reason, with their values.
func reasons(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), root+"/api/v1alpha1/conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			literal, ok := spec.Values[i].(*ast.BasicLit)
			if !ok || !strings.HasPrefix(name.Name, "Reason") {
				continue
			}
			if found[name.Name], err = strconv.Unquote(literal.Value); err != nil {
				t.Fatal(err)
			}
		}
		return true
	})
	return found
}

func usedIn(t *testing.T, constant string) bool {
	t.Helper()
	word := regexp.MustCompile(`\bv1alpha1\.` + constant + `\b`)
	for _, text := range code(t) {
		if word.MatchString(text) {
			return true
		}
	}
	return false
}

// code returns the Go files that end up in the product, by path.
func code(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for path, text := range files(t, ".go") {
		inProduct := strings.HasPrefix(path, "controllers/") || strings.HasPrefix(path, "cmd/oabridge/") ||
			strings.HasPrefix(path, "internal/") && !strings.HasPrefix(path, "internal/oasim/")
		if inProduct && !strings.HasSuffix(path, "_test.go") {
			found[path] = text
		}
	}
	return found
}

var metricName = regexp.MustCompile(`"(oabridge_[a-z_]+)"`)

// Every metric that the pages name is in the code.
func TestMetrics(t *testing.T) {
	exist := map[string]bool{}
	for _, text := range code(t) {
		for _, m := range metricName.FindAllStringSubmatch(text, -1) {
			exist[m[1]] = true
		}
	}
	reference := read(t, metricsPage)
	for _, name := range slices.Sorted(maps.Keys(exist)) {
		if !strings.Contains(reference, "| `"+name+"` |") {
			t.Errorf("docs/%s does not list the metric %s", metricsPage, name)
		}
	}
	named := regexp.MustCompile("`(oabridge_[a-z_]+)")
	for path, page := range pages(t) {
		for _, m := range named.FindAllStringSubmatch(page, -1) {
			if !exist[m[1]] && !strings.HasSuffix(m[1], "_") {
				t.Errorf("%s names %s, and the code has no such metric", path, m[1])
			}
		}
	}
}

// Every metric that an alert or a dashboard asks for is one that the code has.
func TestMetricsOfAlertsAndDashboards(t *testing.T) {
	exist := map[string]bool{}
	for _, text := range code(t) {
		for _, m := range metricName.FindAllStringSubmatch(text, -1) {
			exist[m[1]] = true
		}
	}
	asked := 0
	shipped := files(t, ".yaml")
	maps.Copy(shipped, files(t, ".json"))
	for path, text := range shipped {
		if !strings.HasPrefix(path, "charts/oabridge/files/alerts") && !strings.HasPrefix(path, "charts/oabridge/files/dashboards/") {
			continue
		}
		for _, name := range regexp.MustCompile(`\boabridge_[a-z_]+`).FindAllString(text, -1) {
			asked++
			series := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
			if !exist[name] && !exist[series] {
				t.Errorf("%s asks for %s, and the code has no such metric", path, name)
			}
		}
	}
	if asked < 50 {
		t.Errorf("alerts and dashboards ask for only %d metrics: are they where they were?", asked)
	}
}

// What failure-modes.md quotes word for word (lines that begin with ">") is what the code says: each quoted line is made
// of texts of the code, with their %s and %d filled in.
func TestQuotesAreWordForWord(t *testing.T) {
	sentences := sentences(t)
	quoted := 0
	for number, line := range strings.Split(read(t, "failure-modes.md"), "\n") {
		quote, ok := strings.CutPrefix(line, "> ")
		if !ok {
			continue
		}
		quoted++
		if rest := uncovered(quote, sentences); rest != "" {
			t.Errorf("failure-modes.md:%d: the code does not say %q in: %s", number+1, rest, quote)
		}
	}
	if quoted < 20 {
		t.Errorf("only %d quotes were found", quoted)
	}
}

// values are parts of a quote that come from data: the field or line at its beginning, and placeholders.
var values = regexp.MustCompile(`^line \d+: (crm|oa)|^spec\.\S+: |\bF[0-9A-Z]{3}\b`)

// uncovered returns the part of quote that no sentence explains, or nothing. What stands between two sentences may be
// values and punctuation only.
func uncovered(quote string, sentences []*regexp.Regexp) string {
	covered := make([]bool, len(quote))
	for _, s := range sentences {
		for _, at := range s.FindAllStringIndex(quote, -1) {
			fill(covered, at)
		}
	}
	for _, at := range values.FindAllStringIndex(quote, -1) {
		fill(covered, at)
	}
	var rest strings.Builder
	for i := range len(quote) {
		if !covered[i] {
			rest.WriteByte(quote[i])
		}
	}
	return strings.Trim(rest.String(), ` .,;:()?"…`)
}

func fill(covered []bool, at []int) {
	for i := at[0]; i < at[1]; i++ {
		covered[i] = true
	}
}

// verb is a formatting directive.
var verb = regexp.MustCompile(`%(?:\[\d+\])?[-+# 0]*[a-zA-Z]`)

// leastWords is how much plain text a literal needs to be a sentence, in bytes.
const leastWords = 10

// sentences returns a pattern for each string literal of the code that is long enough to be recognised.
func sentences(t *testing.T) []*regexp.Regexp {
	t.Helper()
	var found []*regexp.Regexp
	seen := map[string]bool{}
	for path, text := range code(t) {
		file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		if err != nil {
			continue // it is being written just now; the compiler will say so
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			value, err := strconv.Unquote(literal.Value)
			if err != nil || seen[value] || len(verb.ReplaceAllString(value, "")) < leastWords || strings.Contains(value, "\n") {
				return true
			}
			seen[value] = true
			found = append(found, pattern(value))
			return true
		})
	}
	if len(found) < 200 {
		t.Fatalf("only %d sentences were found in the code", len(found))
	}
	return found
}

func pattern(format string) *regexp.Regexp {
	var out strings.Builder
	last := 0
	for _, at := range verb.FindAllStringIndex(format, -1) {
		out.WriteString(regexp.QuoteMeta(format[last:at[0]]))
		switch {
		case at[1] == len(format):
			out.WriteString(".+") // whatever follows to the end of the line
		case format[at[1]-1] == 'q':
			out.WriteString(`"[^"]*"`)
		default:
			out.WriteString(".+?")
		}
		last = at[1]
	}
	out.WriteString(regexp.QuoteMeta(format[last:]))
	return regexp.MustCompile(out.String())
}

func read(t *testing.T, page string) string {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every threat of security.md is cited by a test that proves what stands against it, and no test cites one that is not there.
func TestThreats(t *testing.T) {
	number := regexp.MustCompile(`\bTM-\d\d\b`)
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| (TM-\d\d) \|`).FindAllStringSubmatch(read(t, "security.md"), -1) {
		if listed[m[1]] {
			t.Errorf("security.md lists %s twice", m[1])
		}
		listed[m[1]] = true
	}
	if len(listed) < 20 {
		t.Fatalf("only %d threats are listed", len(listed))
	}
	cited := map[string]bool{}
	for path, text := range files(t, "_test.go") {
		if strings.HasPrefix(path, "docs/") {
			continue
		}
		for _, threat := range number.FindAllString(text, -1) {
			cited[threat] = true
			if !listed[threat] {
				t.Errorf("%s cites %s, which docs/security.md does not list", path, threat)
			}
		}
	}
	for _, threat := range slices.Sorted(maps.Keys(listed)) {
		if !cited[threat] {
			t.Errorf("no test cites %s of docs/security.md", threat)
		}
	}
}
