package controllers

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/workload"
)

// conditions of a connector, a pure function of what was found and seen. Their order is the order in which a person
// reads them.
func (r *round) conditions(o observation, credentials []v1alpha1.CredentialStatus) []metav1.Condition {
	references := r.referencesResolved()
	available := workloadAvailable(o)
	live := configLive(o, r.hash)
	reachable := oaReachable(o.dispatcher.report)
	healthy := deliveryHealthy(o.dispatcher, reachable)
	suspended := bundle.Suspended(r.connector)
	if suspended {
		healthy = deliverySuspended(o.dispatcher)
	}
	list := []metav1.Condition{references, available, live, reachable, endpointSecure(r.connector), healthy}
	if podsPaused(r.connector) {
		list = append(list, pausedCondition())
	}
	if len(r.connector.Spec.Notifications.Channels) > 0 {
		list = append(list, notificationsHealthy(o.dispatcher.report))
	}
	if len(credentials) > 0 {
		list = append(list, credentialsAccepted(credentials))
	}
	if bundle.HasCanary(r.connector) {
		list = append(list, r.rolledOut(o.dispatcher.report))
	}
	if workload.HasGateway(r.connector) {
		list = append(list, exposed(r.connector, o))
	}
	if r.connector.Spec.Type == v1alpha1.TypeWeCom {
		list = append(list, r.accountsPlausible()...)
	}
	summary := append([]metav1.Condition{readyCondition(references, available, live, reachable, suspended)}, r.progress(references, available, live)...)
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

// workloadAvailable is true when every pod of the newest revision runs, and the dispatcher can use its queue.
func workloadAvailable(o observation) metav1.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionWorkloadAvailable, status, reason, message)
	}
	if reason, message := o.dispatcher.brokenQueue(); reason != "" {
		return set(metav1.ConditionFalse, reason, message)
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
		return set(metav1.ConditionFalse, reason, strings.Join(words, "; "))
	}
	if o.dispatcher.unserved > 0 {
		return set(metav1.ConditionFalse, v1alpha1.ReasonPartitionsUnserved, o.dispatcher.unservedNote())
	}
	return set(metav1.ConditionTrue, v1alpha1.ReasonAvailable, "all pods are ready")
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
	for _, p := range c.staying() {
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
		for _, p := range c.staying() {
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
