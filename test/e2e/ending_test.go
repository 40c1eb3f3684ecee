package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/test/stage"
)

const (
	// endings connectors are deleted with each policy.
	endings = 3
	// What each of them gets, once while its OA is well and once while it is not.
	endingEvents, endingToDos = 48, 20 // each of twenty people gets one, and one of them has no binding
)

// The manager is killed again and again, and a dispatcher of each policy once, while nine connectors with items in the OA, held
// ones and pending ones are deleted. None is stuck. What Drain could deliver is in the OA, and what it could not is in the
// volume that its last Event names and in Secrets; Abandon says how much it threw away; Revoke leaves nothing open in the OA, and what
// the OA refused is kept as with Drain.
func TestDeletionWhileEverythingIsKilled(t *testing.T) {
	ctx := within(t, 10*time.Minute)
	k := newKiller(t)
	names, err := scene.ApplyEnding(ctx, endings)
	must(t, err)
	t.Cleanup(func() { must(t, scene.DeleteEnding(context.WithoutCancel(ctx))) })
	all := slices.Concat(names[v1alpha1.DeleteDrain], names[v1alpha1.DeleteAbandon], names[v1alpha1.DeleteRevoke])
	must(t, stage.Until(ctx, func() error { return scene.EndingReady(ctx, len(all)) }))

	m := member(t, "generic-link")
	stamp := fmt.Sprint(time.Now().Unix()) // the OA remembers what an earlier run left
	well := sendToAll(ctx, t, all, "well"+stamp)
	for _, name := range all {
		equal(ctx, t, m, well[name])
	}
	if t.Failed() {
		return
	}
	var refusals []fault.Rule
	for _, name := range all {
		plan, err := crm.Generate(endingLoad(name, "ill"+stamp))
		must(t, err)
		for _, want := range plan.Expected {
			refusals = append(refusals, fault.Rule{
				Match: fault.Match{TaskID: want.ToDo}, Action: fault.Action{Kind: fault.Status, Status: http.StatusServiceUnavailable},
			})
		}
	}
	must(t, scene.Script(ctx, stage.EndingOA, refusals...))
	t.Cleanup(func() { must(t, scene.Script(context.WithoutCancel(ctx), stage.EndingOA)) })
	ill := sendToAll(ctx, t, all, "ill"+stamp)
	must(t, stage.Until(ctx, func() error { return allWait(ctx, all) }))

	start := time.Now()
	k.during(ctx, kills, func() { must(t, scene.DeleteAllOf(ctx, &v1alpha1.OAConnector{}, client.InNamespace(stage.Ending))) })
	must(t, scene.Script(ctx, stage.EndingOA))
	k.during(ctx, kills, func() {
		for _, policy := range names {
			must(t, scene.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(stage.Ending),
				client.MatchingLabels{v1alpha1.LabelConnector: policy[0]}, client.GracePeriodSeconds(0)))
		}
	})
	must(t, stage.Until(ctx, func() error { return endedWell(ctx, all) }))
	t.Logf("%d connectors were gone after %s, with the manager killed %d times", len(all), time.Since(start).Round(time.Second), k.killed)

	for _, name := range names[v1alpha1.DeleteDrain] {
		equal(ctx, t, m, well[name])
		equal(ctx, t, m, ill[name])
		lastWords(ctx, t, name, " kept in volume claim "+name+"-queue", "secrets with the label")
		n, err := scene.Leftovers(ctx, client.ObjectKey{Namespace: stage.Ending, Name: name})
		must(t, err)
		if n == 0 {
			t.Errorf("%s: what it did not deliver is in no Secret", name)
		}
	}
	for _, name := range names[v1alpha1.DeleteAbandon] {
		lastWords(ctx, t, name, "deleted with the policy Abandon; ", "items were discarded")
	}
	items, err := scene.Inbox(ctx, stage.EndingOA)
	must(t, err)
	for _, name := range names[v1alpha1.DeleteRevoke] {
		lastWords(ctx, t, name, "deleted")
		for _, i := range items {
			if strings.HasPrefix(i.TaskID, name+"-") && i.State == inbox.Open {
				t.Errorf("%s of %s is still open in the OA", i.TaskID, i.Person)
			}
		}
	}
}

func endingLoad(name, prefix string) crm.Workload {
	return crm.Workload{Seed: 9, Events: endingEvents, ToDos: endingToDos, Prefix: name + "-" + prefix}
}

// sendToAll has the CRM send a workload to each connector, and returns when all of it was accepted.
func sendToAll(ctx context.Context, t *testing.T, names []string, prefix string) map[string]crm.Run {
	t.Helper()
	runs := map[string]crm.Run{}
	for _, name := range names {
		run, err := scene.EmitTo(ctx, client.ObjectKey{Namespace: stage.Ending, Name: name}, crm.Emission{Workload: endingLoad(name, prefix)})
		must(t, err)
		runs[name] = run
	}
	for name, run := range runs {
		runs[name] = kindly(mustRun(ctx, t, run))
	}
	return runs
}

// allWait is nil when each of the connectors has items that wait for the OA.
func allWait(ctx context.Context, names []string) error {
	var list v1alpha1.OAConnectorList
	if err := scene.List(ctx, &list, client.InNamespace(stage.Ending)); err != nil {
		return err
	}
	waiting := 0
	for i := range list.Items {
		d := list.Items[i].Status.Delivery
		if d.Pending != nil && d.Retrying != nil && *d.Pending+*d.Retrying > 0 && d.Held != nil && *d.Held > 0 {
			waiting++
		}
	}
	if waiting < len(names) {
		return fmt.Errorf("%d of %d connectors have pending and held items", waiting, len(names))
	}
	return nil
}

// endedWell is nil when no connector is left, and of what the operator made only the queues that the last Events name.
func endedWell(ctx context.Context, keep []string) error {
	connectors, err := scene.Kubectl(ctx, "-n", stage.Ending, "get", "oac", "-o", "name")
	if err != nil {
		return err
	}
	children, err := scene.Kubectl(ctx, "-n", stage.Ending, "get", "-l", v1alpha1.LabelConnector, "-o", "name",
		"deployment,replicaset,pod,service,endpointslice,ingress,configmap,secret,serviceaccount,pvc,pdb")
	if err != nil {
		return err
	}
	left := strings.Fields(connectors + children)
	for _, name := range keep {
		queue, words := "persistentvolumeclaim/"+name+"-queue", "kept in volume claim "+name+"-queue"
		notes, err := scene.LastWords(ctx, client.ObjectKey{Namespace: stage.Ending, Name: name})
		if err != nil {
			return err
		}
		kept := slices.ContainsFunc(notes, func(note string) bool { return strings.Contains(note, words) })
		if slices.Contains(left, queue) != kept {
			return fmt.Errorf("%s is there or not, against what is said: %q", queue, notes)
		}
		left = slices.DeleteFunc(left, func(s string) bool { return s == queue })
	}
	if len(left) > 0 {
		return fmt.Errorf("%d objects are left: %v", len(left), left[:min(len(left), 10)])
	}
	return nil
}

// lastWords checks what the Events say of the end of a connector.
func lastWords(ctx context.Context, t *testing.T, name string, says ...string) {
	t.Helper()
	notes, err := scene.LastWords(ctx, client.ObjectKey{Namespace: stage.Ending, Name: name})
	must(t, err)
	t.Logf("%s: %q", name, notes)
	for _, words := range says {
		if !slices.ContainsFunc(notes, func(note string) bool { return strings.Contains(note, words) }) {
			t.Errorf("%s: no Event says %q: %q", name, words, notes)
		}
	}
}
