// Package controllers makes what people declared true: one reconciler for each kind of api/v1alpha1.
//
// A connector's loop reads as a list of steps (connector.go): resolve → compile → apply → observe → status. It reads from
// caches and never talks to a network other than the Kubernetes API; what the workloads say reaches it through Reports.
package controllers

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// Field managers, which name the writer of a field in managedFields.
const (
	connectorManager = client.FieldOwner("oabridge-connector")
	templateManager  = client.FieldOwner("oabridge-template")
	bindingManager   = client.FieldOwner("oabridge-binding")
	replayManager    = client.FieldOwner("oabridge-replay")
	presetsManager   = client.FieldOwner("oabridge-presets")
)

// connectorKind is that of the owners of children.
const connectorKind = "OAConnector"

// Options of the controllers.
type Options struct {
	// Image of the workloads.
	Image string
	// PullPolicy of the image; empty leaves it to Kubernetes.
	PullPolicy corev1.PullPolicy
	// PresetsNamespace is where a ScenarioTemplate is looked up that the connector's own namespace does not have.
	PresetsNamespace string
	// OperatorNamespace is where the operator runs, for network policies that let it in; empty outside of a cluster.
	OperatorNamespace string
	// Build tells this program from every other build of it; it trusts what the same build wrote down as settled. Empty trusts
	// nothing.
	Build string
	// Presets are brought into PresetsNamespace; nil leaves that to people.
	Presets []*unstructured.Unstructured
	// Scope is what the operator works on, as in CacheOptions.
	Scope

	// MaxConcurrent is how many objects of one kind are worked on at once; 0 means 1.
	MaxConcurrent int
	// BackoffBase is when a failed round is tried again, at doubling intervals up to BackoffMax; 0 means the defaults.
	BackoffBase, BackoffMax time.Duration
	// Reports follows the pods; nil means NewReports(nil).
	Reports *Reports
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// traffic of these controllers.
	traffic *traffic
}

// Defaults of Options.BackoffBase and Options.BackoffMax.
const (
	DefaultBackoffBase = time.Second
	DefaultBackoffMax  = 2 * time.Minute
)

// Scheme knows the kinds of Kubernetes and of OA Bridge.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic("controllers: " + err.Error()) // two types claim one kind: a mistake in this program
		}
	}
	metav1.AddToGroupVersion(scheme, workload.RouteKind.GroupVersion()) // the options of requests; the kinds are unstructured
	return scheme
}

// Setup adds all controllers to mgr.
func Setup(ctx context.Context, mgr ctrl.Manager, o Options) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Reports == nil {
		o.Reports = NewReports(nil)
	}
	o.traffic = newTraffic()
	o.BackoffBase, o.BackoffMax = cmp.Or(o.BackoffBase, DefaultBackoffBase), cmp.Or(o.BackoffMax, DefaultBackoffMax)
	if err := o.Validate(); err != nil {
		return err
	}
	if err := addIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return fmt.Errorf("field indexes: %w", err)
	}
	if err := mgr.Add(o.Reports); err != nil {
		return err
	}
	if len(o.Presets) > 0 {
		if err := mgr.Add(&Presets{Client: mgr.GetClient(), Namespace: o.PresetsNamespace, Class: o.Class, Templates: o.Presets}); err != nil {
			return err
		}
	}
	if _, err := setupConnector(ctx, mgr, o); err != nil {
		return fmt.Errorf("connector controller: %w", err)
	}
	if err := setupTemplate(mgr, o); err != nil {
		return fmt.Errorf("template controller: %w", err)
	}
	if err := setupBinding(mgr, o); err != nil {
		return fmt.Errorf("binding controller: %w", err)
	}
	if err := setupReplay(mgr, o); err != nil {
		return fmt.Errorf("replay controller: %w", err)
	}
	return nil
}
