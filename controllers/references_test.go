package controllers_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Each of these is what a person gets wrong, what the connector says, and what makes it right without anything else.
func TestSecretsThatCannotBeUsed(t *testing.T) { // TM-21
	const secret = "do-not-show-me-anywhere"
	cases := []struct {
		name    string
		spoil   func(w *world)
		message string
		mend    func(w *world)
	}{
		{
			"missing",
			func(w *world) {
				w.Expect(admin.Delete(w.Context(), get(w, "hq-seeyon", &corev1.Secret{}))).To(Succeed())
			},
			`False SecretNotFound: spec.credentialsSecretRef: secret "hq-seeyon" was not found with the label oabridge.dev/credentials: "true"; create it or add the label`,
			func(w *world) {
				w.create(credentials("hq-seeyon", map[string]string{"username": "a", "password": secret}))
			},
		},
		{
			"without the label",
			func(w *world) {
				change(w, "hq-seeyon", &corev1.Secret{}, func(s *corev1.Secret) { s.Labels = nil })
			},
			`False SecretNotFound: spec.credentialsSecretRef: secret "hq-seeyon" was not found with the label oabridge.dev/credentials: "true"; create it or add the label`,
			func(w *world) {
				change(w, "hq-seeyon", &corev1.Secret{}, func(s *corev1.Secret) {
					s.Labels = map[string]string{v1alpha1.LabelCredentials: "true"}
				})
			},
		},
		{
			"without a key",
			func(w *world) {
				change(w, "hq-seeyon", &corev1.Secret{}, func(s *corev1.Secret) { delete(s.Data, "password") })
			},
			`False KeyMissing: spec.credentialsSecretRef: secret "hq-seeyon" has no value under the key "password"; add it`,
			func(w *world) {
				change(w, "hq-seeyon", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["password"] = []byte(secret) })
			},
		},
		{
			"a signing key that is none",
			func(w *world) {
				change(w, "hq-events", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["signing-key"] = []byte(secret) })
			},
			`False KeyInvalid: spec.source.signingSecretRef: key "signing-key" of secret "hq-events" cannot be used: it does not start with whsec_; write whsec_ followed by the base64 of at least 24 random bytes`,
			func(w *world) {
				change(w, "hq-events", &corev1.Secret{}, func(s *corev1.Secret) {
					s.Data["signing-key"] = []byte("whsec_dHJpYWwta2V5LW9mLW9hLWJyaWRnZS0yMDI2")
				})
			},
		},
		{
			"a next private key that is none",
			func(w *world) {
				change(w, "hq-login", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["key.pem.next"] = []byte(secret) })
			},
			`False KeyInvalid: spec.sso.crmLogin.keySecretRef: key "key.pem.next" of secret "hq-login" cannot be used: no PEM block; write a private key with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`,
			func(w *world) {
				change(w, "hq-login", &corev1.Secret{}, func(s *corev1.Secret) { delete(s.Data, "key.pem.next") })
			},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.secrets()
			w.connector()
			w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True"))
			c.spoil(w)
			w.expectCondition(v1alpha1.ConditionReferencesResolved, Equal(c.message))
			// Nobody has to change the connector for this, so GitOps waits and does not fail.
			w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("False"))
			w.expectCondition(v1alpha1.ConditionReconciling, HavePrefix("True"))
			w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Status.Conditions).NotTo(ContainElement(HaveField("Message", ContainSubstring(secret))))
			c.mend(w)
			w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True Resolved"))
		})
	}
}

// The dispatcher takes events also while its OA account is missing.
func TestWorkloadRunsWhileASecretIsMissing(t *testing.T) {
	w := newWorld(t)
	w.connector()
	w.expectCondition(v1alpha1.ConditionReferencesResolved, And(HavePrefix("False SecretNotFound"), ContainSubstring("hq-login")))
	get(w, "hq-dispatcher", &appsv1.Deployment{})
}

func localTemplate(t *testing.T, name string) *v1alpha1.ScenarioTemplate {
	t.Helper()
	var preset v1alpha1.ScenarioTemplate
	if err := admin.Get(t.Context(), objectKey(presetsNamespace, "seeyon-todo"), &preset); err != nil {
		t.Fatal(err)
	}
	local := &v1alpha1.ScenarioTemplate{Spec: preset.Spec}
	local.Name = name
	return local
}

// In a GitOps sync the connector may come before its template; and a template that breaks later must not stop what works.
func TestTemplateComesLateAndBreaksLater(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.connector(withoutSSO, func(c *v1alpha1.OAConnector) { c.Spec.Scenarios[0].TemplateRef.Name = "our-todo" })
	w.expectCondition(v1alpha1.ConditionReferencesResolved, And(HavePrefix("False TemplateNotFound"), ContainSubstring("our-todo")))
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("False"))

	template := localTemplate(t, "our-todo")
	w.create(template)
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True"))
	live := w.hash()
	w.Eventually(func() string {
		status := get(w, "our-todo", &v1alpha1.ScenarioTemplate{}).Status
		return spell(status.Conditions, v1alpha1.ConditionReady, template.Generation)
	}).WithTimeout(patience).Should(HavePrefix("True Ready"))
	status := get(w, "our-todo", &v1alpha1.ScenarioTemplate{}).Status
	w.Expect(*status.UsedBy).To(BeEquivalentTo(1))
	passed, total, _ := strings.Cut(status.Tests, "/")
	w.Expect(passed).To(And(Equal(total), Not(Equal("0"))))
	w.Expect(status.Revision).NotTo(BeEmpty())

	change(w, "our-todo", &v1alpha1.ScenarioTemplate{}, func(s *v1alpha1.ScenarioTemplate) {
		s.Spec.Actions.Create.Body = strings.Replace(s.Spec.Actions.Create.Body, "#F012", "#F0I2", 1)
	})
	w.expectCondition(v1alpha1.ConditionReferencesResolved, And(HavePrefix("False "), ContainSubstring("stays live"), ContainSubstring("#F0I2")))
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Status.Config.Hash).To(Equal(live))
	w.Eventually(func() string {
		broken := get(w, "our-todo", &v1alpha1.ScenarioTemplate{})
		return spell(broken.Status.Conditions, v1alpha1.ConditionReady, broken.Generation)
	}).WithTimeout(patience).Should(And(HavePrefix("False "), ContainSubstring("#F0I2")))

	change(w, "our-todo", &v1alpha1.ScenarioTemplate{}, func(s *v1alpha1.ScenarioTemplate) { s.Spec = template.Spec })
	w.expectCondition(v1alpha1.ConditionReferencesResolved, HavePrefix("True"))
}

// A template of the same name in the connector's own namespace wins over the preset, and gives way again.
func TestLocalTemplateWinsOverPreset(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.connector(withoutSSO)
	preset := w.hash()
	local := localTemplate(t, "seeyon-todo")
	local.Spec.DateFormat = "yyyy/MM/dd"
	local.Spec.Tests = nil
	w.create(local)
	w.Eventually(func() string { return get(w, "hq", &v1alpha1.OAConnector{}).Status.Config.Hash }).
		WithTimeout(patience).ShouldNot(Equal(preset))
	w.Expect(admin.Delete(w.Context(), local)).To(Succeed())
	w.Eventually(func() string { return get(w, "hq", &v1alpha1.OAConnector{}).Status.Config.Hash }).
		WithTimeout(patience).Should(Equal(preset))
}

// A mistake in the spec itself: only a person can end it, and GitOps tools must see a failure at once.
func TestSpecMistakesStall(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.connector(withoutSSO, func(c *v1alpha1.OAConnector) {
		c.Spec.Scenarios = append(c.Spec.Scenarios, c.Spec.Scenarios[0])
	})
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("True ScenarioConflict: spec.scenarios[1]"))
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False ScenarioConflict"))
	w.Expect(kstatus(get(w, "hq", &v1alpha1.OAConnector{}))).To(Equal("Failed"))
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.Scenarios[1].State = v1alpha1.Disabled })
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("False"))
}
