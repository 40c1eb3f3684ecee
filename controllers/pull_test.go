package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// The address at which Seeyon asks is in the status and on the Ingress; its token is checked before it is needed. // F90
func TestSeeyonAsks(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.create(credentials("hq-pull", map[string]string{"token": "canary-0"}))
	w.connector(func(c *v1alpha1.OAConnector) {
		c.Spec.Seeyon.Mode, c.Spec.Seeyon.Pull.TokenSecretRef.Name = v1alpha1.SeeyonPull, "hq-pull"
	})
	w.expectCondition(v1alpha1.ConditionReferencesResolved, And(HavePrefix("False KeyInvalid: spec.seeyon.pull.tokenSecretRef"), Not(ContainSubstring("canary"))))
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Status.Addresses.Pendings).To(Equal("https://sso.oabridge.test/seeyon/pendings"))
	w.Eventually(func(g Gomega) {
		var ingress networkingv1.Ingress
		g.Expect(admin.Get(w.Context(), w.key("hq-gateway"), &ingress)).To(Succeed())
		first := ingress.Spec.Rules[0].HTTP.Paths[0]
		g.Expect(first.Path).To(Equal("/seeyon/pendings"))
		g.Expect(first.Backend.Service.Name).To(Equal("hq-dispatcher"))
	}).Should(Succeed())
}
