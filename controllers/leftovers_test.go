package controllers_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
)

func (w *world) leftoverSecrets() []corev1.Secret {
	w.Helper()
	var list corev1.SecretList
	w.Expect(admin.List(w.Context(), &list, client.InNamespace(w.ns), client.MatchingLabels{v1alpha1.LabelLeftover: "hq"})).To(Succeed())
	return list.Items
}

// leaves makes a dispatcher answer what it did not deliver, to who bears the peer token.
func (p *fakePod) leaves(w *world, lines int) {
	p.mux.HandleFunc("GET "+report.PathLeftovers, func(rw http.ResponseWriter, r *http.Request) {
		token := string(get(w, "hq-peer", &corev1.Secret{}).Data[v1alpha1.KeyToken])
		if token == "" || r.Header.Get("Authorization") != "Bearer "+token {
			http.Error(rw, "who are you?", http.StatusUnauthorized)
			return
		}
		for i := range lines {
			_, _ = fmt.Fprintf(rw, `{"state":"Waiting","delivery":{"event":{"id":"e%d"}}}`+"\n", i)
		}
		_, _ = fmt.Fprintf(rw, `{"end":true,"count":%d}`+"\n", lines)
	})
}

// 412 items are pending when the time is over: they are in Secrets that outlive the connector, and the Event says how many and where.
// Asking again after a crash makes the same Secrets.
func TestLeftoversAreCopied(t *testing.T) {
	for policy, timeout := range map[v1alpha1.OnDeletePolicy]time.Duration{v1alpha1.DeleteDrain: 2 * time.Second, v1alpha1.DeleteRevoke: 2 * time.Second} {
		t.Run(string(policy), func(t *testing.T) {
			w := newWorld(t)
			pod := w.ready(drainFor(timeout), func(c *v1alpha1.OAConnector) { c.Spec.OnDelete.Policy = policy })
			pod.leaves(w, 412)
			w.bind()
			pod.say(func(r *report.Report) { r.Delivery = &report.Delivery{Pending: 412} })
			w.Eventually(func() *int64 { return get(w, "hq", &v1alpha1.OAConnector{}).Status.Delivery.Pending }).
				WithTimeout(patience).Should(HaveValue(BeEquivalentTo(412)))
			w.deleteConnector()
			w.gone()
			w.Expect(w.note()).To(Equal("deleted after 2s; 412 pending items are kept in volume claim hq-queue; a connector of the same name takes them over; " +
				"412 deliveries are also in the secrets with the label oabridge.dev/leftover=hq: see kubectl oab leftovers hq"))
			w.Expect(w.claimIsKept()).To(BeTrue())
			secrets := w.leftoverSecrets()
			w.Expect(secrets).To(HaveLen(1))
			w.Expect(secrets[0].OwnerReferences).To(BeEmpty())
			w.Expect(secrets[0].Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationLeftoverCount, "412"))
			z, err := gzip.NewReader(bytes.NewReader(secrets[0].Data[v1alpha1.KeyLeftovers]))
			w.Expect(err).NotTo(HaveOccurred())
			text, err := io.ReadAll(z)
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(strings.Count(string(text), "\n")).To(Equal(412))
		})
	}
}

// With Abandon nobody wants a copy; and a dispatcher that does not answer holds no deletion up.
func TestNoLeftoversWithoutNeed(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(func(c *v1alpha1.OAConnector) { c.Spec.OnDelete.Policy = v1alpha1.DeleteAbandon })
	pod.leaves(w, 412)
	w.bind()
	pod.say(func(r *report.Report) { r.Delivery = &report.Delivery{Pending: 412} })
	w.Eventually(func() *int64 { return get(w, "hq", &v1alpha1.OAConnector{}).Status.Delivery.Pending }).
		WithTimeout(patience).Should(HaveValue(BeEquivalentTo(412)))
	w.deleteConnector()
	w.gone()
	w.Expect(w.note()).To(Equal("deleted with the policy Abandon; 412 items were discarded"))
	w.Expect(w.leftoverSecrets()).To(BeEmpty())
}
