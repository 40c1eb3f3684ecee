package ingress

import (
	"context"
	"errors"
	"slices"

	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	gatewayclient "sigs.k8s.io/gateway-api/pkg/client/clientset/versioned"
)

// writeStatus tells where each Ingress is served.
func writeStatus(ctx context.Context, client kubernetes.Interface, ingresses []*networking.Ingress, address string) error {
	want := []networking.IngressLoadBalancerIngress{{IP: address}}
	var failed []error
	for _, ingress := range ingresses {
		has := ingress.Status.LoadBalancer.Ingress
		if len(has) == 1 && has[0].IP == address {
			continue
		}
		changed := ingress.DeepCopy()
		changed.Status.LoadBalancer.Ingress = want
		_, err := client.NetworkingV1().Ingresses(ingress.Namespace).UpdateStatus(ctx, changed, meta.UpdateOptions{})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// writeGateways tells of each Gateway that it is served and where, and of each HTTPRoute what was made of it.
func writeGateways(ctx context.Context, client gatewayclient.Interface, s state, t table, address string) error {
	var failed []error
	for _, g := range s.gateways {
		changed := g.DeepCopy()
		kind := gateway.IPAddressType
		changed.Status.Addresses = []gateway.GatewayStatusAddress{{Type: &kind, Value: address}}
		turned := set(&changed.Status.Conditions, g.Generation, string(gateway.GatewayConditionAccepted), string(gateway.GatewayReasonAccepted), "")
		turned = set(&changed.Status.Conditions, g.Generation, string(gateway.GatewayConditionProgrammed), string(gateway.GatewayReasonProgrammed), "") || turned
		if turned {
			_, err := client.GatewayV1().Gateways(g.Namespace).UpdateStatus(ctx, changed, meta.UpdateOptions{})
			failed = append(failed, err)
		}
	}
	for _, r := range s.httpRoutes {
		changed, turned := r.DeepCopy(), false
		for _, v := range t.verdicts {
			if v.route == r {
				turned = v.write(&changed.Status) || turned
			}
		}
		if turned {
			_, err := client.GatewayV1().HTTPRoutes(r.Namespace).UpdateStatus(ctx, changed, meta.UpdateOptions{})
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// write puts a verdict among those of other controllers; it is false when it is there already.
func (v verdict) write(status *gateway.HTTPRouteStatus) bool {
	at := slices.IndexFunc(status.Parents, func(p gateway.RouteParentStatus) bool {
		return p.ControllerName == GatewayController && equality.Semantic.DeepEqual(p.ParentRef, v.parent)
	})
	if at < 0 {
		at = len(status.Parents)
		status.Parents = append(status.Parents, gateway.RouteParentStatus{ControllerName: GatewayController, ParentRef: v.parent})
	}
	conditions := &status.Parents[at].Conditions
	turned := set(conditions, v.route.Generation, string(gateway.RouteConditionAccepted), string(v.accepted), v.message)
	return set(conditions, v.route.Generation, string(gateway.RouteConditionResolvedRefs), string(v.resolved), v.message) || turned
}

// good are the reasons of conditions that are True.
var good = []string{
	string(gateway.GatewayReasonAccepted), string(gateway.GatewayReasonProgrammed), string(gateway.RouteReasonResolvedRefs),
}

func set(conditions *[]meta.Condition, generation int64, kind, reason, message string) bool {
	status := meta.ConditionFalse
	if slices.Contains(good, reason) {
		status = meta.ConditionTrue
	}
	return apimeta.SetStatusCondition(conditions, meta.Condition{
		Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: generation,
	})
}
