package controllers

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// routesPatience bounds how long a reconcile of a connector that wants an HTTPRoute waits for the first list of them,
// routesPause is between two looks.
const (
	routesPatience = 5 * time.Second
	routesPause    = 50 * time.Millisecond
)

// routes are the HTTPRoutes of connectors. The Gateway API may come later than the operator, or never: they have a cache of
// their own, which is opened when the API is there.
type routes struct {
	mgr        ctrl.Manager
	controller controller.Controller
	options    cache.Options

	mu    sync.Mutex
	cache cache.Cache
	// listed is true when the cache has its first list: nobody but who wants a route waits for it, for an operator whose
	// roles are its user's own may lack the right.
	listed func() bool
}

func newRoutes(mgr ctrl.Manager, scope Scope) *routes {
	o := CacheOptions(scope, "")
	o.ByObject, o.DefaultLabelSelector = nil, exists(v1alpha1.LabelConnector)
	o.DefaultTransform = nil // the managed fields say whether a route is as it was applied
	o.HTTPClient, o.Scheme, o.Mapper = mgr.GetHTTPClient(), mgr.GetScheme(), mgr.GetRESTMapper()
	return &routes{mgr: mgr, options: o}
}

// open has the HTTPRoutes watched from now on; it is false when the cluster does not serve them.
func (r *routes) open(ctx context.Context) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cache != nil {
		return true, nil
	}
	_, err := r.options.Mapper.RESTMapping(workload.RouteKind.GroupKind(), workload.RouteKind.Version)
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the Gateway API: %w", err)
	}
	opened, err := cache.New(r.mgr.GetConfig(), r.options)
	if err != nil {
		return false, err
	}
	if err := r.mgr.Add(opened); err != nil {
		return false, err
	}
	informer, err := opened.GetInformer(ctx, newRoute(), cache.BlockUntilSynced(false))
	if err != nil {
		return false, err
	}
	owners := handler.TypedEnqueueRequestForOwner[*unstructured.Unstructured](
		r.options.Scheme, r.options.Mapper, &v1alpha1.OAConnector{}, handler.OnlyControllerOwner())
	// As a function it is a source that a controller does not wait for when it starts.
	watch := source.Func(source.Kind(opened, newRoute(), owners).Start)
	if err := r.controller.Watch(watch); err != nil {
		return false, err
	}
	r.cache, r.listed = opened, informer.HasSynced
	return true, nil
}

// wait is false when there still is no first list after routesPatience.
func (r *routes) wait(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, routesPatience)
	defer cancel()
	err := wait.PollUntilContextCancel(ctx, routesPause, true, func(context.Context) (bool, error) { return r.reader() != nil, nil })
	return err == nil
}

// reader is nil while HTTPRoutes are not watched, or not listed yet. The routes in the first list ask for their connectors.
func (r *routes) reader() client.Reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cache == nil || !r.listed() {
		return nil
	}
	return r.cache
}

// get returns nil for a route that is not there.
func (r *routes) get(ctx context.Context, key types.NamespacedName) (client.Object, error) {
	reader := r.reader()
	if reader == nil {
		return nil, nil
	}
	route := newRoute()
	if err := reader.Get(ctx, key, route); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return route, nil
}

func newRoute() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(workload.RouteKind)
	return u
}

// observedRoute is what Gateways say of an HTTPRoute.
type observedRoute struct {
	metav1.ObjectMeta `json:"metadata"`

	Status struct {
		Parents []struct {
			ParentRef  v1alpha1.GatewayReference `json:"parentRef"`
			Conditions []metav1.Condition        `json:"conditions"`
		} `json:"parents"`
	} `json:"status"`
}

// of returns the conditions for one Gateway; a namespace that is left out is the route's.
func (o *observedRoute) of(ref v1alpha1.GatewayReference, namespace string) []metav1.Condition {
	ref.Namespace = cmp.Or(ref.Namespace, namespace)
	for _, p := range o.Status.Parents {
		p.ParentRef.Namespace = cmp.Or(p.ParentRef.Namespace, namespace)
		if p.ParentRef == ref {
			return p.Conditions
		}
	}
	return nil
}

// observeRoute reads the connector's route; one that is not ours counts as not there.
func (c *ConnectorReconciler) observeRoute(ctx context.Context, r *round) (*observedRoute, error) {
	key := types.NamespacedName{Namespace: r.connector.Namespace, Name: workload.GatewayName(r.connector.Name)}
	route, err := c.routes.get(ctx, key)
	if err != nil || route == nil || !ours(route, r.connector) {
		return nil, err
	}
	seen := &observedRoute{}
	content := route.(*unstructured.Unstructured).Object //nolint:forcetypeassert // newRoute made it
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, seen); err != nil {
		return nil, fmt.Errorf("status of HTTPRoute %s: %w", key.Name, err)
	}
	return seen, nil
}
