package workload_test

import (
	"testing"

	. "github.com/onsi/gomega"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// shared has two hosts of which it has a part, and proves at their root whose they are.
func shared() workload.Input {
	in := exposed()
	sso := &in.Connector.Spec.SSO
	sso.AdditionalHosts, sso.PathPrefix = []string{"sso.office.example"}, "/portal/oa"
	sso.DomainFiles = []v1alpha1.DomainFile{{Name: "WW_verify_AbC123.txt", Content: "AbC123"}}
	return in
}

// sharedRoute is the same through the Gateway API.
func sharedRoute() workload.Input {
	in := shared()
	in.Connector.Spec.SSO.Exposure = routed().Connector.Spec.SSO.Exposure
	return in
}

// exposed has an Ingress with everything that can be said of one.
func exposed() workload.Input {
	in := full()
	e := &in.Connector.Spec.SSO.Exposure
	e.Annotations = map[string]string{"nginx.ingress.kubernetes.io/proxy-read-timeout": "30"}
	e.Labels = map[string]string{"edge": "public"}
	e.TLS.IssuerRef = v1alpha1.CertificateIssuer{Name: "letsencrypt", Kind: "ClusterIssuer"}
	return in
}

func ingress(t *testing.T, in workload.Input) networkingv1.Ingress {
	t.Helper()
	var found networkingv1.Ingress
	for _, o := range workload.Build(in) {
		if *o.GetKind() != "Ingress" {
			continue
		}
		doc, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(doc, &found); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// cert-manager is asked in the words of its ingress-shim.
func TestAnnotationsOfCertManager(t *testing.T) {
	for name, c := range map[string]struct {
		issuer v1alpha1.CertificateIssuer
		want   map[string]string
	}{
		"none":           {v1alpha1.CertificateIssuer{}, map[string]string{}},
		"by default":     {v1alpha1.CertificateIssuer{Name: "ca"}, map[string]string{"cert-manager.io/issuer": "ca"}},
		"cluster issuer": {v1alpha1.CertificateIssuer{Name: "le", Kind: "ClusterIssuer"}, map[string]string{"cert-manager.io/cluster-issuer": "le"}},
		"another group": {v1alpha1.CertificateIssuer{Name: "pca", Kind: "AWSPCAClusterIssuer", Group: "awspca.cert-manager.io"}, map[string]string{
			"cert-manager.io/issuer": "pca", "cert-manager.io/issuer-kind": "AWSPCAClusterIssuer", "cert-manager.io/issuer-group": "awspca.cert-manager.io",
		}},
	} {
		in := exposed()
		in.Connector.Spec.SSO.Exposure.TLS.IssuerRef = c.issuer
		c.want["nginx.ingress.kubernetes.io/proxy-read-timeout"] = "30"
		NewWithT(t).Expect(ingress(t, in).Annotations).To(Equal(c.want), name)
	}
}

// The operator finds its children by its own labels, whatever a connector that was stored long ago says.
func TestOwnLabelsOfTheIngressStay(t *testing.T) {
	in := exposed()
	in.Connector.Spec.SSO.Exposure.Labels = map[string]string{"edge": "public", v1alpha1.LabelConnector: "other"}
	NewWithT(t).Expect(ingress(t, in).Labels).To(And(HaveKeyWithValue("edge", "public"), HaveKeyWithValue(v1alpha1.LabelConnector, "hq")))
}

// Each host leads to the same doors, and one certificate is for all of them.
func TestSeveralHosts(t *testing.T) {
	g := NewWithT(t)
	i := ingress(t, shared())
	var doors []string
	for _, r := range i.Spec.Rules {
		for _, p := range r.HTTP.Paths {
			doors = append(doors, r.Host+p.Path+" "+string(*p.PathType)+" "+p.Backend.Service.Name)
		}
	}
	g.Expect(doors).To(Equal([]string{
		"sso.crm.example/WW_verify_AbC123.txt Exact hq-gateway", "sso.crm.example/portal/oa Prefix hq-gateway",
		"sso.office.example/WW_verify_AbC123.txt Exact hq-gateway", "sso.office.example/portal/oa Prefix hq-gateway",
	}))
	g.Expect(i.Spec.TLS).To(Equal([]networkingv1.IngressTLS{{Hosts: []string{"sso.crm.example", "sso.office.example"}, SecretName: "sso-tls"}}))
}
