package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
)

// What the gateway's pods find at the public address is in the condition Exposed, with the stage and what to do. It never makes
// Ready false, and can be switched off where pods cannot see what people see. // F112
func TestTheGatewayTellsWhetherItIsExposed(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.binding("staff", "1000=zhangwei", "1001=lina")
	w.connector()
	w.bound(2)
	hash := w.hash()
	w.runPod(v1alpha1.ComponentDispatcher, healthyReport(hash))
	first := w.runPod(v1alpha1.ComponentGateway, report.Report{Config: report.Config{Hash: hash}})
	second := w.runPod(v1alpha1.ComponentGateway, report.Report{Config: report.Config{Hash: hash}})
	w.available("hq-dispatcher", "hq-gateway")
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("True Ready"))
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("False AddressPending"))

	finding := func(state, reason, message string) func(*report.Report) {
		return func(r *report.Report) { r.Exposure = &report.Exposure{State: state, Reason: reason, Message: message} }
	}
	reached := finding("True", "", "the gateway reached itself at its public address")
	for _, p := range []*fakePod{first, second} {
		p.say(finding("Unknown", v1alpha1.ReasonSelfProbeFailed, "DNS: the name does not resolve"))
	}
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("False AddressPending")) // which explains it
	var ingress networkingv1.Ingress
	w.Expect(admin.Get(w.Context(), w.key("hq-gateway"), &ingress)).To(Succeed())
	ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "203.0.113.7"}}
	w.Expect(admin.Status().Update(w.Context(), &ingress)).To(Succeed())
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("Unknown SelfProbeFailed: DNS: "))

	first.say(reached)
	second.say(finding("False", v1alpha1.ReasonSelfProbeFailed, "TLS: the certificate has expired"))
	w.expectCondition(v1alpha1.ConditionExposed, Equal("False SelfProbeFailed: TLS: the certificate has expired"))
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("True Ready"))
	second.say(reached)
	w.expectCondition(v1alpha1.ConditionExposed, And(HavePrefix("True Exposed: the Ingress has an address"), HaveSuffix("reached itself at its public address")))

	second.say(finding("False", v1alpha1.ReasonSelfProbeFailed, "HTTP: another site answers"))
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("False SelfProbeFailed"))
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.SSO.SelfProbe = v1alpha1.Disabled })
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("True Exposed: the Ingress has an address"))
}

// A host that something else routes is known to be exposed when the gateway reaches itself. // F112
func TestAHostThatSomethingElseRoutes(t *testing.T) {
	w := newWorld(t)
	w.ready(func(c *v1alpha1.OAConnector) {
		c.Spec.SSO = sampleConnector(t).Spec.SSO
		c.Spec.SSO.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureNone}
	})
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("Unknown NotExposed"))
	w.runPod(v1alpha1.ComponentGateway, report.Report{
		Config: report.Config{Hash: w.hash()}, Exposure: &report.Exposure{State: "True", Message: "the gateway reached itself at its public address"},
	})
	w.expectCondition(v1alpha1.ConditionExposed, Equal("True Exposed: the gateway reached itself at its public address"))
}

// An OA without TLS is called; a condition and an Event warn of it, and nothing else is less well for it. With TLS there is
// nothing to warn of. // F17
func TestPlainHTTPIsAWarning(t *testing.T) {
	w := newWorld(t)
	w.ready()
	w.expectCondition(v1alpha1.ConditionEndpointSecure, And(HavePrefix("False PlainHTTP: calls to http://"), ContainSubstring("spec.endpoint.tls")))
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("True Ready"))
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("False"))
	w.Eventually(func(g Gomega) {
		var list eventsv1.EventList
		g.Expect(admin.List(w.Context(), &list, client.InNamespace(w.ns))).To(Succeed())
		var kinds []string
		for _, e := range list.Items {
			if e.Reason == v1alpha1.ReasonPlainHTTP {
				kinds = append(kinds, e.Type)
			}
		}
		g.Expect(kinds).To(ConsistOf(corev1.EventTypeWarning))
	}).WithTimeout(patience).Should(Succeed())
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		c.Spec.Endpoint.URL, c.Spec.Endpoint.TLS = "https://oa.corp.example", v1alpha1.TLSRequired
	})
	w.expectCondition(v1alpha1.ConditionEndpointSecure, Equal("True Encrypted: calls to oa.corp.example are encrypted"))
	w.Eventually(func() string { return get(w, "hq-bundle", &corev1.ConfigMap{}).Data["bundle.json"] }).WithTimeout(patience).
		Should(ContainSubstring(`"requireTLS": true`))
}
