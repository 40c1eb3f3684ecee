package workload_test

import (
	"net/netip"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// guarded has network policies of which every list is used.
func guarded() workload.Input {
	in := pulled()
	in.OperatorNamespace = "oabridge-system"
	in.Connector.Spec.Endpoint.AllowedCIDRs = []string{"127.0.0.0/8"}
	in.Connector.Spec.NetworkPolicy = v1alpha1.NetworkPolicy{
		State:       v1alpha1.Enabled,
		EventsFrom:  []v1alpha1.NetworkPeer{{PodSelector: matching("app", "crm-relay")}},
		SignInFrom:  []v1alpha1.NetworkPeer{{NamespaceSelector: named("ingress-nginx"), PodSelector: matching("app", "nginx")}},
		MetricsFrom: []v1alpha1.NetworkPeer{{NamespaceSelector: named("monitoring")}},
		To:          []v1alpha1.NetworkPeer{{CIDR: "10.20.0.0/16"}, {NamespaceSelector: named("nats")}},
	}
	return in
}

func matching(key, value string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
}

func named(namespace string) *metav1.LabelSelector {
	return matching(corev1.LabelMetadataName, namespace)
}

// open has network policies with the defaults.
func open() workload.Input {
	in := guarded()
	in.Connector.Spec.NetworkPolicy = v1alpha1.NetworkPolicy{State: v1alpha1.Enabled}
	return in
}

// network is a cluster in which policies are enforced.
type network struct {
	t        *testing.T
	policies []networkingv1.NetworkPolicy
}

// place is a pod, or with an address alone something outside.
type place struct {
	namespace string
	labels    map[string]string
	address   string
}

func policed(t *testing.T, in workload.Input) network {
	t.Helper()
	n := network{t: t}
	for _, o := range workload.Build(in) {
		if *o.GetKind() != "NetworkPolicy" {
			continue
		}
		doc, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var p networkingv1.NetworkPolicy
		if err := yaml.UnmarshalStrict(doc, &p); err != nil {
			t.Fatal(err)
		}
		n.policies = append(n.policies, p)
	}
	return n
}

// passes says whether a connection is made, as the API of NetworkPolicy defines it: a pod that no policy of a direction selects
// is open in this direction, and otherwise one rule of one policy has to allow it, at both ends.
func (n network) passes(from, to place, protocol corev1.Protocol, port int32) bool {
	return n.allows(from, to, networkingv1.PolicyTypeEgress, protocol, port) && n.allows(to, from, networkingv1.PolicyTypeIngress, protocol, port)
}

func (n network) allows(subject, other place, direction networkingv1.PolicyType, protocol corev1.Protocol, port int32) bool {
	selected := false
	for _, p := range n.policies {
		if subject.namespace != p.Namespace || !n.matches(&p.Spec.PodSelector, subject.labels) || !slices.Contains(p.Spec.PolicyTypes, direction) {
			continue
		}
		selected = true
		if direction == networkingv1.PolicyTypeIngress {
			for _, r := range p.Spec.Ingress {
				if onPort(r.Ports, protocol, port) && n.among(r.From, p.Namespace, other) {
					return true
				}
			}
			continue
		}
		for _, r := range p.Spec.Egress {
			if onPort(r.Ports, protocol, port) && n.among(r.To, p.Namespace, other) {
				return true
			}
		}
	}
	return !selected
}

func onPort(ports []networkingv1.NetworkPolicyPort, protocol corev1.Protocol, port int32) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		return *p.Protocol == protocol && (p.Port == nil || p.Port.IntVal == port)
	})
}

// among peers. Pods are matched by selectors alone, as the strictest networks do: their addresses are in no block.
func (n network) among(peers []networkingv1.NetworkPolicyPeer, namespace string, other place) bool {
	return len(peers) == 0 || slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
		if p.IPBlock != nil {
			return other.namespace == "" && within(p.IPBlock, netip.MustParseAddr(other.address))
		}
		if other.namespace == "" {
			return false
		}
		inNamespace := other.namespace == namespace
		if p.NamespaceSelector != nil {
			inNamespace = n.matches(p.NamespaceSelector, map[string]string{corev1.LabelMetadataName: other.namespace})
		}
		return inNamespace && (p.PodSelector == nil || n.matches(p.PodSelector, other.labels))
	})
}

func within(b *networkingv1.IPBlock, a netip.Addr) bool {
	return netip.MustParsePrefix(b.CIDR).Contains(a) &&
		!slices.ContainsFunc(b.Except, func(s string) bool { return netip.MustParsePrefix(s).Contains(a) })
}

func (n network) matches(s *metav1.LabelSelector, of map[string]string) bool {
	n.t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		n.t.Fatal(err)
	}
	return selector.Matches(labels.Set(of))
}

func podOf(namespace, app string) place {
	return place{namespace: namespace, labels: map[string]string{"app": app}}
}

func outside(address string) place { return place{address: address} }

// Who reaches whom, with the defaults and with every list in use.
func TestNetworkPolicies(t *testing.T) {
	pods := templates(t, workload.Build(guarded()))
	dispatcher := place{namespace: "crm", labels: pods["hq-dispatcher"].Labels}
	gateway := place{namespace: "crm", labels: pods["hq-gateway"].Labels}
	other := func(p place) place { // the same workload of another connector
		o := place{namespace: p.namespace, labels: map[string]string{}}
		for k, v := range p.labels {
			o.labels[k] = v
		}
		o.labels["app.kubernetes.io/instance"] = "branch"
		return o
	}
	relay, nginx, stranger := podOf("crm", "crm-relay"), podOf("ingress-nginx", "nginx"), podOf("crm", "something")
	operator, prometheus := podOf("oabridge-system", "manager"), podOf("monitoring", "prometheus")
	const tcp, udp = corev1.ProtocolTCP, corev1.ProtocolUDP
	cases := []struct {
		name            string
		from, to        place
		protocol        corev1.Protocol
		port            int32
		byDefault, used bool
	}{
		{"the CRM's relay posts events", relay, dispatcher, tcp, 8080, true, true},
		{"anybody posts events", stranger, dispatcher, tcp, 8080, true, false},
		{"the CRM posts events from outside", outside("203.0.113.9"), dispatcher, tcp, 8080, true, false},
		{"Seeyon asks for its list through the ingress controller", nginx, dispatcher, tcp, 8080, true, true},
		{"the ingress controller brings people", nginx, gateway, tcp, 8080, true, true},
		{"another pod of its namespace", podOf("ingress-nginx", "curl"), gateway, tcp, 8080, true, false},
		{"a pod of the same name elsewhere", podOf("crm", "nginx"), gateway, tcp, 8080, true, false},
		{"the own gateway keeps proofs", gateway, dispatcher, tcp, 8082, true, true},
		{"another connector's gateway", other(gateway), dispatcher, tcp, 8082, false, false},
		{"a stranger at the proofs", stranger, dispatcher, tcp, 8082, false, false},
		{"the ingress controller at the proofs", nginx, dispatcher, tcp, 8082, false, false},
		{"the operator hears of the dispatcher", operator, dispatcher, tcp, 8081, true, true},
		{"the operator hears of the gateway", operator, gateway, tcp, 8081, true, true},
		{"Prometheus", prometheus, gateway, tcp, 8081, true, true},
		{"a stranger at the metrics", stranger, gateway, tcp, 8081, true, false},
		{"the world at the metrics", outside("203.0.113.9"), gateway, tcp, 8081, false, false},
		{"the records are for nobody", operator, dispatcher, tcp, 8083, false, false},
		{"DNS", dispatcher, podOf("kube-system", "coredns"), udp, 53, true, true},
		{"DNS over TCP", gateway, podOf("kube-system", "coredns"), tcp, 53, true, true},
		{"DNS of the node", gateway, outside("169.254.20.10"), udp, 53, true, true},
		{"the OA", dispatcher, outside("10.20.30.40"), tcp, 8080, true, true},
		{"the OA, asked for a ticket", gateway, outside("10.20.30.40"), tcp, 8080, true, true},
		{"an address elsewhere", dispatcher, outside("93.184.216.34"), tcp, 443, true, false},
		{"an address elsewhere, IPv6", dispatcher, outside("2606:2800:220:1::1"), tcp, 443, true, false},
		{"NATS in the cluster", dispatcher, podOf("nats", "nats"), tcp, 4222, true, true},
		{"a pod of no concern", dispatcher, podOf("shop", "web"), tcp, 443, true, false},
		{"cloud metadata", dispatcher, outside("169.254.169.254"), tcp, 80, false, false},
		{"cloud metadata in shared space", gateway, outside("100.100.100.200"), tcp, 80, false, false},
		{"cloud metadata, IPv6", gateway, outside("fd00:ec2::254"), tcp, 80, false, false},
		{"an opened range", dispatcher, outside("127.0.0.7"), tcp, 80, true, false},
	}
	byDefault, used, without := policed(t, open()), policed(t, guarded()), policed(t, pulled())
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(byDefault.passes(c.from, c.to, c.protocol, c.port)).To(Equal(c.byDefault), "with the defaults")
			g.Expect(used.passes(c.from, c.to, c.protocol, c.port)).To(Equal(c.used), "with every list in use")
			g.Expect(without.passes(c.from, c.to, c.protocol, c.port)).To(BeTrue(), "without policies")
		})
	}
}

// An operator outside of the cluster, as on a developer's machine, has any address.
func TestAnOperatorOutsideOfTheCluster(t *testing.T) {
	in := open()
	in.OperatorNamespace = ""
	dispatcher := place{namespace: "crm", labels: templates(t, workload.Build(in))["hq-dispatcher"].Labels}
	NewWithT(t).Expect(policed(t, in).passes(outside("192.168.1.5"), dispatcher, corev1.ProtocolTCP, 8081)).To(BeTrue())
}

// Seeyon comes in with everybody when the way of people is open to everybody.
func TestTheListOfSeeyonIsNotShutByTheEvents(t *testing.T) {
	in := guarded()
	in.Connector.Spec.NetworkPolicy.SignInFrom = nil
	dispatcher := place{namespace: "crm", labels: templates(t, workload.Build(in))["hq-dispatcher"].Labels}
	g := NewWithT(t)
	g.Expect(policed(t, in).passes(podOf("ingress-nginx", "nginx"), dispatcher, corev1.ProtocolTCP, 8080)).To(BeTrue())
	in.Connector.Spec.Seeyon = v1alpha1.SeeyonSpec{RegisterCode: "3004"}
	g.Expect(policed(t, in).passes(podOf("ingress-nginx", "nginx"), dispatcher, corev1.ProtocolTCP, 8080)).To(BeFalse())
}

// Without a gateway there is one policy, and nobody at the proofs; switched off there is none.
func TestNetworkPoliciesAreAskedFor(t *testing.T) {
	g := NewWithT(t)
	in := minimal()
	g.Expect(policed(t, in).policies).To(BeEmpty())
	in.Connector.Spec.NetworkPolicy.State = v1alpha1.Enabled
	g.Expect(policed(t, in).policies).To(HaveLen(1))
	in.Connector.Spec.NetworkPolicy = guarded().Connector.Spec.NetworkPolicy
	in.Connector.Spec.NetworkPolicy.State = v1alpha1.Disabled
	g.Expect(policed(t, in).policies).To(BeEmpty())
}
