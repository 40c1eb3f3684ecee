package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// refusedPause is when a child is tried again that the API refused for a reason that no watched object shows (a quota, an
// admission policy).
const refusedPause = time.Minute

// ensurePeerSecret makes the token that gateway and dispatcher share, and that keys the fingerprints of credentials. It is
// created once and never written again.
func (c *ConnectorReconciler) ensurePeerSecret(ctx context.Context, r *round) error {
	if r.compiled == nil {
		return nil
	}
	desired := workload.NewPeerSecret(r.connector)
	var live corev1.Secret
	err := c.client.Get(ctx, client.ObjectKeyFromObject(desired), &live)
	if err == nil {
		return c.checkPeer(r, &live)
	}
	if !apierrors.IsNotFound(err) {
		return err
	}
	err = c.client.Create(ctx, desired, connectorManager)
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	there := metadataOf(corev1.SchemeGroupVersion.WithKind("Secret")) // not in the cache: unlabelled, or a moment old
	if err := c.apply.uncached.Get(ctx, client.ObjectKeyFromObject(desired), there); err != nil {
		return client.IgnoreNotFound(err)
	}
	return c.checkPeer(r, there)
}

func (c *ConnectorReconciler) checkPeer(r *round, live client.Object) error {
	err := checkOwner(live, r.connector)
	if errors.Is(err, errNotOurs) {
		c.apply.foreign.watch(corev1.SchemeGroupVersion.WithKind("Secret"), live, client.ObjectKeyFromObject(r.connector))
	}
	c.childProblem(r, "Secret", live.GetName(), err)
	return nil
}

// openRoutes looks for the Gateway API on behalf of a connector that wants an HTTPRoute. It is asked for again now and then:
// no watched object shows that it was installed.
func (c *ConnectorReconciler) openRoutes(ctx context.Context, r *round) error {
	if !workload.HasRoute(r.connector) {
		return nil
	}
	served, err := c.routes.open(ctx)
	if err != nil {
		return err
	}
	r.routesMissing, r.routesUnread = !served, served && !c.routes.wait(ctx)
	if r.routesMissing || r.routesUnread {
		r.again(refusedPause)
	}
	return nil
}

// buildChildren makes what the connector should have. A podTemplate that cannot be used keeps its Deployment as it is.
func (c *ConnectorReconciler) buildChildren(_ context.Context, r *round) error {
	if r.compiled == nil || r.settled {
		return nil
	}
	in := workload.Input{
		Connector:         r.connector,
		Bundle:            r.compiled.Bundle,
		Files:             r.compiled.Files,
		Image:             c.options.Image,
		PullPolicy:        c.options.PullPolicy,
		OperatorNamespace: c.options.OperatorNamespace,
	}
	r.kept = map[string]bool{}
	for _, p := range workload.Check(in) {
		r.unusable = append(r.unusable, newProblem(v1alpha1.ReasonPodTemplateInvalid, p.String()).at("", p.Field))
		r.kept[workload.DeploymentName(r.connector.Name, p.Component)] = true
	}
	r.problems = append(r.problems, r.unusable...)
	r.children = workload.Build(in)
	return nil
}

// applyChildren applies in the order of workload.Build. A child that is refused does not keep the others back, except
// that no pod is changed while its configuration could not be written.
func (c *ConnectorReconciler) applyChildren(ctx context.Context, r *round) error {
	configRefused := false
	for _, child := range r.children {
		kind, name := *child.GetKind(), *child.GetName()
		switch {
		case configRefused && (kind == "ConfigMap" || kind == "Deployment"),
			(r.routesMissing || r.routesUnread) && kind == workload.RouteKind.Kind:
			r.unsettled = true
			continue
		case kind == "Deployment" && (r.kept[name] || podsPaused(r.connector)):
			continue
		}
		same, err := c.apply.child(ctx, r.connector, child, r.applyAll)
		r.unsettled = r.unsettled || !same
		if err == nil {
			continue
		}
		if !c.childProblem(r, kind, name, err) {
			return fmt.Errorf("apply %s %s: %w", kind, name, err)
		}
		configRefused = configRefused || kind == "ConfigMap"
	}
	return nil
}

// childProblem notes an error that a person has to know; it is false for one that goes away by trying again.
func (c *ConnectorReconciler) childProblem(r *round, kind, name string, err error) bool {
	switch {
	case err == nil:
	case errors.Is(err, errNotOurs):
		r.add(newProblem(v1alpha1.ReasonChildNotOurs, fmt.Sprintf(
			"%s %q %v; it was not touched: rename or delete it, or rename this connector", strings.ToLower(kind), name, err)).at(kind+"/"+name, "metadata.name"))
	case errors.Is(err, errLeftover):
		r.problems = append(r.problems, problem{
			reason: v1alpha1.ReasonApplyFailed, message: fmt.Sprintf("%s %q %v", strings.ToLower(kind), name, err), fate: waiting,
		}.at(kind+"/"+name, "metadata.deletionTimestamp"))
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsForbidden(err), apierrors.IsRequestEntityTooLargeError(err):
		p := problem{
			reason:  v1alpha1.ReasonApplyFailed,
			message: clip(fmt.Sprintf("%s %q was refused: %v", strings.ToLower(kind), name, err), maxMessage/shownProblems),
		}
		if apierrors.IsInvalid(err) {
			p.fate = stalled
		}
		r.add(p.at(kind+"/"+name, "spec"))
		r.again(refusedPause)
	default:
		return false
	}
	return true
}

// componentKinds are those of which each component of a connector has one child at most, with the name of its Deployment.
var componentKinds = []schema.GroupVersionKind{
	networkingv1.SchemeGroupVersion.WithKind("Ingress"),
	workload.RouteKind,
	networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy"),
	policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"),
	appsv1.SchemeGroupVersion.WithKind("Deployment"),
	corev1.SchemeGroupVersion.WithKind("Service"),
	corev1.SchemeGroupVersion.WithKind("ServiceAccount"),
}

// findChildren takes from the caches what workload.Build may have made. The peer Secret is not among that: it is made once and
// stays.
func (c *ConnectorReconciler) findChildren(ctx context.Context, r *round) error {
	find := func(kind schema.GroupVersionKind, name string) error {
		child, err := c.apply.live(ctx, kind, client.ObjectKey{Namespace: r.connector.Namespace, Name: name})
		if child != nil {
			r.live = append(r.live, child)
		}
		return err
	}
	for _, component := range []string{v1alpha1.ComponentDispatcher, v1alpha1.ComponentGateway} {
		for _, kind := range componentKinds {
			if err := find(kind, workload.DeploymentName(r.connector.Name, component)); err != nil {
				return err
			}
		}
	}
	if err := find(corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), workload.QueueName(r.connector.Name)); err != nil {
		return err
	}
	files, err := filesOf(ctx, c.client, client.ObjectKeyFromObject(r.connector))
	if err != nil {
		return err
	}
	for i := range files {
		r.live = append(r.live, &files[i])
	}
	r.seen, err = c.seenChildren(r)
	return err
}

// pruneChildren deletes children that are no longer wanted: a gateway without SSO, shards beyond the last one. The queue volume
// is nobody's and stays.
func (c *ConnectorReconciler) pruneChildren(ctx context.Context, r *round) error {
	if r.compiled == nil || r.settled {
		return nil
	}
	wanted := map[string]bool{}
	for _, child := range r.children {
		wanted[*child.GetKind()+"/"+*child.GetName()] = true
	}
	for _, child := range r.live {
		kind, err := c.kindOf(child)
		if err != nil {
			return err
		}
		if wanted[kind.Kind+"/"+child.GetName()] || podsPaused(r.connector) && kind.Kind == "Deployment" || !metav1.IsControlledBy(child, r.connector) || !child.GetDeletionTimestamp().IsZero() {
			continue
		}
		r.unsettled = true
		uid := child.GetUID()
		err = c.client.Delete(ctx, child, client.PropagationPolicy(metav1.DeletePropagationBackground),
			client.Preconditions{UID: &uid})
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete %s %s: %w", kind.Kind, child.GetName(), err)
		}
	}
	return nil
}

func (c *ConnectorReconciler) kindOf(o client.Object) (schema.GroupVersionKind, error) {
	return c.client.GroupVersionKindFor(o)
}
