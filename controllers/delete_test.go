package controllers_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

func (w *world) events() []eventsv1.Event {
	w.Helper()
	var list eventsv1.EventList
	w.Expect(admin.List(w.Context(), &list, client.InNamespace(w.ns))).To(Succeed())
	return list.Items
}

// note of the one Event that tells how a deletion ended. It is there before the connector is gone.
func (w *world) note() string {
	w.Helper()
	var notes []string
	for _, e := range w.events() {
		if e.Action == "Delete" {
			notes = append(notes, e.Note)
		}
	}
	w.Expect(notes).To(HaveLen(1))
	return notes[0]
}

// bind plays the volume controller.
func (w *world) bind() {
	w.Helper()
	claim := get(w, "hq-queue", &corev1.PersistentVolumeClaim{})
	base := claim.DeepCopy()
	claim.Status.Phase = corev1.ClaimBound
	w.Expect(admin.Status().Patch(w.Context(), claim, client.MergeFrom(base))).To(Succeed())
}

func (w *world) deleteConnector() {
	w.Helper()
	w.Expect(admin.Delete(w.Context(), get(w, "hq", &v1alpha1.OAConnector{}))).To(Succeed())
}

func (w *world) gone() {
	w.Helper()
	w.Eventually(func() bool {
		return apierrors.IsNotFound(admin.Get(w.Context(), w.key("hq"), &v1alpha1.OAConnector{}))
	}).WithTimeout(patience).Should(BeTrue(), "the connector is never stuck")
}

// claimIsKept tells a claim that stays from one that is deleted (and waits for the finalizer of a controller that does
// not run here).
func (w *world) claimIsKept() bool {
	var claim corev1.PersistentVolumeClaim
	err := admin.Get(w.Context(), w.key("hq-queue"), &claim)
	w.Expect(client.IgnoreNotFound(err)).NotTo(HaveOccurred())
	return err == nil && claim.DeletionTimestamp == nil
}

func drainFor(d time.Duration) func(*v1alpha1.OAConnector) {
	return func(c *v1alpha1.OAConnector) {
		c.Spec.OnDelete = v1alpha1.OnDelete{Policy: v1alpha1.DeleteDrain, Timeout: metav1.Duration{Duration: d}}
	}
}

// draining waits for the bundle that tells the dispatcher to take no more events, and returns its hash.
func (w *world) draining() string {
	w.Helper()
	var document string
	w.Eventually(func() string {
		document = get(w, "hq-bundle", &corev1.ConfigMap{}).Data[bundle.FileName]
		return strings.ReplaceAll(document, " ", "")
	}).WithTimeout(patience).Should(ContainSubstring(`"draining":true`))
	return bundle.Hash(map[string][]byte{bundle.FileName: []byte(document)})
}

func TestDeleteWithNothingPending(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(drainFor(time.Hour))
	w.bind()
	w.deleteConnector()
	hash := w.draining()
	// What the dispatcher says before it took the new bundle does not count: it may be taking an event right now.
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False Deleting: draining: nothing left; waiting for the dispatcher to confirm it"))
	w.expectCondition(v1alpha1.ConditionReconciling, HavePrefix("True Deleting"))
	pod.say(func(r *report.Report) { r.Config.Hash = hash })
	w.gone()
	w.Expect(w.note()).To(Equal("deleted with nothing pending"))
	w.Expect(w.claimIsKept()).To(BeFalse())
}

// The files of a GitOps application are deleted all at once: templates, bindings and Secrets may be gone before the queue
// is empty.
func TestDrainDeliversWhatIsPending(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(drainFor(time.Hour))
	w.bind()
	pod.say(func(r *report.Report) { r.Delivery.Pending = 3 })
	w.Eventually(func() *int64 { return get(w, "hq", &v1alpha1.OAConnector{}).Status.Delivery.Pending }).
		WithTimeout(patience).Should(HaveValue(BeEquivalentTo(3)))
	shard := get(w, "hq-accounts-00", &corev1.ConfigMap{}).BinaryData
	w.deleteConnector()
	w.Expect(admin.Delete(w.Context(), get(w, "staff", &v1alpha1.AccountBinding{}))).To(Succeed())
	w.Expect(admin.Delete(w.Context(), get(w, "hq-seeyon", &corev1.Secret{}))).To(Succeed())
	hash := w.draining()
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False Deleting: draining: 3 pending items left; what is left at "))
	w.Expect(get(w, "hq-accounts-00", &corev1.ConfigMap{}).BinaryData).To(Equal(shard))
	pod.say(func(r *report.Report) { r.Config.Hash = hash; r.Delivery = &report.Delivery{Delivered: 3} })
	w.gone()
	w.Expect(w.note()).To(Equal("deleted with nothing pending"))
}

// Held and dead items do not move by themselves: nobody waits for them, and they are not thrown away.
func TestDrainKeepsWhatCannotBeDelivered(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(drainFor(time.Hour))
	w.bind()
	w.deleteConnector()
	hash := w.draining()
	pod.say(func(r *report.Report) { r.Config.Hash = hash; r.Delivery = &report.Delivery{Held: 3, Dead: 2} })
	w.gone()
	w.Expect(w.note()).To(Equal("deleted; 3 held and 2 dead items are kept in volume claim hq-queue; a connector of the same name takes them over"))
	w.Expect(w.claimIsKept()).To(BeTrue())
	claim := get(w, "hq-queue", &corev1.PersistentVolumeClaim{}).UID

	w.connector(withoutSSO)
	w.hash()
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("False"))
	w.Expect(get(w, "hq-queue", &corev1.PersistentVolumeClaim{}).UID).To(Equal(claim))
}

func TestDrainTimeoutKeepsTheVolume(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(drainFor(2 * time.Second))
	w.bind()
	pod.say(func(r *report.Report) { r.Delivery = &report.Delivery{Pending: 4, Retrying: 1} })
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, HavePrefix("True Retrying"))
	w.deleteConnector()
	w.gone()
	w.Expect(w.note()).To(Equal("deleted after 2s; 4 pending and 1 retrying items are kept in volume claim hq-queue; a connector of the same name takes them over"))
	w.Expect(w.claimIsKept()).To(BeTrue())
}

func TestAbandonDeletesAtOnce(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(func(c *v1alpha1.OAConnector) { c.Spec.OnDelete.Policy = v1alpha1.DeleteAbandon })
	w.bind()
	pod.say(func(r *report.Report) { r.Delivery = &report.Delivery{Pending: 4, Held: 1} })
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, HavePrefix("True Held"))
	w.deleteConnector()
	w.gone()
	w.Expect(w.note()).To(Equal("deleted with the policy Abandon; 5 items were discarded"))
	w.Expect(w.claimIsKept()).To(BeFalse())
}

func TestDeleteBeforeAnythingRan(t *testing.T) {
	w := newWorld(t)
	w.connector(withoutSSO, drainFor(time.Hour))
	w.hash()
	w.deleteConnector()
	w.gone()
	w.Expect(w.note()).To(Equal("deleted: the dispatcher never ran, so nothing can be pending"))
	w.Expect(w.claimIsKept()).To(BeFalse())
}

// Whoever takes the queue volume away from a connector reads what was in it.
func TestDeleteAfterTheVolume(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(drainFor(time.Hour))
	w.bind()
	pod.say(func(r *report.Report) { r.Delivery = &report.Delivery{Held: 2} })
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, HavePrefix("True Held"))
	w.deleteConnector()
	w.draining()
	claim := get(w, "hq-queue", &corev1.PersistentVolumeClaim{})
	w.Expect(admin.Delete(w.Context(), claim)).To(Succeed())
	change(w, "hq-queue", &corev1.PersistentVolumeClaim{}, func(c *corev1.PersistentVolumeClaim) { c.Finalizers = nil }) // as when no pod has it
	w.gone()
	w.Expect(w.note()).To(Equal("deleted; somebody else deleted volume claim hq-queue, and with it 2 held items"))
}

// A dispatcher that ran and never spoke: what it took is unknown, so nothing is thrown away.
func TestDeleteWithoutAnyReport(t *testing.T) {
	w := newWorld(t)
	w.connector(withoutSSO, drainFor(time.Second))
	w.hash()
	w.bind()
	w.deleteConnector()
	w.gone()
	w.Expect(w.note()).To(Equal("deleted after 1s; the dispatcher never reported, so volume claim hq-queue is kept; a connector of the same name takes it over"))
	w.Expect(w.claimIsKept()).To(BeTrue())
}

// Revoke ends when the dispatcher has withdrawn what the OA shows as open, and not when its queue is empty.
func TestRevokeWaitsForTheWithdrawal(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(drainFor(time.Hour), func(c *v1alpha1.OAConnector) { c.Spec.OnDelete.Policy = v1alpha1.DeleteRevoke })
	w.bind()
	w.deleteConnector()
	hash := w.draining()
	w.Expect(get(w, "hq-bundle", &corev1.ConfigMap{}).Data[bundle.FileName]).To(ContainSubstring(`"revoking":true`))
	pod.say(func(r *report.Report) { r.Config.Hash, r.Revoke = hash, &report.Revoke{} })
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False Deleting: withdrawing: "))
	w.Consistently(func() error { return admin.Get(w.Context(), w.key("hq"), &v1alpha1.OAConnector{}) }).Should(Succeed())
	pod.say(func(r *report.Report) { r.Revoke = &report.Revoke{Done: true} })
	w.gone()
	w.Expect(w.note()).To(Equal("deleted with nothing pending"))
	w.Expect(w.claimIsKept()).To(BeFalse())
}

// A withdrawal that does not come to an end ends with the timeout.
func TestRevokeEndsAtTheTimeout(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(drainFor(2*time.Second), func(c *v1alpha1.OAConnector) { c.Spec.OnDelete.Policy = v1alpha1.DeleteRevoke })
	w.bind()
	pod.say(func(r *report.Report) { r.Delivery = &report.Delivery{Retrying: 412} })
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, HavePrefix("True Retrying"))
	w.deleteConnector()
	w.gone()
	w.Expect(w.note()).To(ContainSubstring("412 retrying items"))
}
