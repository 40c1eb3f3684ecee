package controllers

import (
	"cmp"
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// The brakes for an engineer: the annotations of a connector. (spec.suspend is a matter of the pods: bundle.Suspended.)

// steering are the annotations that the operator acts on.
var steering = []string{v1alpha1.AnnotationReconcileRequested, v1alpha1.AnnotationPausePods}

// steeredByAnnotation lets a change of one of them through.
var steeredByAnnotation = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, after := e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()
	for _, name := range steering {
		if before[name] != after[name] {
			return true
		}
	}
	return false
}}

// heedRequest has a connector compiled anew and each of its children applied, also those that are as they were applied, when
// somebody asks for that.
func (c *ConnectorReconciler) heedRequest(_ context.Context, r *round) error {
	before := c.status.previous(r.connector, r.connector.Status)
	if handledRequest(r.connector, before) == before.LastHandledReconcileAt {
		return nil
	}
	r.applyAll = true
	c.results.forget(client.ObjectKeyFromObject(r.connector))
	return nil
}

// handledRequest is the newest request of a person, cut to what the status can hold. One that is taken back is none.
func handledRequest(c *v1alpha1.OAConnector, before v1alpha1.OAConnectorStatus) string {
	return cmp.Or(clip(c.Annotations[v1alpha1.AnnotationReconcileRequested], maxRequested), before.LastHandledReconcileAt)
}

// maxRequested bounds status.lastHandledReconcileAt, in bytes.
const maxRequested = 256

// podsPaused reports whether the Deployments are left to a person.
func podsPaused(c *v1alpha1.OAConnector) bool {
	return c.Annotations[v1alpha1.AnnotationPausePods] == "true"
}

// pausedCondition reminds of the brake while it is on.
func pausedCondition() metav1.Condition {
	return condition(v1alpha1.ConditionPodsPaused, metav1.ConditionTrue, v1alpha1.ReasonPausedByAnnotation,
		"the Deployments are not written to and keep what people change in them; remove the annotation "+
			v1alpha1.AnnotationPausePods+" to have them as the spec says again")
}
