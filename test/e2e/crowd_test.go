package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/workload"
	"github.com/oabridge/oabridge/test/stage"
)

const (
	// crowdSize connectors are made, changed and deleted at once.
	crowdSize = 50
	// kills of the manager in each of the three.
	kills = 3
)

// The manager is killed at random while it makes, changes and deletes fifty connectors: each ends up ready with the
// configuration that its objects ask for, no pod of them notices, and nothing is left of them in the end.
func TestManagerKilledAtRandom(t *testing.T) {
	ctx := within(t, 12*time.Minute)
	k := newKiller(t)
	start := time.Now()
	lap := func(what string) {
		t.Logf("%d connectors were %s after %s, with the manager killed %d times", crowdSize, what, time.Since(start).Round(time.Second), k.killed)
		start, k.killed = time.Now(), 0
	}

	k.during(ctx, kills, func() { must(t, scene.ApplyCrowd(ctx, crowdSize, 0)) })
	crowdIsRight(ctx, t)
	lap("made")

	before := crowdPods(ctx, t)
	k.during(ctx, kills, func() { must(t, scene.ApplyCrowd(ctx, crowdSize, 1)) })
	crowdIsRight(ctx, t)
	if after := crowdPods(ctx, t); !maps.Equal(before, after) {
		t.Errorf("pods were replaced or restarted: %v, now %v", before, after)
	}
	lap("changed")

	k.during(ctx, kills, func() {
		must(t, scene.DeleteAllOf(ctx, &v1alpha1.OAConnector{}, client.InNamespace(stage.Crowd)))
	})
	crowdIsGone(ctx, t)
	lap("gone")
}

// crowdIsRight waits until every connector is ready, and its status, its ConfigMap and its pods agree on what the objects
// compile to.
func crowdIsRight(ctx context.Context, t *testing.T) {
	t.Helper()
	must(t, stage.Until(ctx, func() error {
		if err := scene.CrowdReady(ctx, crowdSize); err != nil {
			return err
		}
		var connectors v1alpha1.OAConnectorList
		var configs corev1.ConfigMapList
		if err := errors.Join(
			scene.List(ctx, &connectors, client.InNamespace(stage.Crowd)),
			scene.List(ctx, &configs, client.InNamespace(stage.Crowd), client.HasLabels{v1alpha1.LabelConnector}),
		); err != nil {
			return err
		}
		live := map[string]string{}
		for _, c := range configs.Items {
			if document, ok := c.Data[bundle.FileName]; ok {
				live[c.Name] = bundle.Hash(map[string][]byte{bundle.FileName: []byte(document)})
			}
		}
		for i := range connectors.Items {
			oac := &connectors.Items[i]
			want, err := compiled(ctx, oac)
			if err != nil {
				return err
			}
			if status, config := oac.Status.Config.Hash, live[workload.BundleName(oac.Name)]; status != want || config != want {
				return fmt.Errorf("%s should have %s: its status says %s, its ConfigMap has %s", oac.Name, want, status, config)
			}
		}
		return nil
	}))
}

// compiled is the hash of what the objects of the crowd say, without the operator.
func compiled(ctx context.Context, oac *v1alpha1.OAConnector) (string, error) {
	var preset v1alpha1.ScenarioTemplate
	var people v1alpha1.AccountBinding
	if err := errors.Join(
		scene.Get(ctx, client.ObjectKey{Namespace: stage.OperatorNamespace, Name: oac.Spec.Scenarios[0].TemplateRef.Name}, &preset),
		scene.Get(ctx, client.ObjectKey{Namespace: stage.Crowd, Name: "people"}, &people),
	); err != nil {
		return "", err
	}
	out, problems := bundle.Compile(bundle.Input{
		Connector: oac, Templates: map[string]*v1alpha1.ScenarioTemplate{preset.Name: &preset}, ProofsURL: workload.ProofsURL(oac),
		Sets: []bundle.AccountSet{{Namespace: people.Namespace, Name: people.Name, Created: people.CreationTimestamp.Time, Pairs: people.Spec.Accounts}},
	})
	if len(problems) > 0 {
		return "", fmt.Errorf("%s: %v", oac.Name, problems)
	}
	return out.Hash, nil
}

// crowdPods are the restarts of the crowd's pods.
func crowdPods(ctx context.Context, t *testing.T) map[types.UID]int32 {
	t.Helper()
	var pods corev1.PodList
	must(t, scene.List(ctx, &pods, client.InNamespace(stage.Crowd)))
	found := map[types.UID]int32{}
	for i := range pods.Items {
		found[pods.Items[i].UID] = restarts(&pods.Items[i])
	}
	return found
}

// crowdIsGone waits until nothing that the operator made is in the namespace any more.
func crowdIsGone(ctx context.Context, t *testing.T) {
	t.Helper()
	must(t, stage.Until(ctx, func() error {
		connectors, err := scene.Kubectl(ctx, "-n", stage.Crowd, "get", "oac", "-o", "name")
		if err != nil {
			return err
		}
		children, err := scene.Kubectl(ctx, "-n", stage.Crowd, "get", "-l", v1alpha1.LabelConnector, "-o", "name",
			"deployment,replicaset,pod,service,endpointslice,ingress,configmap,secret,serviceaccount,pvc,pdb")
		if err != nil {
			return err
		}
		if left := slices.Concat(strings.Fields(connectors), strings.Fields(children)); len(left) > 0 {
			return fmt.Errorf("%d objects are left: %v", len(left), left[:min(len(left), 10)])
		}
		return nil
	}))
	must(t, stage.Until(ctx, func() error { // the volume controller follows its claims
		var volumes corev1.PersistentVolumeList
		if err := scene.List(ctx, &volumes); err != nil {
			return err
		}
		for _, v := range volumes.Items {
			if c := v.Spec.ClaimRef; c != nil && c.Namespace == stage.Crowd && v.DeletionTimestamp == nil {
				return fmt.Errorf("volume %s of %s is left", v.Name, c.Name)
			}
		}
		return nil
	}))
}
