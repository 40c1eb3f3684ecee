package controllers

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/workload"
)

// conditions of a connector, a pure function of what was found and seen. Their order is the order in which a person
// reads them.
func (r *round) conditions(o observation) []metav1.Condition {
	references := r.referencesResolved()
	available := workloadAvailable(o)
	live := configLive(o, r.hash)
	reachable := oaReachable(o.dispatcherReport())
	healthy := deliveryHealthy(o.dispatcherReport(), reachable)
	list := []metav1.Condition{references, available, live, reachable, healthy}
	if workload.HasGateway(r.connector) {
		list = append(list, exposed(r.connector, o))
	}
	summary := append([]metav1.Condition{readyCondition(references, available, live, reachable)}, r.progress(references, available, live)...)
	return append(summary, list...)
}

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: clip(message, maxMessage)}
}

func (r *round) referencesResolved() metav1.Condition {
	if len(r.problems) == 0 {
		return condition(v1alpha1.ConditionReferencesResolved, metav1.ConditionTrue, v1alpha1.ReasonResolved,
			"every referenced object was found and is valid")
	}
	reason, message := sentence(r.problems)
	return condition(v1alpha1.ConditionReferencesResolved, metav1.ConditionFalse, reason, message)
}

// workloadAvailable is true when every pod of the newest revision runs.
func workloadAvailable(o observation) metav1.Condition {
	rolling := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionWorkloadAvailable, status, reason, message)
	}
	var words []string
	reason := v1alpha1.ReasonRollingOut
	for _, c := range o.components {
		if c.deployment == nil {
			words = append(words, c.name+": not created yet")
			continue
		}
		trouble, failed := c.trouble()
		if trouble == "" {
			continue
		}
		words = append(words, c.name+": "+trouble)
		if failed {
			reason = v1alpha1.ReasonUnavailable
		}
	}
	if len(words) > 0 {
		return rolling(metav1.ConditionFalse, reason, strings.Join(words, "; "))
	}
	return rolling(metav1.ConditionTrue, v1alpha1.ReasonAvailable, "all pods are ready")
}

// trouble says what keeps the rollout from being complete; failed when it does not end by itself.
func (c component) trouble() (words string, failed bool) {
	d := c.deployment
	wanted := int32(1)
	if d.Spec.Replicas != nil {
		wanted = *d.Spec.Replicas
	}
	s := d.Status
	if s.ObservedGeneration >= d.Generation && s.UpdatedReplicas >= wanted && s.AvailableReplicas >= wanted && s.Replicas <= wanted {
		return "", false
	}
	words = fmt.Sprintf("%d of %s ready", min(s.AvailableReplicas, wanted), count(int64(wanted), "pod is", "pods are"))
	for _, p := range c.pods {
		if p.trouble != "" {
			return words + " (" + p.trouble + ")", true
		}
	}
	failed = slices.ContainsFunc(s.Conditions, func(dc appsv1.DeploymentCondition) bool {
		return (dc.Type == appsv1.DeploymentProgressing && dc.Status == corev1.ConditionFalse) ||
			(dc.Type == appsv1.DeploymentReplicaFailure && dc.Status == corev1.ConditionTrue)
	})
	for _, dc := range s.Conditions {
		if dc.Type == appsv1.DeploymentReplicaFailure && dc.Status == corev1.ConditionTrue {
			words += " (" + clip(dc.Message, maxTrouble) + ")"
		}
	}
	return words, failed
}

// configLive is true when every ready pod has reported the wanted bundle, and each workload has a ready pod.
func configLive(o observation, hash string) metav1.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionConfigLive, status, reason, message)
	}
	if hash == "" {
		return set(metav1.ConditionFalse, v1alpha1.ReasonProgressing, "there is no configuration yet: see ReferencesResolved")
	}
	var idle, silent, behind []string
	for _, c := range o.components {
		ready, reported := 0, 0
		for _, p := range c.pods {
			if !p.ready {
				continue
			}
			ready++
			switch {
			case p.report == nil:
			case p.report.Config.Hash == hash:
				reported++
				continue
			case p.report.Config.Problem != "":
				return set(metav1.ConditionFalse, v1alpha1.ReasonBundleRejected,
					c.name+" keeps its old configuration: "+clip(p.report.Config.Problem, maxTrouble))
			default:
				behind = append(behind, c.name)
				continue
			}
			silent = append(silent, c.name)
		}
		if ready == 0 {
			idle = append(idle, c.name)
		}
	}
	switch {
	case len(behind) > 0:
		return set(metav1.ConditionFalse, v1alpha1.ReasonProgressing,
			fmt.Sprintf("%s of %s not taken the new configuration yet", count(int64(len(behind)), "pod", "pods"), hasOrHave(behind)))
	case len(silent) > 0:
		return set(metav1.ConditionFalse, v1alpha1.ReasonReportsMissing,
			fmt.Sprintf("%s of %s not reported; a network policy must let the operator reach port 8081",
				count(int64(len(silent)), "pod", "pods"), hasOrHave(silent)))
	case len(idle) > 0:
		return set(metav1.ConditionFalse, v1alpha1.ReasonWaitingForPods, "no ready pod of "+list(idle))
	}
	return set(metav1.ConditionTrue, v1alpha1.ReasonLive, "every pod has reported the current configuration")
}

func hasOrHave(pods []string) string {
	names := list(slices.Compact(slices.Clone(pods)))
	if len(pods) == 1 {
		return names + " has"
	}
	return names + " have"
}

// oaReachable repeats what the dispatcher says.
func oaReachable(dispatcher *report.Report) metav1.Condition {
	if dispatcher == nil || dispatcher.OA == nil {
		return condition(v1alpha1.ConditionOAReachable, metav1.ConditionUnknown, v1alpha1.ReasonUnknown,
			"the dispatcher has not reported yet")
	}
	oa := dispatcher.OA
	status := metav1.ConditionStatus(oa.State)
	if !slices.Contains([]metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse}, status) {
		status = metav1.ConditionUnknown
	}
	reason := oa.Reason
	if reason == "" {
		reason = v1alpha1.ReasonUnknown
	}
	return condition(v1alpha1.ConditionOAReachable, status, reason, oa.Message)
}

// deliveryHealthy is false when a person has something to do or must know that nothing arrives.
func deliveryHealthy(dispatcher *report.Report, reachable metav1.Condition) metav1.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionDeliveryHealthy, status, reason, message)
	}
	if dispatcher == nil || dispatcher.Delivery == nil {
		return set(metav1.ConditionUnknown, v1alpha1.ReasonUnknown, "the dispatcher has not reported yet")
	}
	d := dispatcher.Delivery
	var notes []string
	if d.Held > 0 {
		notes = append(notes, count(d.Held, "item is held", "items are held")+" until the receiver is bound to an OA account")
	}
	if d.Retrying > 0 {
		notes = append(notes, count(d.Retrying, "item failed and will be tried again", "items failed and will be tried again"))
	}
	note := strings.Join(notes, "; ")
	switch {
	case dispatcher.Store != nil && dispatcher.Store.Problem != "":
		return set(metav1.ConditionFalse, v1alpha1.ReasonUnavailable,
			"no events are taken now: "+clip(dispatcher.Store.Problem, maxTrouble))
	case reachable.Status == metav1.ConditionFalse:
		return set(metav1.ConditionFalse, v1alpha1.ReasonOADown,
			join("the OA takes no deliveries: see OAReachable; events are accepted and kept", note))
	case d.Dead > 0:
		return set(metav1.ConditionFalse, v1alpha1.ReasonDeadLetters,
			join(count(d.Dead, "item is a dead letter", "items are dead letters")+"; the dispatcher lists them at /dead on its local port, see docs/operate.md", note))
	case d.Held > 0:
		return set(metav1.ConditionTrue, v1alpha1.ReasonHeld, note)
	case d.Retrying > 0:
		return set(metav1.ConditionTrue, v1alpha1.ReasonRetrying, note)
	}
	return set(metav1.ConditionTrue, v1alpha1.ReasonHealthy, "no item is late, held or dead")
}

func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + "; " + b
}

// exposed says what the operator knows of the way from outside to the gateway. It cannot see the TLS Secret.
func exposed(c *v1alpha1.OAConnector, o observation) metav1.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionExposed, status, reason, message)
	}
	sso := c.Spec.SSO
	if sso.Exposure.Type == v1alpha1.ExposureNone {
		return set(metav1.ConditionUnknown, v1alpha1.ReasonNotExposed, fmt.Sprintf(
			"exposure.type is None: route %s to service %q port 8080 yourself", sso.Host, workload.GatewayName(c.Name)))
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
	}
	return set(metav1.ConditionTrue, v1alpha1.ReasonExposed, message)
}
