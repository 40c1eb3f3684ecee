package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// errNotOurs: an object with the name of a child exists and belongs to someone else. It is never written to.
var errNotOurs = errors.New("exists and does not belong to this connector")

// errLeftover: the object belongs to a deleted connector of the same name and is about to be collected.
var errLeftover = errors.New("belongs to a deleted connector of the same name and is being collected")

// applier brings children into being with server-side apply. A child that is as it was left costs no request, also right
// after a restart; one that somebody changed is repaired. It keeps nothing in memory: see ownership.go.
type applier struct {
	client   client.Client
	uncached client.Reader
	foreign  *foreignWatcher
	routes   *routes
	fields   *ownedFields
}

func newApplier(c client.Client, uncached client.Reader, foreign *foreignWatcher, routes *routes) *applier {
	return &applier{client: c, uncached: uncached, foreign: foreign, routes: routes, fields: newOwnedFields(c.Scheme())}
}

// child applies one object, unless it is as it was applied and always is false. The result is whether it is left as it was; the
// error may be errNotOurs or errLeftover.
func (a *applier) child(ctx context.Context, owner *v1alpha1.OAConnector, desired workload.Object, always bool) (same bool, err error) {
	request, sum, err := signed(desired)
	if err != nil {
		return false, err
	}
	gvk, key := request.GroupVersionKind(), client.ObjectKeyFromObject(request)
	live, err := a.live(ctx, gvk, key)
	if err != nil {
		return false, err
	}
	if live == nil {
		// The cache holds labelled objects only: ask the API once before something unseen is overwritten.
		meta := metadataOf(gvk)
		switch err := a.uncached.Get(ctx, key, meta); {
		case err == nil:
			live = meta
		case !apierrors.IsNotFound(err):
			return false, err
		}
	}
	if live != nil {
		if err := checkOwner(live, owner); err != nil {
			if errors.Is(err, errNotOurs) {
				a.foreign.watch(gvk, live, client.ObjectKeyFromObject(owner))
			}
			return false, err
		}
		same, err := a.asApplied(live, request, sum)
		if err != nil || (same && !always) {
			return same, err
		}
	}
	return false, a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(request), connectorManager, client.ForceOwnership)
}

// signed returns the request for a child, with its own digest as an annotation.
func signed(desired workload.Object) (request *unstructured.Unstructured, sum string, err error) {
	data, err := json.Marshal(desired)
	if err != nil {
		return nil, "", err
	}
	request = &unstructured.Unstructured{}
	if err := request.UnmarshalJSON(data); err != nil {
		return nil, "", err
	}
	sum = shortDigest(data)
	annotations := request.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.AnnotationApplied] = sum
	request.SetAnnotations(annotations)
	return request, sum, nil
}

// asApplied says whether the live object was made by this very request and nobody has changed a field of it since.
func (a *applier) asApplied(live client.Object, request *unstructured.Unstructured, sum string) (bool, error) {
	last, err := lastApplied(live)
	if err != nil || last == "" {
		return false, err
	}
	owned, err := a.fields.of(request)
	return last == applied(sum, owned), err
}

// live returns the object from the cache, nil if it is not there.
func (a *applier) live(ctx context.Context, gvk schema.GroupVersionKind, key types.NamespacedName) (client.Object, error) {
	if gvk == workload.RouteKind {
		return a.routes.get(ctx, key)
	}
	object, err := a.emptyChild(gvk)
	if err != nil {
		return nil, err
	}
	if err := a.client.Get(ctx, key, object, client.UnsafeDisableDeepCopy); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	if meta, ok := object.(*metav1.PartialObjectMetadata); ok {
		meta.SetGroupVersionKind(gvk) // the copy of a cache need not have it
	}
	return object, nil
}

// emptyChild is what the caches hold of a kind.
func (a *applier) emptyChild(gvk schema.GroupVersionKind) (client.Object, error) {
	if slices.Contains(bodiless, gvk) {
		return metadataOf(gvk), nil
	}
	o, err := a.client.Scheme().New(gvk)
	if err != nil {
		return nil, err
	}
	object, ok := o.(client.Object)
	if !ok {
		return nil, fmt.Errorf("%s is not an object", gvk)
	}
	return object, nil
}

// ours says whether an object belongs to a connector: it is controlled by it, or it has its label and no controller (the
// queue volume, which outlives connectors, and children that were orphaned on purpose).
func ours(o metav1.Object, c *v1alpha1.OAConnector) bool { return checkOwner(o, c) == nil }

func checkOwner(o metav1.Object, c *v1alpha1.OAConnector) error {
	controller := metav1.GetControllerOf(o)
	switch {
	case controller == nil && o.GetLabels()[v1alpha1.LabelConnector] == c.Name:
		return nil
	case controller == nil:
		return errNotOurs
	case controller.UID == c.UID:
		return nil
	case controller.Kind == connectorKind && controller.Name == c.Name:
		return errLeftover
	}
	return errNotOurs
}
