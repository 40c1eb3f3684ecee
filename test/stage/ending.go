package stage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
)

// Ending is the namespace of connectors that are deleted while they have work.
const Ending = "ending"

// EndingOA is the simulator that they share.
const EndingOA = "generic"

// ApplyEnding puts n connectors for each policy of deletion on the cluster and returns their names by policy.
func (s *Stage) ApplyEnding(ctx context.Context, n int) (map[v1alpha1.OnDeletePolicy][]string, error) {
	i := slices.IndexFunc(Members(), func(m Member) bool { return m.Name == "generic-link" })
	model := Members()[i]
	list := []client.Object{
		restricted(Ending),
		credentials(Ending, "events", map[string]string{v1alpha1.KeySigning: SigningKey}),
	}
	names := map[v1alpha1.OnDeletePolicy][]string{}
	for _, policy := range []v1alpha1.OnDeletePolicy{v1alpha1.DeleteDrain, v1alpha1.DeleteAbandon, v1alpha1.DeleteRevoke} {
		for i := range n {
			m := model
			m.Name = fmt.Sprintf("%s-%d", strings.ToLower(string(policy)), i)
			names[policy] = append(names[policy], m.Name)
			for _, o := range m.objects(append([]crm.Person{crm.Sender()}, crm.People(20)...)) {
				o.SetNamespace(Ending)
				if oac, ok := o.(*v1alpha1.OAConnector); ok {
					oac.Spec.OnDelete.Policy, oac.Spec.SSO = policy, v1alpha1.SSO{}
				}
				list = append(list, o)
			}
		}
	}
	return names, s.applyAll(ctx, list)
}

// EndingReady is nil when all n connectors are ready.
func (s *Stage) EndingReady(ctx context.Context, n int) error { return s.allReady(ctx, Ending, n) }

// LastWords of a connector are the Events that say how its deletion ended.
func (s *Stage) LastWords(ctx context.Context, connector client.ObjectKey) (notes []string, err error) {
	var all eventsv1.EventList
	err = s.List(ctx, &all, client.InNamespace(connector.Namespace))
	for _, e := range all.Items {
		if e.Regarding.Name == connector.Name && e.Reason == v1alpha1.ReasonDeleting && strings.HasPrefix(e.Note, "deleted") {
			notes = append(notes, e.Note)
		}
	}
	return notes, err
}

// Leftovers of a connector are the Secrets with what it did not deliver.
func (s *Stage) Leftovers(ctx context.Context, connector client.ObjectKey) (int, error) {
	var secrets corev1.SecretList
	err := s.List(ctx, &secrets, client.InNamespace(connector.Namespace), client.MatchingLabels{v1alpha1.LabelLeftover: connector.Name})
	return len(secrets.Items), err
}

// DeleteEnding takes the namespace away.
func (s *Stage) DeleteEnding(ctx context.Context) error {
	return client.IgnoreNotFound(s.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Ending}}))
}
