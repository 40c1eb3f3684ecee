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
		WithTimeout(patience).Should(And(HaveLen(2), HaveKeyWithValue("controller.example/seen", "true"), HaveKey(v1alpha1.AnnotationApplied)))
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

// Several hosts of which the gateway has a part: the Ingress leads there, and what is to be pasted is that of the main host.
func TestSeveralHostsAndAPathPrefix(t *testing.T) {
	w := newWorld(t)
	w.ready(withSSO(t), func(c *v1alpha1.OAConnector) {
		sso := &c.Spec.SSO
		sso.AdditionalHosts, sso.PathPrefix = []string{"sso.office.test"}, "/oa"
		sso.Exposure.TLS.SecretName = "sso-tls"
		sso.DomainFiles = []v1alpha1.DomainFile{{Name: "WW_verify_AbC123.txt", Content: "AbC123"}}
	})
	i := get(w, "hq-gateway", &networkingv1.Ingress{})
	w.Expect(i.Spec.Rules).To(HaveLen(2))
	w.Expect(i.Spec.Rules[1].Host).To(Equal("sso.office.test"))
	w.Expect(i.Spec.Rules[1].HTTP.Paths).To(ContainElement(HaveField("Path", "/oa")))
	a := get(w, "hq", &v1alpha1.OAConnector{}).Status.Addresses
	w.Expect(a.Login).To(HavePrefix("https://sso.oabridge.test/oa/erp/syncdata/open/oa/authorizeWeb/SeeYon/login/"))
	w.Expect(a.JWKS).To(Equal("https://sso.oabridge.test/oa/.well-known/jwks.json"))
	w.Expect(a.DomainFiles).To(Equal([]string{"https://sso.oabridge.test/WW_verify_AbC123.txt"}))

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		c.Spec.SSO.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureNone}
	})
	w.expectCondition(v1alpha1.ConditionExposed, Equal(
		`Unknown NotExposed: exposure.type is None: route sso.oabridge.test/oa, sso.office.test/oa to service "hq-gateway" port 8080 yourself`))
}

func TestTheAPIRefusesMistakesInHosts(t *testing.T) {
	edit := func(change func(*v1alpha1.SSO)) func(*v1alpha1.OAConnector) {
		return func(c *v1alpha1.OAConnector) { change(&c.Spec.SSO) }
	}
	prefix := func(p string) func(*v1alpha1.OAConnector) {
		return edit(func(s *v1alpha1.SSO) { s.PathPrefix = p })
	}
	newWorld(t).judge(
		mistake{"the main host again", edit(func(s *v1alpha1.SSO) { s.AdditionalHosts = []string{s.Host} }), "take host out of additionalHosts"},
		mistake{"a host with a scheme", edit(func(s *v1alpha1.SSO) { s.AdditionalHosts = []string{"https://sso.office.test"} }), "must be a full DNS name without scheme and port"},
		mistake{"localhost", edit(func(s *v1alpha1.SSO) { s.AdditionalHosts = []string{"localhost"} }), "localhost, .local names and IP addresses are refused"},
		mistake{"hosts of no gateway", edit(func(s *v1alpha1.SSO) {
			s.Mode, s.AdditionalHosts = v1alpha1.SSONone, []string{"sso.office.test"}
		}), "additionalHosts are further names of a gateway beside host"},
		mistake{"a provider with two addresses", edit(func(s *v1alpha1.SSO) {
			s.AdditionalHosts, s.CRMLogin.Type = []string{"sso.office.test"}, v1alpha1.LoginOpenIDProvider
			s.CRMLogin.OpenID = v1alpha1.OpenIDClient{ClientID: "crm", RedirectURIs: []string{"https://crm.example/back"}}
		}), "additionalHosts are not possible with crmLogin.type OpenIDProvider"},
		mistake{"a prefix that begins nowhere", prefix("oa"), "should match"},
		mistake{"a prefix that ends nowhere", prefix("/oa/"), "should match"},
		mistake{"a prefix that climbs", prefix("/oa/../crm"), "should match"},
		mistake{"a prefix in disguise", prefix("/o%61"), "should match"},
		mistake{"a prefix of Seeyon's list", func(c *v1alpha1.OAConnector) {
			c.Spec.SSO.PathPrefix = "/oa"
			c.Spec.Seeyon.Mode, c.Spec.Seeyon.Pull.TokenSecretRef.Name = v1alpha1.SeeyonPull, "hq-pull"
		}, "the list that Seeyon reads has a fixed path; give the connector a host of its own"},
		mistake{"two hosts and a prefix", edit(func(s *v1alpha1.SSO) { s.AdditionalHosts, s.PathPrefix = []string{"sso.office.test"}, "/portal/oa" }), ""},
	)
}
