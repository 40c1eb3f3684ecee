package controllers

import (
	"context"
	"slices"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// claim refuses a connector that claims what an older one of its namespace has (F58, F102). Nothing is made for it, and
// nothing that it has already is taken away.
func (c *ConnectorReconciler) claim(ctx context.Context, r *round) error {
	for _, claim := range bundle.Claims(r.connector) {
		others, err := claimants(ctx, c.client, r.connector.Namespace, claim)
		if err != nil {
			return err
		}
		for i := range others {
			if bundle.Precedes(&others[i], r.connector) && claims(&others[i], claim) {
				refusal := claim.Refusal(&others[i])
				r.add(newProblem(claim.Reason, describe(refusal)).at("", refusal.Field))
				r.refused = true
				break
			}
		}
	}
	return nil
}

// claimKeys are the index values of a connector.
func claimKeys(o client.Object) (keys []string) {
	for _, claim := range bundle.Claims(o.(*v1alpha1.OAConnector)) { //nolint:forcetypeassert // the index is of this kind
		keys = append(keys, claim.Key)
	}
	return keys
}

func claims(c *v1alpha1.OAConnector, claim bundle.Claim) bool {
	return slices.ContainsFunc(bundle.Claims(c), claim.Same)
}

// ofClaim lists those who may claim something: others share its bucket.
func ofClaim(claim bundle.Claim) client.ListOption {
	return client.MatchingFields{indexClaim: inBucket(claim.Key)}
}

// claimants are those who may claim it. They are those of the cache and must not be changed.
func claimants(ctx context.Context, reader client.Reader, namespace string, claim bundle.Claim) ([]v1alpha1.OAConnector, error) {
	var found v1alpha1.OAConnectorList
	err := reader.List(ctx, &found, client.InNamespace(namespace), ofClaim(claim), client.UnsafeDisableDeepCopy)
	return found.Items, err
}

// byClaim goes from a connector to the others that claim the same: it may have come, gone or changed.
func (b backrefs) byClaim(ctx context.Context, o client.Object) []ctrl.Request {
	c := o.(*v1alpha1.OAConnector) //nolint:forcetypeassert // the watch is of this kind
	var requests []ctrl.Request
	for _, claim := range bundle.Claims(c) {
		requests = append(requests, b.connectors(ctx, func(other *v1alpha1.OAConnector) bool { return other.Name != c.Name && claims(other, claim) },
			client.InNamespace(c.Namespace), ofClaim(claim))...)
	}
	return requests
}
