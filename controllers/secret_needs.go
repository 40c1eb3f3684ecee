package controllers

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// secretNeed is a reference to a Secret, with the keys that it must and may have.
type secretNeed struct {
	field    string
	name     string
	required []string
	// oneOf are groups of keys, of which one must be complete.
	oneOf    [][]string
	optional []string
	// check returns what is wrong with the value of a key, without the value; nil means anything goes.
	check func(key string, value []byte) error
}

// secretNeeds lists the Secrets that a connector refers to.
func secretNeeds(spec *v1alpha1.OAConnectorSpec) []secretNeed {
	account := secretNeed{field: "spec.credentialsSecretRef", name: spec.CredentialsSecretRef.Name}
	account.required, account.optional = bundle.CredentialKeys(spec)
	needs := []secretNeed{account, {
		field: "spec.endpoint.caSecretRef", name: spec.Endpoint.CASecretRef.Name,
		required: []string{v1alpha1.KeyCA}, check: checkCertificates,
	}}
	for i, h := range spec.Headers {
		needs = append(needs, secretNeed{
			field: fmt.Sprintf("spec.headers[%d].valueFrom.secretKeyRef", i), name: h.ValueFrom.SecretKeyRef.Name,
			required: []string{h.ValueFrom.SecretKeyRef.Key}, optional: next(h.ValueFrom.SecretKeyRef.Key), check: checkHeaderValue,
		})
	}
	if bundle.Pulled(spec) {
		needs = append(needs, secretNeed{
			field: "spec.seeyon.pull.tokenSecretRef", name: spec.Seeyon.Pull.TokenSecretRef.Name,
			required: []string{v1alpha1.KeyToken}, optional: next(v1alpha1.KeyToken), check: checkToken,
		})
	}
	needs = append(needs, sourceNeeds(&spec.Source)...)
	needs = append(needs, queueNeeds(&spec.Dispatcher)...)
	for i, c := range spec.Notifications.Channels {
		needs = append(needs, secretNeed{
			field: fmt.Sprintf("spec.notifications.channels[%d].secretRef", i), name: c.SecretRef.Name,
			required: []string{v1alpha1.KeyURL}, optional: append([]string{v1alpha1.KeySigning}, next(v1alpha1.KeySigning)...), check: checkWebhook,
		})
	}
	needs = append(needs, ssoNeeds(&spec.SSO)...)
	needs = append(needs, observabilityNeeds(&spec.Observability)...)
	return slices.DeleteFunc(needs, func(n secretNeed) bool { return n.name == "" })
}

func ssoNeeds(sso *v1alpha1.SSO) []secretNeed {
	if sso.Mode == v1alpha1.SSONone {
		return nil
	}
	login := secretNeed{field: "spec.sso.crmLogin.keySecretRef", name: sso.CRMLogin.KeySecretRef.Name, check: checkLoginKey}
	login.required, login.optional = bundle.LoginKeys(sso.CRMLogin)
	proof := secretNeed{field: "spec.sso.secretRef", name: sso.SecretRef.Name, check: checkSSOKey}
	proof.required, proof.optional = bundle.SSOKeys(*sso)
	needs := []secretNeed{login, proof}
	for _, c := range sso.Companies {
		needs = append(needs, secretNeed{
			field: fmt.Sprintf("spec.sso.companies[%s].secretRef", c.Name), name: c.SecretRef.Name,
			required: []string{v1alpha1.KeyAppSecret}, optional: next(v1alpha1.KeyAppSecret),
		})
	}
	return needs
}

func observabilityNeeds(o *v1alpha1.Observability) []secretNeed {
	return []secretNeed{{
		field: "spec.observability.tracing.headersSecretRef", name: o.Tracing.HeadersSecretRef.Name,
		required: []string{v1alpha1.KeyHeaders}, check: checkCollectorHeaders,
	}, {
		field: "spec.observability.profiling.tokenSecretRef", name: o.Profiling.TokenSecretRef.Name,
		required: []string{v1alpha1.KeyToken}, optional: next(v1alpha1.KeyToken), check: checkToken,
	}}
}

func sourceNeeds(source *v1alpha1.Source) []secretNeed {
	account := secretNeed{field: "spec.source.crm.credentialsSecretRef", name: source.CRM.CredentialsSecretRef.Name}
	account.required, account.optional = bundle.CRMKeys()
	return []secretNeed{account, {
		field: "spec.source.signingSecretRef", name: source.SigningSecretRef.Name,
		required: []string{v1alpha1.KeySigning}, optional: next(v1alpha1.KeySigning), check: checkSigningKey,
	}, {
		field: "spec.source.tokenSecretRef", name: source.TokenSecretRef.Name,
		required: []string{v1alpha1.KeyToken}, optional: next(v1alpha1.KeyToken), check: checkToken,
	}, {
		field: "spec.source.callback.secretRef", name: source.Callback.SecretRef.Name,
		required: []string{v1alpha1.KeyEncodingAES}, optional: next(v1alpha1.KeyEncodingAES), check: checkEncodingKey,
	}}
}

func queueNeeds(d *v1alpha1.Dispatcher) []secretNeed {
	return []secretNeed{{
		field: "spec.dispatcher.queue.nats.credentialsSecretRef", name: d.Queue.NATS.CredentialsSecretRef.Name,
		oneOf: [][]string{{v1alpha1.KeyCreds}, {v1alpha1.KeyToken}, {v1alpha1.KeyUsername, v1alpha1.KeyPassword}},
		check: checkNATSCredentials,
	}, {
		field: "spec.dispatcher.queue.nats.caSecretRef", name: d.Queue.NATS.CASecretRef.Name,
		required: []string{v1alpha1.KeyCA}, check: checkCertificates,
	}, {
		field: "spec.dispatcher.records.indexSecretRef", name: d.Records.IndexSecretRef.Name,
		required: []string{v1alpha1.KeyURL}, check: checkDatabase,
	}}
}

func next(key string) []string { return []string{key + v1alpha1.SuffixNext} }

// problems of one reference. s is nil when there is no such labelled Secret.
func (n secretNeed) problems(s *corev1.Secret) []problem {
	if s == nil {
		return []problem{newProblem(v1alpha1.ReasonSecretNotFound, fmt.Sprintf(
			"%s: secret %q was not found with the label %s: \"true\"; create it or add the label",
			n.field, n.name, v1alpha1.LabelCredentials)).at("Secret/"+n.name, n.field)}
	}
	filled := func(key string) bool { return len(s.Data[key]) > 0 }
	var problems []problem
	for _, key := range n.required {
		if !filled(key) {
			problems = append(problems, newProblem(v1alpha1.ReasonKeyMissing,
				fmt.Sprintf("%s: secret %q has no value under the key %q; add it", n.field, n.name, key)).at("Secret/"+n.name, key))
		}
	}
	complete := func(group []string) bool {
		return !slices.ContainsFunc(group, func(key string) bool { return !filled(key) })
	}
	if len(n.oneOf) > 0 && !slices.ContainsFunc(n.oneOf, complete) {
		problems = append(problems, newProblem(v1alpha1.ReasonKeyMissing,
			fmt.Sprintf("%s: secret %q needs %s; add the keys of one of them", n.field, n.name, groups(n.oneOf))).at("Secret/"+n.name, n.field))
	}
	if n.check == nil {
		return problems
	}
	for _, key := range slices.Concat(n.required, slices.Concat(n.oneOf...), n.optional) {
		if !filled(key) {
			continue
		}
		if err := n.check(key, s.Data[key]); err != nil {
			problems = append(problems, newProblem(v1alpha1.ReasonKeyInvalid,
				fmt.Sprintf("%s: key %q of secret %q %v", n.field, key, n.name, err)).at("Secret/"+n.name, key))
		}
	}
	return problems
}

// groups writes alternatives as in `creds, or token, or username and password`.
func groups(of [][]string) string {
	var words []string
	for _, keys := range of {
		words = append(words, list(keys))
	}
	return strings.Join(words, ", or ")
}
