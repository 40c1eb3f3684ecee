package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Two connectors of a namespace serve one account set: nothing is made for the second, it says who is in its way, and the
// first does not notice. When the first is deleted, the second comes up by itself. // F58 F60
func TestADataCenterIsServedByOneConnector(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	inDataCenter := func(name string) func(*v1alpha1.OAConnector) {
		return func(c *v1alpha1.OAConnector) {
			c.Name, c.Spec.DataCenterID, c.Spec.OnDelete.Policy = name, "dc-1", v1alpha1.DeleteAbandon
		}
	}
	w.connector(withoutSSO, inDataCenter("first"))
	w.Eventually(func() error { return admin.Get(w.Context(), w.key("first-dispatcher"), &appsv1.Deployment{}) }).
		WithTimeout(patience).Should(Succeed())
	children := func() []string {
		return []string{
			get(w, "first-dispatcher", &appsv1.Deployment{}).ResourceVersion, get(w, "first-bundle", &corev1.ConfigMap{}).ResourceVersion,
		}
	}
	before := children()

	w.connector(withoutSSO, inDataCenter("hq"))
	refused := And(ContainSubstring("DataCenterTaken: spec.dataCenterID"), ContainSubstring(`"first"`), ContainSubstring("dc-1"))
	w.expectCondition(v1alpha1.ConditionStalled, And(HavePrefix("True "), refused))
	w.expectCondition(v1alpha1.ConditionReady, And(HavePrefix("False "), refused))
	w.expectCondition(v1alpha1.ConditionReconciling, HavePrefix("False DataCenterTaken"))
	w.Expect(apierrors.IsNotFound(admin.Get(w.Context(), w.key("hq-dispatcher"), &appsv1.Deployment{}))).To(BeTrue())
	w.Expect(children()).To(Equal(before))

	w.Expect(admin.Delete(w.Context(), get(w, "first", &v1alpha1.OAConnector{}))).To(Succeed())
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True Resolved"))
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("False"))
	w.Expect(admin.Get(w.Context(), w.key("hq-dispatcher"), &appsv1.Deployment{})).To(Succeed())
}

// A connector that comes second may be changed to what is free, and a running one that is changed to what is taken keeps
// what it has. // F58
func TestAConnectorThatWantsWhatIsTakenKeepsWhatItHas(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	for _, name := range []string{"first", "hq"} {
		w.connector(withoutSSO, func(c *v1alpha1.OAConnector) { c.Name, c.Spec.DataCenterID = name, "dc-"+name })
	}
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True Resolved"))
	bundle := get(w, "hq-bundle", &corev1.ConfigMap{}).Data["bundle.json"]

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.DataCenterID = "dc-first" })
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("True DataCenterTaken"))
	w.Expect(get(w, "hq-bundle", &corev1.ConfigMap{}).Data["bundle.json"]).To(Equal(bundle))

	change(w, "first", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.DataCenterID = "dc-other" })
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("False"))
	w.Eventually(func() string { return get(w, "hq-bundle", &corev1.ConfigMap{}).Data["bundle.json"] }).WithTimeout(patience).
		Should(ContainSubstring("dc-first"))
}

// Seeyon asks one address for each registered application: of two connectors that want to be asked under one code in one OA
// the second is refused, until it has a code of its own. // F102
func TestARegisterCodeIsPulledByOneConnector(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.create(credentials("pull", map[string]string{"token": "0123456789abcdef"}))
	for _, name := range []string{"first", "hq"} {
		w.connector(withoutSSO, func(c *v1alpha1.OAConnector) {
			c.Name, c.Spec.EnterpriseID = name, "ei-"+name
			c.Spec.Seeyon.Mode, c.Spec.Seeyon.Pull.TokenSecretRef.Name = v1alpha1.SeeyonBoth, "pull"
		})
	}
	w.expectCondition(v1alpha1.ConditionStalled, And(HavePrefix("True RegisterCodeTaken: spec.seeyon.registerCode"), ContainSubstring(`"first"`)))
	w.Expect(apierrors.IsNotFound(admin.Get(w.Context(), w.key("hq-bundle"), &corev1.ConfigMap{}))).To(BeTrue())

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.Seeyon.RegisterCode = "3005" })
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True Resolved"))
	first := get(w, "first", &v1alpha1.OAConnector{})
	w.Expect(spell(first.Status.Conditions, v1alpha1.ConditionStalled, first.Generation)).To(HavePrefix("False"))
}
