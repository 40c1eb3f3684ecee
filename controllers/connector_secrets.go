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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// secretNames lists the names of all Secrets that a connector refers to.
func secretNames(c *v1alpha1.OAConnector) []string {
	var names []string
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
	names := append(secretNames(r.connector), workload.PeerName(r.connector.Name))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		var s corev1.Secret
		err := c.client.Get(ctx, types.NamespacedName{Namespace: r.connector.Namespace, Name: name}, &s, client.UnsafeDisableDeepCopy)
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
