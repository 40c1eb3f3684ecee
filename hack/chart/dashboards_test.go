package chart

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
	"github.com/prometheus/prometheus/promql/parser"
)

func init() {
	runtime := cog.NewRuntime()
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(table.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
}

// knownUnits are those of Grafana that the dashboards use; it shows others as words behind the number.
var knownUnits = []string{
	units.NoUnit, units.Short, units.PercentUnit, units.Seconds, units.BytesIEC, units.OpsPerSecond, units.RequestsPerSecond,
}

// classic is the form of dashboards in files, which every Grafana takes; the one that the library prefers needs its newest API.
type classic = dashboard.Dashboard //nolint:staticcheck // see above

// gridWidth of a dashboard.
const gridWidth = 24

// builtIn are variables that Grafana has in queries and in links.
var builtIn = []string{"__rate_interval", "__range", "__data.fields.namespace", "__data.fields.connector", "__url_time_range"}

var variable = regexp.MustCompile(`\$(?:\{([\w.]+)\}|(\w+))`)

// Each dashboard is one that Grafana takes: its own types read it strictly, names and places are there once, every variable
// is known, and every link leads to a dashboard and to variables that it has.
func TestDashboards(t *testing.T) {
	all := dashboards(t)
	variables := map[string][]string{}
	for path, d := range all {
		if variables[value(d.Uid)] != nil || !strings.HasPrefix(value(d.Uid), "oabridge-") || value(d.Title) == "" {
			t.Errorf("%s: uid %q, title %q: the uid is taken, or not ours", path, value(d.Uid), value(d.Title))
		}
		names := []string{}
		for _, v := range d.Templating.List {
			names = append(names, v.Name)
		}
		variables[value(d.Uid)] = names
	}
	for path, d := range all {
		check := grid{T: t, path: path, ids: map[uint32]bool{}, known: slices.Concat(builtIn, variables[value(d.Uid)])}
		for _, v := range d.Templating.List {
			if v.Query != nil && v.Query.Map != nil {
				check.variables("variable "+v.Name, fmt.Sprint(v.Query.Map["query"]))
			}
		}
		for _, p := range d.Panels {
			check.panel(p)
		}
		for _, link := range links(t, path) {
			check.variables("link", link)
			to, err := url.Parse(variable.ReplaceAllString(link, "x"))
			if err != nil {
				t.Errorf("%s: %s: %v", path, link, err)
				continue
			}
			theirs, ok := variables[strings.TrimPrefix(to.Path, "/d/")]
			if !ok {
				t.Errorf("%s: %s leads to no dashboard", path, link)
			}
			for name := range to.Query() {
				if name, set := strings.CutPrefix(name, "var-"); set && !slices.Contains(theirs, name) {
					t.Errorf("%s: %s sets %s, which is not there", path, link, name)
				}
			}
		}
	}
}

// grid is what a dashboard has so far.
type grid struct {
	*testing.T
	path   string
	known  []string
	ids    map[uint32]bool
	places []dashboard.GridPos
}

func (g *grid) panel(p dashboard.PanelOrRowPanel) {
	if row := p.RowPanel; row != nil {
		g.place(value(row.Title), row.Id, *row.GridPos)
		return
	}
	panel := p.Panel
	g.place(value(panel.Title), value(panel.Id), *panel.GridPos)
	if value(panel.Description) == "" || len(panel.Targets) == 0 {
		g.Errorf("%s: panel %q has no description, or shows nothing", g.path, value(panel.Title))
	}
	g.datasource(value(panel.Title), panel.Datasource)
	defaults := panel.FieldConfig.Defaults
	unit := []string{value(defaults.Unit)}
	for _, override := range panel.FieldConfig.Overrides {
		for _, property := range override.Properties {
			if property.Id == "unit" {
				unit = append(unit, fmt.Sprint(property.Value))
			}
		}
	}
	for _, u := range unit {
		if u != "" && !slices.Contains(knownUnits, u) {
			g.Errorf("%s: panel %q has the unit %q, which is none of Grafana's", g.path, value(panel.Title), u)
		}
	}
	if panel.Type != "table" && value(defaults.Unit) == "" {
		g.Errorf("%s: panel %q has no unit", g.path, value(panel.Title))
	}
	// Without thresholds Grafana shows 80 and more of anything in red.
	if panel.Type == "stat" && defaults.Thresholds == nil {
		g.Errorf("%s: panel %q has no thresholds", g.path, value(panel.Title))
	}
	refs := map[string]bool{}
	for _, target := range panel.Targets {
		query := target.(*prometheus.Dataquery)
		ref := value(query.RefId)
		if refs[ref] || ref == "" {
			g.Errorf("%s: panel %q has two queries %q", g.path, value(panel.Title), ref)
		}
		refs[ref] = true
		g.datasource(value(panel.Title), query.Datasource)
		g.variables("panel "+value(panel.Title), query.Expr)
	}
}

// place checks that a panel is inside, and that nothing else is there.
func (g *grid) place(title string, id uint32, at dashboard.GridPos) {
	if g.ids[id] || title == "" || at.X+at.W > gridWidth || at.W == 0 || at.H == 0 {
		g.Errorf("%s: panel %d %q is there twice, has no title, or is outside", g.path, id, title)
	}
	g.ids[id] = true
	for _, other := range g.places {
		if at.X < other.X+other.W && other.X < at.X+at.W && at.Y < other.Y+other.H && other.Y < at.Y+at.H {
			g.Errorf("%s: panel %q lies over another one", g.path, title)
		}
	}
	g.places = append(g.places, at)
}

func (g *grid) datasource(where string, source *common.DataSourceRef) {
	if source == nil || value(source.Uid) != "${datasource}" || value(source.Type) != "prometheus" {
		g.Errorf("%s: panel %q does not ask the chosen data source", g.path, where)
	}
}

func (g *grid) variables(where, text string) {
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if name := m[1] + m[2]; !slices.Contains(g.known, name) {
			g.Errorf("%s: %s uses $%s, which nobody sets", g.path, where, name)
		}
	}
}

// Each metric of our own is on a dashboard: who is called by an alert wants to see what it is about.
func TestEveryMetricIsOnADashboard(t *testing.T) {
	shown := map[string]bool{}
	for _, expr := range panels(t) {
		parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
		if err != nil {
			t.Fatal(err)
		}
		parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
			if s, ok := node.(*parser.VectorSelector); ok {
				shown[strings.TrimSuffix(s.Name, "_bucket")] = true
			}
			return nil
		})
	}
	pages := metricsPage(t)
	for _, m := range slices.Concat(pages["Dispatcher"], pages["Gateway"]) {
		if !shown[m.name] {
			t.Errorf("%s is on no dashboard", m.name)
		}
	}
}

var linkURL = regexp.MustCompile(`"url": "([^"]+)"`)

// links are those of the dashboard and of fields in its panels.
func links(t *testing.T, path string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range linkURL.FindAllStringSubmatch(string(text), -1) {
		found = append(found, m[1])
	}
	if len(found) == 0 {
		t.Errorf("%s has no link", path)
	}
	return found
}

// dashboards of the chart by their path.
func dashboards(t *testing.T) map[string]classic {
	t.Helper()
	paths, err := filepath.Glob(chartDir + "/files/dashboards/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatal("no dashboards: ", err)
	}
	found := map[string]classic{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// Reading strictly returns what is wrong, which may be an empty list, and not all of the dashboard.
		if err := new(classic).UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
			t.Errorf("%s: %v", path, err)
		}
		d := classic{}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		found[path] = d
	}
	return found
}

// panels are the queries of the dashboards for the connector hq in the namespace crm.
func panels(t *testing.T) map[string]string {
	t.Helper()
	fill := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$namespace", "crm|oabridge-system", "$connector", "hq")
	found := map[string]string{}
	all := dashboards(t)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		for _, p := range all[path].Panels {
			if p.Panel == nil {
				continue
			}
			for _, target := range p.Panel.Targets {
				query := target.(*prometheus.Dataquery)
				found[fmt.Sprintf("%s: panel %q query %s", filepath.Base(path), value(p.Panel.Title), value(query.RefId))] = fill.Replace(query.Expr)
			}
		}
	}
	return found
}

// value is what a pointer points at, or nothing.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
