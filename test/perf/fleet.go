package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
)

const (
	// fleetNamespace holds what is made through the API. Names have a fixed width, so that seed.go can put others in their place.
	fleetNamespace = "perf-ns-00"
	// creators make objects at the same time, as a GitOps tool does.
	creators = 8
	// childrenOf a connector without SSO and with accounts: ServiceAccount, claim, shard, bundle, Service, Deployment, and
	// the Secret of its own.
	childrenOf = 7
)

func name(n int) string       { return fmt.Sprintf("perf-%06d", n) }
func enterprise(n int) string { return fmt.Sprintf("ente-%06d", n) }

// connector pushes to-dos, like the smallest one of docs/objects.md, with a binding of its own.
func connector(namespace string, n int) *v1alpha1.OAConnector {
	c := &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name(n)}}
	c.Spec.Type, c.Spec.EnterpriseID = v1alpha1.TypeSeeyon, enterprise(n)
	c.Spec.Endpoint.URL = "http://oa.example:8080"
	c.Spec.CredentialsSecretRef.Name = "perf-seeyon"
	c.Spec.Seeyon.RegisterCode = enterprise(n)
	c.Spec.Scenarios = []v1alpha1.ScenarioReference{{TemplateRef: v1alpha1.TemplateReference{Name: "seeyon-todo"}}}
	c.Spec.Accounts.Selector.MatchLabels = map[string]string{"oa": name(n)}
	c.Spec.Source.SigningSecretRef.Name = "perf-events"
	return c
}

func binding(namespace string, n int) *v1alpha1.AccountBinding {
	b := &v1alpha1.AccountBinding{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name(n), Labels: map[string]string{"oa": name(n)},
	}}
	for i := range 10 {
		b.Spec.Accounts = append(b.Spec.Accounts, v1alpha1.AccountPair{CRM: fmt.Sprint(1000 + i), OA: fmt.Sprintf("user%d", i)})
	}
	return b
}

func secret(namespace, name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{v1alpha1.LabelCredentials: "true"}},
		StringData: data,
	}
}

// credentials makes a namespace with the Secrets that its connectors share.
func (l *lab) credentials(ctx context.Context, namespace string) error {
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		secret(namespace, "perf-seeyon", map[string]string{v1alpha1.KeyUsername: "fxiaoke", v1alpha1.KeyPassword: "correct horse"}),
		secret(namespace, "perf-events", map[string]string{v1alpha1.KeySigning: "whsec_dHJpYWwta2V5LW9mLW9hLWJyaWRnZS0yMDI2"}),
	} {
		if err := l.cluster.admin.Create(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// all makes n objects, several at a time.
func (l *lab) all(ctx context.Context, n int, object func(int) client.Object) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	for i := range n {
		group.Go(func() error { return l.cluster.admin.Create(ctx, object(i)) })
	}
	return group.Wait()
}

// until waits for something.
func (l *lab) until(ctx context.Context, what string, done func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s: still not after %s", what, patience))
	defer cancel()
	for !done() {
		if err := l.pods.problem(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.manager.Done():
			return errors.Join(errors.New("the manager ended"), l.manager.Wait())
		case <-time.After(look):
		}
	}
	return nil
}

// fleet makes connectors through the API and looks at what each change of them costs.
func (l *lab) fleet(ctx context.Context) error {
	if err := l.credentials(ctx, fleetNamespace); err != nil {
		return err
	}
	if err := l.all(ctx, l.sizes.fleet, func(i int) client.Object { return binding(fleetNamespace, i) }); err != nil {
		return err
	}
	if _, _, err := l.manager.settle(ctx, 0); err != nil { // the bindings' own statuses are not what is measured
		return err
	}
	l.say("creating %d connectors", l.sizes.fleet)
	place, began := l.cluster.audit.now(), time.Now()
	if err := l.all(ctx, l.sizes.fleet, func(i int) client.Object { return connector(fleetNamespace, i) }); err != nil {
		return err
	}
	if err := l.until(ctx, "children of the fleet", func() bool {
		n, _ := l.pods.deployed(fleetNamespace)
		return n == l.sizes.fleet
	}); err != nil {
		return err
	}
	_, last := l.pods.deployed(fleetNamespace)
	if err := l.allReady(ctx); err != nil {
		return err
	}
	requests, err := l.cluster.audit.since(place)
	if err != nil {
		return err
	}
	each := float64(len(requests)) / float64(l.sizes.fleet)
	if l.has(sectionFleet) {
		l.found("create", last.Sub(began).Seconds(), "%d connectors with %d children each; %.1f requests for each until all are Ready",
			l.sizes.fleet, childrenOf, each)
	}
	if _, _, err := l.manager.settle(ctx, 0); err != nil {
		return err
	}
	if !l.has(sectionFleet) {
		return nil
	}
	if err := l.steady(ctx); err != nil {
		return err
	}
	if err := l.change(ctx); err != nil {
		return err
	}
	return l.busy(ctx)
}

// allReady waits until every connector of the fleet is Ready.
func (l *lab) allReady(ctx context.Context) error {
	return l.until(ctx, "the fleet is Ready", func() bool {
		var found v1alpha1.OAConnectorList
		if l.cluster.admin.List(ctx, &found, client.InNamespace(fleetNamespace)) != nil {
			return false
		}
		ready := 0
		for i := range found.Items {
			for _, c := range found.Items[i].Status.Conditions {
				if c.Type == v1alpha1.ConditionReady && c.Status == metav1.ConditionTrue {
					ready++
				}
			}
		}
		return ready == l.sizes.fleet
	})
}

// steady has every connector looked at without anything to do, and counts what that asks of the API server.
func (l *lab) steady(ctx context.Context) error {
	before, err := l.manager.state(ctx)
	if err != nil {
		return err
	}
	place := l.cluster.audit.now()
	group, grouped := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	for i := range l.sizes.fleet {
		group.Go(func() error { // a pod that changes has its connector looked at
			p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: fleetNamespace, Name: name(i) + "-dispatcher-0"}}
			return l.cluster.admin.Patch(grouped, p, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"perf":"look"}}}`)))
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	_, after, err := l.manager.settle(ctx, int(before.connectorRounds)+1)
	if err != nil {
		return err
	}
	requests, err := l.cluster.audit.since(place)
	if err != nil {
		return err
	}
	rounds := after.connectorRounds - before.connectorRounds
	if rounds == 0 {
		return errors.New("no connector was looked at: nothing was measured")
	}
	l.found("steady-writes", float64(len(writes(requests)))/rounds, "%.0f rounds, %d writes%s", rounds, len(writes(requests)), examples(writes(requests)))
	l.found("steady-reads", float64(len(reads(requests)))/rounds, "%.0f rounds, %d gets and lists%s", rounds, len(reads(requests)), examples(reads(requests)))
	return nil
}

// change edits one connector after the other and waits for what comes of it.
func (l *lab) change(ctx context.Context) error {
	var took []time.Duration
	for n := range l.changes {
		key := types.NamespacedName{Namespace: fleetNamespace, Name: name(rand.IntN(l.sizes.fleet))} //nolint:gosec // any will do
		l.pods.forgetLive()
		patch := fmt.Sprintf(`{"spec":{"delivery":{"maxAge":"%ds"}}}`, 4000+n)
		c := &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
		if err := l.cluster.admin.Patch(ctx, c, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
			return err
		}
		began := time.Now()
		waiting, cancel := context.WithTimeoutCause(ctx, patience, errors.New("the change was not applied"))
		at, err := l.pods.waitLive(waiting, key)
		cancel()
		if err != nil {
			return err
		}
		took = append(took, max(0, at.Sub(began)))
	}
	p50, p99 := quantile(took, 0.5), quantile(took, 0.99)
	l.found("change-p99", ms(p99), "%d changes, p50 %.0f ms, from the answer to the change until its ConfigMap is seen", l.changes, ms(p50))
	_, _, err := l.manager.settle(ctx, 0)
	return err
}

// busy has every pod report new counts each second, as under load, and counts the status writes.
func (l *lab) busy(ctx context.Context) error {
	l.say("every pod reports new counts for %d s", l.loadSeconds)
	place := l.cluster.audit.now()
	pods := l.pods.of(fleetNamespace)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for range l.loadSeconds {
		for _, p := range pods {
			p.say(func(r *report.Report) {
				d := *r.Delivery
				d.Delivered += 50
				r.Delivery = &d
			})
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	requests, err := l.cluster.audit.since(place)
	if err != nil {
		return err
	}
	times := map[string][]time.Time{}
	for _, r := range writes(requests) {
		if r.Object.Resource == "oaconnectors" && r.Object.Subresource == "status" {
			times[r.Object.Namespace+"/"+r.Object.Name] = append(times[r.Object.Namespace+"/"+r.Object.Name], r.At)
		}
	}
	if len(times) == 0 {
		return errors.New("no status was written under load: nothing was measured")
	}
	worst, total := 0.0, 0
	for _, at := range times {
		total += len(at)
		if len(at) > 1 {
			worst = max(worst, 10*float64(len(at)-1)/at[len(at)-1].Sub(at[0]).Seconds())
		}
	}
	// To two places: the times are those of the answers, which take some milliseconds more or less.
	l.found("status-writes", math.Round(100*worst)/100, "the busiest of %d connectors, each with new counts every second; %.1f writes/s together",
		len(times), float64(total)/float64(l.loadSeconds))
	_, _, err = l.manager.settle(ctx, 0)
	return err
}

// quantile of durations, which are sorted.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(int(q*float64(len(values))), len(values)-1)]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
