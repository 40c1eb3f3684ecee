package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Network policies come and go with the switch, and are repaired like any child. Who passes is proven beside the builders.
func TestNetworkPolicies(t *testing.T) {
	w := newWorld(t)
	w.ready(withSSO(t), func(c *v1alpha1.OAConnector) {
		c.Spec.NetworkPolicy = v1alpha1.NetworkPolicy{State: v1alpha1.Enabled, MetricsFrom: []v1alpha1.NetworkPeer{
			{NamespaceSelector: &metav1.LabelSelector{}, PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "prometheus"}}},
		}}
	})
	for _, name := range []string{"hq-dispatcher", "hq-gateway"} {
		policy := get(w, name, &networkingv1.NetworkPolicy{})
		w.Expect(policy.Spec.PolicyTypes).To(ConsistOf(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress))
		// The operator itself is let in to where it hears of its pods.
		w.Expect(policy.Spec.Ingress).To(ContainElement(HaveField("From", ContainElement(HaveField("NamespaceSelector.MatchLabels",
			Equal(map[string]string{corev1.LabelMetadataName: presetsNamespace}))))))
		w.Expect(policy.Spec.Ingress).To(ContainElement(HaveField("From", ContainElement(And(
			HaveField("NamespaceSelector", Equal(&metav1.LabelSelector{})), HaveField("PodSelector.MatchLabels", HaveKeyWithValue("app", "prometheus")))))))
	}
	change(w, "hq-gateway", &networkingv1.NetworkPolicy{}, func(p *networkingv1.NetworkPolicy) { p.Spec.Egress = nil })
	w.Eventually(func() int { return len(get(w, "hq-gateway", &networkingv1.NetworkPolicy{}).Spec.Egress) }).
		WithTimeout(patience).Should(Equal(3))

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.NetworkPolicy.State = v1alpha1.Disabled })
	for _, name := range []string{"hq-dispatcher", "hq-gateway"} {
		w.Eventually(func() bool {
			return apierrors.IsNotFound(admin.Get(w.Context(), w.key(name), &networkingv1.NetworkPolicy{}))
		}).WithTimeout(patience).Should(BeTrue(), name)
	}
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("True Ready"))
}

func TestTheAPIRefusesMistakesInNetworkPolicies(t *testing.T) {
	to := func(p v1alpha1.NetworkPeer) func(*v1alpha1.OAConnector) {
		return func(c *v1alpha1.OAConnector) {
			c.Spec.NetworkPolicy = v1alpha1.NetworkPolicy{State: v1alpha1.Enabled, To: []v1alpha1.NetworkPeer{p}}
		}
	}
	newWorld(t).judge(
		mistake{"nobody", to(v1alpha1.NetworkPeer{}), "set either cidr, or namespaceSelector and podSelector or one of them"},
		mistake{"a range of pods", to(v1alpha1.NetworkPeer{CIDR: "10.0.0.0/8", PodSelector: &metav1.LabelSelector{}}), "set either cidr, or"},
		mistake{"an address", to(v1alpha1.NetworkPeer{CIDR: "10.20.30.40"}), "must be a CIDR such as 10.20.0.0/16"},
		mistake{"a policy that is neither on nor off", func(c *v1alpha1.OAConnector) {
			c.Spec.NetworkPolicy.To = []v1alpha1.NetworkPeer{{CIDR: "10.0.0.0/8"}}
		}, "spec.networkPolicy.state"},
		mistake{"every namespace", to(v1alpha1.NetworkPeer{NamespaceSelector: &metav1.LabelSelector{}}), ""},
	)
}
