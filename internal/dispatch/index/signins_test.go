package index_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/audit"
	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// clicks of a morning, one a minute.
func clicks() []audit.SignIn {
	out := []audit.SignIn{
		{Code: "OK", Mode: "App", OAAccount: "lisi", CRMAccount: "1002"},
		{Code: "SSO-1003", Mode: "App", Reason: "TicketReused"},
		{Code: "OK", Mode: "V5Ticket", OAAccount: "1002", CRMAccount: "1007"},
		{Code: "SSO-1101", Mode: "App", OAAccount: "王五\x00", UserAgent: "a'; DROP TABLE \xff"},
	}
	for i := range out {
		out[i].ID, out[i].At, out[i].Trace = fmt.Sprintf("%032x", 100-i), start.Add(time.Duration(i)*time.Minute), fmt.Sprintf("%032x", 0xabc0+i)
	}
	return out
}

func codes(found []audit.SignIn) string {
	var out []string
	for _, s := range found {
		out = append(out, s.Code+"/"+s.OAAccount)
	}
	return strings.Join(out, " ")
}

// Sign-ins are found by what people know of them, each once, page by page; old ones and those beyond the room go.
func TestSignIns(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			config := engine.config(t)
			x := open(t, config)
			for range 2 { // the gateway tells again when it got no answer
				if err := x.AddSignIns(t.Context(), clicks()); err != nil {
					t.Fatal(err)
				}
			}
			find := func(f index.SignInFilter) string {
				t.Helper()
				found, err := x.SignIns(t.Context(), f)
				if err != nil {
					t.Error(err)
				}
				return codes(found)
			}
			all := "SSO-1101/王五� OK/1002 SSO-1003/ OK/lisi"
			for name, c := range map[string]struct {
				filter index.SignInFilter
				want   string
			}{
				"all, the newest first": {index.SignInFilter{}, all},
				"an OA account":         {index.SignInFilter{Accounts: []string{"lisi"}}, "OK/lisi"},
				"an account of either":  {index.SignInFilter{Accounts: []string{"1002"}}, "OK/1002 OK/lisi"},
				"a CRM account":         {index.SignInFilter{CRMAccounts: []string{"1002"}}, "OK/lisi"},
				"codes":                 {index.SignInFilter{Codes: []string{"SSO-1003", "SSO-1101"}}, "SSO-1101/王五� SSO-1003/"},
				"a mode":                {index.SignInFilter{Modes: []string{"V5Ticket"}}, "OK/1002"},
				"the end of a trace id": {index.SignInFilter{TraceEnds: []string{"00000000abc1"}}, "SSO-1003/"},
				"a time":                {index.SignInFilter{Since: start.Add(time.Minute), Until: start.Add(3 * time.Minute)}, "OK/1002 SSO-1003/"},
				"nothing":               {index.SignInFilter{Accounts: []string{"x' OR '1'='1"}}, ""},
			} {
				if got := find(c.filter); got != c.want {
					t.Errorf("%s: %q, want %q", name, got, c.want)
				}
			}
			var pages []audit.SignIn
			for f := (index.SignInFilter{Limit: 3}); ; f.After = index.SignInPlace(&pages[len(pages)-1]) {
				page, err := x.SignIns(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				pages = append(pages, page...)
			}
			if codes(pages) != all || !pages[3].At.Equal(start) || pages[3].Trace != clicks()[0].Trace {
				t.Errorf("pages: %+v", pages)
			}
			for _, bad := range []string{"x", "12", "x.y"} {
				if _, err := x.SignIns(t.Context(), index.SignInFilter{After: bad}); !errors.Is(err, index.ErrPlace) {
					t.Errorf("%q is taken as a place: %v", bad, err)
				}
			}
			if n, err := x.CountSignIns(t.Context(), start.Add(time.Minute)); err != nil || n["OK"] != 1 || n["SSO-1003"] != 1 || n["SSO-1101"] != 1 {
				t.Errorf("%v, %v", n, err)
			}
			if config.URL != nil {
				config.Connector = "crm/branch"
				if found, err := open(t, config).SignIns(t.Context(), index.SignInFilter{}); err != nil || len(found) != 0 {
					t.Errorf("another connector sees %v, %v", found, err)
				}
			}
			for _, p := range []struct {
				before time.Time
				most   int64
				want   string
			}{{start, 0, all}, {start, 4, all}, {start.Add(time.Minute), 0, "SSO-1101/王五� OK/1002 SSO-1003/"}, {start, 2, "SSO-1101/王五� OK/1002"}} {
				if err := x.PruneSignIns(t.Context(), p.before, p.most); err != nil || find(index.SignInFilter{}) != p.want {
					t.Errorf("before %s, at most %d: %q, want %q (%v)", p.before, p.most, find(index.SignInFilter{}), p.want, err)
				}
			}
		})
	}
}

// An index of a release before, which knew neither sign-ins nor names of scenarios, takes them, and keeps its records.
func TestAnIndexOfAReleaseBeforeIsBroughtUp(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			config := engine.config(t)
			x, err := index.Open(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(x.Apply(t.Context(), story()), x.Close()); err != nil {
				t.Fatal(err)
			}
			driver, source := "sqlite", config.File
			if config.URL != nil {
				driver = "pgx"
				source, _ = config.URL()
			}
			db, err := sql.Open(driver, source)
			if err != nil {
				t.Fatal(err)
			}
			for _, statement := range []string{"DROP TABLE oab_signins_v1", "ALTER TABLE oab_records_v1 DROP COLUMN scenario", "ALTER TABLE oab_records_v1 DROP COLUMN about"} {
				if _, err := db.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			x = open(t, config)
			if err := x.AddSignIns(t.Context(), clicks()); err != nil {
				t.Error(err)
			}
			if s, err := x.Stats(t.Context()); err != nil || s.Records != 8 {
				t.Errorf("%+v, %v", s, err)
			}
			late := index.Located{Frame: 99, Record: &record.Record{Seq: 99, ItemID: "T-9", Outcome: record.Delivered, At: start.Add(time.Hour), Scenario: "vip"}}
			if err := x.Apply(t.Context(), []index.Located{late}); err != nil {
				t.Fatal(err)
			}
			if hits, err := x.Query(t.Context(), index.Filter{Scenarios: []string{"vip"}}); err != nil || len(hits) != 1 || hits[0].Record.ItemID != "T-9" {
				t.Errorf("%+v, %v", hits, err)
			}
		})
	}
}
