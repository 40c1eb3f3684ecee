package bundle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

var day = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func pairs(text ...string) []v1alpha1.AccountPair {
	var out []v1alpha1.AccountPair
	for _, t := range text {
		crm, oa, _ := strings.Cut(t, "=")
		out = append(out, v1alpha1.AccountPair{CRM: crm, OA: oa})
	}
	return out
}

func set(name string, age int, text ...string) bundle.AccountSet {
	return bundle.AccountSet{Namespace: "crm", Name: name, Created: day.AddDate(0, 0, -age), Pairs: pairs(text...)}
}

// A second person with the OA account of a first one: the earlier pair stays, both are named. // F160
func TestMergeKeepsTheEarlierPair(t *testing.T) { // TM-05
	sets := []bundle.AccountSet{
		set("new", 1, "1003=zhangsan", "1002=wangwu", "1004=zhaoliu", "1001=zhangsan"),
		set("old", 9, "1001=zhangsan", "1002=lisi", "1005=lisi"),
	}
	got, conflicts := bundle.Merge(sets)
	if diff := cmp.Diff(pairs("1001=zhangsan", "1002=lisi", "1004=zhaoliu"), got); diff != "" {
		t.Error(diff)
	}
	var messages []string
	for _, c := range conflicts {
		messages = append(messages, c.Message())
	}
	want := []string{
		"OA account lisi is claimed twice: 1002 ↔ lisi (crm/old) stays in use, 1005 ↔ lisi (crm/old) is not used; remove one of them",
		"OA account zhangsan is claimed twice: 1001 ↔ zhangsan (crm/old) stays in use, 1003 ↔ zhangsan (crm/new) is not used; remove one of them",
		"CRM account 1002 is claimed twice: 1002 ↔ lisi (crm/old) stays in use, 1002 ↔ wangwu (crm/new) is not used; remove one of them",
	}
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Error(diff)
	}
	if sets[0].Name != "new" {
		t.Error("the input was reordered")
	}
}

// However sets overlap: every account is in one pair, every pair of the input is in use or named as a conflict, and what
// is added later never changes a pair that is in use. // F160
func TestMergeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Custom(func(t *rapid.T) v1alpha1.AccountPair {
			return v1alpha1.AccountPair{CRM: fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "crm")), OA: fmt.Sprint("oa", rapid.IntRange(0, 5).Draw(t, "oa"))}
		})
		var sets []bundle.AccountSet
		for i := range rapid.IntRange(0, 4).Draw(t, "sets") {
			s := set(fmt.Sprint("s", i), rapid.IntRange(0, 3).Draw(t, "age"))
			s.Pairs = rapid.SliceOfN(one, 0, 6).Draw(t, "pairs")
			sets = append(sets, s)
		}
		got, conflicts := bundle.Merge(sets)
		crm, oa := map[string]bool{}, map[string]bool{}
		for _, p := range got {
			if crm[p.CRM] || oa[p.OA] {
				t.Fatalf("%v twice in %v", p, got)
			}
			crm[p.CRM], oa[p.OA] = true, true
		}
		for _, s := range sets {
			for _, p := range s.Pairs {
				if !slices.Contains(got, p) && !slices.ContainsFunc(conflicts, func(c bundle.Conflict) bool { return c.Pair == p && slices.Contains(got, c.Stays) }) {
					t.Fatalf("%v is neither in use nor in conflict", p)
				}
			}
		}
		rand.Shuffle(len(sets), func(i, j int) { sets[i], sets[j] = sets[j], sets[i] })
		later := set("later", -1)
		later.Pairs = rapid.SliceOfN(one, 0, 6).Draw(t, "later")
		again, _ := bundle.Merge(append(sets, later))
		if len(again) < len(got) || len(got) > 0 && !slices.Equal(again[:len(got)], got) {
			t.Fatalf("%v became %v", got, again)
		}
	})
}

// 10,000 lines of which 37 are bad: the others are used, the bad ones are named by line. // F6
func TestBulkImport(t *testing.T) {
	var csv strings.Builder
	csv.WriteString("\uFEFF姓名,OA , crm\r\n")
	var bad []int
	for i := range 10_000 {
		oa := fmt.Sprintf(" user%d ", i)
		if i%270 == 1 && len(bad) < 37 {
			bad = append(bad, i+2)
			oa = []string{"", "zhang san", "a\tb", strings.Repeat("x", 129)}[len(bad)%4]
		}
		fmt.Fprintf(&csv, "张三,%s,%d\r\n", oa, i)
	}
	got, rows := bundle.ParseCSV([]byte(csv.String()))
	if len(got) != 9963 || got[0] != (v1alpha1.AccountPair{CRM: "0", OA: "user0"}) {
		t.Errorf("%d pairs, first %v", len(got), got[0])
	}
	var lines []int
	for _, r := range rows {
		lines = append(lines, r.Line)
		if r.Cause == "" {
			t.Errorf("no cause: %v", r)
		}
	}
	if diff := cmp.Diff(bad, lines); diff != "" {
		t.Error(diff)
	}
}

func TestCSV(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
		rows []bundle.RowError
	}{
		"plain":           {"crm,oa\n1,a\n2,b", []string{"1=a", "2=b"}, nil},
		"quoted":          {"crm,oa\n\"1\",\"a,b\"\n", []string{"1=a,b"}, nil},
		"blank lines":     {"crm,oa\n\n1,a\n,\n  \n", []string{"1=a"}, nil},
		"empty":           {"", nil, []bundle.RowError{{1, "there is no header line; the first line must name the columns crm and oa"}}},
		"no header":       {"1,a\n", nil, []bundle.RowError{{1, "the header line must name the columns crm and oa, once each"}}},
		"twice":           {"crm,oa,oa\n", nil, []bundle.RowError{{1, "the header line must name the columns crm and oa, once each"}}},
		"too short":       {"crm,oa\n1\n2,b\n", []string{"2=b"}, []bundle.RowError{{2, "has too few columns"}}},
		"display name":    {"crm,oa\n1,Li Si\n", nil, []bundle.RowError{{2, "oa holds white space; it must be an account, not a display name"}}},
		"no crm":          {"crm,oa\n ,a\n", nil, []bundle.RowError{{2, "crm is empty"}}},
		"stray quote":     {"crm,oa\n1,a\"b\n2,b\n", []string{"1=a\"b", "2=b"}, nil},
		"not UTF-8":       {"crm,oa\n1,a\n2,\xd5\xc5\n", nil, []bundle.RowError{{3, "is not UTF-8; save the file as CSV UTF-8"}}},
		"lines after \\r": {"crm,oa\r\n1,a\r\n2,\r\n", []string{"1=a"}, []bundle.RowError{{3, "oa is empty"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, rows := bundle.ParseCSV([]byte(c.text))
			if diff := cmp.Diff(pairs(c.want...), got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.rows, rows); diff != "" {
				t.Error(diff)
			}
		})
	}
}
