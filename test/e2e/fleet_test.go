package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/test/stage"
)

// fleetRuns are what the CRM sent to each member of the fleet, by its name.
var fleetRuns map[string]crm.Run

// What each of the connectors gets: a thousand events in all.
const (
	fleetEvents = 84
	fleetToDos  = 16
)

// One connector of every type is ready at once, and with an OA that fails in every way each inbox ends up equal to the CRM
// (F1–F3, F19, F32, F51, F61).
func TestEveryOA(t *testing.T) {
	ctx := within(t, 6*time.Minute)
	start := time.Now()
	theFleet(ctx, t)
	table, err := scene.Kubectl(ctx, "-n", stage.Fleet, "get", "oac")
	must(t, err)
	t.Logf("%d events through %d connectors in %s\n%s", fleetEvents*len(fleetRuns), len(fleetRuns), time.Since(start).Round(time.Second), table)
}

// theFleet brings the fleet up and lets the CRM send its thousand events, once for all tests.
func theFleet(ctx context.Context, t *testing.T) {
	t.Helper()
	if fleetRuns != nil {
		return
	}
	for _, m := range stage.Members() {
		must(t, scene.Script(ctx, m.OA)) // of an earlier run on the same cluster
	}
	must(t, scene.ApplyFleet(ctx))
	must(t, stage.Until(ctx, func() error { return scene.FleetReady(ctx) }))
	loads, scripts := map[string]crm.Workload{}, map[string][]fault.Rule{}
	for i, m := range stage.Members() {
		load := crm.Workload{Seed: uint64(i + 1), Events: fleetEvents, ToDos: fleetToDos, Prefix: fmt.Sprintf("%s-%d", m.Name, time.Now().Unix())}
		plan, err := crm.Generate(load)
		must(t, err)
		loads[m.Name], scripts[m.OA] = load, append(scripts[m.OA], misfortunes(m, plan.Expected)...)
	}
	for oa, script := range scripts {
		must(t, scene.Script(ctx, oa, script...))
	}
	runs := map[string]crm.Run{}
	for name, load := range loads {
		run, err := scene.EmitTo(ctx, client.ObjectKey{Namespace: stage.Fleet, Name: name}, crm.Emission{Target: crm.Target{Concurrency: 4}, Workload: load})
		must(t, err)
		runs[name] = run
	}
	for name, run := range runs {
		run, err := scene.WaitRun(ctx, run.ID)
		must(t, err)
		runs[name] = run
	}
	for _, m := range stage.Members() {
		equal(ctx, t, m, runs[m.Name])
	}
	for _, m := range stage.Members() { // not before: some share an OA
		must(t, scene.Script(ctx, m.OA))
	}
	if !t.Failed() {
		fleetRuns = runs
	}
}

// misfortunes are one for every other to-do, in turn: the OA is busy, cuts the connection, shows a web page, is slow, loses its
// answer or its token, says that it is called too often; and the one that it refuses for good.
func misfortunes(m stage.Member, expected []crm.Expected) []fault.Rule {
	kinds := []fault.Rule{
		{Times: 2, Action: fault.Action{Kind: fault.Status, Status: http.StatusServiceUnavailable}},
		{Times: 1, Action: fault.Action{Kind: fault.Close}},
		{Times: 1, Action: fault.Action{Kind: fault.HTML}},
		{Times: 1, Action: fault.Action{Kind: fault.Delay, DelayMillis: 1500}},
		{Times: 1, Action: fault.Action{Kind: fault.Status, Status: http.StatusInternalServerError, After: true}},
		{Times: 1, Action: fault.Action{Kind: fault.RateLimit, RetryAfter: "1"}},
	}
	if m.OA != "weaver" && m.OA != "landray" { // they have no tokens
		kinds = append(kinds, fault.Rule{Times: 1, Action: fault.Action{Kind: fault.ExpireToken}})
	}
	var out []fault.Rule
	for i, want := range expected {
		rule := kinds[i/2%len(kinds)]
		switch {
		case want.Fate == crm.Failed:
			rule = fault.Rule{Action: fault.Action{Kind: fault.Business, Code: refusals[m.OA], ErrorMsgs: []string{"该待办不允许接收"}}}
		case want.Fate == crm.Unbound || i%2 > 0: // one bad one after the other is an outage
			continue
		}
		// Some OAs have one id for each receiver.
		for _, id := range []string{want.ToDo, want.ToDo + "@" + m.AccountOf(want.OALogin)} {
			rule.Match.TaskID = id
			out = append(out, rule)
		}
	}
	return out
}

// refusals are codes of OAs whose simulator says something else by default that trying again may help against.
var refusals = map[string]string{"welink": "55006", "wecom": "40058", "dingtalk": "paramError", "yunzhijia": "400"}

// equal waits until the inbox of a member is what the CRM's run asks for.
func equal(ctx context.Context, t *testing.T, m stage.Member, run crm.Run) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(ctx, 90*time.Second, fmt.Errorf("the inbox of %s is not what the CRM has", m.Name))
	defer cancel()
	if err := stage.Until(ctx, func() error {
		items, err := scene.Inbox(ctx, m.OA)
		if err != nil {
			return err
		}
		if wrong := m.Differences(items, run); len(wrong) > 0 {
			return errors.New(strings.Join(wrong[:min(len(wrong), 5)], "; "))
		}
		return nil
	}); err != nil {
		status, _ := scene.Oab(context.WithoutCancel(ctx), "status", m.Name, "-n", stage.Fleet)
		t.Errorf("%s: %v\n%s", m.Name, err, status)
	}
}

// One OA that takes connections and answers nothing is a matter of its own connector: the others deliver as fast as before
// (F60).
func TestOneOAHangs(t *testing.T) {
	ctx := within(t, 4*time.Minute)
	theFleet(ctx, t)
	const stuck = "feishu" // no other member of the fleet shares its OA
	before := pulse(ctx, t, "calm", stuck)
	must(t, scene.Script(ctx, stuck, fault.Rule{Action: fault.Action{Kind: fault.Hang}}))
	hung := emitTo(ctx, t, stuck, "hung", 40)
	during := pulse(ctx, t, "storm", stuck)
	t.Logf("before: %s; while %s hangs: %s", before, stuck, during)

	pending, err := scene.Kubectl(ctx, "-n", stage.Fleet, "get", "oac", stuck, "-o", "jsonpath={.status.delivery.pending}")
	must(t, err)
	if pending == "0" || pending == "" {
		t.Errorf("%s does not hang: %q pending", stuck, pending)
	}
	// Two measurements of a busy machine differ; a connector that waits for another one's OA would be slower by a minute.
	if slack := 500 * time.Millisecond; during.P50 > 3*before.P50+slack || during.P99 > 3*before.P99+slack {
		t.Errorf("the others feel it: before %s, now %s", before, during)
	}
	must(t, scene.Script(ctx, stuck))
	for _, m := range stage.Members() {
		if m.Name == stuck {
			run, err := scene.WaitRun(ctx, hung.ID)
			must(t, err)
			equal(ctx, t, m, kindly(run))
		}
	}
}

func emitTo(ctx context.Context, t *testing.T, name, prefix string, events int) crm.Run {
	t.Helper()
	run, err := scene.EmitTo(ctx, client.ObjectKey{Namespace: stage.Fleet, Name: name}, crm.Emission{
		Target:   crm.Target{RatePerSecond: 4},
		Workload: crm.Workload{Seed: 5, Events: events, ToDos: events / 4, Prefix: fmt.Sprintf("%s-%s-%d", name, prefix, time.Now().Unix())},
	})
	must(t, err)
	return run
}

// kindly is what must come of a run when the OA refuses nothing for good.
func kindly(run crm.Run) crm.Run {
	for i := range run.Expected {
		if run.Expected[i].Fate == crm.Failed {
			run.Expected[i].Fate = crm.Delivered
		}
	}
	return run
}

// pulse sends a calm stream through all connectors but one, and returns how long deliveries took.
func pulse(ctx context.Context, t *testing.T, prefix, but string) stage.Latency {
	t.Helper()
	start := time.Now()
	runs := map[string]crm.Run{}
	for _, m := range stage.Members() {
		if m.Name != but {
			runs[m.Name] = emitTo(ctx, t, m.Name, prefix, 40)
		}
	}
	var all []lookup.Record
	for _, m := range stage.Members() {
		if m.Name == but {
			continue
		}
		run, err := scene.WaitRun(ctx, runs[m.Name].ID)
		must(t, err)
		equal(ctx, t, m, kindly(run))
		records, err := scene.Records(ctx, stage.Fleet, m.Name, start, "--outcome", "Delivered")
		must(t, err)
		all = append(all, records...)
	}
	return stage.LatencyOf(all)
}
