package e2e

import (
	"context"
	"crypto/rand"
	"maps"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/test/stage"
)

// Every five seconds the secret with which an OA proves who comes is another one, announced one rotation ahead, while people
// sign in: nobody is refused, and no gateway is restarted. The OA takes the new one in the middle between two rotations, when
// the gateway has both.
func TestSignInKeysRotateUnderLoad(t *testing.T) {
	ctx := within(t, 6*time.Minute)
	theFleet(ctx, t)
	for _, c := range []struct {
		member, key string
		proof       func(link, login, secret string) (string, error)
	}{
		{"generic", v1alpha1.KeyShared, stage.TokenLink},
		{"generic-link", v1alpha1.KeyLink, stage.SignedLink},
	} {
		t.Run(c.member, func(t *testing.T) {
			m := member(t, c.member)
			doors, pods := doorsOf(ctx, t, m.OA, fleetRuns[m.Name]), podsOf(ctx, t, m.Name)
			shared := client.ObjectKey{Namespace: stage.Fleet, Name: m.Name + "-sso"}
			write := func(ctx context.Context, now, next string) {
				var s corev1.Secret
				must(t, scene.Get(ctx, shared, &s))
				s.Data = map[string][]byte{c.key: []byte(now)}
				if next != "" {
					s.Data[c.key+v1alpha1.SuffixNext] = []byte(next)
				}
				must(t, scene.Update(ctx, &s))
			}
			first := m.SharedSecret(c.key)
			keys := []string{first}
			for range rotations - 1 {
				keys = append(keys, rand.Text()+rand.Text())
			}
			keys = append(keys, first)
			canaries["a rotated "+c.key] = keys[1]
			write(ctx, first, keys[1])
			t.Cleanup(func() { write(context.WithoutCancel(ctx), first, "") })

			var clicks atomic.Int64
			var signs atomic.Pointer[string]
			signs.Store(&first)
			clicking, stop := context.WithCancel(ctx)
			refused := make(chan error, 1)
			go func() {
				refused <- click(clicking, doors, &clicks, func(d door) error {
					link, err := c.proof(d.link, m.AccountOf(d.want.OALogin), *signs.Load())
					if err != nil {
						return err
					}
					return scene.Follow(clicking, d.want, link)
				})
			}()
			tick := time.NewTicker(rotateEvery / 2)
			defer tick.Stop()
			for n := 1; n < len(keys); n++ {
				<-tick.C
				signs.Store(&keys[n])
				<-tick.C
				next := ""
				if n+1 < len(keys) {
					next = keys[n+1]
				}
				write(ctx, keys[n], next)
			}
			<-tick.C
			stop()
			if err := <-refused; err != nil {
				t.Errorf("a login was refused after %d: %v", clicks.Load(), err)
			}
			if clicks.Load() < rotations {
				t.Errorf("only %d clicks", clicks.Load())
			}
			if now := podsOf(ctx, t, m.Name); !maps.Equal(now, pods) {
				t.Errorf("pods were replaced or restarted: %v, were %v", now, pods)
			}
			t.Logf("%d rotations, %d logins", len(keys)-1, clicks.Load())
		})
	}
}

// podsOf are the restarts of the pods of a member of the fleet.
func podsOf(ctx context.Context, t *testing.T, connector string) map[types.UID]int32 {
	t.Helper()
	var pods corev1.PodList
	must(t, scene.List(ctx, &pods, client.InNamespace(stage.Fleet), client.MatchingLabels{v1alpha1.LabelConnector: connector}))
	found := map[types.UID]int32{}
	for i := range pods.Items {
		found[pods.Items[i].UID] = restarts(&pods.Items[i])
	}
	return found
}
