package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/workload"
)

// +kubebuilder:rbac:groups=oabridge.dev,resources=oaconnectors,verbs=list;watch;patch
// +kubebuilder:rbac:groups=oabridge.dev,resources=oaconnectors/status,verbs=patch
// +kubebuilder:rbac:groups=oabridge.dev,resources=oaconnectors/finalizers,verbs=update
// +kubebuilder:rbac:groups=oabridge.dev,resources=scenariotemplates;accountbindings;replays,verbs=list;watch
// +kubebuilder:rbac:groups=core,resources=configmaps;services;serviceaccounts;persistentvolumeclaims,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=core,resources=secrets,verbs=get;list;watch;create
// +kubebuilder:rbac:groups=core,resources=pods,verbs=list;watch;patch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses;networkpolicies,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// ConnectorReconciler runs a dispatcher and a gateway for each OAConnector.
type ConnectorReconciler struct {
	client  client.Client
	options Options
	apply   *applier
	poke    *poker
	status  *statusWriter[v1alpha1.OAConnectorStatus]
	results *results
	routes  *routes
	news    *newsOf
}

// round is one pass over one connector.
type round struct {
	connector *v1alpha1.OAConnector
	now       time.Time
	// problems found on the way; they end up in ReferencesResolved and Stalled.
	problems []problem
	// refused: another connector has what this one claims, and nothing is made for it.
	refused bool
	// previous is what is live, and parsed the bundle in it once it was asked for; compiled what was just made: nil when a problem is
	// fatal, and then the children stay as they are.
	previous liveConfig
	parsed   *bundle.Bundle
	compiled *bundle.Output
	// inputs of compiled, and the problems that came with it; unusable are those of the podTemplates. settled: nothing changed since no
	// child had to be written, so compiled has neither bundle nor files and no child is looked at. unsettled: a child had to be written
	// in this round, or could not be.
	inputs             string
	found, unusable    []problem
	settled, unsettled bool
	// hash of the bundle that the pods should have, secrets a short hash over the Secrets that they mount.
	hash, secrets string
	// pods are those of the cache and must not be changed.
	pods []corev1.Pod
	// live are the children that the caches have, and seen is a digest of them.
	live []client.Object
	seen string
	// children that the connector should have, nil while there is no bundle; kept are the Deployments among them that stay
	// as they are, because their podTemplate cannot be used.
	children []workload.Object
	kept     map[string]bool
	// applyAll: also the children that are as they were applied.
	applyAll bool
	// unheard: this process has just begun and does not know yet what the pods have to say.
	unheard bool
	// routesMissing: an HTTPRoute is wanted, and the cluster does not serve them; routesUnread: they cannot be listed.
	routesMissing, routesUnread bool
	// requeue is when to look again, 0 for never.
	requeue time.Duration
}

func (r *round) problem(reason, message string) {
	r.add(newProblem(reason, message))
}

func (r *round) add(p problem) { r.problems = append(r.problems, p) }

// again asks for another round after d, or earlier.
func (r *round) again(d time.Duration) {
	if d > 0 && (r.requeue == 0 || d < r.requeue) {
		r.requeue = d
	}
}

// Reconcile makes one connector what its spec says.
func (c *ConnectorReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var connector v1alpha1.OAConnector
	if err := c.client.Get(ctx, req.NamespacedName, &connector); err != nil {
		if apierrors.IsNotFound(err) {
			c.forget(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	r := &round{connector: &connector, now: c.options.Now()}
	steps := []func(context.Context, *round) error{
		c.ensureFinalizer,
		c.heedRequest,
		c.claim,
		c.resolveSecrets,
		c.followPods,
		c.openRoutes,
		c.findChildren,
		c.compile,
		c.ensurePeerSecret,
		c.buildChildren,
		c.applyChildren,
		c.pruneChildren,
		c.remember,
		c.refreshPods,
		c.writeStatus,
	}
	enabled, err := c.options.enabled(ctx, c.client, req.Namespace)
	if err != nil {
		return ctrl.Result{}, err
	}
	switch {
	case !connector.DeletionTimestamp.IsZero():
		steps = []func(context.Context, *round) error{c.followPods, c.finalize}
	case !enabled:
		steps = []func(context.Context, *round) error{c.followPods, c.refuseNamespace, c.writeStatus}
	}
	for _, step := range steps {
		if err := step(ctx, r); err != nil {
			if apierrors.IsConflict(err) { // the cache is a moment behind; the event that is on its way comes too
				return ctrl.Result{RequeueAfter: time.Second}, nil
			}
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{RequeueAfter: r.requeue, Priority: ptr.To(childPriority)}, nil // only time has passed then: nobody waits
}

func (c *ConnectorReconciler) ensureFinalizer(ctx context.Context, r *round) error {
	if controllerutil.ContainsFinalizer(r.connector, v1alpha1.Finalizer) {
		return nil
	}
	base := r.connector.DeepCopy()
	controllerutil.AddFinalizer(r.connector, v1alpha1.Finalizer)
	return c.client.Patch(ctx, r.connector, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}), connectorManager)
}

// followPods tells Reports which pods to listen to.
func (c *ConnectorReconciler) followPods(ctx context.Context, r *round) error {
	key := client.ObjectKeyFromObject(r.connector)
	pods, err := podsOf(ctx, c.client, key)
	if err != nil {
		return err
	}
	r.pods = pods
	c.options.Reports.Follow(key, r.pods)
	r.unheard = c.news.unheard(key, c.options.Reports.Heard(r.pods))
	return nil
}

// forget drops what was remembered about a connector that is gone.
func (c *ConnectorReconciler) forget(key types.NamespacedName) {
	c.options.Reports.Follow(key, nil)
	c.results.forget(key)
	c.status.forget(key)
	c.poke.forget(key)
	c.news.forget(key)
}

func newConnectorReconciler(c client.Client, uncached client.Reader, watcher client.WithWatch, recorder events.EventRecorder, routes *routes, o Options) *ConnectorReconciler {
	return &ConnectorReconciler{
		client:  c,
		options: o,
		apply:   newApplier(c, uncached, newForeignWatcher(watcher, o.Reports), routes),
		poke:    newPoker(c),
		status:  newConnectorStatusWriter(c, recorder),
		results: newResults(),
		routes:  routes,
		news:    newNews(),
	}
}
