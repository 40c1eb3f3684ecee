package controllers

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Scope is the part of a cluster that is an operator's. Operators whose scopes do not overlap never touch the same object.
type Scope struct {
	// Namespaces that the operator works in; none means all.
	Namespaces []string
	// Class of the operator: it works for the connectors and replays that carry it as LabelControllerClass. Empty means those
	// without the label.
	Class string
	// NamespaceSelector picks the namespaces in which connectors are made to work (F4); nil means all.
	NamespaceSelector labels.Selector
}

// Validate names the flag of `oabridge manager` that is wrong.
func (s Scope) Validate() error {
	if s.NamespaceSelector != nil && len(s.Namespaces) > 0 {
		return fmt.Errorf("--namespace-selector and --watch-namespaces exclude each other: labels of namespaces can be read in the whole cluster only; list the namespaces, or drop --watch-namespaces")
	}
	if s.Class != "" {
		if problems := validation.IsDNS1123Label(s.Class); len(problems) > 0 {
			return fmt.Errorf("--controller-class is %q: %s", s.Class, strings.Join(problems, "; "))
		}
	}
	return nil
}

// ofClass selects the objects that carry the operator's class, so that those of others do not even reach its memory.
func (s Scope) ofClass() labels.Selector {
	operator, values := selection.DoesNotExist, []string(nil)
	if s.Class != "" {
		operator, values = selection.Equals, []string{s.Class}
	}
	r, err := labels.NewRequirement(v1alpha1.LabelControllerClass, operator, values)
	if err != nil {
		panic("controllers: class " + s.Class + ": " + err.Error()) // Validate refuses it
	}
	return labels.NewSelector().Add(*r)
}

// owns says whether an object is this operator's to write to. Templates and bindings are read whatever their class.
func (s Scope) owns(o client.Object) bool { return s.ofClass().Matches(labels.Set(o.GetLabels())) }

// enabled says whether connectors of a namespace are made to work.
func (s Scope) enabled(ctx context.Context, reader client.Reader, namespace string) (bool, error) {
	if s.NamespaceSelector == nil {
		return true, nil
	}
	live := metadataOf(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := reader.Get(ctx, client.ObjectKey{Name: namespace}, live); err != nil {
		if apierrors.IsNotFound(err) { // the cache is a moment behind; its event comes
			return false, nil
		}
		return false, fmt.Errorf("labels of namespace %s: %w", namespace, err)
	}
	return s.NamespaceSelector.Matches(labels.Set(live.Labels)), nil
}

// refuseNamespace notes that a connector's namespace was not enabled. What runs already is left as it is.
func (c *ConnectorReconciler) refuseNamespace(ctx context.Context, r *round) error {
	live, err := c.liveConfig(ctx, r.connector)
	if err != nil {
		return err
	}
	r.previous, r.hash = live, live.hash
	r.problem(v1alpha1.ReasonNamespaceNotEnabled, fmt.Sprintf(
		"namespace %q lacks the label %s, without which this operator makes nothing in it; whoever runs the cluster adds it: kubectl label namespace %s %s",
		r.connector.Namespace, c.options.NamespaceSelector, r.connector.Namespace, c.options.NamespaceSelector))
	return nil
}

// byNamespace: all connectors of a namespace whose labels changed.
func (b backrefs) byNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	return b.connectors(ctx, nil, client.InNamespace(o.GetName()))
}
