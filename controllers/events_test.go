package controllers

import (
	"context"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// sink is an API server for Events.
type sink struct {
	mu      sync.Mutex
	notes   []string
	patches int
}

func (s *sink) Create(_ context.Context, e *eventsv1.Event) (*eventsv1.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, e.Note)
	return e, nil
}

func (s *sink) Update(_ context.Context, e *eventsv1.Event) (*eventsv1.Event, error) { return e, nil }

func (s *sink) Patch(_ context.Context, e *eventsv1.Event, _ []byte) (*eventsv1.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patches++
	return e, nil
}

func (s *sink) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notes
}

// Several things that turn at the same time for the same reason are told one by one: the library for Events would take the
// second one for a repetition, drop what it says, and write to the API server again minutes later.
func TestNothingIsTakenForARepetition(t *testing.T) {
	g, s := NewWithT(t), &sink{}
	broadcaster := events.NewBroadcaster(s)
	defer broadcaster.Shutdown()
	g.Expect(broadcaster.StartRecordingToSinkWithContext(t.Context())).To(Succeed())
	recorder := broadcaster.NewRecorder(Scheme(), "oabridge-connector")
	w := newConnectorStatusWriter(nil, recorder)
	o := &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: "hq"}}

	condition := func(kind string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonUnavailable, Message: kind}
	}
	w.announce(o, false, nil, []metav1.Condition{
		condition(v1alpha1.ConditionWorkloadAvailable), condition(v1alpha1.ConditionDeliveryHealthy), condition(v1alpha1.ConditionExposed), condition(v1alpha1.ConditionReady),
	})
	problem := func(reason, key string) v1alpha1.Problem {
		return v1alpha1.Problem{Reason: reason, Object: "Secret/hq-seeyon", Key: key, Message: "wrong"}
	}
	w.announceProblems(o,
		[]v1alpha1.Problem{problem("KeyMissing", "username"), problem("KeyInvalid", "username"), problem("KeyMissing", "password")},
		[]v1alpha1.Problem{problem("SecretNotFound", "username"), problem("SecretNotFound", "password")}, nil, nil)
	status := func(key, inUse string) v1alpha1.CredentialStatus {
		return v1alpha1.CredentialStatus{Secret: "hq-seeyon", Key: key, Field: "spec.credentialsSecretRef", InUse: inUse, State: "Current"}
	}
	announceRotations(recorder, o,
		[]v1alpha1.CredentialStatus{status("username", "a"), status("password", "b")}, []v1alpha1.CredentialStatus{status("username", "c"), status("password", "d")})

	const all = 3 + 2 + 3 + 2
	g.Eventually(s.told).WithTimeout(10 * time.Second).Should(HaveLen(all))
	seen := map[string]bool{}
	for _, note := range s.told() {
		g.Expect(seen[note]).To(BeFalse(), note)
		seen[note] = true
	}
	g.Expect(s.patches).To(BeZero())
}
