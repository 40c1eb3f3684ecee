package controllers

import (
	"context"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

func newConnectorStatusWriter(c client.Client, recorder events.EventRecorder) *statusWriter[v1alpha1.OAConnectorStatus] {
	return &statusWriter[v1alpha1.OAConnectorStatus]{
		client: c, recorder: recorder, manager: connectorManager,
		conditions: func(s *v1alpha1.OAConnectorStatus) []metav1.Condition { return s.Conditions },
		problems:   func(s *v1alpha1.OAConnectorStatus) []v1alpha1.Problem { return s.Problems },
		young:      func(s *v1alpha1.OAConnectorStatus) bool { return s.Config.LiveTime.IsZero() },
		urgent: func(before, after *v1alpha1.OAConnectorStatus) bool {
			return !apiequality.Semantic.DeepEqual(withoutCounts(before), withoutCounts(after))
		},
		turned: func(o client.Object, before, after *v1alpha1.OAConnectorStatus) {
			if c, ok := o.(*v1alpha1.OAConnector); ok {
				announceRotations(recorder, c, before.Credentials, after.Credentials)
			}
		},
		last: map[types.NamespacedName]written[v1alpha1.OAConnectorStatus]{},
	}
}

// withoutCounts leaves out what changes with every delivery, and what only the next start needs.
func withoutCounts(s *v1alpha1.OAConnectorStatus) *v1alpha1.OAConnectorStatus {
	c := s.DeepCopy()
	c.Delivery, c.SLO, c.Config.Settled = v1alpha1.DeliveryStatus{}, v1alpha1.SLOStatus{}, ""
	if healthy := meta.FindStatusCondition(c.Conditions, v1alpha1.ConditionDeliveryHealthy); healthy != nil {
		healthy.Message = ""
	}
	for i := range c.Problems {
		if c.Problems[i].Key == v1alpha1.ConditionDeliveryHealthy {
			c.Problems[i].Message = ""
		}
	}
	return c
}

// firstStatus is when a new connector with nothing wrong gets a status at the latest, unless others are still without children. The
// first round makes its children, and each of these is an event that asks for the second round, most often at once; of a thousand new
// connectors, though, all get their children first, and what is then said of one says what has become of them: one write instead of two.
const firstStatus = 5 * time.Second

// writeStatus is the last step: everything that was found and seen, in one write.
func (c *ConnectorReconciler) writeStatus(ctx context.Context, r *round) error {
	seen, err := c.observe(ctx, r)
	if err != nil {
		return err
	}
	before := c.status.previous(r.connector, r.connector.Status)
	if r.unheard && before.ObservedGeneration == r.connector.Generation && before.Config.Hash == r.hash {
		return nil // what an earlier process saw of the pods stands until they answer, which asks for a round
	}
	if before.ObservedGeneration <= 0 && len(r.live) == 0 && r.compiled != nil && len(r.problems) == 0 {
		r.again(firstStatus)
		return nil
	}
	credentials := credentialStatus(r.connector, before.Credentials, seen)
	conditions := r.conditions(seen, credentials)
	next := v1alpha1.OAConnectorStatus{
		ObservedGeneration: r.connector.Generation,
		Problems:           problemList(r.connector.Name, before.Problems, r.wrong(seen, conditions), r.now),
		Conditions:         stamp(before.Conditions, conditions, r.connector.Generation, r.now),
		Delivery:           deliveryStatus(before.Delivery, seen.dispatcher),
		SLO:                sloStatus(before.SLO, r.connector.Spec.SLO, seen.dispatcher),
		Accounts:           before.Accounts,
		Credentials:        credentials,
		Addresses:          r.addresses(),
		Gateway:            gatewayStatus(r.connector, seen),

		LastHandledReconcileAt: handledRequest(r.connector, before),
	}
	if r.compiled != nil {
		next.Accounts = v1alpha1.AccountsStatus{
			Bound: ptr.To(int64(r.compiled.Pairs)), Conflicts: ptr.To(int64(len(r.compiled.Conflicts))),
		}
	}
	next.Config = configStatus(before.Config, r.hash, meta.IsStatusConditionTrue(next.Conditions, v1alpha1.ConditionConfigLive), r.now)
	next.Config.Settled = c.settledNow(r, before.Config.Settled)
	again, err := c.status.write(ctx, r.connector, before, next, r.now)
	r.again(again)
	return err
}

// gatewayStatus is what the scale subresource shows; a connector without a gateway has nothing to scale.
func gatewayStatus(c *v1alpha1.OAConnector, seen observation) v1alpha1.GatewayStatus {
	for _, component := range seen.components {
		if component.name != v1alpha1.ComponentGateway {
			continue
		}
		s := v1alpha1.GatewayStatus{Replicas: ptr.To[int32](0), Selector: workload.GatewaySelector(c)}
		if component.deployment != nil {
			s.Replicas = ptr.To(component.deployment.Status.Replicas)
		}
		return s
	}
	return v1alpha1.GatewayStatus{}
}

// configStatus keeps the moment at which a bundle was first live everywhere, also while a new pod catches up.
func configStatus(before v1alpha1.ConfigStatus, hash string, live bool, now time.Time) v1alpha1.ConfigStatus {
	next := v1alpha1.ConfigStatus{Hash: hash}
	switch {
	case before.Hash == hash && !before.LiveTime.IsZero():
		next.LiveTime = before.LiveTime
	case live:
		next.LiveTime = metav1.NewTime(now.Truncate(time.Second))
	}
	return next
}

// deliveryStatus keeps the last known counts while the dispatcher is away, or a part of its queue is served by nobody: a
// sum without that part would be wrong.
func deliveryStatus(before v1alpha1.DeliveryStatus, dispatcher fleet) v1alpha1.DeliveryStatus {
	if dispatcher.report == nil || dispatcher.report.Delivery == nil || dispatcher.unserved > 0 {
		return before
	}
	d := dispatcher.report.Delivery
	next := v1alpha1.DeliveryStatus{
		Pending: ptr.To(d.Pending), Retrying: ptr.To(d.Retrying), Held: ptr.To(d.Held), Dead: ptr.To(d.Dead),
		Delivered: ptr.To(d.Delivered), Skipped: ptr.To(d.Skipped),
	}
	if d.OldestTime != nil {
		next.OldestTime = metav1.NewTime(d.OldestTime.Truncate(time.Second))
	}
	if f := d.LastFailure; f != nil && f.Class != "" {
		next.LastFailure = v1alpha1.FailureStatus{
			Time: metav1.NewTime(f.Time.Truncate(time.Second)), Class: clip(f.Class, 64), Message: clip(f.Message, 1024),
		}
	}
	return next
}
