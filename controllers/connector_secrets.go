package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// secretNeed is a reference to a Secret, with the keys that it must and may have.
type secretNeed struct {
	field    string
	name     string
	required []string
	optional []string
	// check returns what is wrong with a value, without the value; nil means anything goes.
	check func(value []byte) error
}

// secretNeeds lists the Secrets that a connector refers to.
func secretNeeds(spec *v1alpha1.OAConnectorSpec) []secretNeed {
	next := func(key string) []string { return []string{key + v1alpha1.SuffixNext} }
	needs := []secretNeed{{
		field: "spec.credentialsSecretRef", name: spec.CredentialsSecretRef.Name,
		required: []string{v1alpha1.KeyUsername, v1alpha1.KeyPassword},
	}}
	if name := spec.Endpoint.CASecretRef.Name; name != "" {
		needs = append(needs, secretNeed{
			field: "spec.endpoint.caSecretRef", name: name, required: []string{v1alpha1.KeyCA}, check: checkCertificates,
		})
	}
	for i, h := range spec.Headers {
		if ref := h.ValueFrom.SecretKeyRef; ref.Name != "" {
			needs = append(needs, secretNeed{
				field: fmt.Sprintf("spec.headers[%d].valueFrom.secretKeyRef", i), name: ref.Name,
				required: []string{ref.Key}, check: checkHeaderValue,
			})
		}
	}
	if name := spec.Source.SigningSecretRef.Name; name != "" {
		needs = append(needs, secretNeed{
			field: "spec.source.signingSecretRef", name: name,
			required: []string{v1alpha1.KeySigning}, optional: next(v1alpha1.KeySigning), check: checkSigningKey,
		})
	}
	if name := spec.Source.TokenSecretRef.Name; name != "" {
		needs = append(needs, secretNeed{
			field: "spec.source.tokenSecretRef", name: name,
			required: []string{v1alpha1.KeyToken}, optional: next(v1alpha1.KeyToken), check: checkToken,
		})
	}
	if name := spec.SSO.CRMLogin.KeySecretRef.Name; name != "" && spec.SSO.Mode != v1alpha1.SSONone {
		needs = append(needs, secretNeed{
			field: "spec.sso.crmLogin.keySecretRef", name: name,
			required: []string{v1alpha1.KeyPrivate}, optional: next(v1alpha1.KeyPrivate), check: checkPrivateKey,
		})
	}
	return needs
}

// secretNames lists the names of all Secrets that a connector refers to.
func secretNames(c *v1alpha1.OAConnector) []string {
	names := []string{workload.PeerName(c.Name)}
	for _, need := range secretNeeds(&c.Spec) {
		names = append(names, need.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// resolveSecrets looks every Secret up in the cache, which holds labelled ones only, and notes what is missing or cannot
// be used. Nothing of it keeps the children from being applied: a dispatcher takes events also while its OA account is
// missing.
func (c *ConnectorReconciler) resolveSecrets(ctx context.Context, r *round) error {
	versions := sha256.New()
	found := map[string]*corev1.Secret{}
	for _, name := range secretNames(r.connector) {
		var s corev1.Secret
		err := c.client.Get(ctx, types.NamespacedName{Namespace: r.connector.Namespace, Name: name}, &s)
		switch {
		case apierrors.IsNotFound(err):
			versions.Write(fmt.Appendf(nil, "%s -\n", name))
		case err != nil:
			return err
		default:
			versions.Write(fmt.Appendf(nil, "%s %s %s\n", name, s.UID, s.ResourceVersion))
			found[name] = &s
		}
	}
	r.secrets = hex.EncodeToString(versions.Sum(nil)[:4])
	for _, need := range secretNeeds(&r.connector.Spec) {
		r.problems = append(r.problems, need.problems(found[need.name])...)
	}
	return nil
}

// problems of one reference. s is nil when there is no such labelled Secret.
func (n secretNeed) problems(s *corev1.Secret) []problem {
	if s == nil {
		return []problem{newProblem(v1alpha1.ReasonSecretNotFound, fmt.Sprintf(
			"%s: secret %q was not found with the label %s: \"true\"; create it or add the label",
			n.field, n.name, v1alpha1.LabelCredentials))}
	}
	var problems []problem
	for _, key := range n.required {
		if len(s.Data[key]) == 0 {
			problems = append(problems, newProblem(v1alpha1.ReasonKeyMissing,
				fmt.Sprintf("%s: secret %q has no value under the key %q; add it", n.field, n.name, key)))
		}
	}
	if n.check == nil {
		return problems
	}
	for _, key := range slices.Concat(n.required, n.optional) {
		value := s.Data[key]
		if len(value) == 0 {
			continue
		}
		if err := n.check(value); err != nil {
			problems = append(problems, newProblem(v1alpha1.ReasonKeyInvalid,
				fmt.Sprintf("%s: key %q of secret %q %v", n.field, key, n.name, err)))
		}
	}
	return problems
}
