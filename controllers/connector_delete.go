package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/workload"
)

// defaultDrain is the timeout of a connector that was stored without defaults.
const defaultDrain = 30 * time.Minute

// leftovers is what is known of a queue.
type leftovers struct {
	pending, retrying, held, dead int64
	// known is false when the dispatcher never reported.
	known bool
}

func (l leftovers) moving() int64 { return l.pending + l.retrying }
func (l leftovers) total() int64  { return l.moving() + l.held + l.dead }

// finalize ends a deleted connector: at once (Abandon), or when its queue is empty, when only items are left that nothing
// moves any more, or when the timeout is over (Drain); with Revoke what the OA shows as open is withdrawn first. It always ends, also without templates, Secrets or a dispatcher:
// those are often deleted together with the connector.
func (c *ConnectorReconciler) finalize(ctx context.Context, r *round) error {
	if !controllerutil.ContainsFinalizer(r.connector, v1alpha1.Finalizer) {
		return nil
	}
	var claim corev1.PersistentVolumeClaim
	kept, err := c.find(ctx, r, workload.QueueName(r.connector.Name), &claim)
	if err != nil {
		return err
	}
	seen, err := c.observe(ctx, r)
	if err != nil {
		return err
	}
	before := c.status.previous(r.connector, r.connector.Status)
	delivery := deliveryStatus(before.Delivery, seen.dispatcher)
	left := leftoversOf(delivery)
	place := queuePlace{claim: workload.QueueName(r.connector.Name)}
	if r.connector.Spec.Dispatcher.Queue.Type == v1alpha1.QueueNATS {
		place.claim = ""
	}
	switch {
	case r.connector.Spec.OnDelete.Policy == v1alpha1.DeleteAbandon:
		return c.finish(ctx, r, &claim, kept, false, abandonNote(left, place))
	case place.nats() && !left.known: // nothing is thrown away: the streams stay
		return c.finish(ctx, r, &claim, kept, true, keptNote(left, place, ""))
	case !place.nats() && (!kept || (!left.known && claim.Status.Phase != corev1.ClaimBound)):
		return c.finish(ctx, r, &claim, kept, false, goneNote(left, place))
	}
	hash, err := c.drain(ctx, r)
	if err != nil {
		return err
	}
	revoke := r.connector.Spec.OnDelete.Policy == v1alpha1.DeleteRevoke
	if report := seen.dispatcher.report; report != nil && report.Delivery != nil && report.Config.Hash == hash &&
		seen.dispatcher.unserved == 0 && left.moving() == 0 && (!revoke || report.Revoke != nil && report.Revoke.Done) {
		if left.total() == 0 {
			return c.finish(ctx, r, &claim, kept, false, "deleted with nothing pending")
		}
		return c.finish(ctx, r, &claim, kept, true, keptNote(left, place, "")+exportedNote(r.connector, c.exported(ctx, r)))
	}
	timeout := defaultDrain
	if r.connector.Spec.OnDelete != (v1alpha1.OnDelete{}) {
		timeout = r.connector.Spec.OnDelete.Timeout.Duration
	}
	deadline := r.connector.DeletionTimestamp.Add(timeout)
	if !r.now.Before(deadline) {
		return c.finish(ctx, r, &claim, kept, true, keptNote(left, place, " after "+timeout.String())+exportedNote(r.connector, c.exported(ctx, r)))
	}
	r.again(deadline.Sub(r.now))
	message := drainingMessage(left, place, deadline)
	if revoke {
		message = "withdrawing: what the OA shows as open is taken away first; " + message
	}
	if bundle.Suspended(r.connector) {
		message += "; spec.suspend is true, so nothing is delivered until then: set it to false to have it delivered"
	}
	return c.writeDeleting(ctx, r, before, delivery, message)
}

func leftoversOf(d v1alpha1.DeliveryStatus) leftovers {
	return leftovers{
		pending: ptr.Deref(d.Pending, 0), retrying: ptr.Deref(d.Retrying, 0), held: ptr.Deref(d.Held, 0), dead: ptr.Deref(d.Dead, 0),
		known: d.Pending != nil,
	}
}

// drain has the dispatcher refuse new events and deliver what it has, or withdraw what it delivered. It changes nothing else in the live bundle: what
// the bundle was made from may be gone already. The result is the hash that the dispatcher must report.
func (c *ConnectorReconciler) drain(ctx context.Context, r *round) (hash string, err error) {
	live, err := c.liveConfig(ctx, r.connector)
	b := live.parse()
	if err != nil || b == nil {
		return "", err
	}
	suspended, revoking := bundle.Suspended(r.connector), r.connector.Spec.OnDelete.Policy == v1alpha1.DeleteRevoke
	if !b.Draining || b.Suspended != suspended || b.Revoking != revoking {
		b.Draining, b.Suspended, b.Revoking = true, suspended, revoking
		document, err := json.Marshal(b)
		if err != nil {
			return "", err
		}
		if _, err := c.apply.child(ctx, r.connector, workload.RootConfig(r.connector, document), false); err != nil {
			if errors.Is(err, errNotOurs) || errors.Is(err, errLeftover) || apierrors.IsForbidden(err) {
				return "", nil // the timeout ends it: for example, the namespace is being deleted
			}
			return "", err
		}
		live.hash = bundle.Hash(map[string][]byte{bundle.FileName: document})
	}
	r.hash, r.secrets = live.hash, "deleting" // Secrets may be gone: nothing to refresh for them
	return live.hash, c.refreshPods(ctx, r)
}

// finish says how it ended and removes the finalizer, upon which the garbage collector takes the children. The queue volume has no owner; it
// goes too unless something is left in it.
func (c *ConnectorReconciler) finish(ctx context.Context, r *round, claim *corev1.PersistentVolumeClaim, exists, keep bool, note string) error {
	if exists && !keep && claim.DeletionTimestamp.IsZero() {
		uid := claim.UID
		if err := client.IgnoreNotFound(c.client.Delete(ctx, claim, client.Preconditions{UID: &uid})); err != nil {
			return fmt.Errorf("delete volume claim %s: %w", claim.Name, err)
		}
	}
	kind := corev1.EventTypeNormal
	if keep {
		kind = corev1.EventTypeWarning
	}
	if err := c.tellAtLast(ctx, r, kind, note); err != nil {
		return err
	}
	base := r.connector.DeepCopy()
	controllerutil.RemoveFinalizer(r.connector, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
	return client.IgnoreNotFound(c.client.Patch(ctx, r.connector, patch, connectorManager))
}

// writeDeleting shows the drain in the object. The other conditions stay as they were.
func (c *ConnectorReconciler) writeDeleting(ctx context.Context, r *round, before v1alpha1.OAConnectorStatus, delivery v1alpha1.DeliveryStatus, message string) error {
	next := *before.DeepCopy()
	next.ObservedGeneration = r.connector.Generation
	next.Delivery = delivery
	if r.hash != "" {
		next.Config = configStatus(before.Config, r.hash, false, r.now)
	}
	for _, change := range stamp(before.Conditions, []metav1.Condition{
		condition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeleting, message),
		condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonDeleting, message),
		condition(v1alpha1.ConditionStalled, metav1.ConditionFalse, v1alpha1.ReasonDeleting, "nothing needs a change of this object"),
	}, r.connector.Generation, r.now) {
		next.Conditions = replaceCondition(next.Conditions, change)
	}
	again, err := c.status.write(ctx, r.connector, before, next, r.now)
	r.again(again)
	return err
}

func replaceCondition(list []metav1.Condition, c metav1.Condition) []metav1.Condition {
	for i := range list {
		if list[i].Type == c.Type {
			list[i] = c
			return list
		}
	}
	return append(list, c)
}
