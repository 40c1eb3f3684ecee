package controllers

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/workload"
)

// compile makes the bundle of a connector from its templates and account bindings. When that is not possible, the
// children stay as they are: what was live stays live.
func (c *ConnectorReconciler) compile(ctx context.Context, r *round) error {
	live, err := c.liveConfig(ctx, r.connector)
	if err != nil {
		return err
	}
	r.previous = live.bundle
	if r.refused {
		r.hash = live.hash
		return nil
	}
	templates, err := c.templates(ctx, r.connector)
	if err != nil {
		return err
	}
	sources, err := c.accounts(ctx, r)
	if err != nil {
		return err
	}
	if r.previous != nil && unreadable(sources) {
		// People must not lose their to-dos because a file is being replaced.
		r.hash = live.hash
		return nil
	}
	replays, err := activeReplays(ctx, c.client, r.connector)
	if err != nil {
		return err
	}
	promoted := c.promoted(r)
	r.inputs = inputsOf(r.connector, templates, sources, replays, promoted, live)
	known, ok := c.settledBefore(r, live)
	if !ok {
		known, ok = c.results.of(client.ObjectKeyFromObject(r.connector), r.inputs)
	}
	switch {
	case ok && known.children == r.seen:
		r.settled, r.compiled, r.found = true, withBundle(known.output, live.bundle), known.problems
	case ok && known.children == "":
		r.compiled, r.found = known.output, known.problems
	default:
		in := bundle.Input{
			Connector: r.connector,
			Templates: templates,
			Previous:  r.previous,
			ProofsURL: workload.ProofsURL(r.connector),
			Promoted:  promoted,
		}
		for _, s := range sources {
			in.Sets = append(in.Sets, s.set())
		}
		for i := range replays {
			in.Replays = append(in.Replays, bundle.NewReplay(&replays[i], replays[i].Status.Run.Generation))
		}
		var problems []bundle.Problem
		r.compiled, problems = bundle.Compile(in)
		for _, p := range problems {
			r.found = append(r.found, newProblem(p.Reason, describe(p)).at("", p.Field))
		}
	}
	r.problems = append(r.problems, r.found...)
	r.hash = live.hash
	if r.compiled != nil {
		r.hash = r.compiled.Hash
	}
	return nil
}

// withBundle completes a result of which only the digests were kept: what is live is what was compiled.
func withBundle(lean *bundle.Output, live *bundle.Bundle) *bundle.Output {
	if lean == nil {
		return nil
	}
	whole := *lean
	whole.Bundle = live
	return &whole
}

// describe writes a problem as one sentence that starts with the field.
func describe(p bundle.Problem) string {
	if p.Field == "" {
		return p.Message
	}
	return p.Field + ": " + p.Message
}

// liveConfig is the bundle that the ConfigMaps hold now.
type liveConfig struct {
	bundle *bundle.Bundle
	hash   string
}

func (c *ConnectorReconciler) liveConfig(ctx context.Context, connector *v1alpha1.OAConnector) (liveConfig, error) {
	var cm corev1.ConfigMap
	key := types.NamespacedName{Namespace: connector.Namespace, Name: workload.BundleName(connector.Name)}
	if err := c.client.Get(ctx, key, &cm, client.UnsafeDisableDeepCopy); err != nil {
		return liveConfig{}, client.IgnoreNotFound(err)
	}
	if !ours(&cm, connector) {
		return liveConfig{}, nil
	}
	document, err := unpackDocument(&cm)
	if err != nil {
		return liveConfig{}, err
	}
	b := parseLive(document)
	if b == nil {
		return liveConfig{}, nil
	}
	return liveConfig{bundle: b, hash: bundle.Hash(map[string][]byte{bundle.FileName: []byte(document)})}, nil
}

// parseLive returns nil when somebody wrote into the document, or another version of the operator did: then the bundle is
// compiled without a previous one.
func parseLive(document string) *bundle.Bundle {
	var b bundle.Bundle
	if json.Unmarshal([]byte(document), &b) != nil || b.Format != bundle.Format {
		return nil
	}
	return &b
}

// templates by the name that the connector uses: from its own namespace, else from the presets.
func (c *ConnectorReconciler) templates(ctx context.Context, connector *v1alpha1.OAConnector) (map[string]*v1alpha1.ScenarioTemplate, error) {
	found := map[string]*v1alpha1.ScenarioTemplate{}
	for _, scenario := range connector.Spec.Scenarios {
		t, err := findTemplate(ctx, c.client, connector.Namespace, c.options.PresetsNamespace, scenario.TemplateRef.Name)
		if err != nil {
			return nil, err
		}
		if t != nil {
			found[scenario.TemplateRef.Name] = t
		}
	}
	return found, nil
}

// findTemplate returns nil when there is no such template. It is that of the cache and must not be changed.
func findTemplate(ctx context.Context, reader client.Reader, namespace, presets, name string) (*v1alpha1.ScenarioTemplate, error) {
	for _, ns := range []string{namespace, presets} {
		if ns == "" {
			continue
		}
		var t v1alpha1.ScenarioTemplate
		err := reader.Get(ctx, types.NamespacedName{Namespace: ns, Name: name}, &t, client.UnsafeDisableDeepCopy)
		if err == nil {
			return &t, nil
		}
		if !apierrors.IsNotFound(err) {
			return nil, err
		}
	}
	return nil, nil
}

// accounts returns the account sets that the connector selects, and notes those that cannot be read.
func (c *ConnectorReconciler) accounts(ctx context.Context, r *round) ([]accountSource, error) {
	if _, err := metav1.LabelSelectorAsSelector(&r.connector.Spec.Accounts.Selector); err != nil {
		r.add(newProblem(v1alpha1.ReasonSpecInvalid, fmt.Sprintf("spec.accounts.selector: %v", err)).at("", "spec.accounts.selector"))
		return nil, nil
	}
	sources, err := selectAccounts(ctx, c.client, r.connector)
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		if s.problem != nil {
			r.add(newProblem(s.problem.reason, fmt.Sprintf("accountbinding %q: %s", s.binding.Name, s.problem.message)).
				at("AccountBinding/"+s.binding.Name, "spec"))
		}
	}
	return sources, nil
}
