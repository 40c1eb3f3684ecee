package ingress

import (
	"cmp"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// verdict is what is said of a route at one Gateway: a reason of the Gateway API for each condition.
type verdict struct {
	route    *gateway.HTTPRoute
	parent   gateway.ParentReference
	accepted gateway.RouteConditionReason
	resolved gateway.RouteConditionReason
	message  string
}

// addGateways appends the listeners' certificates, and what the HTTPRoutes at our Gateways ask for.
func (t *table) addGateways(s state) {
	for _, g := range s.gateways {
		for _, l := range g.Spec.Listeners {
			if l.TLS == nil {
				continue
			}
			var hosts []string
			if l.Hostname != nil {
				hosts = []string{string(*l.Hostname)}
			}
			for _, ref := range l.TLS.CertificateRefs {
				t.addCertificate(s, "Gateway "+g.Namespace+"/"+g.Name, g.Namespace, string(ref.Name), hosts)
			}
		}
	}
	routes := slices.Clone(s.httpRoutes)
	// Oldest first: where two claim the same path, who came first keeps it.
	slices.SortFunc(routes, func(a, b *gateway.HTTPRoute) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	for _, r := range routes {
		served := false
		for _, parent := range r.Spec.ParentRefs {
			g := s.gatewayOf(parent, r.Namespace)
			if g == nil {
				continue // of another controller, or of nobody
			}
			v := verdict{route: r, parent: parent, accepted: gateway.RouteReasonAccepted, resolved: gateway.RouteReasonResolvedRefs}
			s.judge(&v, g)
			t.verdicts = append(t.verdicts, v)
			served = served || v.accepted == gateway.RouteReasonAccepted
		}
		if served {
			t.addRoute(s, r)
		}
	}
}

// gatewayOf is nil when the parent is no Gateway of our class.
func (s state) gatewayOf(parent gateway.ParentReference, namespace string) *gateway.Gateway {
	if parent.Kind != nil && *parent.Kind != "Gateway" {
		return nil
	}
	if parent.Namespace != nil {
		namespace = string(*parent.Namespace)
	}
	for _, g := range s.gateways {
		if g.Namespace == namespace && g.Name == string(parent.Name) {
			return g
		}
	}
	return nil
}

// judge decides whether a Gateway takes a route. What this proxy cannot do is refused, not left out.
func (s state) judge(v *verdict, g *gateway.Gateway) {
	refuse := func(reason gateway.RouteConditionReason, message string) { v.accepted, v.message = reason, message }
	var named, allowed, matching bool
	for _, l := range g.Spec.Listeners {
		if v.parent.SectionName != nil && *v.parent.SectionName != l.Name {
			continue
		}
		named = true
		if !s.allows(l, g.Namespace, v.route.Namespace) {
			continue
		}
		allowed = true
		matching = matching || l.Hostname == nil || slices.ContainsFunc(v.route.Spec.Hostnames, func(host gateway.Hostname) bool {
			return covers(string(*l.Hostname), string(host))
		})
	}
	switch {
	case !named:
		refuse(gateway.RouteReasonNoMatchingParent, "the Gateway has no listener of that name")
	case !allowed:
		refuse(gateway.RouteReasonNotAllowedByListeners, "no listener allows routes from namespace "+v.route.Namespace)
	case !matching:
		refuse(gateway.RouteReasonNoMatchingListenerHostname, "no listener has one of the route's hosts")
	case !supported(v.route):
		refuse(gateway.RouteReasonUnsupportedValue, "this proxy knows paths and one Service for each rule, and nothing else")
	}
	for _, rule := range v.route.Spec.Rules {
		for _, ref := range rule.BackendRefs {
			if !slices.ContainsFunc(s.services, func(service *core.Service) bool {
				return service.Namespace == v.route.Namespace && service.Name == string(ref.Name)
			}) {
				v.resolved, v.message = gateway.RouteReasonBackendNotFound, "there is no Service "+string(ref.Name)
			}
		}
	}
}

// allows tells whether a listener takes routes from a namespace.
func (s state) allows(l gateway.Listener, own, namespace string) bool {
	from := gateway.NamespacesFromSame
	var selector *meta.LabelSelector
	if a := l.AllowedRoutes; a != nil && a.Namespaces != nil && a.Namespaces.From != nil {
		from, selector = *a.Namespaces.From, a.Namespaces.Selector
	}
	switch from {
	case gateway.NamespacesFromAll:
		return true
	case gateway.NamespacesFromSame:
		return own == namespace
	case gateway.NamespacesFromSelector:
		chosen, err := meta.LabelSelectorAsSelector(selector)
		return err == nil && slices.ContainsFunc(s.namespaces, func(n *core.Namespace) bool {
			return n.Name == namespace && chosen.Matches(labels.Set(n.Labels))
		})
	}
	return false
}

// covers tells whether a listener's host, maybe with a wildcard, holds a route's.
func covers(listener, host string) bool {
	suffix, wild := strings.CutPrefix(listener, "*")
	return listener == host || wild && strings.HasSuffix(host, suffix)
}

func supported(r *gateway.HTTPRoute) bool {
	for _, rule := range r.Spec.Rules {
		if len(rule.Filters) > 0 || len(rule.BackendRefs) != 1 || rule.BackendRefs[0].Port == nil || len(rule.BackendRefs[0].Filters) > 0 {
			return false
		}
		if ns := rule.BackendRefs[0].Namespace; ns != nil && string(*ns) != r.Namespace {
			return false
		}
		for _, m := range rule.Matches {
			if len(m.Headers) > 0 || len(m.QueryParams) > 0 || m.Method != nil || m.Path == nil || kindOf(m.Path) == "" {
				return false
			}
		}
	}
	return len(r.Spec.Hostnames) > 0
}

// kindOf is the Ingress path type that means the same; "" when there is none.
func kindOf(path *gateway.HTTPPathMatch) networking.PathType {
	switch *path.Type {
	case gateway.PathMatchExact:
		return networking.PathTypeExact
	case gateway.PathMatchPathPrefix:
		return networking.PathTypePrefix
	}
	return ""
}

// addRoute appends every host and path of a supported route.
func (t *table) addRoute(s state, r *gateway.HTTPRoute) {
	for _, rule := range r.Spec.Rules {
		ref := rule.BackendRefs[0]
		backend := networking.IngressBackend{Service: &networking.IngressServiceBackend{
			Name: string(ref.Name), Port: networking.ServiceBackendPort{Number: int32(*ref.Port)},
		}}
		for _, m := range rule.Matches {
			kind := kindOf(m.Path)
			for _, host := range r.Spec.Hostnames {
				t.add(s, r.Namespace, backend, matching(string(host), networking.HTTPIngressPath{Path: *m.Path.Value, PathType: &kind}))
			}
		}
	}
}
