package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/controllers"
)

func ofSecond(c *v1alpha1.OAConnector) {
	c.Labels = map[string]string{v1alpha1.LabelControllerClass: secondScope.Class}
}

// enable adds the label of an enabled namespace, or takes it away.
func (w *world) enable(enabled bool) {
	w.Helper()
	w.Eventually(func() error {
		var ns corev1.Namespace
		if err := admin.Get(w.Context(), client.ObjectKey{Name: w.ns}, &ns); err != nil {
			return err
		}
		if enabled {
			ns.Labels["oabridge.dev/enabled"] = "true"
		} else {
			delete(ns.Labels, "oabridge.dev/enabled")
		}
		return admin.Update(w.Context(), &ns)
	}).WithTimeout(patience).Should(Succeed())
}

// Where namespaces have to be enabled, a connector in another one is told who has to do what, and nothing is made. Enabling
// the namespace is enough to make it work; disabling it stops changes and leaves what runs. // F4
func TestNamespacesHaveToBeEnabled(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.connector(withoutSSO, ofSecond)
	w.expectCondition(v1alpha1.ConditionStalled, And(HavePrefix("True NamespaceNotEnabled"),
		ContainSubstring("kubectl label namespace "+w.ns+" oabridge.dev/enabled=true")))
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False NamespaceNotEnabled"))
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Finalizers).To(BeEmpty())
	for _, request := range second.in(w.ns) {
		w.Expect(request).To(Equal("PATCH /apis/oabridge.dev/v1alpha1/namespaces/" + w.ns + "/oaconnectors/hq/status"))
	}

	w.enable(true)
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True Resolved"))
	hash := w.hash()
	deployment := get(w, "hq-dispatcher", &appsv1.Deployment{})

	w.enable(false)
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("True NamespaceNotEnabled"))
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.DataCenterID = "dc-2" })
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("True NamespaceNotEnabled"))
	w.Expect(w.hash()).To(Equal(hash))
	w.Expect(get(w, "hq-dispatcher", &appsv1.Deployment{}).ResourceVersion).To(Equal(deployment.ResourceVersion))

	w.enable(true)
	w.Eventually(w.hash).WithTimeout(patience).ShouldNot(Equal(hash))
}

// Two operators in one cluster share nothing but the CRDs: each makes the connectors of its class, and neither ever asks for
// or writes to those of the other.
func TestOperatorsOfDifferentClassesLeaveEachOtherAlone(t *testing.T) {
	w := newWorld(t)
	w.enable(true)
	w.secrets()
	w.connector(withoutSSO, ofSecond)
	w.hash()
	w.Expect(get(w, "hq-dispatcher", &appsv1.Deployment{}).OwnerReferences).NotTo(BeEmpty())
	w.Expect(second.in(w.ns)).NotTo(BeEmpty())
	w.Expect(requests.in(w.ns)).To(BeEmpty())

	// The presets of an operator carry its class, so that its neighbour does not judge them.
	w.Eventually(func() map[string]string {
		return get(&world{T: w.T, Gomega: w.Gomega, ns: secondNamespace}, "seeyon-todo", &v1alpha1.ScenarioTemplate{}).Labels
	}).Should(HaveKeyWithValue(v1alpha1.LabelControllerClass, secondScope.Class))

	// A connector that changes its class changes hands, with everything that runs.
	made := get(w, "hq-dispatcher", &appsv1.Deployment{})
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		delete(c.Labels, v1alpha1.LabelControllerClass)
		c.Spec.DataCenterID = "dc-2"
	})
	w.hash()
	w.Expect(requests.in(w.ns)).NotTo(BeEmpty())
	w.Expect(get(w, "hq-dispatcher", &appsv1.Deployment{}).UID).To(Equal(made.UID))
}

// A binding of another class may be used, but only its own operator writes to it.
func TestStatusOfBindingsIsWrittenByTheirClass(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.create(&v1alpha1.AccountBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "staff", Labels: map[string]string{"oa": "hq", v1alpha1.LabelControllerClass: secondScope.Class}},
		Spec:       v1alpha1.AccountBindingSpec{Accounts: []v1alpha1.AccountPair{{CRM: "1000", OA: "zhangwei"}}},
	})
	w.connector(withoutSSO)
	w.bound(1)
	w.Eventually(func() *int64 { return get(w, "staff", &v1alpha1.AccountBinding{}).Status.Bound }).
		WithTimeout(patience).Should(HaveValue(BeEquivalentTo(1)))
	status := "PATCH /apis/oabridge.dev/v1alpha1/namespaces/" + w.ns + "/accountbindings/staff/status"
	w.Expect(second.in(w.ns)).To(ContainElement(status))
	w.Expect(requests.in(w.ns)).NotTo(ContainElement(status))
}

func TestScopesThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		scope controllers.Scope
		says  string
	}{
		"labels of namespaces with namespaced roles": {controllers.Scope{
			Namespaces: []string{"crm"}, NamespaceSelector: labels.Everything(),
		}, "--namespace-selector and --watch-namespaces exclude each other"},
		"no label value": {controllers.Scope{Class: "Second Class"}, `--controller-class is "Second Class"`},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(c.scope.Validate()).To(MatchError(ContainSubstring(c.says)))
		})
	}
}
