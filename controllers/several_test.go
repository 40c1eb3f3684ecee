package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Two enterprises of one OA are two connectors, each with a name, an account and an address of its home page to be pasted
// into its OA. Deleting one of them leaves everything of the other as it is. // F60 F113 F115
func TestTwoEnterprisesOfOneOA(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	for _, name := range []string{"north", "south"} {
		w.create(credentials(name+"-app", map[string]string{"appSecret": "secret-of-" + name}))
		w.connector(func(c *v1alpha1.OAConnector) {
			c.Name = name
			c.Spec.Type, c.Spec.Seeyon, c.Spec.Endpoint = v1alpha1.TypeWeLink, v1alpha1.SeeyonSpec{}, v1alpha1.Endpoint{}
			c.Spec.WeLink.ClientID, c.Spec.CredentialsSecretRef.Name = "client-of-"+name, name+"-app"
			c.Spec.Scenarios[0].TemplateRef.Name = "welink-todo"
			c.Spec.SSO.Mode, c.Spec.SSO.Host = v1alpha1.SSOApp, name+".oabridge.test"
			c.Spec.OnDelete.Policy = v1alpha1.DeleteAbandon
		})
	}
	for _, name := range []string{"north", "south"} {
		w.Eventually(func(g Gomega) {
			c := get(w, name, &v1alpha1.OAConnector{})
			g.Expect(spell(c.Status.Conditions, v1alpha1.ConditionReferencesResolved, c.Generation)).To(HavePrefix("True Resolved"))
			g.Expect(c.Status.Addresses.Login).To(Equal("https://" + name + ".oabridge.test/erp/syncdata/open/oa/authorizePortalWebhook/webhook/714439"))
			g.Expect(admin.Get(w.Context(), w.key(name+"-gateway"), &appsv1.Deployment{})).To(Succeed())
		}).WithTimeout(patience).Should(Succeed())
	}
	children := func() map[string]string {
		versions := map[string]string{}
		for name, o := range map[string]client.Object{
			"south-dispatcher": &appsv1.Deployment{}, "south-gateway": &appsv1.Deployment{}, "south-bundle": &corev1.ConfigMap{},
		} {
			versions[name] = get(w, name, o).GetResourceVersion()
		}
		return versions
	}
	before := children()
	w.Expect(admin.Delete(w.Context(), get(w, "north", &v1alpha1.OAConnector{}))).To(Succeed())
	w.Eventually(func() bool {
		return apierrors.IsNotFound(admin.Get(w.Context(), w.key("north"), &v1alpha1.OAConnector{}))
	}).WithTimeout(patience).Should(BeTrue())
	w.Expect(children()).To(Equal(before))
	w.Expect(get(w, "south", &v1alpha1.OAConnector{}).DeletionTimestamp).To(BeNil())
}
