package controllers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

const (
	// maxProblems bounds the list in a status.
	maxProblems = 32
	// maxProblemMessage bounds one message of it, in bytes.
	maxProblemMessage = 1024
)

// summaries are conditions that repeat others.
var summaries = []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled}

// wrong is everything that is wrong now: where a condition names the most urgent only, each of what it is made of.
func (r *round) wrong(o observation, conditions []metav1.Condition) []problem {
	all := slices.Clone(r.problems)
	slices.SortStableFunc(all, func(a, b problem) int { return cmp.Compare(b.fate, a.fate) })
	all = append(all, o.stuckPods(r.connector.Name)...)
	all = append(all, deliveryProblems(o.dispatcher)...)
	said := append([]string{v1alpha1.ConditionReferencesResolved, v1alpha1.ConditionWorkloadAvailable, v1alpha1.ConditionDeliveryHealthy}, summaries...)
	for _, c := range conditions {
		if c.Status == metav1.ConditionFalse && !slices.Contains(said, c.Type) && !slices.Contains(calmReasons, c.Reason) {
			all = append(all, problem{reason: c.Reason, message: c.Message, key: c.Type})
		}
	}
	return all
}

// stuckPods are the workloads whose rollout does not end by itself.
func (o observation) stuckPods(connector string) (out []problem) {
	for _, c := range o.components {
		if c.deployment == nil {
			continue
		}
		if words, failed := c.trouble(); failed {
			out = append(out, problem{
				reason: v1alpha1.ReasonUnavailable, message: c.name + ": " + words,
				object: "Deployment/" + workload.DeploymentName(connector, c.name), key: v1alpha1.ConditionWorkloadAvailable,
			})
		}
	}
	return out
}

// deliveryProblems are those of which DeliveryHealthy names the first. An outage of the OA is among those of OAReachable.
func deliveryProblems(dispatcher fleet) (out []problem) {
	add := func(reason, message string) {
		out = append(out, problem{reason: reason, message: message, key: v1alpha1.ConditionDeliveryHealthy})
	}
	if reason, message := dispatcher.storeTrouble(); reason != "" {
		add(reason, message)
	}
	if dispatcher.report == nil || dispatcher.report.Delivery == nil {
		return out
	}
	d := dispatcher.report.Delivery
	if d.Lost > 0 {
		add(v1alpha1.ReasonStoreDamaged, lostNote(d.Lost))
	}
	if d.Dead > 0 {
		add(v1alpha1.ReasonDeadLetters, deadNote(d.Dead))
	}
	if d.Held > 0 {
		add(v1alpha1.ReasonHeld, heldNote(d.Held))
	}
	if note := recordsNote(dispatcher); note != "" {
		add(v1alpha1.ReasonRecordsBehind, note)
	}
	return out
}

// problemList is what a status says. A problem that was there before keeps its time; two that are told apart by their words
// only are one.
func problemList(connector string, before []v1alpha1.Problem, wrong []problem, now time.Time) []v1alpha1.Problem {
	var out []v1alpha1.Problem
	for i, w := range wrong {
		p := v1alpha1.Problem{
			Reason: w.reason, Object: cmp.Or(w.object, "OAConnector/"+connector), Key: clip(cmp.Or(w.key, "spec"), 253),
			Message: clip(w.message, maxProblemMessage), Since: metav1.NewTime(now.Truncate(time.Second)),
		}
		if j := slices.IndexFunc(out, sameAs(p)); j >= 0 {
			if !strings.Contains(out[j].Message, p.Message) {
				out[j].Message = clip(out[j].Message+"; "+p.Message, maxProblemMessage)
			}
			continue
		}
		if len(out) == maxProblems-1 && i < len(wrong)-1 {
			p.Reason, p.Object, p.Key = v1alpha1.ReasonMoreProblems, "OAConnector/"+connector, "status.problems"
			p.Message = fmt.Sprintf("%d more problems are not listed: mend these first", len(wrong)-i)
		}
		if j := slices.IndexFunc(before, sameAs(p)); j >= 0 {
			p.Since = before[j].Since
		}
		if out = append(out, p); len(out) == maxProblems {
			break
		}
	}
	return out
}

func sameAs(p v1alpha1.Problem) func(v1alpha1.Problem) bool {
	return func(q v1alpha1.Problem) bool { return p.Reason == q.Reason && p.Object == q.Object && p.Key == q.Key }
}

func place(p v1alpha1.Problem) string { return p.Object + " " + p.Key }

// conditionOf a problem: the one that has it in its sentence.
func conditionOf(p v1alpha1.Problem, conditions []metav1.Condition) *metav1.Condition {
	if c := meta.FindStatusCondition(conditions, p.Key); c != nil {
		return c
	}
	return meta.FindStatusCondition(conditions, v1alpha1.ConditionReferencesResolved)
}

// announceProblems makes an Event of each problem that came or went, unless that of its condition says so at the same time.
func (w *statusWriter[S]) announceProblems(o client.Object, before, after []v1alpha1.Problem, conditions []metav1.Condition, announced map[string]bool) {
	for _, p := range after {
		c := conditionOf(p, conditions)
		if slices.ContainsFunc(before, sameAs(p)) || c != nil && announced[c.Type] && strings.Contains(c.Message, p.Message) {
			continue
		}
		tell(w.recorder, o, corev1.EventTypeWarning, p.Reason, place(p), place(p)+": "+p.Message)
	}
	for _, p := range before {
		c := conditionOf(p, conditions)
		if slices.ContainsFunc(after, sameAs(p)) || c != nil && announced[c.Type] && c.Status == metav1.ConditionTrue {
			continue
		}
		tell(w.recorder, o, corev1.EventTypeNormal, v1alpha1.ReasonProblemGone, p.Reason+" "+place(p), p.Reason+" is gone: "+place(p))
	}
}
