// Package workload builds the child objects of a connector: pure functions from a connector and its bundle to typed
// apply configurations. What the operator has no opinion on is left out, so that defaults and other writers keep it.
package workload

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	v1 "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// Object is one desired child.
type Object interface {
	runtime.ApplyConfiguration
	GetKind() *string
	GetAPIVersion() *string
	GetName() *string
	GetNamespace() *string
}

// Input is all that the children depend on.
type Input struct {
	Connector *v1alpha1.OAConnector
	// Bundle and Files as Compile returned them.
	Bundle *bundle.Bundle
	Files  map[string][]byte
	// Image of both workloads, and when it is pulled.
	Image      string
	PullPolicy corev1.PullPolicy
	// OperatorNamespace is where the operator runs; empty when that is not in the cluster.
	OperatorNamespace string
}

// HasGateway says whether a connector has an SSO gateway.
func HasGateway(c *v1alpha1.OAConnector) bool {
	return c.Spec.SSO.Mode != "" && c.Spec.SSO.Mode != v1alpha1.SSONone
}

// hasPublicHost says whether the operator itself routes the host of a connector: with an Ingress or an HTTPRoute.
func hasPublicHost(c *v1alpha1.OAConnector) bool {
	return HasGateway(c) && c.Spec.SSO.Exposure.Type != v1alpha1.ExposureNone
}

// HasRoute says whether a connector's gateway is reached through the Gateway API.
func HasRoute(c *v1alpha1.OAConnector) bool {
	return HasGateway(c) && c.Spec.SSO.Exposure.Type == v1alpha1.ExposureHTTPRoute
}

// Build returns the children in the order in which they have to be applied: what a pod mounts comes before the pod, and
// the account shards come before the document that names them. The peer Secret (NewPeerSecret) is not among them,
// because it is created once and never written again.
func Build(in Input) []Object {
	objects := []Object{serviceAccount(in, v1alpha1.ComponentDispatcher)}
	if !usesNATS(in.Connector) {
		objects = append(objects, queueClaim(in))
	}
	if HasGateway(in.Connector) {
		objects = append(objects, serviceAccount(in, v1alpha1.ComponentGateway))
	}
	objects = append(objects, networkPolicies(in)...)
	objects = append(objects, Config(in.Connector, in.Bundle, in.Files)...)
	objects = append(objects, dispatcherService(in), dispatcherDeployment(in))
	if dispatcherReplicas(in.Connector) > 1 {
		objects = append(objects, disruptionBudget(in, v1alpha1.ComponentDispatcher, DispatcherName(in.Connector.Name)))
	}
	if HasGateway(in.Connector) {
		objects = append(objects, gatewayService(in), gatewayDeployment(in))
		if gatewayReplicas(in.Connector) > 1 {
			objects = append(objects, disruptionBudget(in, v1alpha1.ComponentGateway, GatewayName(in.Connector.Name)))
		}
		switch in.Connector.Spec.SSO.Exposure.Type {
		case v1alpha1.ExposureHTTPRoute:
			objects = append(objects, gatewayRoute(in))
		case v1alpha1.ExposureNone:
		default: // also a connector that was stored without defaults
			objects = append(objects, gatewayIngress(in))
		}
	}
	return slices.Clip(objects)
}

// owner makes the garbage collector delete a child with its connector.
func owner(c *v1alpha1.OAConnector) *v1.OwnerReferenceApplyConfiguration {
	return v1.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion.String()).
		WithKind("OAConnector").
		WithName(c.Name).
		WithUID(c.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}
