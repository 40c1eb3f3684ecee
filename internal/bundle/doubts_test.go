package bundle_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// group is WeCom with two companies beside its own.
func group() *v1alpha1.OAConnector {
	c := &v1alpha1.OAConnector{}
	c.Name, c.Spec.Type = "wecom", v1alpha1.TypeWeCom
	c.Spec.SSO.App.Title = "甲公司"
	c.Spec.SSO.Companies = []v1alpha1.CompanySSO{{Name: "b", Title: "乙公司", CorpID: "wwB"}, {Name: "cc", CorpID: "wwC"}}
	return c
}

// WeCom's accounts are ids, and the company of one is one of the connector's. Whatever else stands there is in use, and
// doubted in words that say what to do. // F186 F187 F188 F190
func TestDoubts(t *testing.T) {
	found := bundle.Doubts(group(), pairs("1=zhangsan", "2=b/lisi", "3=cc/Wang-Wu_1@x.y", "4=张三", "5=li si", "6=b/李四", "7=/zhaoliu", "8=aa/sunqi", "9=乙公司/zhouba",
		"10=wecom/wujiu", "11=aa/zhengshi", "12=CC/x", "13=甲公司/y", "14=キム", "15=김", "16=b/c/d"))
	var got []string
	for _, d := range found {
		got = append(got, d.Reason+": "+d.Message())
	}
	name := "looks like a name; WeCom wants the account (帐号) of its contact book, neither the name nor the WeChat id"
	if diff := cmp.Diff([]string{
		`DisplayName: CRM account 4: the OA account "张三" ` + name,
		`DisplayName: CRM account 5: the OA account "li si" ` + name,
		`DisplayName: CRM account 6: the OA account "b/李四" ` + name,
		`CompanyMissing: CRM account 7: the OA account "/zhaoliu" names no company before the slash; write the name of one in spec.sso.companies, or leave the slash out for the connector's own`,
		`StaleCompanyName: CRM account 8: the OA account "aa/sunqi" names the company "aa", which connector "wecom" does not have; kubectl oab bindings rebind wecom --from aa --to NAME writes another`,
		`StaleCompanyName: CRM account 9: the OA account "乙公司/zhouba" names the company "乙公司", which connector "wecom" does not have; kubectl oab bindings rebind wecom --from 乙公司 --to b writes another`,
		`StaleCompanyName: CRM account 10: the OA account "wecom/wujiu" names the company "wecom", which connector "wecom" does not have; kubectl oab bindings rebind wecom --from wecom --to wecom writes another`,
		`StaleCompanyName: CRM account 11: the OA account "aa/zhengshi" names the company "aa", which connector "wecom" does not have; kubectl oab bindings rebind wecom --from aa --to NAME writes another`,
		`StaleCompanyName: CRM account 12: the OA account "CC/x" names the company "CC", which connector "wecom" does not have; kubectl oab bindings rebind wecom --from CC --to cc writes another`,
		`StaleCompanyName: CRM account 13: the OA account "甲公司/y" names the company "甲公司", which connector "wecom" does not have; kubectl oab bindings rebind wecom --from 甲公司 --to wecom writes another`,
		`DisplayName: CRM account 14: the OA account "キム" ` + name,
		`DisplayName: CRM account 15: the OA account "김" ` + name,
	}, got); diff != "" {
		t.Error(diff)
	}
	reason, message := bundle.SumUp(found)
	if reason != v1alpha1.ReasonCompanyMissing {
		t.Error(reason)
	}
	if diff := cmp.Diff(`1 OA account names no company before the slash: write the name of one in spec.sso.companies; `+
		`2 OA accounts name the company "aa", which connector "wecom" does not have: kubectl oab bindings rebind wecom --from aa --to NAME writes another; `+
		`1 OA account names the company "乙公司", which connector "wecom" does not have: kubectl oab bindings rebind wecom --from 乙公司 --to b writes another; `+
		`1 OA account names the company "wecom", which connector "wecom" does not have: kubectl oab bindings rebind wecom --from wecom --to wecom writes another; `+
		`1 OA account names the company "CC", which connector "wecom" does not have: kubectl oab bindings rebind wecom --from CC --to cc writes another; `+
		`and 2 more companies or reasons`, message); diff != "" {
		t.Error(diff)
	}
	reason, message = bundle.SumUp(found[:3])
	if reason != v1alpha1.ReasonDisplayName || message != "3 OA accounts look like a name: WeCom wants the account (帐号) of its contact book" {
		t.Error(reason, message)
	}
	seeyon := group()
	seeyon.Spec.Type = v1alpha1.TypeSeeyon
	if found := bundle.Doubts(seeyon, pairs("1=张三", "2=aa/x")); found != nil {
		t.Errorf("of another OA: %v", found)
	}
}

// What names a company names it again.
func TestCompanyOfAnAccount(t *testing.T) {
	for oa, want := range map[string][2]string{"lisi": {"wecom", "lisi"}, "b/lisi": {"b", "lisi"}, "/lisi": {"", "lisi"}, "b/c/d": {"b", "c/d"}} {
		company, id := bundle.SplitCompany(oa)
		if company != want[0] || id != want[1] || bundle.JoinCompany(company, id) != oa {
			t.Errorf("%s: %q %q", oa, company, id)
		}
	}
}

// A company is renamed in a file: the lines of its members are written anew, all others stay as they are. // F190
func TestRewriteCSV(t *testing.T) {
	rename := func(p v1alpha1.AccountPair) string {
		if company, id := bundle.SplitCompany(p.OA); company == "aa" {
			return bundle.JoinCompany("bb", id)
		}
		return p.OA
	}
	for in, want := range map[string]string{
		"crm,oa\n1,aa/x\n2,y\n":                             "crm,oa\n1,bb/x\n2,y\n",
		"\uFEFFname,oa , crm\r\n\"李,四\", aa/x ,1\r\n王,aa,2": "\uFEFFname,oa , crm\r\n\"李,四\",bb/x,1\r\n王,aa,2",
		"crm,oa\n\n1,aa/x":                                  "crm,oa\n\n1,bb/x",
		"crm,oa\n1\n2  ,  z\n3,aa/\"q\"\n":                  "crm,oa\n1\n2  ,  z\n3,\"bb/\"\"q\"\"\"\n",
		"crm,oa":                                            "crm,oa",
	} {
		if got, err := bundle.RewriteCSV([]byte(in), rename); err != nil || string(got) != want {
			t.Errorf("%q became %q, %v", in, got, err)
		}
	}
	for _, bad := range []string{"", "crm;oa\n1;aa/x\n", "crm,oa,oa\n"} {
		if got, err := bundle.RewriteCSV([]byte(bad), rename); err == nil {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

// Whatever a file holds, a change of nothing gives the same bytes, and a change gives the pairs that were asked for.
func FuzzRewriteCSV(f *testing.F) {
	for _, text := range []string{"crm,oa\n1000,zhangsan\n", "\uFEFFoa,x,CRM\r\nlisi,,1002\r\n\r\n", "crm,oa\n\"1000\n1,2\"x,y\n", "crm,oa\n\r\n1,a\r2,b", "crm,oa\n\"1\",\"a\""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		same, err := bundle.RewriteCSV(data, func(p v1alpha1.AccountPair) string { return p.OA })
		if err != nil {
			return
		}
		if string(same) != string(data) {
			t.Fatalf("%q became %q", data, same)
		}
		before, rows := bundle.ParseCSV(data)
		if len(rows) > 0 {
			return
		}
		changed, err := bundle.RewriteCSV(data, func(p v1alpha1.AccountPair) string { return "new-" + p.CRM })
		if err != nil {
			t.Fatal(err)
		}
		after, rows := bundle.ParseCSV(changed)
		for _, r := range rows { // an account that was made too long
			if r.Cause != "oa has more than 128 characters" {
				t.Fatalf("%q became %q: %v", data, changed, rows)
			}
		}
		if len(after)+len(rows) != len(before) {
			t.Fatalf("%d pairs became %d: %q, %q", len(before), len(after), data, changed)
		}
		for _, p := range after {
			if p.OA != "new-"+p.CRM {
				t.Fatalf("%+v", p)
			}
		}
	})
}
