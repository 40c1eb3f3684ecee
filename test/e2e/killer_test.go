package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/test/stage"
)

// killer takes the manager away in the middle of its work.
type killer struct {
	*testing.T
	random *rand.Rand
	killed int
}

// newKiller says by which seed a run can be played again: OABRIDGE_SEED.
func newKiller(t *testing.T) *killer {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("OABRIDGE_SEED"); given != "" {
		var err error
		seed, err = strconv.ParseUint(given, 10, 64)
		must(t, err)
	}
	t.Logf("OABRIDGE_SEED=%d", seed)
	return &killer{T: t, random: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // chance, not secrecy
}

// during kills the manager several times while it works on what act asked for. Each time it waits until a manager leads,
// and lets it work for a moment: less than it needs for everything.
func (k *killer) during(ctx context.Context, times int, act func()) {
	k.Helper()
	act()
	for range times {
		leader := k.leader(ctx)
		moment := time.NewTimer(time.Duration(k.random.Int64N(int64(2500 * time.Millisecond))))
		select {
		case <-moment.C:
		case <-ctx.Done():
			k.Fatal(context.Cause(ctx))
		}
		options := []client.DeleteOption{client.GracePeriodSeconds(0)} // SIGKILL: its lease has to expire
		if k.random.IntN(2) == 0 {
			options = nil // SIGTERM, as in a drained node: it gives its lease back
		}
		must(k.T, client.IgnoreNotFound(scene.Delete(ctx, leader, options...)))
		k.killed++
	}
	k.leader(ctx)
}

// leader waits until a manager that is there, and stays, holds the lease.
func (k *killer) leader(ctx context.Context) (leader *corev1.Pod) {
	k.Helper()
	must(k.T, stage.Until(ctx, func() error {
		var lease coordinationv1.Lease
		key := client.ObjectKey{Namespace: stage.OperatorNamespace, Name: "oabridge-manager.oabridge.dev"}
		if err := scene.Get(ctx, key, &lease); err != nil {
			return err
		}
		var pods corev1.PodList
		if err := scene.List(ctx, &pods, client.InNamespace(stage.OperatorNamespace),
			client.MatchingLabels{"app.kubernetes.io/component": "manager"}); err != nil {
			return err
		}
		holder := ""
		if lease.Spec.HolderIdentity != nil {
			holder = *lease.Spec.HolderIdentity
		}
		for i := range pods.Items {
			// The identity is the name of the pod and something random.
			if p := &pods.Items[i]; p.DeletionTimestamp == nil && len(holder) > len(p.Name) && holder[:len(p.Name)+1] == p.Name+"_" {
				leader = p
				return nil
			}
		}
		return fmt.Errorf("the lease is held by %q, which is none of %d pods", holder, len(pods.Items))
	}))
	return leader
}
