package workload

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/oabridge/oabridge/internal/bundle"
)

// RouteKind is the HTTPRoute of the Gateway API. A cluster need not have it.
var RouteKind = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}

// httpRoute is the part of an HTTPRoute that the operator has an opinion on.
type httpRoute struct {
	metav1ac.TypeMetaApplyConfiguration    `json:",inline"`
	*metav1ac.ObjectMetaApplyConfiguration `json:"metadata,omitempty"`

	Spec routeSpec `json:"spec"`
}

type routeSpec struct {
	ParentRefs []routeParent `json:"parentRefs"`
	Hostnames  []string      `json:"hostnames"`
	Rules      []routeRule   `json:"rules"`
}

// routeParent is a Gateway that a route attaches to.
type routeParent struct {
	Name        string `json:"name"`
	Namespace   string `json:"namespace,omitempty"`
	SectionName string `json:"sectionName,omitempty"`
}

type routeRule struct {
	Matches     []routeMatch   `json:"matches"`
	BackendRefs []routeBackend `json:"backendRefs"`
}

type routeMatch struct {
	Path routePath `json:"path"`
}

type routePath struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type routeBackend struct {
	Name string `json:"name"`
	Port int32  `json:"port"`
}

// IsApplyConfiguration, with the four methods below, makes it an Object.
func (r *httpRoute) IsApplyConfiguration()  {}
func (r *httpRoute) GetKind() *string       { return r.Kind }
func (r *httpRoute) GetAPIVersion() *string { return r.APIVersion }
func (r *httpRoute) GetName() *string       { return r.Name }
func (r *httpRoute) GetNamespace() *string  { return r.Namespace }

// gatewayRoute is to the Gateway API what gatewayIngress is to an ingress controller.
func gatewayRoute(in Input) Object {
	sso := in.Connector.Spec.SSO
	spec := routeSpec{Hostnames: hosts(sso)}
	for _, ref := range sso.Exposure.ParentRefs {
		spec.ParentRefs = append(spec.ParentRefs, routeParent(ref))
	}
	for _, d := range doors(in) {
		kind := "PathPrefix"
		if d.exact {
			kind = "Exact"
		}
		spec.Rules = append(spec.Rules, routeRule{
			Matches:     []routeMatch{{Path: routePath{Type: kind, Value: d.path}}},
			BackendRefs: []routeBackend{{Name: d.service, Port: bundle.PortPublic}},
		})
	}
	return &httpRoute{
		TypeMetaApplyConfiguration: *metav1ac.TypeMeta().WithAPIVersion(RouteKind.GroupVersion().String()).WithKind(RouteKind.Kind),
		ObjectMetaApplyConfiguration: metav1ac.ObjectMeta().
			WithName(GatewayName(in.Connector.Name)).WithNamespace(in.Connector.Namespace).
			WithLabels(exposureLabels(in)).
			WithAnnotations(sso.Exposure.Annotations).
			WithOwnerReferences(owner(in.Connector)),
		Spec: spec,
	}
}
