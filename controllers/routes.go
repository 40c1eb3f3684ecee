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
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// routesPatience bounds how long a reconcile waits for the first list of HTTPRoutes.
const routesPatience = 10 * time.Second

// routes are the HTTPRoutes of connectors. The Gateway API may come later than the operator, or never: they have a cache of
// their own, which is opened when the API is there.
type routes struct {
	mgr        ctrl.Manager
	controller controller.Controller
	options    cache.Options

	mu    sync.Mutex
	cache cache.Cache
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
	if err := opened.IndexField(ctx, newRoute(), indexChild, childOf); err != nil {
		return false, err
	}
	if err := r.mgr.Add(opened); err != nil {
		return false, err
	}
	owners := handler.TypedEnqueueRequestForOwner[*unstructured.Unstructured](
		r.options.Scheme, r.options.Mapper, &v1alpha1.OAConnector{}, handler.OnlyControllerOwner())
	if err := r.controller.Watch(source.Kind(opened, newRoute(), owners)); err != nil {
		return false, err
	}
	r.cache = opened
	return true, nil
}

// reader is nil while HTTPRoutes are not watched. It waits for their first list.
func (r *routes) reader(ctx context.Context) (client.Reader, error) {
	r.mu.Lock()
	opened := r.cache
	r.mu.Unlock()
	if opened == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, routesPatience)
	defer cancel()
	if !opened.WaitForCacheSync(ctx) {
		return nil, fmt.Errorf("HTTPRoutes were not listed within %s: the operator may not list them, or the API server is slow", routesPatience)
	}
	return opened, nil
}

// get returns nil for a route that is not there.
func (r *routes) get(ctx context.Context, key types.NamespacedName) (client.Object, error) {
	reader, err := r.reader(ctx)
	if reader == nil || err != nil {
		return nil, err
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

func newRouteList() client.ObjectList {
	u := &unstructured.UnstructuredList{}
	u.SetGroupVersionKind(workload.RouteKind.GroupVersion().WithKind(workload.RouteKind.Kind + "List"))
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
