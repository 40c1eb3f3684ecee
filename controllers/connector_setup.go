package controllers

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// connectorReporter is who tells the Events of connectors.
const connectorReporter = "oabridge-connector"

func controllerOptions(o Options) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: o.MaxConcurrent,
		NewQueue:                o.traffic.newQueue,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](o.BackoffBase, o.BackoffMax),
	}
}

// setupConnector watches everything that a connector depends on, so that nothing has to be polled.
func setupConnector(ctx context.Context, mgr ctrl.Manager, o Options) (*ConnectorReconciler, error) {
	watcher, err := client.NewWithWatch(mgr.GetConfig(), client.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
	})
	if err != nil {
		return nil, err
	}
	routes := newRoutes(mgr, o.Scope)
	c := newConnectorReconciler(mgr.GetClient(), mgr.GetAPIReader(), watcher, mgr.GetEventRecorder(connectorReporter), routes, o)
	refs := newBackrefs(mgr, o.PresetsNamespace)
	generation := predicate.GenerationChangedPredicate{}
	b := ctrl.NewControllerManagedBy(mgr).
		Named("connector").
		For(&v1alpha1.OAConnector{}, builder.WithPredicates(predicate.Or(generation, steeredByAnnotation))).
		Watches(&v1alpha1.OAConnector{}, changedMeanwhile).
		Watches(&v1alpha1.OAConnector{}, mapWith(refs.byClaim), afterFirst(generation)).
		Watches(&corev1.Secret{}, mapWith(refs.bySecret), afterFirst()).
		Watches(&corev1.ConfigMap{}, mapWith(refs.byAccountsFile), afterFirst()).
		Watches(&v1alpha1.ScenarioTemplate{}, mapWith(refs.byTemplate), afterFirst(generation)).
		Watches(&v1alpha1.AccountBinding{}, mapWith(refs.byBinding), afterFirst(predicate.Or(generation, predicate.LabelChangedPredicate{}))).
		Watches(&v1alpha1.Replay{}, mapWith(byReplay), afterFirst(steered)).
		WatchesRawSource(source.Channel(o.Reports.subscribe(), afterChanges{})).
		WithOptions(controllerOptions(o))
	toConnector := ofChildren(mapWith(ofConnector))
	for _, child := range []client.Object{
		&corev1.Pod{}, &corev1.ConfigMap{}, &corev1.PersistentVolumeClaim{}, &appsv1.Deployment{}, &networkingv1.Ingress{},
	} {
		b.Watches(child, toConnector, afterFirst())
	}
	for _, kind := range bodiless {
		b.WatchesMetadata(metadataOf(kind), toConnector, afterFirst())
	}
	if o.NamespaceSelector != nil {
		b.WatchesMetadata(&corev1.Namespace{}, mapWith(refs.byNamespace), afterFirst(predicate.LabelChangedPredicate{}))
	}
	routes.controller, err = b.Build(c)
	if err != nil {
		return nil, err
	}
	_, err = routes.open(ctx)
	return c, err
}
