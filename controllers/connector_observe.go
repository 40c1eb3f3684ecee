package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/workload"
)

// observation is what is seen of the children, as plain data, so that the conditions are a pure function of it.
type observation struct {
	components []component
	// dispatcher is what its replicas say together.
	dispatcher fleet
	// ingress: nil without one.
	ingress *networkingv1.Ingress
	// route: nil without one; routesMissing when the cluster does not serve HTTPRoutes, routesUnread when they cannot be
	// listed.
	route                       *observedRoute
	routesMissing, routesUnread bool
}

// component is one of the two workloads.
type component struct {
	name       string
	deployment *appsv1.Deployment // nil when there is none yet
	pods       []observedPod
}

type observedPod struct {
	name  string
	ready bool
	// leaving pods are about to end; what they say counts only for what nobody has taken over yet.
	leaving bool
	// trouble is why a container does not run, such as "ImagePullBackOff: …".
	trouble string
	report  *report.Report
}

// staying pods are those that are not about to end.
func (c component) staying() []observedPod {
	return slices.DeleteFunc(slices.Clone(c.pods), func(p observedPod) bool { return p.leaving })
}

// observe reads the children from the caches.
func (c *ConnectorReconciler) observe(ctx context.Context, r *round) (observation, error) {
	var o observation
	dispatcher, err := c.observeComponent(ctx, r, v1alpha1.ComponentDispatcher, workload.DispatcherName(r.connector.Name))
	if err != nil {
		return o, err
	}
	o.components = append(o.components, dispatcher)
	o.dispatcher = joinReports(r.connector, dispatcher.pods)
	if !workload.HasGateway(r.connector) {
		return o, nil
	}
	gateway, err := c.observeComponent(ctx, r, v1alpha1.ComponentGateway, workload.GatewayName(r.connector.Name))
	if err != nil {
		return o, err
	}
	o.components = append(o.components, gateway)
	if workload.HasRoute(r.connector) {
		o.routesMissing, o.routesUnread = r.routesMissing, r.routesUnread
		o.route, err = c.observeRoute(ctx, r)
		return o, err
	}
	var ingress networkingv1.Ingress
	found, err := c.find(ctx, r, workload.GatewayName(r.connector.Name), &ingress)
	if found {
		o.ingress = &ingress
	}
	return o, err
}

// find reads a child from the cache, which must not be changed; one that is not ours counts as not there.
func (c *ConnectorReconciler) find(ctx context.Context, r *round, name string, into client.Object) (bool, error) {
	err := c.client.Get(ctx, types.NamespacedName{Namespace: r.connector.Namespace, Name: name}, into, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil && ours(into, r.connector), err
}

func (c *ConnectorReconciler) observeComponent(ctx context.Context, r *round, kind, deployment string) (component, error) {
	seen := component{name: kind}
	var d appsv1.Deployment
	found, err := c.find(ctx, r, deployment, &d)
	if err != nil {
		return seen, err
	}
	if found {
		seen.deployment = &d
	}
	seen.pods = observePods(c.options.Reports, r.pods, kind)
	return seen, nil
}

// observePods of one workload; those that have ended are left out.
func observePods(reports *Reports, pods []corev1.Pod, kind string) []observedPod {
	var seen []observedPod
	for i := range pods {
		pod := &pods[i]
		if pod.Labels[v1alpha1.LabelComponent] != kind ||
			pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		p := observedPod{
			name: pod.Name, ready: podIs(pod, corev1.PodReady), leaving: !pod.DeletionTimestamp.IsZero(), trouble: podTrouble(pod),
		}
		if latest, ok := reports.Latest(pod.UID); ok {
			p.report = &latest
		}
		seen = append(seen, p)
	}
	slices.SortFunc(seen, func(a, b observedPod) int { return strings.Compare(a.name, b.name) })
	return seen
}

func podIs(pod *corev1.Pod, condition corev1.PodConditionType) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == condition && c.Status == corev1.ConditionTrue
	})
}

// startingReasons are no trouble: every container goes through them.
var startingReasons = []string{"ContainerCreating", "PodInitializing"}

// podTrouble says why a pod does not run, without anything random in it.
func podTrouble(pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return clip("cannot be scheduled: "+c.Message, maxTrouble)
		}
	}
	for _, s := range pod.Status.ContainerStatuses {
		if w := s.State.Waiting; w != nil && w.Reason != "" && !slices.Contains(startingReasons, w.Reason) {
			if t := s.LastTerminationState.Terminated; t != nil {
				return fmt.Sprintf("%s: it ended with exit code %d (%s)", w.Reason, t.ExitCode, t.Reason)
			}
			return w.Reason
		}
	}
	return ""
}

// maxTrouble bounds what is repeated of another component's message, in bytes.
const maxTrouble = 256
