package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// What the ingress controller and cert-manager are told goes with the connector, and what others write stays.
func TestAnnotationsOfTheIngress(t *testing.T) {
	w := newWorld(t)
	w.ready(withSSO(t), func(c *v1alpha1.OAConnector) {
		e := &c.Spec.SSO.Exposure
		e.Annotations, e.Labels = map[string]string{"example.com/timeout": "30"}, map[string]string{"edge": "public"}
		e.TLS = v1alpha1.IngressTLS{SecretName: "sso-tls", IssuerRef: v1alpha1.CertificateIssuer{Name: "letsencrypt", Kind: "ClusterIssuer"}}
	})
	change(w, "hq-gateway", &networkingv1.Ingress{}, func(i *networkingv1.Ingress) { i.Annotations["controller.example/seen"] = "true" })
	i := get(w, "hq-gateway", &networkingv1.Ingress{})
	w.Expect(i.Annotations).To(And(HaveKeyWithValue("cert-manager.io/cluster-issuer", "letsencrypt"), HaveKeyWithValue("example.com/timeout", "30")))
	w.Expect(i.Labels).To(HaveKeyWithValue("edge", "public"))
	w.Expect(i.Spec.TLS).To(Equal([]networkingv1.IngressTLS{{Hosts: []string{"sso.oabridge.test"}, SecretName: "sso-tls"}}))

	base := i.DeepCopy()
	i.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
	w.Expect(admin.Status().Patch(w.Context(), i, client.MergeFrom(base))).To(Succeed())
	w.expectCondition(v1alpha1.ConditionExposed, And(HavePrefix("True Exposed"),
		HaveSuffix(`and cert-manager makes: see certificate "sso-tls" of its clusterissuer "letsencrypt"`)))

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		c.Spec.SSO.Exposure.Annotations, c.Spec.SSO.Exposure.TLS.IssuerRef = nil, v1alpha1.CertificateIssuer{}
	})
	w.Eventually(func() map[string]string { return get(w, "hq-gateway", &networkingv1.Ingress{}).Annotations }).
		WithTimeout(patience).Should(Equal(map[string]string{"controller.example/seen": "true"}))
}

func TestTheAPIRefusesMistakesInTheExposure(t *testing.T) {
	expose := func(edit func(*v1alpha1.Exposure)) func(*v1alpha1.OAConnector) {
		return func(c *v1alpha1.OAConnector) { edit(&c.Spec.SSO.Exposure) }
	}
	newWorld(t).judge(
		mistake{"annotations of nothing", expose(func(e *v1alpha1.Exposure) {
			*e = v1alpha1.Exposure{Type: v1alpha1.ExposureNone, Annotations: map[string]string{"a": "b"}}
		}), "annotations and labels are those of the Ingress or HTTPRoute, and type None makes neither"},
		mistake{"two issuers", expose(func(e *v1alpha1.Exposure) {
			e.TLS = v1alpha1.IngressTLS{SecretName: "s", IssuerRef: v1alpha1.CertificateIssuer{Name: "a"}}
			e.Annotations = map[string]string{"cert-manager.io/cluster-issuer": "b"}
		}), "tls.issuerRef writes the annotations that name cert-manager's issuer"},
		mistake{"an issuer of a Gateway's listener", expose(func(e *v1alpha1.Exposure) {
			*e = v1alpha1.Exposure{Type: v1alpha1.ExposureHTTPRoute, ParentRefs: []v1alpha1.GatewayReference{{Name: "public"}},
				TLS: v1alpha1.IngressTLS{SecretName: "s", IssuerRef: v1alpha1.CertificateIssuer{Name: "a"}}}
		}), "with HTTPRoute TLS ends at the Gateway, which also carries the annotations of cert-manager"},
		mistake{"an issuer without a Secret", expose(func(e *v1alpha1.Exposure) {
			e.TLS = v1alpha1.IngressTLS{IssuerRef: v1alpha1.CertificateIssuer{Name: "a"}}
		}), "spec.sso.exposure.tls.secretName"},
		mistake{"an annotation of the operator", expose(func(e *v1alpha1.Exposure) { e.Annotations = map[string]string{"oabridge.dev/x": "y"} }),
			"annotations that begin with oabridge.dev/ are the operator's"},
		mistake{"a label of the operator", expose(func(e *v1alpha1.Exposure) { e.Labels = map[string]string{"app.kubernetes.io/name": "y"} }),
			"labels that begin with oabridge.dev/ or app.kubernetes.io/ are the operator's"},
		mistake{"cert-manager by hand", expose(func(e *v1alpha1.Exposure) {
			e.TLS, e.Annotations = v1alpha1.IngressTLS{SecretName: "s"}, map[string]string{"cert-manager.io/cluster-issuer": "b"}
		}), ""},
	)
}
