package workload

import (
	"cmp"
	"maps"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

const (
	// defaultGatewayReplicas, when a connector was stored without defaults.
	defaultGatewayReplicas = 2
	// gatewayGrace is how long a gateway may take to end the sign-ins under way, in seconds.
	gatewayGrace = 30
)

func gatewayReplicas(c *v1alpha1.OAConnector) int32 {
	if c.Spec.SSO.Replicas > 0 {
		return c.Spec.SSO.Replicas
	}
	return defaultGatewayReplicas
}

func gatewayPod(in Input) pod {
	return pod{
		in: in, component: v1alpha1.ComponentGateway,
		account:   GatewayName(in.Connector.Name),
		resources: resources(in.Connector.Spec.SSO.Resources, gatewayMemory, gatewayMemoryLimit),
		grace:     gatewayGrace,
		ports:     map[string]int32{"http": bundle.PortPublic, "admin": bundle.PortAdmin},
		slots:     gatewaySlots(in),
		spread:    true,
	}
}

// gatewayDeployment loses no click in a rollout.
func gatewayDeployment(in Input) Object {
	return deployment(in, v1alpha1.ComponentGateway, GatewayName(in.Connector.Name), gatewayReplicas(in.Connector), addBeforeTakingAway(), gatewayPod(in))
}

// GatewaySelector picks the pods of the gateway, as an autoscaler wants it: as text.
func GatewaySelector(c *v1alpha1.OAConnector) string {
	return metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: selector(c, v1alpha1.ComponentGateway)})
}

func gatewayService(in Input) Object {
	return service(in, v1alpha1.ComponentGateway, GatewayName(in.Connector.Name), servicePort("http", bundle.PortPublic))
}

// gatewayIngress sends the whole host to the gateway: the paths belong to the SSO modes, not to the operator. Only the list
// that Seeyon reads is the dispatcher's.
func gatewayIngress(in Input) Object {
	sso := in.Connector.Spec.SSO
	path := func(path string, kind networkingv1.PathType, service string) *networkingv1ac.HTTPIngressPathApplyConfiguration {
		return networkingv1ac.HTTPIngressPath().WithPath(path).WithPathType(kind).
			WithBackend(networkingv1ac.IngressBackend().WithService(networkingv1ac.IngressServiceBackend().
				WithName(service).
				WithPort(networkingv1ac.ServiceBackendPort().WithNumber(bundle.PortPublic))))
	}
	paths := networkingv1ac.HTTPIngressRuleValue()
	if bundle.Pulled(&in.Connector.Spec) {
		paths.WithPaths(path(bundle.PathPendings, networkingv1.PathTypeExact, DispatcherName(in.Connector.Name)))
	}
	paths.WithPaths(path("/", networkingv1.PathTypePrefix, GatewayName(in.Connector.Name)))
	spec := networkingv1ac.IngressSpec().WithRules(networkingv1ac.IngressRule().WithHost(sso.Host).WithHTTP(paths))
	if sso.Exposure.ClassName != "" {
		spec.WithIngressClassName(sso.Exposure.ClassName)
	}
	if secret := sso.Exposure.TLS.SecretName; secret != "" {
		spec.WithTLS(networkingv1ac.IngressTLS().WithHosts(sso.Host).WithSecretName(secret))
	}
	return networkingv1ac.Ingress(GatewayName(in.Connector.Name), in.Connector.Namespace).
		WithLabels(exposureLabels(in)).
		WithAnnotations(sso.Exposure.Annotations).
		WithAnnotations(issuerAnnotations(sso.Exposure.TLS.IssuerRef)).
		WithOwnerReferences(owner(in.Connector)).
		WithSpec(spec)
}

// exposureLabels are the user's and the operator's own, which win.
func exposureLabels(in Input) map[string]string {
	ours := labels(in.Connector, v1alpha1.ComponentGateway)
	all := withoutKeysOf(in.Connector.Spec.SSO.Exposure.Labels, ours)
	if all == nil {
		return ours
	}
	maps.Copy(all, ours)
	return all
}

// issuerAnnotations ask cert-manager for the certificate of an Ingress, in the words of its ingress-shim.
func issuerAnnotations(i v1alpha1.CertificateIssuer) map[string]string {
	const prefix = "cert-manager.io/"
	if i.Name == "" {
		return nil
	}
	kind := cmp.Or(i.Kind, kindIssuer)
	if kind == kindClusterIssuer && i.Group == "" {
		return map[string]string{prefix + "cluster-issuer": i.Name}
	}
	annotations := map[string]string{prefix + "issuer": i.Name}
	if kind != kindIssuer {
		annotations[prefix+"issuer-kind"] = kind
	}
	if i.Group != "" {
		annotations[prefix+"issuer-group"] = i.Group
	}
	return annotations
}

// Kinds of cert-manager's own issuers.
const (
	kindIssuer        = "Issuer"
	kindClusterIssuer = "ClusterIssuer"
)
