package controllers

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
)

// oaReachable repeats what the dispatcher says.
func oaReachable(dispatcher *report.Report) metav1.Condition {
	if dispatcher == nil || dispatcher.OA == nil {
		return condition(v1alpha1.ConditionOAReachable, metav1.ConditionUnknown, v1alpha1.ReasonUnknown,
			"the dispatcher has not reported yet")
	}
	oa := dispatcher.OA
	status := metav1.ConditionStatus(oa.State)
	if !slices.Contains([]metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse}, status) {
		status = metav1.ConditionUnknown
	}
	reason := oa.Reason
	if reason == "" {
		reason = v1alpha1.ReasonUnknown
	}
	return condition(v1alpha1.ConditionOAReachable, status, reason, oa.Message)
}

// deliveryHealthy is false when a person has something to do or must know that nothing arrives.
func deliveryHealthy(dispatcher fleet, reachable metav1.Condition) metav1.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionDeliveryHealthy, status, reason, message)
	}
	if reason, message := dispatcher.storeTrouble(); reason != "" {
		return set(metav1.ConditionFalse, reason, message)
	}
	if dispatcher.report == nil || dispatcher.report.Delivery == nil {
		return set(metav1.ConditionUnknown, v1alpha1.ReasonUnknown, "the dispatcher has not reported yet")
	}
	d := dispatcher.report.Delivery
	var notes []string
	if d.Held > 0 {
		notes = append(notes, heldNote(d.Held))
	}
	if d.Retrying > 0 {
		notes = append(notes, count(d.Retrying, "item failed and will be tried again", "items failed and will be tried again"))
	}
	late := recordsNote(dispatcher)
	if late != "" {
		notes = append(notes, late)
	}
	note := strings.Join(notes, "; ")
	switch {
	case d.Lost > 0: // nothing mends it by itself, so it is said before what passes
		return set(metav1.ConditionFalse, v1alpha1.ReasonStoreDamaged,
			join(lostNote(d.Lost), note))
	case reachable.Status == metav1.ConditionFalse:
		return set(metav1.ConditionFalse, v1alpha1.ReasonOADown,
			join("the OA takes no deliveries: see OAReachable; events are accepted and kept", note))
	case d.Dead > 0:
		return set(metav1.ConditionFalse, v1alpha1.ReasonDeadLetters,
			join(deadNote(d.Dead), note))
	case dispatcher.unserved > 0: // what nobody counts may be late or dead
		return set(metav1.ConditionUnknown, v1alpha1.ReasonPartitionsUnserved, dispatcher.unservedNote())
	case d.Held > 0:
		return set(metav1.ConditionTrue, v1alpha1.ReasonHeld, note)
	case d.Retrying > 0:
		return set(metav1.ConditionTrue, v1alpha1.ReasonRetrying, note)
	case late != "":
		return set(metav1.ConditionTrue, v1alpha1.ReasonRecordsBehind, note)
	}
	return set(metav1.ConditionTrue, v1alpha1.ReasonHealthy, "no item is late, held or dead")
}

func heldNote(n int64) string {
	return count(n, "item is held", "items are held") + " until the receiver is bound to an OA account"
}

func deadNote(n int64) string {
	return count(n, "item is a dead letter", "items are dead letters") + "; kubectl oab dead lists them"
}

func lostNote(n int64) string {
	return count(n, "accepted item is gone", "accepted items are gone") + ", because files of the queue were damaged: send the open items " +
		"again from the CRM, look at the volume, then restart the dispatcher, which ends this message"
}

// recordsNote is empty when records can be looked up.
func recordsNote(dispatcher fleet) string {
	if s := dispatcher.report.Store; s != nil && s.Records != "" {
		return "records cannot be looked up, or are late to be; " + clip(s.Records, maxTrouble)
	}
	return ""
}

// deliverySuspended says what waits behind the brake. Damage is said all the same.
func deliverySuspended(dispatcher fleet) metav1.Condition {
	set := func(reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionDeliveryHealthy, metav1.ConditionFalse, reason, message)
	}
	if reason, message := dispatcher.storeTrouble(); reason != "" {
		return set(reason, message)
	}
	message := "the connector is suspended: events are accepted and kept, and nothing is sent"
	if r := dispatcher.report; r != nil && r.Delivery != nil {
		if n := r.Delivery.Pending + r.Delivery.Retrying + r.Delivery.Held; n > 0 {
			message += "; " + count(n, "item waits", "items wait")
		}
	}
	return set(v1alpha1.ReasonSuspended, message)
}

func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + "; " + b
}

// notificationsHealthy is false when people are not told of failures.
func notificationsHealthy(dispatcher *report.Report) metav1.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionNotificationsHealthy, status, reason, message)
	}
	switch {
	case dispatcher == nil || dispatcher.Notifications == nil:
		return set(metav1.ConditionUnknown, v1alpha1.ReasonUnknown, "the dispatcher has not reported on notifications yet")
	case dispatcher.Notifications.Problem != "":
		return set(metav1.ConditionFalse, v1alpha1.ReasonNotificationFailed,
			"the last notification could not be sent and is tried again: "+clip(dispatcher.Notifications.Problem, maxTrouble))
	}
	return set(metav1.ConditionTrue, v1alpha1.ReasonHealthy, "every channel takes the notifications that there are")
}
