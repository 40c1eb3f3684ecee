package controllers

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// foreignPause keeps a watch that fails at once from spinning.
const foreignPause = 5 * time.Second

// foreignWatcher waits for the one object that stands in a child's way. The caches do not see it, because it lacks the
// labels; so each such object gets a watch of its own, for as long as it is in the way.
type foreignWatcher struct {
	client  client.WithWatch
	reports *Reports

	mu      sync.Mutex
	watched map[foreignKey]bool
}

type foreignKey struct {
	gvk       schema.GroupVersionKind
	key       types.NamespacedName
	connector types.NamespacedName
}

func newForeignWatcher(c client.WithWatch, reports *Reports) *foreignWatcher {
	return &foreignWatcher{client: c, reports: reports, watched: map[foreignKey]bool{}}
}

// watch has connector reconciled once after o changed or went away. It returns at once.
func (f *foreignWatcher) watch(gvk schema.GroupVersionKind, o metav1.Object, connector types.NamespacedName) {
	key := foreignKey{gvk, types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}, connector}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watched[key] {
		return
	}
	f.watched[key] = true
	go func() {
		ctx := f.reports.context()
		f.wait(ctx, key, o.GetResourceVersion())
		f.mu.Lock()
		delete(f.watched, key)
		f.mu.Unlock()
		f.reports.notify(ctx, connector)
	}()
}

// wait returns when the object changed, and also when the watch ended for whatever reason: the next round looks again.
func (f *foreignWatcher) wait(ctx context.Context, key foreignKey, version string) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(key.gvk.GroupVersion().WithKind(key.gvk.Kind + "List"))
	w, err := f.client.Watch(ctx, list, client.InNamespace(key.key.Namespace), &client.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("metadata.name", key.key.Name),
		Raw:           &metav1.ListOptions{ResourceVersion: version},
	})
	if err != nil {
		select {
		case <-ctx.Done():
		case <-time.After(foreignPause):
		}
		return
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event, open := <-w.ResultChan():
			if !open || event.Type == watch.Deleted || event.Type == watch.Modified {
				return
			}
			if event.Type == watch.Error {
				select {
				case <-ctx.Done():
				case <-time.After(foreignPause):
				}
				return
			}
		}
	}
}
