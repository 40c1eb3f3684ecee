package workload

import (
	"fmt"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// AccountsCompiled is the value of LabelAccounts on the ConfigMaps that hold a compiled bundle. It lets one label
// selector cover them and the people's own account files ("true"), so that the operator caches no other ConfigMap.
const AccountsCompiled = "compiled"

// DispatcherName is the name of the dispatcher's Deployment, Service, ServiceAccount, PodDisruptionBudget and NetworkPolicy.
func DispatcherName(connector string) string { return connector + "-dispatcher" }

// GatewayName is the name of the gateway's Deployment, Service, ServiceAccount, PodDisruptionBudget, NetworkPolicy and Ingress
// or HTTPRoute.
func GatewayName(connector string) string { return connector + "-gateway" }

// DeploymentName is the name of the Deployment of a component.
func DeploymentName(connector, component string) string {
	if component == v1alpha1.ComponentGateway {
		return GatewayName(connector)
	}
	return DispatcherName(connector)
}

// BundleName is the name of the ConfigMap that holds the root document of the bundle.
func BundleName(connector string) string { return connector + "-bundle" }

// AccountsName is the name of the ConfigMap that holds one shard of account pairs.
func AccountsName(connector string, shard int) string {
	return fmt.Sprintf("%s-accounts-%02d", connector, shard)
}

// QueueName is the name of the dispatcher's volume claim.
func QueueName(connector string) string { return connector + "-queue" }

// PeerName is the name of the Secret that the gateway and the dispatcher of a connector share.
func PeerName(connector string) string { return connector + "-peer" }

// EventsURL is where the CRM posts events inside the cluster.
func EventsURL(c *v1alpha1.OAConnector) string {
	return fmt.Sprintf("http://%s.%s.svc:%d/events", DispatcherName(c.Name), c.Namespace, bundle.PortPublic)
}

// CallbackURL is where the CRM sends its callbacks inside the cluster.
func CallbackURL(c *v1alpha1.OAConnector) string {
	return fmt.Sprintf("http://%s.%s.svc:%d/callbacks/fxiaoke", DispatcherName(c.Name), c.Namespace, bundle.PortPublic)
}

// PendingsURL is where Seeyon asks for open to-dos: inside the cluster, or on the public host where the operator routes it.
func PendingsURL(c *v1alpha1.OAConnector, sso *bundle.SSO) string {
	if hasPublicHost(c) && sso != nil {
		// At the root of the host, also where the gateway has only a part of it.
		return strings.TrimSuffix(sso.URL, c.Spec.SSO.PathPrefix) + bundle.PendingsPath(&c.Spec)
	}
	return fmt.Sprintf("http://%s.%s.svc:%d%s", DispatcherName(c.Name), c.Namespace, bundle.PortPublic, bundle.PendingsPath(&c.Spec))
}

// ProofsURL is where the dispatcher remembers used proofs for the gateway.
func ProofsURL(c *v1alpha1.OAConnector) string {
	return fmt.Sprintf("http://%s.%s.svc:%d/proofs", DispatcherName(c.Name), c.Namespace, bundle.PortPeer)
}

// labels of every child.
func labels(c *v1alpha1.OAConnector, component string) map[string]string {
	l := selector(c, component)
	l["app.kubernetes.io/part-of"] = "oabridge"
	l["app.kubernetes.io/managed-by"] = "oabridge"
	l[v1alpha1.LabelConnector] = c.Name
	l[v1alpha1.LabelComponent] = component
	return l
}

// selector picks the pods of one workload. Deployments cannot change theirs, so it holds nothing that may change.
func selector(c *v1alpha1.OAConnector, component string) map[string]string {
	return map[string]string{
		"app.kubernetes.io/name":      "oabridge",
		"app.kubernetes.io/instance":  c.Name,
		"app.kubernetes.io/component": component,
	}
}
