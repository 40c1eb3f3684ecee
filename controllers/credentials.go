package controllers

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/rotation"
)

const (
	// maxCredentials bounds the list in the status.
	maxCredentials = 64
	// maxCredentialMessage bounds one message in it, in bytes.
	maxCredentialMessage = 512
)

// credentialStatus is what the pods say of the keys that they show and accept. What no pod speaks of just now stays as it
// was.
func credentialStatus(c *v1alpha1.OAConnector, before []v1alpha1.CredentialStatus, seen observation) []v1alpha1.CredentialStatus {
	var lists [][]rotation.KeyState
	complete := true
	for _, component := range seen.components {
		spoke := false
		for _, p := range component.staying() {
			if p.report != nil && len(p.report.Credentials) > 0 {
				lists, spoke = append(lists, p.report.Credentials), true
			}
		}
		complete = complete && spoke
	}
	var out []v1alpha1.CredentialStatus
	for _, s := range rotation.Merge(lists...) {
		if field, secret, key := reference(&c.Spec, s.Slot, s.Name); secret != "" {
			out = append(out, v1alpha1.CredentialStatus{
				Field: field, Secret: secret, Key: key, State: v1alpha1.CredentialState(s.State), InUse: clip(s.InUse, 64), Next: clip(s.Next, 64),
				Message: clip(s.Message, maxCredentialMessage),
			})
		}
	}
	if !complete {
		for _, old := range before {
			if !slices.ContainsFunc(out, sameKey(old)) && refers(&c.Spec, old) {
				out = append(out, old)
			}
		}
	}
	slices.SortFunc(out, func(a, b v1alpha1.CredentialStatus) int {
		return cmp.Or(strings.Compare(a.Field, b.Field), strings.Compare(a.Key, b.Key))
	})
	return out[:min(len(out), maxCredentials)]
}

func sameKey(a v1alpha1.CredentialStatus) func(v1alpha1.CredentialStatus) bool {
	return func(b v1alpha1.CredentialStatus) bool { return a.Field == b.Field && a.Key == b.Key }
}

// refers reports whether the connector still refers to the Secret of a key.
func refers(spec *v1alpha1.OAConnectorSpec, s v1alpha1.CredentialStatus) bool {
	return slices.ContainsFunc(secretNeeds(spec), func(n secretNeed) bool { return n.field == s.Field && n.name == s.Secret })
}

// reference finds the field of the spec, the Secret and the key behind a file in a pod; secret is empty when there is none.
func reference(spec *v1alpha1.OAConnectorSpec, slot, name string) (field, secret, key string) {
	sso := &spec.SSO
	if index, ok := strings.CutPrefix(slot, bundle.SlotCompany); ok {
		i, ok := within(index, len(sso.Companies))
		if !ok {
			return "", "", ""
		}
		return fmt.Sprintf("spec.sso.companies[%s].secretRef", sso.Companies[i].Name), sso.Companies[i].SecretRef.Name, name
	}
	if index, ok := strings.CutPrefix(slot, bundle.SlotChannel); ok {
		i, ok := within(index, len(spec.Notifications.Channels))
		if !ok {
			return "", "", ""
		}
		return fmt.Sprintf("spec.notifications.channels[%d].secretRef", i), spec.Notifications.Channels[i].SecretRef.Name, name
	}
	switch slot {
	case bundle.SlotHeaders:
		i, ok := within(name, len(spec.Headers))
		if !ok {
			return "", "", ""
		}
		ref := spec.Headers[i].ValueFrom.SecretKeyRef
		return fmt.Sprintf("spec.headers[%d].valueFrom.secretKeyRef", i), ref.Name, ref.Key
	case bundle.SlotCredentials:
		return "spec.credentialsSecretRef", spec.CredentialsSecretRef.Name, name
	case bundle.SlotSigning:
		return "spec.source.signingSecretRef", spec.Source.SigningSecretRef.Name, name
	case bundle.SlotToken:
		return "spec.source.tokenSecretRef", spec.Source.TokenSecretRef.Name, name
	case bundle.SlotPull:
		return "spec.seeyon.pull.tokenSecretRef", spec.Seeyon.Pull.TokenSecretRef.Name, name
	case bundle.SlotCallback:
		return "spec.source.callback.secretRef", spec.Source.Callback.SecretRef.Name, name
	case bundle.SlotCRM:
		return "spec.source.crm.credentialsSecretRef", spec.Source.CRM.CredentialsSecretRef.Name, name
	case bundle.SlotLogin:
		return "spec.sso.crmLogin.keySecretRef", sso.CRMLogin.KeySecretRef.Name, name
	case bundle.SlotSSO:
		return "spec.sso.secretRef", sso.SecretRef.Name, name
	}
	return "", "", ""
}

// within reads an index of a list that has n entries: a pod of before may still speak of one that is gone.
func within(text string, n int) (i int, ok bool) {
	i, err := strconv.Atoi(text)
	return i, err == nil && i >= 0 && i < n
}

// credentialsAccepted says whether a value in a Secret is refused. It does not make a connector unready: calls go on with the
// value that works, and OAReachable says when there is none.
func credentialsAccepted(list []v1alpha1.CredentialStatus) metav1.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionCredentialsAccepted, status, reason, message)
	}
	say := func(state string, form func(v1alpha1.CredentialStatus) string) string {
		var words []string
		for _, s := range list {
			if string(s.State) == state {
				words = append(words, form(s))
			}
		}
		return strings.Join(words, "; ")
	}
	why := func(s v1alpha1.CredentialStatus) string {
		if s.Message == "" {
			return ""
		}
		return " (" + s.Message + ")"
	}
	if m := say(rotation.StateRejected, func(s v1alpha1.CredentialStatus) string {
		return fmt.Sprintf("%s: the value under the key %q of secret %q is refused%s; the one before is used as long as it is good: correct the Secret", s.Field, s.Key, s.Secret, why(s))
	}); m != "" {
		return set(metav1.ConditionFalse, v1alpha1.ReasonCredentialRejected, m)
	}
	if m := say(rotation.StateNextRejected, func(s v1alpha1.CredentialStatus) string {
		return fmt.Sprintf("%s: the value under the key %q of secret %q is refused%s; the one under %q stays in use: correct it, or remove it", s.Field, s.Key+v1alpha1.SuffixNext, s.Secret, why(s), s.Key)
	}); m != "" {
		return set(metav1.ConditionFalse, v1alpha1.ReasonNextRejected, m)
	}
	if m := say(rotation.StateProbing, func(s v1alpha1.CredentialStatus) string {
		return fmt.Sprintf("%s: a new value for the key %q of secret %q is not proven yet%s; the one before is in use", s.Field, s.Key, s.Secret, why(s))
	}); m != "" {
		return set(metav1.ConditionUnknown, v1alpha1.ReasonProbing, m)
	}
	if m := say(rotation.StateNext, func(s v1alpha1.CredentialStatus) string {
		return fmt.Sprintf("%s: the value under the key %q of secret %q works and is in use: write it under %q and remove the key", s.Field, s.Key+v1alpha1.SuffixNext, s.Secret, s.Key)
	}); m != "" {
		return set(metav1.ConditionTrue, v1alpha1.ReasonNextInUse, m)
	}
	return set(metav1.ConditionTrue, v1alpha1.ReasonAccepted, "no value of a Secret is refused")
}

// announceRotations makes an Event of each value that took the place of another. Refused ones are announced with the
// condition.
func announceRotations(recorder events.EventRecorder, c *v1alpha1.OAConnector, before, after []v1alpha1.CredentialStatus) {
	for _, now := range after {
		i := slices.IndexFunc(before, sameKey(now))
		if i < 0 || now.State != rotation.StateCurrent || before[i].InUse == "" || now.InUse == "" {
			continue
		}
		if before[i].InUse != now.InUse || before[i].State == rotation.StateNext {
			tell(recorder, c, corev1.EventTypeNormal, v1alpha1.ReasonRotationComplete, now.Secret+" "+now.Key,
				fmt.Sprintf("%s: the new value under the key %q of secret %q is in use (%s)", now.Field, now.Key, now.Secret, now.InUse))
		}
	}
}
