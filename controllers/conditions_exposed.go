package controllers

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/workload"
)

// exposed says what is known of the way from outside to the gateway: what the operator sees of its objects, and what the
// gateway's pods find when they ask the public address themselves (F112).
func exposed(c *v1alpha1.OAConnector, o observation) metav1.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionExposed, status, reason, message)
	}
	sso := c.Spec.SSO
	if words := domainsDiffer(sso); words != "" {
		return set(metav1.ConditionFalse, v1alpha1.ReasonDomainsDiffer, words)
	}
	declared := exposedByObjects(c, o)
	if sso.SelfProbe == v1alpha1.Disabled || declared.Reason == v1alpha1.ReasonGatewayAPIMissing || declared.Reason == v1alpha1.ReasonRouteNotAccepted {
		return declared
	}
	switch found := o.selfProbe(); {
	case found == nil:
		return declared
	case found.State == string(metav1.ConditionTrue): // whatever routes the host
		message := found.Message
		if declared.Status == metav1.ConditionTrue {
			message = declared.Message + "; " + message
		}
		return set(metav1.ConditionTrue, v1alpha1.ReasonExposed, message)
	case declared.Status == metav1.ConditionFalse: // which explains it
		return declared
	default:
		return set(metav1.ConditionStatus(found.State), v1alpha1.ReasonSelfProbeFailed, clip(found.Message, maxMessage))
	}
}

// selfProbe is the worst that the gateway's ready pods found at the public address; nil when none has asked.
func (o observation) selfProbe() (worst *report.Exposure) {
	rank := map[string]int{string(metav1.ConditionTrue): 0, string(metav1.ConditionUnknown): 1, string(metav1.ConditionFalse): 2}
	for _, c := range o.components {
		for _, p := range c.staying() {
			if p.ready && p.report != nil && p.report.Exposure != nil {
				if e := p.report.Exposure; worst == nil || rank[e.State] > rank[worst.State] {
					worst = e
				}
			}
		}
	}
	return worst
}

// exposedByObjects is what the operator sees. It cannot see the TLS Secret.
func exposedByObjects(c *v1alpha1.OAConnector, o observation) metav1.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionExposed, status, reason, message)
	}
	sso := c.Spec.SSO
	if sso.Exposure.Type == v1alpha1.ExposureNone {
		return set(metav1.ConditionUnknown, v1alpha1.ReasonNotExposed, fmt.Sprintf(
			"exposure.type is None: route %s to service %q port 8080 yourself",
			strings.Join(workload.PublicAddresses(sso), ", "), workload.GatewayName(c.Name)))
	}
	if workload.HasRoute(c) {
		return set(routed(c, o))
	}
	if o.ingress == nil {
		return set(metav1.ConditionFalse, v1alpha1.ReasonNotExposed, "the Ingress was not created yet")
	}
	if len(o.ingress.Status.LoadBalancer.Ingress) == 0 {
		return set(metav1.ConditionFalse, v1alpha1.ReasonAddressPending,
			"no ingress controller has published an address for the Ingress; check spec.sso.exposure.className")
	}
	message := "the Ingress has an address"
	if sso.Exposure.TLS.SecretName == "" {
		message += "; links are plain http, because spec.sso.exposure.tls is not set"
	} else {
		message += fmt.Sprintf("; TLS ends at it with secret %q, which only the ingress controller reads", sso.Exposure.TLS.SecretName)
		if issuer := sso.Exposure.TLS.IssuerRef; issuer.Name != "" {
			message += fmt.Sprintf(" and cert-manager makes: see certificate %q of its %s %q",
				sso.Exposure.TLS.SecretName, strings.ToLower(cmp.Or(issuer.Kind, "Issuer")), issuer.Name)
		}
	}
	return set(metav1.ConditionTrue, v1alpha1.ReasonExposed, message)
}

// domainsDiffer compares what was entered in the OA's console with the gateway's host (F180): an OA sends nobody back to a
// domain that it does not know. The port counts, but for that of https.
func domainsDiffer(sso v1alpha1.SSO) string {
	var words []string
	for _, d := range []struct{ field, domain string }{
		{"trusted", sso.ConsoleDomains.Trusted}, {"callback", sso.ConsoleDomains.Callback},
	} {
		if d.domain != "" && !strings.EqualFold(strings.TrimSuffix(d.domain, ":443"), sso.Host) {
			words = append(words, fmt.Sprintf("spec.sso.consoleDomains.%s is %s", d.field, d.domain))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, " and ") + ", but spec.sso.host is " + sso.Host +
		": people cannot be sent back; enter the host in the OA's console, without http:// or https://, and here"
}

// routed says what the Gateways make of the HTTPRoute. Each of spec.sso.exposure.parentRefs has to take it.
func routed(c *v1alpha1.OAConnector, o observation) (metav1.ConditionStatus, string, string) {
	switch {
	case o.routesMissing:
		return metav1.ConditionFalse, v1alpha1.ReasonGatewayAPIMissing,
			"the Gateway API is not installed in this cluster: install its HTTPRoute (gateway.networking.k8s.io/v1), or set spec.sso.exposure.type to Ingress or None"
	case o.routesUnread:
		return metav1.ConditionFalse, v1alpha1.ReasonNotExposed,
			"the operator cannot list HTTPRoutes: give its role the rules of config/rbac/role.yaml for gateway.networking.k8s.io"
	case o.route == nil:
		return metav1.ConditionFalse, v1alpha1.ReasonNotExposed, "the HTTPRoute was not created yet"
	}
	for _, ref := range c.Spec.SSO.Exposure.ParentRefs {
		gateway := "gateway " + cmp.Or(ref.Namespace, c.Namespace) + "/" + ref.Name
		if ref.SectionName != "" {
			gateway += " listener " + ref.SectionName
		}
		conditions := o.route.of(ref, c.Namespace)
		accepted := meta.FindStatusCondition(conditions, "Accepted")
		if accepted == nil || accepted.Status == metav1.ConditionUnknown || accepted.ObservedGeneration < o.route.Generation {
			return metav1.ConditionFalse, v1alpha1.ReasonAddressPending,
				"no controller has answered for " + gateway + "; check spec.sso.exposure.parentRefs, and that the Gateway is there"
		}
		for _, kind := range []string{"Accepted", "ResolvedRefs"} {
			if found := meta.FindStatusCondition(conditions, kind); found != nil && found.Status == metav1.ConditionFalse {
				return metav1.ConditionFalse, v1alpha1.ReasonRouteNotAccepted,
					clip(gateway+" does not take the HTTPRoute: "+found.Reason+": "+found.Message, maxTrouble)
			}
		}
	}
	return metav1.ConditionTrue, v1alpha1.ReasonExposed, "the HTTPRoute is accepted; links are https, so TLS must end at the listener"
}
