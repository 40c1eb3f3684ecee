package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/rotation"
)

func (w *world) reasons() (out []string) {
	for _, e := range w.events() {
		out = append(out, e.Type+" "+e.Reason)
	}
	return out
}

// A password is rotated: the object says which value is in use, what to do next, and when it is done.
func TestRotationIsShown(t *testing.T) { // F49
	w := newWorld(t)
	pod := w.ready()
	say := func(s rotation.KeyState) {
		s.Slot, s.Name = "credentials", "password"
		pod.say(func(r *report.Report) { r.Credentials = []rotation.KeyState{s} })
	}
	status := func() (s v1alpha1.CredentialStatus) {
		for _, s = range get(w, "hq", &v1alpha1.OAConnector{}).Status.Credentials {
			return s
		}
		return s
	}
	secret := get(w, "hq", &v1alpha1.OAConnector{}).Spec.CredentialsSecretRef.Name

	say(rotation.KeyState{State: rotation.StateCurrent, InUse: "sha256:aaaaaaaaaaaa"})
	w.expectCondition(v1alpha1.ConditionCredentialsAccepted, HavePrefix("True Accepted"))
	w.Expect(status()).To(Equal(v1alpha1.CredentialStatus{
		Field: "spec.credentialsSecretRef", Key: "password", Secret: secret, State: rotation.StateCurrent, InUse: "sha256:aaaaaaaaaaaa",
	}))

	say(rotation.KeyState{State: rotation.StateNextRejected, InUse: "sha256:aaaaaaaaaaaa", Next: "sha256:bbbbbbbbbbbb", Message: "401"})
	w.expectCondition(v1alpha1.ConditionCredentialsAccepted, Equal(`False NextRejected: spec.credentialsSecretRef: the value under the key "password.next" of secret "`+
		secret+`" is refused (401); the one under "password" stays in use: correct it, or remove it`))
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("True"))
	w.Eventually(w.reasons).WithTimeout(patience).Should(ContainElement("Warning NextRejected"))
	w.Expect(status().Next).To(Equal("sha256:bbbbbbbbbbbb"))

	say(rotation.KeyState{State: rotation.StateNext, InUse: "sha256:bbbbbbbbbbbb"})
	w.expectCondition(v1alpha1.ConditionCredentialsAccepted, HavePrefix("True NextInUse"))
	w.Expect(w.reasons()).NotTo(ContainElement("Normal RotationComplete"))

	say(rotation.KeyState{State: rotation.StateCurrent, InUse: "sha256:bbbbbbbbbbbb"})
	w.expectCondition(v1alpha1.ConditionCredentialsAccepted, HavePrefix("True Accepted"))
	w.Eventually(w.reasons).WithTimeout(patience).Should(ContainElement("Normal RotationComplete"))

	say(rotation.KeyState{State: rotation.StateRejected, InUse: "sha256:bbbbbbbbbbbb", Next: "sha256:cccccccccccc"})
	w.expectCondition(v1alpha1.ConditionCredentialsAccepted, HavePrefix("False CredentialRejected"))

	// A pod that starts has not looked yet: what was known stays.
	pod.say(func(r *report.Report) { r.Credentials = nil })
	w.expectCondition(v1alpha1.ConditionCredentialsAccepted, HavePrefix("False CredentialRejected"))
	// A Secret that nobody refers to is not spoken of.
	pod.say(func(r *report.Report) {
		r.Credentials = []rotation.KeyState{{Slot: "crm", Name: "appSecret", State: rotation.StateCurrent}, {Slot: "credentials", Name: "password", State: rotation.StateCurrent}}
	})
	w.expectCondition(v1alpha1.ConditionCredentialsAccepted, HavePrefix("True Accepted"))
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Status.Credentials).To(HaveLen(1))
}

// The key of a webhook is spoken of as that of its channel; a channel that is gone is not.
func TestRotationOfAWebhooksKeyIsShown(t *testing.T) { // F49
	w := newWorld(t)
	w.create(crmSecrets()...)
	pod := w.ready(withoutSSO, withCRM)
	pod.say(func(r *report.Report) {
		r.Credentials = []rotation.KeyState{
			{Slot: "channel-1", Name: "signing-key", State: rotation.StateBoth, InUse: "sha256:aaaaaaaaaaaa", Next: "sha256:bbbbbbbbbbbb"},
			{Slot: "channel-2", Name: "signing-key", State: rotation.StateNextRejected},
		}
	})
	w.expectCondition(v1alpha1.ConditionCredentialsAccepted, HavePrefix("True Accepted"))
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Status.Credentials).To(Equal([]v1alpha1.CredentialStatus{{
		Field: "spec.notifications.channels[1].secretRef", Key: "signing-key", Secret: "hq-hook", State: rotation.StateBoth,
		InUse: "sha256:aaaaaaaaaaaa", Next: "sha256:bbbbbbbbbbbb",
	}}))

	change(w, "hq-hook", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["signing-key.next"] = []byte("do-not-show-me") })
	w.expectCondition(v1alpha1.ConditionReferencesResolved, Equal(`False KeyInvalid: spec.notifications.channels[1].secretRef: key "signing-key.next" of secret "hq-hook" cannot be used: `+
		"it does not start with whsec_; write whsec_ followed by the base64 of at least 24 random bytes"))
}
