package controllers_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
)

// withCRM takes callbacks only, and tells people through the CRM and a webhook.
func withCRM(c *v1alpha1.OAConnector) {
	secret := func(name string) v1alpha1.SecretReference { return v1alpha1.SecretReference{Name: name} }
	c.Spec.Source = v1alpha1.Source{
		CRM: v1alpha1.CRMInterface{Type: v1alpha1.CRMFxiaoke, CorpID: "FSCID_1", OpenUserID: "FSUID_1", CredentialsSecretRef: secret("hq-crm"),
			Roles: []v1alpha1.CRMRole{{Name: v1alpha1.RoleCRMAdmins, OpenUserIDs: []string{"FSUID_2"}}}},
		Callback: v1alpha1.Callback{SecretRef: secret("hq-callback"), EnterpriseAccount: "71570", Rules: []v1alpha1.CallbackRule{{
			APIName: "ApprovalTaskObj", Kind: v1alpha1.KindTodo, Actions: map[string]string{"add": "created"}, Fields: map[string]string{"receivers": "candidate_ids"},
		}}},
	}
	c.Spec.Notifications.Channels = []v1alpha1.Channel{
		{Name: "im", Type: v1alpha1.ChannelCRM}, {Name: "ops", Type: v1alpha1.ChannelWebhook, SecretRef: secret("hq-hook")},
	}
}

// Each Secret of the CRM's side is asked for by name and key, and a value that cannot be used is named and never shown.
func TestSecretsOfTheCRM(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.create(
		credentials("hq-crm", map[string]string{"appId": "FSAID_1", "appSecret": "s"}),
		credentials("hq-callback", map[string]string{"encoding-aes-key": "do-not-show-me"}),
		credentials("hq-hook", map[string]string{"url": "do-not-show-me"}),
	)
	w.connector(withoutSSO, withCRM)
	w.expectCondition(v1alpha1.ConditionReferencesResolved, And(
		ContainSubstring(`spec.source.crm.credentialsSecretRef: secret "hq-crm" has no value under the key "permanentCode"`),
		ContainSubstring(`spec.source.callback.secretRef: key "encoding-aes-key" of secret "hq-callback" is not the base64 of 32 bytes`),
		ContainSubstring(`spec.notifications.channels[1].secretRef: key "url" of secret "hq-hook" is no absolute http or https URL`),
		Not(ContainSubstring("do-not-show-me"))))
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Status.Addresses).To(Equal(v1alpha1.AddressStatus{
		Callback: "http://hq-dispatcher." + w.ns + ".svc:8080/callbacks/fxiaoke"}))
}

// crmSecrets are those that withCRM refers to.
func crmSecrets() []client.Object {
	return []client.Object{
		credentials("hq-crm", map[string]string{"appId": "FSAID_1", "appSecret": "s", "permanentCode": "p"}),
		credentials("hq-callback", map[string]string{"encoding-aes-key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}),
		credentials("hq-hook", map[string]string{"url": "https://hook.example/x"}),
	}
}

// People who are not told of failures are a condition of their own; deliveries go on.
func TestNotificationsInTheStatus(t *testing.T) {
	w := newWorld(t)
	w.create(crmSecrets()...)
	pod := w.ready(withoutSSO, withCRM)
	w.expectCondition(v1alpha1.ConditionNotificationsHealthy, Equal("Unknown Unknown: the dispatcher has not reported on notifications yet"))
	pod.say(func(r *report.Report) { r.Notifications = &report.Notifications{} })
	w.expectCondition(v1alpha1.ConditionNotificationsHealthy, HavePrefix("True Healthy"))
	pod.say(func(r *report.Report) {
		r.Notifications = &report.Notifications{Problem: "channel ops: the webhook answered HTTP 500", LastSent: new(time.Time)}
	})
	w.expectCondition(v1alpha1.ConditionNotificationsHealthy,
		Equal("False NotificationFailed: the last notification could not be sent and is tried again: channel ops: the webhook answered HTTP 500"))
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("True"))
}
