package workload

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/outbound"
)

const portDNS = 53

type (
	peers   = []*networkingv1ac.NetworkPolicyPeerApplyConfiguration
	ingress = networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration
)

// networkPolicies say who reaches whom. They are about ports of pods, so they hold whatever the Services are called.
func networkPolicies(in Input) []Object {
	if in.Connector.Spec.NetworkPolicy.State != v1alpha1.Enabled {
		return nil
	}
	policies := []Object{networkPolicy(in, v1alpha1.ComponentDispatcher, dispatcherIngress(in))}
	if HasGateway(in.Connector) {
		policies = append(policies, networkPolicy(in, v1alpha1.ComponentGateway, gatewayIngressRules(in)))
	}
	return policies
}

func networkPolicy(in Input, component string, rules []*ingress) Object {
	return networkingv1ac.NetworkPolicy(DeploymentName(in.Connector.Name, component), in.Connector.Namespace).
		WithLabels(labels(in.Connector, component)).
		WithOwnerReferences(owner(in.Connector)).
		WithSpec(networkingv1ac.NetworkPolicySpec().
			WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(selector(in.Connector, component))).
			WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress).
			WithIngress(rules...).
			WithEgress(egress(in, component)...))
}

// dispatcherIngress: events, used proofs of the own gateway, and what the operator reads. The list that Seeyon reads comes in
// through the same door as people do.
func dispatcherIngress(in Input) []*ingress {
	policy := in.Connector.Spec.NetworkPolicy
	events := policy.EventsFrom
	if bundle.Pulled(&in.Connector.Spec) && hasPublicHost(in.Connector) && len(events) > 0 {
		if len(policy.SignInFrom) == 0 {
			events = nil
		}
		events = slices.Concat(events, policy.SignInFrom)
	}
	rules := []*ingress{from(bundle.PortPublic, peersOf(events)), admin(in)}
	if HasGateway(in.Connector) {
		rules = append(rules, from(bundle.PortPeer, peers{ownPods(in, v1alpha1.ComponentGateway)}))
	}
	return rules
}

func gatewayIngressRules(in Input) []*ingress {
	return []*ingress{from(bundle.PortPublic, peersOf(in.Connector.Spec.NetworkPolicy.SignInFrom)), admin(in)}
}

// admin lets the operator and those who read metrics in. An operator whose namespace is not known runs outside of the
// cluster, as on a developer's machine: it may have any address.
func admin(in Input) *ingress {
	switch {
	case in.OperatorNamespace == "":
		return from(bundle.PortAdmin, nil)
	case len(in.Connector.Spec.NetworkPolicy.MetricsFrom) == 0:
		return from(bundle.PortAdmin, peers{everyPod()})
	}
	operator := networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(
		metav1ac.LabelSelector().WithMatchLabels(map[string]string{corev1.LabelMetadataName: in.OperatorNamespace}))
	return from(bundle.PortAdmin, append(peers{operator}, peersOf(in.Connector.Spec.NetworkPolicy.MetricsFrom)...))
}

// from allows one port to some peers; none means everybody.
func from(port int32, who peers) *ingress {
	return networkingv1ac.NetworkPolicyIngressRule().WithPorts(policyPort(corev1.ProtocolTCP, port)).WithFrom(who...)
}

// egress: DNS at any address, because a node's own cache answers at a link-local one; the own dispatcher; and the rest.
func egress(in Input, component string) []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	rules := []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration{
		networkingv1ac.NetworkPolicyEgressRule().WithPorts(
			policyPort(corev1.ProtocolUDP, portDNS), policyPort(corev1.ProtocolTCP, portDNS)),
	}
	if component == v1alpha1.ComponentGateway {
		rules = append(rules, networkingv1ac.NetworkPolicyEgressRule().
			WithPorts(policyPort(corev1.ProtocolTCP, bundle.PortPeer)).
			WithTo(ownPods(in, v1alpha1.ComponentDispatcher)))
	}
	to := peersOf(in.Connector.Spec.NetworkPolicy.To)
	if len(to) == 0 {
		to = anywhere(allowedCIDRs(&in.Connector.Spec, component))
	}
	return append(rules, networkingv1ac.NetworkPolicyEgressRule().WithTo(to...))
}

// anywhere is what the workloads' own egress policy allows: pods, which some networks do not count among addresses, and every
// address but those that are never dialled unless they were opened.
func anywhere(opened []netip.Prefix) peers {
	v4, v6 := networkingv1ac.IPBlock().WithCIDR("0.0.0.0/0"), networkingv1ac.IPBlock().WithCIDR("::/0")
	for _, p := range outbound.Denied() {
		if p.Addr().Is4() {
			v4.WithExcept(p.String())
		} else {
			v6.WithExcept(p.String())
		}
	}
	to := peers{everyPod(), networkingv1ac.NetworkPolicyPeer().WithIPBlock(v4), networkingv1ac.NetworkPolicyPeer().WithIPBlock(v6)}
	for _, p := range opened {
		to = append(to, networkingv1ac.NetworkPolicyPeer().WithIPBlock(networkingv1ac.IPBlock().WithCIDR(p.String())))
	}
	return to
}

// allowedCIDRs are the ranges that the connector opens for a component. What is no range was refused by the schema.
func allowedCIDRs(spec *v1alpha1.OAConnectorSpec, component string) []netip.Prefix {
	ranges := slices.Clone(spec.Endpoint.AllowedCIDRs)
	if component == v1alpha1.ComponentDispatcher {
		ranges = slices.Concat(ranges, spec.Dispatcher.Queue.NATS.AllowedCIDRs, spec.Dispatcher.Records.AllowedCIDRs)
		for _, c := range spec.Notifications.Channels {
			ranges = append(ranges, c.AllowedCIDRs...)
		}
	}
	slices.Sort(ranges)
	var opened []netip.Prefix
	for _, s := range slices.Compact(ranges) {
		if p, err := netip.ParsePrefix(s); err == nil {
			opened = append(opened, p.Masked())
		}
	}
	return opened
}

func peersOf(list []v1alpha1.NetworkPeer) peers {
	var out peers
	for _, p := range list {
		peer := networkingv1ac.NetworkPolicyPeer()
		if p.CIDR != "" {
			peer.WithIPBlock(networkingv1ac.IPBlock().WithCIDR(p.CIDR))
		}
		if p.NamespaceSelector != nil {
			peer.WithNamespaceSelector(labelSelector(p.NamespaceSelector))
		}
		if p.PodSelector != nil {
			peer.WithPodSelector(labelSelector(p.PodSelector))
		}
		out = append(out, peer)
	}
	return out
}

func labelSelector(s *metav1.LabelSelector) *metav1ac.LabelSelectorApplyConfiguration {
	a := metav1ac.LabelSelector().WithMatchLabels(s.MatchLabels)
	for _, e := range s.MatchExpressions {
		a.WithMatchExpressions(metav1ac.LabelSelectorRequirement().WithKey(e.Key).WithOperator(e.Operator).WithValues(e.Values...))
	}
	return a
}

func everyPod() *networkingv1ac.NetworkPolicyPeerApplyConfiguration {
	return networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(metav1ac.LabelSelector())
}

func ownPods(in Input, component string) *networkingv1ac.NetworkPolicyPeerApplyConfiguration {
	return networkingv1ac.NetworkPolicyPeer().
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(selector(in.Connector, component)))
}

func policyPort(protocol corev1.Protocol, port int32) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(protocol).WithPort(intstr.FromInt32(port))
}
