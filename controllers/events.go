package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// What the API allows in an Event, in bytes; a note may have 1 KiB.
const (
	maxNote   = 1000
	maxAction = 128
	// maxReporter bounds who tells it.
	maxReporter = 128
)

// tell makes an Event of o. The library for Events takes two of one reason for the same, drops the words of the second one and
// counts on for minutes, unless their actions differ: so an action is what an Event is about.
func tell(recorder events.EventRecorder, o client.Object, kind, reason, about, note string) {
	recorder.Eventf(o, nil, kind, reason, clip(about, maxAction), "%s", clip(note, maxNote))
}

// tellAtLast makes the last Event of a connector, which is there when this returns: an Event that waits in a queue dies with the
// process, and nobody comes back to a connector that is gone. Its name comes from what it says, so that a process that repeats it
// after a crash makes no second one. A namespace that takes no Events, because it is being deleted, stops nothing.
func (c *ConnectorReconciler) tellAtLast(ctx context.Context, r *round, kind, note string) error {
	sum := sha256.Sum256([]byte(string(r.connector.UID) + note))
	host, _ := os.Hostname()
	err := c.client.Create(ctx, &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: r.connector.Namespace, Name: r.connector.Name + "." + hex.EncodeToString(sum[:8])},
		EventTime:           metav1.NewMicroTime(r.now),
		ReportingController: connectorReporter,
		ReportingInstance:   clip(connectorReporter+"-"+host, maxReporter),
		Action:              "Delete",
		Reason:              v1alpha1.ReasonDeleting,
		Type:                kind,
		Note:                clip(note, maxNote),
		Regarding: corev1.ObjectReference{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: "OAConnector", Namespace: r.connector.Namespace, Name: r.connector.Name,
			UID: r.connector.UID, ResourceVersion: r.connector.ResourceVersion,
		},
	})
	switch {
	case err == nil, apierrors.IsAlreadyExists(err):
		return nil
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err), apierrors.IsInvalid(err):
		logf.FromContext(ctx).Info("no Event says how the deletion ended: "+note, "cause", err.Error())
		return nil
	}
	return fmt.Errorf("the Event that says how the deletion ended: %w", err)
}
