package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// The status shows what is to be pasted into the OA's console, and a domain that was entered there wrongly is named before
// anybody clicks; a Secret of the mode that lacks its key is named too. F173, F177, F179, F180, F182, F183
func TestSignInAddressesAndDomains(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.create(credentials("hq-app", map[string]string{"appSecret": "app-secret"}), credentials("hq-sso", map[string]string{"link-secret": "short"}))
	w.connector(func(c *v1alpha1.OAConnector) {
		c.Spec.Type, c.Spec.Seeyon = v1alpha1.TypeWeCom, v1alpha1.SeeyonSpec{}
		c.Spec.Scenarios[0].TemplateRef.Name = "wecom-todo"
		c.Spec.WeCom = v1alpha1.WeComSpec{CorpID: "ww1", AgentID: 1}
		c.Spec.CredentialsSecretRef.Name = "hq-app"
		c.Spec.SSO.Mode = v1alpha1.SSOApp
		c.Spec.SSO.DomainFiles = []v1alpha1.DomainFile{{Name: "WW_verify_0123456789abcdef.txt", Content: "0123456789abcdef"}}
		c.Spec.Endpoint.EgressIPs = []string{"203.0.113.7", "203.0.113.8", "2001:db8::7"}
		c.Spec.SSO.ConsoleDomains = v1alpha1.ConsoleDomains{Trusted: "sso.oabridge.test", Callback: "sso.oabridge.test:8443"}
	})
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix(
		"False DomainsDiffer: spec.sso.consoleDomains.callback is sso.oabridge.test:8443, but spec.sso.host is sso.oabridge.test"))
	w.Eventually(func(g Gomega) {
		a := get(w, "hq", &v1alpha1.OAConnector{}).Status.Addresses
		g.Expect(a.Login).To(Equal("https://sso.oabridge.test/erp/syncdata/open/oa/authorizePortalWebhook/webhook/714439"))
		g.Expect(a.Return).To(Equal("https://sso.oabridge.test/sso/callback/wecom"))
		g.Expect(a.Domain).To(Equal("sso.oabridge.test"))
		g.Expect(a.JWKS).To(Equal("https://sso.oabridge.test/.well-known/jwks.json"))
		g.Expect(a.Issuer).To(Equal("https://sso.oabridge.test"))
		g.Expect(a.Record).To(Equal("https://sso.oabridge.test/erp/syncdata/open/oa/authorizeWeb/webhook/{apiName}/{dataId}/714439"))
		g.Expect(a.DomainFiles).To(Equal([]string{"https://sso.oabridge.test/WW_verify_0123456789abcdef.txt"}))
		g.Expect(a.TrustedIPs).To(Equal("203.0.113.7;203.0.113.8;2001:db8::7"))
		g.Expect([]string{a.Handshake, a.MobileLogin, a.Redeem}).To(HaveEach(""))
	}).WithTimeout(patience).Should(Succeed())

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		c.Spec.SSO.ConsoleDomains.Callback = "SSO.oabridge.test:443"
		c.Spec.SSO.Mode, c.Spec.SSO.SecretRef.Name = v1alpha1.SSOSignedLink, "hq-sso"
	})
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("False AddressPending"))
	w.expectCondition(v1alpha1.ConditionReferencesResolved, ContainSubstring(
		`spec.sso.secretRef: key "link-secret" of secret "hq-sso" has 5 bytes; a secret that cannot be guessed has at least 16`))
}

// Seeyon's entries tell the client, so there are two of them; a CRM that redeems codes gets the address for that, and no keys. // F41, F43
func TestSeeyonAddresses(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.create(credentials("hq-code", map[string]string{"shared-key": "0123456789abcdef0123456789abcdef"}))
	w.connector(func(c *v1alpha1.OAConnector) {
		c.Spec.SSO.Mode = v1alpha1.SSOPortalTicket
		c.Spec.SSO.CRMLogin.Type, c.Spec.SSO.CRMLogin.KeySecretRef.Name = v1alpha1.LoginOneTimeCode, "hq-code"
	})
	const seeyon = "https://sso.oabridge.test/erp/syncdata/open/oa/authorizeWeb/SeeYon/"
	w.Eventually(func(g Gomega) {
		a := get(w, "hq", &v1alpha1.OAConnector{}).Status.Addresses
		g.Expect(a.Login).To(Equal(seeyon + "login/714439/false"))
		g.Expect(a.MobileLogin).To(Equal(seeyon + "login/714439/true"))
		g.Expect(a.Record).To(Equal(seeyon + "{apiName}/{dataId}/714439/{isApp}"))
		g.Expect(a.Handshake).To(Equal(seeyon + "handshake/714439"))
		g.Expect(a.Redeem).To(Equal("https://sso.oabridge.test/sso/redeem"))
		g.Expect([]string{a.JWKS, a.Issuer, a.Return, a.TrustedIPs}).To(HaveEach(""))
	}).WithTimeout(patience).Should(Succeed())
}
