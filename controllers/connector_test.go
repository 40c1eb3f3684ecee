package controllers_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// A platform engineer applies the sample and sees it come up.
func TestApplyingTheSampleBringsUpDispatcherAndGateway(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.binding("staff", "1000=zhangwei", "1001=lina")
	w.connector()

	w.bound(2)
	hash := w.hash()
	children := map[string]client.Object{
		"hq-dispatcher": &appsv1.Deployment{}, "hq-gateway": &appsv1.Deployment{},
	}
	for name, o := range children {
		get(w, name, o)
	}
	for name, o := range map[string]client.Object{
		"hq-dispatcher": &corev1.Service{}, "hq-bundle": &corev1.ConfigMap{}, "hq-accounts-00": &corev1.ConfigMap{},
		"hq-queue": &corev1.PersistentVolumeClaim{}, "hq-peer": &corev1.Secret{},
	} {
		get(w, name, o)
	}
	get(w, "hq-gateway", &corev1.Service{})
	get(w, "hq-gateway", &policyv1.PodDisruptionBudget{})
	get(w, "hq-gateway", &networkingv1.Ingress{})
	get(w, "hq-dispatcher", &corev1.ServiceAccount{})
	get(w, "hq-gateway", &corev1.ServiceAccount{})

	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True Resolved"))
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False RollingOut: dispatcher: 0 of 1 pod is ready; gateway: 0 of 2 pods are ready"))
	w.expectCondition(v1alpha1.ConditionReconciling, HavePrefix("True Progressing"))
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("False AddressPending"))

	w.runPod(v1alpha1.ComponentDispatcher, healthyReport(hash))
	gateway := healthyReport(hash)
	gateway.OA, gateway.Delivery, gateway.Store = nil, nil, nil
	w.runPod(v1alpha1.ComponentGateway, gateway)
	w.runPod(v1alpha1.ComponentGateway, gateway)
	w.available("hq-dispatcher", "hq-gateway")
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("True Ready"))
	w.expectCondition(v1alpha1.ConditionReconciling, HavePrefix("False"))
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("False"))
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, HavePrefix("True Healthy"))

	ingress := get(w, "hq-gateway", &networkingv1.Ingress{})
	base := ingress.DeepCopy()
	ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
	w.Expect(admin.Status().Patch(w.Context(), ingress, client.MergeFrom(base))).To(Succeed())
	w.expectCondition(v1alpha1.ConditionExposed, ContainSubstring(`TLS ends at it with secret "hq-tls"`))

	c := get(w, "hq", &v1alpha1.OAConnector{})
	w.Expect(c.Status.Addresses.Events).To(Equal("http://hq-dispatcher." + w.ns + ".svc:8080/events"))
	w.Expect(c.Status.Addresses.Login).To(Equal("https://sso.oabridge.test/erp/syncdata/open/oa/authorizeWeb/SeeYon/login/714439/false"))
	w.Expect(c.Status.Addresses.JWKS).To(Equal("https://sso.oabridge.test/.well-known/jwks.json"))
	w.Expect(*c.Status.Accounts.Bound).To(BeEquivalentTo(2))
	w.Expect(c.Status.Config.LiveTime.Time).To(BeTemporally("~", time.Now(), patience))
}

// Switching SSO off takes the gateway away and leaves the dispatcher alone. // F104 F172
func TestGatewayGoesWithSSO(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.connector()
	w.hash()
	dispatcher := get(w, "hq-dispatcher", &appsv1.Deployment{}).UID
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.SSO = v1alpha1.SSO{Mode: v1alpha1.SSONone} })
	for _, o := range []client.Object{
		&appsv1.Deployment{}, &corev1.Service{}, &corev1.ServiceAccount{}, &networkingv1.Ingress{}, &policyv1.PodDisruptionBudget{},
	} {
		w.Eventually(func() bool { return apierrors.IsNotFound(admin.Get(w.Context(), w.key("hq-gateway"), o)) }).
			WithTimeout(patience).Should(BeTrue(), "%T", o)
	}
	w.Expect(get(w, "hq-dispatcher", &appsv1.Deployment{}).UID).To(Equal(dispatcher))
	w.expectCondition(v1alpha1.ConditionExposed, Equal("absent"))
}

// What others change in a child is put right again; what they add where the operator has no opinion stays.
func TestDriftIsRepaired(t *testing.T) {
	w := newWorld(t)
	w.ready()
	change(w, "hq-dispatcher", &appsv1.Deployment{}, func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Image = "somebody/else:latest"
		d.Annotations = map[string]string{"example.com/note": "kept"}
	})
	w.Eventually(func(g Gomega) {
		d := &appsv1.Deployment{}
		g.Expect(admin.Get(w.Context(), w.key("hq-dispatcher"), d)).To(Succeed())
		g.Expect(d.Spec.Template.Spec.Containers[0].Image).To(Equal("oabridge:test"))
		g.Expect(d.Annotations).To(HaveKeyWithValue("example.com/note", "kept"))
	}).WithTimeout(patience).Should(Succeed())

	change(w, "hq-bundle", &corev1.ConfigMap{}, func(cm *corev1.ConfigMap) { cm.Data["bundle.json"] = "{}" })
	w.Eventually(func() string { return get(w, "hq-bundle", &corev1.ConfigMap{}).Data["bundle.json"] }).
		WithTimeout(patience).Should(ContainSubstring(`"714439"`))

	w.Expect(admin.Delete(w.Context(), get(w, "hq-dispatcher", &corev1.Service{}))).To(Succeed())
	w.Eventually(func() error { return admin.Get(w.Context(), w.key("hq-dispatcher"), &corev1.Service{}) }).
		WithTimeout(patience).Should(Succeed())
}

// An object that has the name of a child and belongs to somebody else is never touched.
func TestForeignObjectsAreRefusedAndWatched(t *testing.T) { // TM-25
	w := newWorld(t)
	w.secrets()
	labels := map[string]string{"app": "theirs"}
	theirs := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "hq-dispatcher"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "theirs", Image: "theirs"}}},
			},
		},
	}
	w.create(theirs)
	version := theirs.ResourceVersion
	w.connector(withoutSSO)
	w.expectCondition(v1alpha1.ConditionStalled, And(HavePrefix("True ChildNotOurs"), ContainSubstring(`deployment "hq-dispatcher"`)))
	w.Expect(get(w, "hq-dispatcher", &appsv1.Deployment{}).ResourceVersion).To(Equal(version))
	w.Expect(kstatus(get(w, "hq", &v1alpha1.OAConnector{}))).To(Equal("Failed"))

	w.Expect(admin.Delete(w.Context(), theirs)).To(Succeed())
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("False"))
	w.Expect(get(w, "hq-dispatcher", &appsv1.Deployment{}).Labels).To(HaveKeyWithValue(v1alpha1.LabelConnector, "hq"))
}

// kstatus is what GitOps tools make of an object (the rules of kstatus for custom resources).
func kstatus(c *v1alpha1.OAConnector) string {
	is := func(kind string, status metav1.ConditionStatus) bool {
		for _, condition := range c.Status.Conditions {
			if condition.Type == kind {
				return condition.Status == status
			}
		}
		return false
	}
	switch {
	case c.DeletionTimestamp != nil:
		return "Terminating"
	case c.Status.ObservedGeneration != c.Generation, is("Reconciling", metav1.ConditionTrue):
		return "InProgress"
	case is("Stalled", metav1.ConditionTrue):
		return "Failed"
	case is("Ready", metav1.ConditionTrue):
		return "Current"
	}
	return "InProgress"
}
