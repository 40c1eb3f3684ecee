package match_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/match"
)

var every = []v1alpha1.MatchKey{v1alpha1.MatchMobile, v1alpha1.MatchEmail, v1alpha1.MatchEmployeeCode}

// read reads a directory of one file.
func read(t testing.TB, side match.Side, by []v1alpha1.MatchKey, text string) []match.Person {
	t.Helper()
	people, rows, usable := match.Read(side, []match.File{{Name: "people", Data: []byte(text)}}, by)
	if !usable || len(rows) > 0 {
		t.Fatalf("usable %v, %v", usable, rows)
	}
	return people
}

func spell(pairs []v1alpha1.AccountPair) (out []string) {
	for _, p := range pairs {
		out = append(out, p.CRM+"="+p.OA)
	}
	return out
}

func messages(unmatched []match.Unmatched) (out []string) {
	for _, u := range unmatched {
		out = append(out, u.Message())
	}
	return out
}

const crmPeople = `account,name,mobile,email,code
1001,李娜,+86 138-0000-0001,lina@corp.example,7001
1002,王芳,13800000002,,
1003,王芳,13800000009,Wang.Fang@corp.example,
1004,刘洋,13800000009,,
1005,陈静,13800000005,chenjing@corp.example,
1006,杨帆,,,7006
1007,赵磊,13800000007,,
1008,黄敏,,,
1009,周杰,13800000008,,
1010,吴倩,,wuqian@corp.example,
1011,徐强,13800000011,,
13800000012,孙悦,13800000099,,
`

const oaPeople = `mobile,account,email,code
13800000001,lina,LINA@corp.example,
,wangfang,wang.fang@corp.example,
13800000002,wangfang2,,
13800000005,chen1,,
13800000005,chen2,chenjing@corp.example,
,yangfan,,7006
13800000007,zhaolei,,
13800000008,wuqian,wuqian@corp.example,
13800000011,13900000011,,
`

// People are found by the first key that is theirs alone; who cannot be told for certain is named and not guessed. // F7 F148
func TestJoin(t *testing.T) {
	got := match.Join(match.Input{
		By: every, CRM: read(t, match.CRM, every, crmPeople), OA: read(t, match.OA, every, oaPeople),
		Bound:   []v1alpha1.AccountPair{{CRM: "900", OA: "zhaolei"}, {CRM: "901", OA: "gone"}},
		Exclude: []string{"1012"},
	})
	if diff := cmp.Diff([]string{"1001=lina", "1002=wangfang2", "1003=wangfang", "1005=chen2", "1006=yangfan", "1011=13900000011"}, spell(got.Pairs)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"CRM account 1004: nobody in the OA's directory has the same mobile number, e-mail address or employee code; complete the directory, or bind the account in another AccountBinding",
		"CRM account 1007: OA account zhaolei has the same mobile number and is bound to CRM account 900; if that is wrong, remove that pair, or exclude the account that was matched",
		"CRM account 1008: the CRM's directory has no mobile number, e-mail address or employee code; complete the directory, or bind the account in another AccountBinding",
		"CRM account 1009: other people of the CRM lead to OA account wuqian as well, by another key; correct the directories, or bind the account in another AccountBinding",
		"CRM account 1010: other people of the CRM lead to OA account wuqian as well, by another key; correct the directories, or bind the account in another AccountBinding",
		"CRM account 138****0012: nobody in the OA's directory has the same mobile number, e-mail address or employee code; complete the directory, or bind the account in another AccountBinding",
	}, messages(got.Unmatched)); diff != "" {
		t.Error(diff)
	}
	mobile := every[:1]
	got = match.Join(match.Input{By: mobile, CRM: read(t, match.CRM, mobile, crmPeople), OA: read(t, match.OA, mobile, oaPeople), Exclude: []string{"1004"}})
	if diff := cmp.Diff([]string{"1001=lina", "1002=wangfang2", "1007=zhaolei", "1009=wuqian", "1011=13900000011"}, spell(got.Pairs)); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(messages(got.Unmatched), "CRM account 1005: OA accounts chen1 and chen2 have the same mobile number; correct the OA's directory, or bind the account in another AccountBinding") {
		t.Error(messages(got.Unmatched))
	}
	for _, m := range messages(got.Unmatched) {
		if strings.Contains(m, "13800000") {
			t.Errorf("a mobile number is in %q", m)
		}
	}
}

// A number that two people of the CRM have, and one of the OA, is nobody's.
func TestASharedNumberIsNobodys(t *testing.T) {
	mobile := every[:1]
	got := match.Join(match.Input{By: mobile, CRM: read(t, match.CRM, mobile, "account,mobile\n1,13800000001\n2,13800000001\n3,13800000001\n4,13800000001\n5,13800000001\n"),
		OA: read(t, match.OA, mobile, "account,mobile\na,13800000001\n"), Bound: []v1alpha1.AccountPair{{CRM: "5", OA: "other"}}})
	if len(got.Pairs) != 0 || len(got.Unmatched) != 4 || !strings.Contains(got.Unmatched[0].Message(), "have the same mobile number; correct the CRM's directory") {
		t.Errorf("%v %v", got.Pairs, messages(got.Unmatched))
	}
}

// Bad lines are named by file and line; a file that cannot be read makes the directory unusable. // F6 F187 F188
func TestRead(t *testing.T) {
	mobile := every[:1]
	people, rows, usable := match.Read(match.OA, []match.File{
		{Name: "one", Data: []byte("account,mobile,company\nlisi,138 0000 0001,b\nwangwu,13800000002,wecom\nzhao,,\nqian,,乙公司\n,13800000003,b\nli si,,b\n")},
		{Name: "two", Data: []byte("\uFEFFmobile,ACCOUNT\n13800000009,wangwu\n13800000008,sunyue\n")},
	}, mobile)
	if diff := cmp.Diff([]match.Person{{Account: "b/lisi", Mobile: "13800000001"}, {Account: "wangwu", Mobile: "13800000002"}, {Account: "sunyue", Mobile: "13800000008"}}, people); diff != "" || !usable {
		t.Error(diff, usable)
	}
	var got []string
	for _, r := range rows {
		got = append(got, r.Message())
	}
	if diff := cmp.Diff([]string{
		"one, line 4: company is empty: write its name in spec.sso.companies, or wecom for the connector's own company",
		"one, line 5: company is not the name of a company: write the one in spec.sso.companies, wecom for the connector's own, or leave the column out where there is one company",
		"one, line 6: account is empty",
		"one, line 7: account holds white space; it must be an account, not a display name",
		"two, line 2: account is the one of one, line 3; which of them is right?",
	}, got); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"account,name\n1,x\n":              "two, line 1: the header line must name the columns account and mobile, once each",
		"":                                 "two, line 1: there is no header line; the first line must name the columns account and mobile",
		"account,mobile\n\xd5\xc5,1\n":     "two, line 2: is not UTF-8; save the file as CSV UTF-8",
		"account,mobile,mobile\n1,1,1\n":   "two, line 1: the header line must name the columns account and mobile, once each",
		"account,company,company,mobile\n": "two, line 1: the header line must name the columns account and mobile, once each",
	} {
		_, rows, usable := match.Read(match.OA, []match.File{{Name: "one", Data: []byte("account,mobile\n1,13800000001\n")}, {Name: "two", Data: []byte(text)}}, mobile)
		if usable || len(rows) != 1 || rows[0].Message() != want {
			t.Errorf("%q: usable %v, %v", text, usable, rows)
		}
	}
	// The CRM's companies are its own matter.
	if people, rows, usable := match.Read(match.CRM, []match.File{{Name: "crm", Data: []byte("account,company,mobile\n1,乙公司,\n")}}, mobile); !usable || len(rows) > 0 || people[0].Account != "1" {
		t.Errorf("%v %v", people, rows)
	}
}

// draw makes a directory in which accounts are unique and values are few, so that people collide.
func draw(t *rapid.T, name string) []match.Person {
	value := func(key string) string {
		if n := rapid.IntRange(0, 6).Draw(t, name+key); n > 0 {
			return fmt.Sprint(key, n)
		}
		return ""
	}
	people := make([]match.Person, 0, 8)
	for _, account := range rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 0, 8, rapid.ID[int]).Draw(t, name) {
		people = append(people, match.Person{Account: fmt.Sprint(name, account), Mobile: value("mobile"), Email: value("email"), Code: value("code")})
	}
	return people
}

func drawRule(t *rapid.T) []v1alpha1.MatchKey {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(every), 1, 3, rapid.ID[v1alpha1.MatchKey]).Draw(t, "by")
}

// Whatever the rule and the directories become, pairs that are bound stay; no account is in two pairs; each new pair has a
// value in common that nobody else has; everybody of the CRM is bound, excluded or named; the order of lines does not
// matter; and matching once more finds nothing new. // F160
func TestJoinProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var bound []v1alpha1.AccountPair
		for range rapid.IntRange(1, 4).Draw(t, "rounds") { // each with another rule and other directories
			in := match.Input{By: drawRule(t), CRM: draw(t, "crm"), OA: draw(t, "oa"), Bound: bound, Exclude: rapid.SliceOfN(rapid.SampledFrom([]string{"crm1", "crm2", "x"}), 0, 2).Draw(t, "exclude")}
			got := match.Join(in)
			all := append(slices.Clone(bound), got.Pairs...)
			crm, oa := map[string]bool{}, map[string]bool{}
			for _, p := range all {
				if crm[p.CRM] || oa[p.OA] {
					t.Fatalf("%v twice in %v", p, all)
				}
				crm[p.CRM], oa[p.OA] = true, true
			}
			for _, p := range got.Pairs {
				if slices.Contains(in.Exclude, p.CRM) || !alone(in, p) {
					t.Fatalf("%v was guessed", p)
				}
			}
			for _, p := range in.CRM {
				unmatched := slices.ContainsFunc(got.Unmatched, func(u match.Unmatched) bool { return u.CRM == p.Account && u.Message() != "" })
				if known := crm[p.Account] || slices.Contains(in.Exclude, p.Account); known == unmatched {
					t.Fatalf("%v: bound or excluded %v, named %v", p, known, unmatched)
				}
			}
			rand.Shuffle(len(in.CRM), func(i, j int) { in.CRM[i], in.CRM[j] = in.CRM[j], in.CRM[i] })
			rand.Shuffle(len(in.OA), func(i, j int) { in.OA[i], in.OA[j] = in.OA[j], in.OA[i] })
			if again := match.Join(in); !slices.Equal(again.Pairs, got.Pairs) || len(again.Unmatched) != len(got.Unmatched) {
				t.Fatalf("in another order: %v, not %v", again.Pairs, got.Pairs)
			}
			in.Bound = all
			if again := match.Join(in); len(again.Pairs) > 0 {
				t.Fatalf("matched once more: %v", again.Pairs)
			}
			bound = all
		}
	})
}

// alone reports whether a pair has a value in common that nobody else in either directory has.
func alone(in match.Input, p v1alpha1.AccountPair) bool {
	holders := func(people []match.Person, of func(match.Person) string, value string) (found []string) {
		for _, x := range people {
			if of(x) == value {
				found = append(found, x.Account)
			}
		}
		return found
	}
	for _, key := range in.By {
		of := map[v1alpha1.MatchKey]func(match.Person) string{
			v1alpha1.MatchMobile: func(x match.Person) string { return x.Mobile }, v1alpha1.MatchEmail: func(x match.Person) string { return x.Email },
			v1alpha1.MatchEmployeeCode: func(x match.Person) string { return x.Code },
		}[key]
		i := slices.IndexFunc(in.CRM, func(x match.Person) bool { return x.Account == p.CRM })
		value := of(in.CRM[i])
		if value != "" && slices.Equal(holders(in.CRM, of, value), []string{p.CRM}) && slices.Equal(holders(in.OA, of, value), []string{p.OA}) {
			return true
		}
	}
	return false
}

// What is remembered comes back, the same bytes for the same pairs; what somebody else wrote there is an error.
func TestMemory(t *testing.T) {
	pairs := []v1alpha1.AccountPair{{CRM: "2", OA: "b/lisi"}, {CRM: "1", OA: "zhang,san"}}
	file, err := match.EncodeMemory(pairs)
	if err != nil {
		t.Fatal(err)
	}
	got, err := match.DecodeMemory(file)
	if diff := cmp.Diff([]string{"1=zhang,san", "2=b/lisi"}, spell(got)); diff != "" || err != nil {
		t.Error(diff, err)
	}
	slices.Reverse(pairs)
	if again, err := match.EncodeMemory(pairs); err != nil || string(again) != string(file) {
		t.Error("other bytes for the same pairs", err)
	}
	if none, err := match.EncodeMemory(nil); err != nil {
		t.Error(err)
	} else if got, err := match.DecodeMemory(none); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
	for _, bad := range [][]byte{nil, []byte("crm,oa\n"), file[:len(file)-5]} {
		if got, err := match.DecodeMemory(bad); err == nil {
			t.Errorf("%q was read as %v", bad, got)
		}
	}
}

// A person who is not bound meets the page that says so, one who was matched gets in: the gateway asks the directory that is
// compiled of the pairs. // F165
func TestMatchedPeopleAreKnownToTheGateway(t *testing.T) {
	got := match.Join(match.Input{By: every, CRM: read(t, match.CRM, every, crmPeople), OA: read(t, match.OA, every, oaPeople)})
	pairs, _ := bundle.Merge([]bundle.AccountSet{{Name: "auto", Pairs: got.Pairs}})
	d := bundle.NewDirectory(pairs, nil)
	if crm, ok := d.CRM("lina"); crm != "1001" || !ok {
		t.Errorf("lina is %q", crm)
	}
	if crm, ok := d.CRM("chen1"); ok {
		t.Errorf("chen1 is %q", crm)
	}
}

// crowd is a directory of n people in as many files as it takes.
func crowd(n int, account func(int) string, mobile func(int) string) (files []match.File) {
	const perFile = 12_500
	for start := 0; start < n; start += perFile {
		var text strings.Builder
		text.WriteString("account,name,mobile,email,code\n")
		for i := start; i < min(start+perFile, n); i++ {
			fmt.Fprintf(&text, "%s,张三,%s,%s@corp.example,%07d\n", account(i), mobile(i), account(i), i)
		}
		files = append(files, match.File{Name: fmt.Sprint("people-", start), Data: []byte(text.String())})
	}
	return files
}

// 100,000 people are found among 100,000, from the text of the files to the remembered pairs.
func BenchmarkMatch100000(b *testing.B) {
	const people = 100_000
	crmFiles := crowd(people, func(i int) string { return fmt.Sprint(1_000_000 + i) }, func(i int) string { return fmt.Sprintf("+86 138-%04d-%04d", i/10_000, i%10_000) })
	oaFiles := crowd(people, func(i int) string { return fmt.Sprintf("u%x", i*2654435761%(1<<32)) }, func(i int) string { return fmt.Sprintf("138%08d", i) })
	for b.Loop() {
		crm, _, _ := match.Read(match.CRM, crmFiles, every)
		oa, _, _ := match.Read(match.OA, oaFiles, every)
		got := match.Join(match.Input{By: every, CRM: crm, OA: oa})
		if len(got.Pairs) != people {
			b.Fatalf("%d pairs, %v", len(got.Pairs), messages(got.Unmatched[:1]))
		}
		file, err := match.EncodeMemory(got.Pairs)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(file)), "bytes")
	}
}
