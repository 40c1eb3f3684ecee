package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// The status shows what is to be pasted into the OA's console, and a domain that was entered there wrongly is named before
// anybody clicks; a Secret of the mode that lacks its key is named too. F173, F179, F180
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
		g.Expect(a.Handshake).To(BeEmpty())
	}).WithTimeout(patience).Should(Succeed())

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		c.Spec.SSO.ConsoleDomains.Callback = "SSO.oabridge.test:443"
		c.Spec.SSO.Mode, c.Spec.SSO.SecretRef.Name = v1alpha1.SSOSignedLink, "hq-sso"
	})
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("False AddressPending"))
	w.expectCondition(v1alpha1.ConditionReferencesResolved, ContainSubstring(
		`spec.sso.secretRef: key "link-secret" of secret "hq-sso" has 5 bytes; a secret that cannot be guessed has at least 16`))
}
