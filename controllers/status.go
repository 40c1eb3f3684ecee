package controllers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// statusWriter writes the status of one kind: never when nothing changed, at once when a condition changed, and mere
// counts at most every statusInterval.
type statusWriter[S any] struct {
	client   client.Client
	recorder events.EventRecorder
	manager  client.FieldOwner
	// conditions of a status.
	conditions func(*S) []metav1.Condition
	// turned makes Events of what is no condition; nil makes none.
	turned func(o client.Object, before, after *S)
	// problems of a status; nil for a kind without.
	problems func(*S) []v1alpha1.Problem
	// young says that an object never was as it should be; nil means that none is.
	young func(*S) bool
	// urgent says whether a difference must not wait; nil means always.
	urgent func(before, after *S) bool

	mu   sync.Mutex
	last map[types.NamespacedName]written[S]
}

// written is the last status that was written. It is nil again once the cache has it.
type written[S any] struct {
	uid     types.UID
	version string
	status  *S
	at      time.Time
}

// previous is the newest status that is known: a cache may be a moment behind what was written.
func (w *statusWriter[S]) previous(o client.Object, cached S) S {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := client.ObjectKeyFromObject(o)
	last, ok := w.last[key]
	if !ok || last.status == nil || last.uid != o.GetUID() {
		return cached
	}
	if newer, err := resourceversion.CompareResourceVersion(last.version, o.GetResourceVersion()); err != nil || newer <= 0 {
		last.status = nil
		w.last[key] = last
		return cached
	}
	return *last.status
}

// write makes next the status of o. The result is when to try again, because it was too early for mere counts.
func (w *statusWriter[S]) write(ctx context.Context, o client.Object, before, next S, now time.Time) (time.Duration, error) {
	if apiequality.Semantic.DeepEqual(before, next) {
		return 0, nil
	}
	key := client.ObjectKeyFromObject(o)
	if w.urgent != nil && !w.urgent(&before, &next) {
		w.mu.Lock()
		wait := w.last[key].at.Add(statusInterval).Sub(now)
		w.mu.Unlock()
		if wait > 0 {
			return wait, nil
		}
	}
	began := time.Now()
	version, err := w.apply(ctx, o, next)
	now = now.Add(time.Since(began)) // the interval counts from the answer: a slow API server gets no more writes
	if err != nil {
		if apierrors.IsNotFound(err) { // deleted meanwhile
			return 0, nil
		}
		return 0, fmt.Errorf("status: %w", err)
	}
	w.mu.Lock()
	w.last[key] = written[S]{uid: o.GetUID(), version: version, status: &next, at: now}
	w.mu.Unlock()
	announced := w.announce(o, w.young != nil && w.young(&before), w.conditions(&before), w.conditions(&next))
	if w.problems != nil {
		w.announceProblems(o, w.problems(&before), w.problems(&next), w.conditions(&next), announced)
	}
	if w.turned != nil {
		w.turned(o, &before, &next)
	}
	return 0, nil
}

// apply sends the status with the object's UID, so that a new object of the same name does not get it.
func (w *statusWriter[S]) apply(ctx context.Context, o client.Object, status S) (version string, err error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&struct {
		Status S `json:"status"`
	}{status})
	if err != nil {
		return "", err
	}
	gvk, err := w.client.GroupVersionKindFor(o)
	if err != nil {
		return "", err
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	u.SetNamespace(o.GetNamespace())
	u.SetName(o.GetName())
	u.SetUID(o.GetUID())
	err = w.client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), w.manager, client.ForceOwnership)
	return u.GetResourceVersion(), err
}

func (w *statusWriter[S]) forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.last, key)
}

// calmReasons of a False condition are steps on the way, not trouble.
var calmReasons = []string{
	v1alpha1.ReasonProgressing, v1alpha1.ReasonRollingOut, v1alpha1.ReasonWaitingForPods, v1alpha1.ReasonReportsMissing,
	v1alpha1.ReasonAddressPending, v1alpha1.ReasonNotExposed, v1alpha1.ReasonPartitionsUnserved,
	v1alpha1.ReasonReplaying, v1alpha1.ReasonSuspended,
}

// announce makes an Event of each condition that turned, both ways, and returns which those are. Ready and Reconciling only
// sum up the others; but when a young object is ready, that says it for all that became good: a thousand new connectors are not
// worth four thousand Events.
func (w *statusWriter[S]) announce(o client.Object, young bool, before, after []metav1.Condition) map[string]bool {
	announced := map[string]bool{}
	single := len(after) <= 3 // a kind whose only own condition is Ready
	for _, c := range after {
		if c.Type == v1alpha1.ConditionReconciling || (c.Type == v1alpha1.ConditionReady && !single && !young) {
			continue
		}
		was := meta.FindStatusCondition(before, c.Type)
		good := metav1.ConditionTrue
		if c.Type == v1alpha1.ConditionStalled {
			good = metav1.ConditionFalse
		}
		switch {
		case c.Status == metav1.ConditionUnknown:
			continue
		case young && c.Type == v1alpha1.ConditionReady && c.Status != good:
			continue
		case young && c.Type != v1alpha1.ConditionReady && c.Status == good && (was == nil || !bad(*was, good)):
			continue
		case was == nil && (c.Status == good || slices.Contains(calmReasons, c.Reason)):
			continue // it begins as it should: nothing turned
		case was != nil && was.Status == c.Status && (was.Reason == c.Reason || c.Status == good):
			continue
		}
		announced[c.Type] = true
		kind := corev1.EventTypeNormal
		if bad(c, good) {
			kind = corev1.EventTypeWarning
		}
		tell(w.recorder, o, kind, c.Reason, c.Type, c.Type+" is "+string(c.Status)+": "+c.Message)
	}
	return announced
}

// bad conditions are neither as they should be, nor unknown, nor a step on the way.
func bad(c metav1.Condition, good metav1.ConditionStatus) bool {
	return c.Status != good && c.Status != metav1.ConditionUnknown && !slices.Contains(calmReasons, c.Reason)
}

// stamp gives conditions their generation and keeps the time of their last transition.
func stamp(before, after []metav1.Condition, generation int64, now time.Time) []metav1.Condition {
	for i := range after {
		after[i].ObservedGeneration = generation
		after[i].LastTransitionTime = metav1.NewTime(now.Truncate(time.Second))
		if was := meta.FindStatusCondition(before, after[i].Type); was != nil && was.Status == after[i].Status {
			after[i].LastTransitionTime = was.LastTransitionTime
		}
	}
	return after
}
