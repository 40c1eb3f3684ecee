package controllers

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// A Replay runs once for each generation of its spec. Which run is under way is kept in its status, and nowhere else: the
// run begins when status.run says so, and is over when status.completedGeneration has caught up with it. So neither a
// restart of the operator nor a GitOps tool that applies the same file again starts anything.

// wantedRun is the run that the present spec asks for; false when the spec is done.
func wantedRun(r *v1alpha1.Replay, s v1alpha1.ReplayStatus) (v1alpha1.ReplayRun, bool) {
	selection := selectionOf(r)
	switch {
	case s.CompletedGeneration == r.Generation:
		return s.Run, false
	case underWay(s) && s.Run.Selection == selection: // paused, resumed, paced or cancelled
		return s.Run, true
	}
	return v1alpha1.ReplayRun{Generation: r.Generation, Selection: selection}, true
}

func underWay(s v1alpha1.ReplayStatus) bool { return s.Run.Generation > s.CompletedGeneration }

// active says whether the dispatcher is to know of the run in the status.
func active(r *v1alpha1.Replay) bool {
	return underWay(r.Status) && r.Status.Run.Selection == selectionOf(r) && r.DeletionTimestamp.IsZero()
}

// selectionOf is a hash over everything in the spec that cannot change in the middle of a run.
func selectionOf(r *v1alpha1.Replay) string {
	told := bundle.NewReplay(r, 0)
	told.Cancelled, told.Suspended, told.PerSecond = false, false, 0
	selection, err := digest(told)
	if err != nil {
		panic("controllers: a replay is always JSON: " + err.Error())
	}
	return selection[:shownHash]
}

// activeReplays of a connector, in the order of their creation.
func activeReplays(ctx context.Context, reader client.Reader, connector *v1alpha1.OAConnector) ([]v1alpha1.Replay, error) {
	var found v1alpha1.ReplayList
	if err := reader.List(ctx, &found, client.InNamespace(connector.Namespace),
		client.MatchingFields{indexConnector: connector.Name}); err != nil {
		return nil, err
	}
	replays := slices.DeleteFunc(found.Items, func(r v1alpha1.Replay) bool { return !active(&r) })
	slices.SortFunc(replays, func(a, b v1alpha1.Replay) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
	})
	return replays, nil
}

// byReplay goes from a replay to its connector.
func byReplay(_ context.Context, o client.Object) []reconcile.Request {
	r, ok := o.(*v1alpha1.Replay)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: r.Namespace, Name: r.Spec.ConnectorRef.Name}}}
}

// steered lets a connector see only what changes what its dispatcher has to know: not the counts of a run.
var steered = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.Replay)
		after, same := e.ObjectNew.(*v1alpha1.Replay)
		return ok && same && !reflect.DeepEqual(told(before), told(after))
	},
}

func told(r *v1alpha1.Replay) *bundle.Replay {
	if !active(r) {
		return nil
	}
	t := bundle.NewReplay(r, r.Status.Run.Generation)
	return &t
}
