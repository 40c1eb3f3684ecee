package explain

import (
	_ "embed" // zh.yaml
	"regexp"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/docs"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
)

// row of a table in a page, by the titles of its columns in lower case.
type row struct {
	// about is the paragraph above the table.
	about string
	cells map[string]string
}

// signIn are the codes that the gateway shows.
var signIn = sync.OnceValue(func() []Explanation {
	var out []Explanation
	for _, r := range tables("reference/sso-errors.md") {
		code := plain(r.cells["code"])
		if !strings.HasPrefix(code, "SSO-") {
			continue
		}
		zh, en, _ := strings.Cut(plain(r.cells["the page says"]), "<br>")
		e := Explanation{
			Code: code, Of: "SSO", Shown: dictionary.Text{EN: en, ZH: zh},
			Cause: dictionary.Text{EN: plain(r.cells["it means"])}, Next: dictionary.Text{EN: plain(r.cells["what an administrator does"])},
		}
		out = append(out, e.inChinese())
	}
	return out
})

// conditions are the reasons that conditions have.
var conditions = sync.OnceValue(func() []Explanation {
	var out []Explanation
	for _, r := range tables("operate.md") {
		reason, next := r.cells["reason"], r.cells["what to do"]
		if !word.MatchString(reason) {
			continue
		}
		e := Explanation{Code: plain(reason), Of: strings.Join(names(r.about), ", ")}
		e.Cause.EN, e.Next.EN = plain(r.cells["meaning"]), plain(next)
		if e.Cause.EN == "" {
			e.Cause.EN, e.Next.EN = e.Next.EN, ""
		}
		out = append(out, e.inChinese())
	}
	return out
})

// inChinese adds what the pages say in English only.
func (e Explanation) inChinese() Explanation {
	text, known := translations()[strings.Split(e.Of, ", ")[0]+"/"+e.Code]
	if !known {
		text = translations()[e.Code]
	}
	if len(text) > 0 {
		e.Cause.ZH = text[0]
	}
	if len(text) > 1 {
		e.Next.ZH = text[1]
	}
	return e
}

//go:embed zh.yaml
var zh []byte

// translations are cause and next step by code, or by condition and reason.
var translations = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	if err := yaml.UnmarshalStrict(zh, &out); err != nil {
		panic("explain: zh.yaml: " + err.Error())
	}
	return out
})

var (
	// word is a cell that holds one reason.
	word = regexp.MustCompile("^`[A-Z][A-Za-z]+`$")
	// quoted is a name in a paragraph above a table.
	quoted = regexp.MustCompile("`([A-Z][A-Za-z]+)`")
	// link to another page, of which the text is kept.
	link = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// names that a text has in code style.
func names(text string) []string {
	var out []string
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

// plain is a cell as it reads on a terminal.
func plain(cell string) string {
	cell = link.ReplaceAllString(strings.TrimSpace(cell), "$1")
	return strings.NewReplacer("`", "", "**", "").Replace(cell)
}

// tables returns the rows of all tables of a page.
func tables(page string) []row {
	data, err := docs.Reference.ReadFile(page)
	if err != nil {
		panic("explain: " + err.Error())
	}
	var (
		out    []row
		titles []string
		about  string
		ended  bool // the paragraph in about
	)
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		switch {
		case line == "":
			titles, ended = nil, true
		case !strings.HasPrefix(line, "|"):
			if ended {
				about = ""
			}
			about, titles, ended = about+line+" ", nil, false
		case titles == nil:
			for _, c := range cells {
				titles = append(titles, strings.ToLower(strings.TrimSpace(c)))
			}
		case strings.HasPrefix(line, "|---"):
		default:
			r := row{about: about, cells: map[string]string{}}
			for i, c := range cells[:min(len(cells), len(titles))] {
				r.cells[titles[i]] = strings.Trim(c, " |")
			}
			out = append(out, r)
		}
	}
	return out
}
