package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// weCom makes the sample connector one of WeCom with one more company.
func weCom(c *v1alpha1.OAConnector) {
	c.Spec.Type, c.Spec.Seeyon, c.Spec.Endpoint = v1alpha1.TypeWeCom, v1alpha1.SeeyonSpec{}, v1alpha1.Endpoint{}
	c.Spec.WeCom = v1alpha1.WeComSpec{CorpID: "ww1", AgentID: 1000002}
	c.Spec.CredentialsSecretRef.Name = "wecom-app"
	c.Spec.Scenarios = []v1alpha1.ScenarioReference{{TemplateRef: v1alpha1.TemplateReference{Name: "wecom-todo"}}}
	c.Spec.SSO.Mode = v1alpha1.SSOApp
	company := v1alpha1.CompanySSO{Name: "aa", Title: "乙公司", CorpID: "ww2", AgentID: 1000003}
	company.SecretRef.Name = "wecom-app"
	c.Spec.SSO.Companies = []v1alpha1.CompanySSO{company}
}

// A company gets another name: accounts keep the old one, and connector and binding say how many and what to do, without
// taking anybody's binding away. So they do with names in place of accounts, and with an account without its company. // F186 F187 F188 F190
func TestAccountsOfCompanies(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.create(credentials("wecom-app", map[string]string{"appSecret": "a-secret-of-an-app"}))
	w.binding("staff", "1000=zhangsan", "1001=aa/lisi", "1002=aa/wangwu")
	w.connector(weCom)
	w.bound(3)
	const plausible = "True Plausible: every OA account has the form of one and names a company of the connector"
	w.expectCondition(v1alpha1.ConditionAccountsPlausible, Equal(plausible))
	w.Eventually(w.bindingCondition("staff", v1alpha1.ConditionAccountsPlausible)).WithTimeout(patience).Should(Equal(plausible))

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.SSO.Companies[0].Name = "bb" })
	stale := `False StaleCompanyName: 2 OA accounts name the company "aa", which connector "hq" does not have: kubectl oab bindings rebind hq --from aa --to NAME writes another`
	w.expectCondition(v1alpha1.ConditionAccountsPlausible, Equal(stale))
	w.Eventually(w.bindingCondition("staff", v1alpha1.ConditionAccountsPlausible)).WithTimeout(patience).Should(Equal(stale))
	staff := get(w, "staff", &v1alpha1.AccountBinding{})
	w.Expect(w.bindingReady("staff")()).To(HavePrefix("True Ready: 3 pairs are in use"))
	w.Expect(staff.Status.Problems).To(HaveLen(2))
	w.Expect(staff.Status.Problems[0]).To(HavePrefix(`CRM account 1001: the OA account "aa/lisi" names the company "aa"`))
	w.bound(3)

	change(w, "staff", staff, func(b *v1alpha1.AccountBinding) {
		b.Spec.Accounts = []v1alpha1.AccountPair{{CRM: "1000", OA: "张 三"}, {CRM: "1001", OA: "bb/lisi"}, {CRM: "1002", OA: "/wangwu"}}
	})
	w.expectCondition(v1alpha1.ConditionAccountsPlausible, Equal("False CompanyMissing: "+
		"1 OA account names no company before the slash: write the name of one in spec.sso.companies; 1 OA account looks like a name: WeCom wants the account (帐号) of its contact book"))
	change(w, "staff", staff, func(b *v1alpha1.AccountBinding) { b.Spec.Accounts = b.Spec.Accounts[1:2] })
	w.expectCondition(v1alpha1.ConditionAccountsPlausible, Equal(plausible))
	w.Eventually(func() []string { return get(w, "staff", &v1alpha1.AccountBinding{}).Status.Problems }).WithTimeout(patience).Should(BeEmpty())
}

// Members of the further company are matched with it, and a person may rename it in what is remembered.
func TestMatchedCompanies(t *testing.T) {
	w := newWorld(t)
	w.directories("account,mobile\n1000,13800000001\n1001,13800000002\n", "account,mobile,company\nzhangsan,13800000001,wecom\nlisi,13800000002,aa\n")
	w.matchBinding("auto", v1alpha1.MatchMobile)
	w.Eventually(w.matched("auto")).WithTimeout(patience).Should(Equal([]string{"1000=zhangsan", "1001=aa/lisi"}))
	w.remember("auto", "1000=zhangsan", "1001=bb/lisi") // as kubectl oab bindings rebind does
	w.rewrite("crm-people", "account,mobile\n1000,13800000001\n1001,13800000002\n1002,13800000003\n")
	w.rewrite("oa-people", "account,mobile,company\nzhangsan,13800000001,wecom\nlisi,13800000002,aa\nwangwu,13800000003,bb\n")
	w.Eventually(w.matched("auto")).WithTimeout(patience).Should(Equal([]string{"1000=zhangsan", "1001=bb/lisi", "1002=bb/wangwu"}))
	w.Eventually(w.bindingCondition("auto", v1alpha1.ConditionMatched)).WithTimeout(patience).Should(HavePrefix("True Matched"))
	w.Expect(w.bindingCondition("auto", v1alpha1.ConditionAccountsPlausible)()).To(Equal("absent"), "no connector of WeCom uses it")
}
