package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// annotationRevision is written by the Deployment controller with every rollout; it says nothing about drift.
const annotationRevision = "deployment.kubernetes.io/revision"

// applier brings children into being with server-side apply. It remembers what it applied and what the object looked
// like right after, so that a child which nobody touched costs no request at all, and one that somebody did touch is
// repaired. (The idea is that of the request cache of cluster-api.)
type applier struct {
	client   client.Client
	uncached client.Reader
	foreign  *foreignWatcher
	routes   *routes

	mu   sync.Mutex
	done map[childKey]applied
}

type childKey struct {
	kind      schema.GroupKind
	key       types.NamespacedName
	connector types.NamespacedName
}

type applied struct{ request, live string }

func newApplier(c client.Client, uncached client.Reader, foreign *foreignWatcher, routes *routes) *applier {
	return &applier{client: c, uncached: uncached, foreign: foreign, routes: routes, done: map[childKey]applied{}}
}

// child applies one object. The error may be errNotOurs or errLeftover.
func (a *applier) child(ctx context.Context, owner *v1alpha1.OAConnector, desired workload.Object) error {
	gvk := schema.FromAPIVersionAndKind(*desired.GetAPIVersion(), *desired.GetKind())
	key := childKey{
		kind:      gvk.GroupKind(),
		key:       types.NamespacedName{Namespace: *desired.GetNamespace(), Name: *desired.GetName()},
		connector: client.ObjectKeyFromObject(owner),
	}
	request, err := digest(desired)
	if err != nil {
		return err
	}
	live, err := a.live(ctx, gvk, key.key)
	if err != nil {
		return err
	}
	if live == nil {
		// The cache holds labelled objects only: ask the API once before something unseen is overwritten.
		var meta metav1.PartialObjectMetadata
		meta.SetGroupVersionKind(gvk)
		switch err := a.uncached.Get(ctx, key.key, &meta); {
		case err == nil:
			live = &meta
		case !apierrors.IsNotFound(err):
			return err
		}
	}
	if live != nil {
		if err := checkOwner(live, owner); err != nil {
			if errors.Is(err, errNotOurs) {
				a.foreign.watch(gvk, live, key.connector)
			}
			return err
		}
		fingerprint, err := fingerprintOf(live)
		if err != nil {
			return err
		}
		if a.known(key) == (applied{request, fingerprint}) {
			return nil
		}
	}
	if err := a.client.Apply(ctx, desired, connectorManager, client.ForceOwnership); err != nil {
		return err
	}
	return a.remember(key, request, desired) // desired now holds the answer of the API
}

// live returns the object from the cache, nil if it is not there.
func (a *applier) live(ctx context.Context, gvk schema.GroupVersionKind, key types.NamespacedName) (client.Object, error) {
	if gvk == workload.RouteKind {
		return a.routes.get(ctx, key)
	}
	o, err := a.client.Scheme().New(gvk)
	if err != nil {
		return nil, err
	}
	object, ok := o.(client.Object)
	if !ok {
		return nil, fmt.Errorf("%s is not an object", gvk)
	}
	if err := a.client.Get(ctx, key, object); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return object, nil
}

func (a *applier) known(key childKey) applied {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.done[key]
}

func (a *applier) remember(key childKey, request string, answer any) error {
	data, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	var meta metav1.PartialObjectMetadata
	if err := json.Unmarshal(data, &meta); err != nil {
		return err
	}
	fingerprint, err := fingerprintOf(&meta)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done[key] = applied{request, fingerprint}
	return nil
}

func (a *applier) forget(connector types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.done, func(k childKey, _ applied) bool { return k.connector == connector })
}

// fingerprintOf changes when someone changes what a child declares, and not with its status. Kinds without a generation
// have little or no status; for them it is the resource version.
func fingerprintOf(o client.Object) (string, error) {
	if o.GetGeneration() == 0 {
		return string(o.GetUID()) + "@" + o.GetResourceVersion(), nil
	}
	annotations := maps.Clone(o.GetAnnotations())
	delete(annotations, annotationRevision)
	if len(annotations) == 0 {
		annotations = nil
	}
	meta, err := digest([]any{o.GetLabels(), annotations, o.GetOwnerReferences()})
	return fmt.Sprintf("%s#%d %s", o.GetUID(), o.GetGeneration(), meta), err
}

func digest(v any) (string, error) {
	data, err := json.Marshal(v)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]), err
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
	case controller.Kind == "OAConnector" && controller.Name == c.Name:
		return errLeftover
	}
	return errNotOurs
}
