package controllers

import (
	"context"
	"strings"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// backrefs finds the objects that depend on another one, in the caches.
type backrefs struct {
	reader  client.Reader
	presets string
}

func requestFor(o client.Object) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)}
}

// connectors lists those that match; an error is logged, because a handler has nobody to return it to, and the cache
// that it comes from does not fail once it has started.
func (b backrefs) connectors(ctx context.Context, keep func(*v1alpha1.OAConnector) bool, options ...client.ListOption) []reconcile.Request {
	var found v1alpha1.OAConnectorList
	options = append(options, client.UnsafeDisableDeepCopy)
	if err := b.reader.List(ctx, &found, options...); err != nil {
		log.FromContext(ctx).Error(err, "list connectors")
		return nil
	}
	var requests []reconcile.Request
	for i := range found.Items {
		if keep == nil || keep(&found.Items[i]) {
			requests = append(requests, requestFor(&found.Items[i]))
		}
	}
	return requests
}

// ofConnector maps a child to its connector.
func ofConnector(_ context.Context, o client.Object) []reconcile.Request {
	name := connectorOf(o)
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: name}}}
}

// bySecret: a connector has one of its own, and names others.
func (b backrefs) bySecret(ctx context.Context, o client.Object) []reconcile.Request {
	requests := b.connectors(ctx, nil, client.InNamespace(o.GetNamespace()), client.MatchingFields{indexSecret: o.GetName()})
	if name, peer := strings.CutSuffix(o.GetName(), workload.PeerName("")); peer {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: name}})
	}
	return requests
}

// byTemplate: a preset serves all namespaces.
func (b backrefs) byTemplate(ctx context.Context, o client.Object) []reconcile.Request {
	options := []client.ListOption{client.MatchingFields{indexTemplate: o.GetName()}}
	if o.GetNamespace() != b.presets {
		options = append(options, client.InNamespace(o.GetNamespace()))
	}
	return b.connectors(ctx, nil, options...)
}

func (b backrefs) byBinding(ctx context.Context, o client.Object) []reconcile.Request {
	found, err := selecting(ctx, b.reader, o)
	if err != nil {
		log.FromContext(ctx).Error(err, "list connectors of a binding")
	}
	var requests []reconcile.Request
	for i := range found {
		requests = append(requests, requestFor(&found[i]))
	}
	return requests
}

// byAccountsFile goes from a ConfigMap through the bindings that name it to their connectors.
func (b backrefs) byAccountsFile(ctx context.Context, o client.Object) []reconcile.Request {
	seen := map[reconcile.Request]bool{}
	var requests []reconcile.Request
	for _, binding := range b.bindingsOf(ctx, o) {
		for _, request := range b.byBinding(ctx, binding) {
			if !seen[request] {
				seen[request] = true
				requests = append(requests, request)
			}
		}
	}
	return requests
}

func (b backrefs) bindingsOf(ctx context.Context, configMap client.Object) []client.Object {
	var found v1alpha1.AccountBindingList
	if err := b.reader.List(ctx, &found, client.InNamespace(configMap.GetNamespace()),
		client.MatchingFields{indexConfigMap: configMap.GetName()}); err != nil {
		log.FromContext(ctx).Error(err, "list account bindings")
		return nil
	}
	var objects []client.Object
	for i := range found.Items {
		objects = append(objects, &found.Items[i])
	}
	return objects
}

func mapWith(f handler.MapFunc) handler.EventHandler { return handler.EnqueueRequestsFromMapFunc(f) }

func newBackrefs(mgr ctrl.Manager, presets string) backrefs {
	return backrefs{reader: mgr.GetClient(), presets: presets}
}
