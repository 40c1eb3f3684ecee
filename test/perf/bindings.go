package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/manifest"
)

const (
	bindingsNamespace = "perf-bindings"
	// rowsPerFile bounds an account file: a ConfigMap takes 1 MiB.
	rowsPerFile = 25_000
	// repeats of each of the two measurements.
	repeats = 5
)

func accountFile(first, rows int, changed bool) string {
	var text strings.Builder
	text.WriteString("crm,oa\n")
	for i := first; i < first+rows; i++ {
		oa := "user"
		if changed && i == first {
			oa = "moved" + time.Now().Format("150405.000000000")
		}
		fmt.Fprintf(&text, "%d,%s%d\n", 1_000_000+i, oa, i)
	}
	return text.String()
}

// bindings has one connector with very many account pairs, in files.
func (l *lab) bindings(ctx context.Context) error {
	compiled, err := l.compile()
	if err != nil {
		return err
	}
	l.found("bindings-compile", compiled.Seconds(), "%d pairs, the compiler alone, median of %d", l.pairs, repeats)
	if err := l.credentials(ctx, bindingsNamespace); err != nil {
		return err
	}
	for first := 0; first < l.pairs; first += rowsPerFile {
		file := fmt.Sprintf("accounts-%d", first)
		b := &v1alpha1.AccountBinding{ObjectMeta: metav1.ObjectMeta{Namespace: bindingsNamespace, Name: file, Labels: map[string]string{"oa": name(0)}}}
		b.Spec.AccountsFrom.ConfigMapKeyRef = v1alpha1.ConfigMapKeyReference{Name: file, Key: "accounts.csv"}
		for _, o := range []client.Object{l.accounts(first, false), b} {
			if err := l.cluster.admin.Create(ctx, o); err != nil {
				return err
			}
		}
	}
	c := connector(bindingsNamespace, 0)
	if err := l.cluster.admin.Create(ctx, c); err != nil {
		return err
	}
	key := client.ObjectKeyFromObject(c)
	if err := l.until(ctx, "the pairs are bound", func() bool {
		var now v1alpha1.OAConnector
		return l.cluster.admin.Get(ctx, key, &now) == nil && now.Status.Accounts.Bound != nil && int(*now.Status.Accounts.Bound) == l.pairs
	}); err != nil {
		return err
	}
	var worst time.Duration
	for range repeats {
		if _, _, err := l.manager.settle(ctx, 0); err != nil {
			return err
		}
		took, err := l.changePair(ctx, key)
		if err != nil {
			return err
		}
		worst = max(worst, took)
	}
	l.found("bindings-live", worst.Seconds(), "one pair of %d in a file changed until the pod has it, without the kubelet's part; slowest of %d", l.pairs, repeats)
	return nil
}

func (l *lab) accounts(first int, changed bool) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: bindingsNamespace, Name: fmt.Sprintf("accounts-%d", first), Labels: map[string]string{v1alpha1.LabelAccounts: "true"},
		},
		Data: map[string]string{"accounts.csv": accountFile(first, min(rowsPerFile, l.pairs-first), changed)},
	}
}

func (l *lab) changePair(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	l.pods.forgetLive()
	if err := l.cluster.admin.Update(ctx, l.accounts(0, true)); err != nil {
		return 0, err
	}
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("the changed pair is not live"))
	defer cancel()
	at, err := l.pods.waitLive(ctx, key)
	return at.Sub(began), err
}

// compile times the pure compiler.
func (l *lab) compile() (time.Duration, error) {
	presets, err := manifest.Presets()
	if err != nil {
		return 0, err
	}
	c := connector(bindingsNamespace, 0)
	in := bundle.Input{Connector: c, Templates: map[string]*v1alpha1.ScenarioTemplate{}}
	for _, p := range presets {
		t := &v1alpha1.ScenarioTemplate{}
		if p.Name != c.Spec.Scenarios[0].TemplateRef.Name {
			continue
		}
		if err := convert(p.Tree, t); err != nil {
			return 0, err
		}
		in.Templates[t.Name] = t
	}
	for first := 0; first < l.pairs; first += rowsPerFile {
		pairs, rows := bundle.ParseCSV([]byte(accountFile(first, min(rowsPerFile, l.pairs-first), false)))
		if len(rows) > 0 {
			return 0, fmt.Errorf("line %d: %s", rows[0].Line, rows[0].Cause)
		}
		in.Sets = append(in.Sets, bundle.AccountSet{Namespace: c.Namespace, Name: fmt.Sprint(first), Pairs: pairs})
	}
	var took []time.Duration
	for range repeats {
		began := time.Now()
		out, problems := bundle.Compile(in)
		took = append(took, time.Since(began))
		if out == nil || out.Pairs != l.pairs {
			return 0, fmt.Errorf("compiled badly: %v", problems)
		}
	}
	return quantile(took, 0.5), nil
}
