package controllers

import (
	"context"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

// +kubebuilder:rbac:groups=oabridge.dev,resources=replays/status,verbs=patch

// ReplayReconciler decides which run of a Replay is wanted and writes down how far it came. The connector's bundle carries
// the run to the dispatcher, the dispatcher's report carries the progress back.
type ReplayReconciler struct {
	client  client.Client
	options Options
	status  *statusWriter[v1alpha1.ReplayStatus]
}

// Reconcile looks at one Replay.
func (c *ReplayReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var replay v1alpha1.Replay
	if err := c.client.Get(ctx, req.NamespacedName, &replay); err != nil {
		if apierrors.IsNotFound(err) {
			c.status.forget(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := c.status.previous(&replay, replay.Status)
	run, wanted := wantedRun(&replay, before)
	if !wanted {
		return ctrl.Result{}, nil
	}
	seen, err := c.observe(ctx, &replay, run)
	if err != nil {
		return ctrl.Result{}, err
	}
	now := c.options.Now()
	next := nextReplayStatus(&replay, before, run, seen, now)
	next.Conditions = stamp(before.Conditions, next.Conditions, replay.Generation, now)
	again, err := c.status.write(ctx, &replay, before, next, now)
	return ctrl.Result{RequeueAfter: again}, err
}

// observedRun is what is seen of a run.
type observedRun struct {
	// connector: there is one of that name.
	connector bool
	// progress as the dispatcher's replicas report it together; nil when they do not know the run (yet), or when a part of
	// the queue is served by none of them.
	progress *report.Replay
}

func (c *ReplayReconciler) observe(ctx context.Context, replay *v1alpha1.Replay, run v1alpha1.ReplayRun) (observedRun, error) {
	var connector v1alpha1.OAConnector
	key := types.NamespacedName{Namespace: replay.Namespace, Name: replay.Spec.ConnectorRef.Name}
	if err := c.client.Get(ctx, key, &connector); err != nil {
		return observedRun{}, client.IgnoreNotFound(err)
	}
	pods, err := podsOf(ctx, c.client, key)
	if err != nil {
		return observedRun{}, err
	}
	seen := observedRun{connector: true}
	fleet := joinReports(&connector, observePods(c.options.Reports, pods, v1alpha1.ComponentDispatcher))
	if fleet.report == nil || fleet.unserved > 0 {
		return seen, nil
	}
	if progress, known := fleet.report.Replays[bundle.ReplayID(replay, run.Generation)]; known {
		seen.progress = &progress
	}
	return seen, nil
}

func setupReplay(mgr ctrl.Manager, o Options) error {
	c := &ReplayReconciler{
		client: mgr.GetClient(), options: o,
		status: &statusWriter[v1alpha1.ReplayStatus]{
			client: mgr.GetClient(), recorder: mgr.GetEventRecorder("oabridge-replay"), manager: replayManager,
			conditions: func(s *v1alpha1.ReplayStatus) []metav1.Condition { return s.Conditions },
			urgent: func(before, after *v1alpha1.ReplayStatus) bool {
				return !apiequality.Semantic.DeepEqual(withoutProgress(before), withoutProgress(after))
			},
			last: map[types.NamespacedName]written[v1alpha1.ReplayStatus]{},
		},
	}
	generation := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).
		Named("replay").
		For(&v1alpha1.Replay{}, generation).
		Watches(&v1alpha1.OAConnector{}, mapWith(c.unfinished), generation).
		WatchesRawSource(source.Channel(o.Reports.subscribe(), mapWith(c.unfinished))).
		WithOptions(controllerOptions(o)).
		Complete(c)
}

// unfinished replays of a connector.
func (c *ReplayReconciler) unfinished(ctx context.Context, connector client.Object) []reconcile.Request {
	var found v1alpha1.ReplayList
	if err := c.client.List(ctx, &found, client.InNamespace(connector.GetNamespace()),
		client.MatchingFields{indexConnector: connector.GetName()}); err != nil {
		log.FromContext(ctx).Error(err, "list replays")
		return nil
	}
	var requests []reconcile.Request
	for i := range found.Items {
		if r := &found.Items[i]; r.Status.CompletedGeneration != r.Generation {
			requests = append(requests, requestFor(r))
		}
	}
	return requests
}
