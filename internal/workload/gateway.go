package workload

import (
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

// gatewayIngress sends each host, or what is below its path prefix, to the gateway: the paths belong to the SSO modes, not to
// the operator.
func gatewayIngress(in Input) Object {
	sso := in.Connector.Spec.SSO
	paths := networkingv1ac.HTTPIngressRuleValue()
	for _, d := range doors(in) {
		kind := networkingv1.PathTypePrefix
		if d.exact {
			kind = networkingv1.PathTypeExact
		}
		paths.WithPaths(networkingv1ac.HTTPIngressPath().WithPath(d.path).WithPathType(kind).
			WithBackend(networkingv1ac.IngressBackend().WithService(networkingv1ac.IngressServiceBackend().
				WithName(d.service).
				WithPort(networkingv1ac.ServiceBackendPort().WithNumber(bundle.PortPublic)))))
	}
	spec := networkingv1ac.IngressSpec()
	for _, host := range hosts(sso) {
		spec.WithRules(networkingv1ac.IngressRule().WithHost(host).WithHTTP(paths))
	}
	if sso.Exposure.ClassName != "" {
		spec.WithIngressClassName(sso.Exposure.ClassName)
	}
	if secret := sso.Exposure.TLS.SecretName; secret != "" {
		spec.WithTLS(networkingv1ac.IngressTLS().WithHosts(hosts(sso)...).WithSecretName(secret))
	}
	return networkingv1ac.Ingress(GatewayName(in.Connector.Name), in.Connector.Namespace).
		WithLabels(exposureLabels(in)).
		WithAnnotations(sso.Exposure.Annotations).
		WithAnnotations(issuerAnnotations(sso.Exposure.TLS.IssuerRef)).
		WithOwnerReferences(owner(in.Connector)).
		WithSpec(spec)
}
