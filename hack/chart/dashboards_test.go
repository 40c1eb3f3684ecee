package chart

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// dashboard is the part of Grafana's format that is looked at.
type dashboard struct {
	UID, Title string
	Panels     []panel
	Templating struct {
		List []struct{ Name string }
	}
}

type panel struct {
	ID          int
	Title, Type string
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct{ Expr, RefID string }
}

// Each dashboard is one that Grafana takes: ids are unique, panels do not overlap, every query is PromQL and uses variables
// that are there.
func TestDashboards(t *testing.T) {
	paths, err := filepath.Glob(chartDir + "/files/dashboards/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatal("no dashboards: ", err)
	}
	uids := map[string]string{}
	for _, path := range paths {
		d := dashboardOf(t, path)
		if other := uids[d.UID]; d.UID == "" || d.Title == "" || other != "" {
			t.Errorf("%s: uid %q, title %q; %s has the same uid", path, d.UID, d.Title, other)
		}
		uids[d.UID] = path
		variables := []string{"$__rate_interval", "5m", "$__range", "1h"}
		for _, v := range d.Templating.List {
			variables = append(variables, "$"+v.Name, "x")
		}
		known := strings.NewReplacer(variables...)
		ids, queries := map[int]bool{}, 0
		for i, p := range d.Panels {
			if ids[p.ID] || p.Title == "" || p.GridPos.X+p.GridPos.W > 24 {
				t.Errorf("%s: panel %d %q is there twice, has no title, or is too wide", path, p.ID, p.Title)
			}
			ids[p.ID] = true
			for _, q := range d.Panels[:i] {
				if a, b := p.GridPos, q.GridPos; a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
					t.Errorf("%s: the panels %q and %q overlap", path, q.Title, p.Title)
				}
			}
			for _, target := range p.Targets {
				queries++
				if _, err := parser.NewParser(parser.Options{}).ParseExpr(known.Replace(target.Expr)); err != nil {
					t.Errorf("%s: panel %q: %s: %v", path, p.Title, target.Expr, err)
				}
			}
			if p.Type != "row" && len(p.Targets) == 0 {
				t.Errorf("%s: panel %q shows nothing", path, p.Title)
			}
		}
		if queries < 10 {
			t.Errorf("%s has only %d queries", path, queries)
		}
	}
}
