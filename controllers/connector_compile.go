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
	r.previous, r.hash = live, live.hash
	if r.refused {
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
	if unreadable(sources) && live.parse() != nil {
		return nil // people must not lose their to-dos because a file is being replaced
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
		r.settled, r.compiled, r.found = true, known.output, known.problems
	case ok && known.children == "":
		r.compiled, r.found = known.output, known.problems
	default:
		in := bundle.Input{
			Connector: r.connector,
			Templates: templates,
			Previous:  live.parse(),
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
	if r.compiled != nil {
		r.hash = r.compiled.Hash
	}
	return nil
}

// bundle is what was compiled, or when only digests of it were kept, what is live: that is the same then. It is nil when there is none.
func (r *round) bundle() *bundle.Bundle {
	switch {
	case r.compiled != nil && !r.settled:
		return r.compiled.Bundle
	case r.parsed == nil:
		r.parsed = r.previous.parse()
	}
	return r.parsed
}

// describe writes a problem as one sentence that starts with the field.
func describe(p bundle.Problem) string {
	if p.Field == "" {
		return p.Message
	}
	return p.Field + ": " + p.Message
}

// liveConfig is the document that the ConfigMaps hold now, and the hash of it; empty when there is none.
type liveConfig struct{ document, hash string }

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
	if err != nil || document == "" {
		return liveConfig{}, err
	}
	return liveConfig{document: document, hash: bundle.Hash(map[string][]byte{bundle.FileName: []byte(document)})}, nil
}

// parse returns nil when somebody wrote into the document, or another version of the operator did: then the bundle is compiled
// without a previous one.
func (l liveConfig) parse() *bundle.Bundle {
	var b bundle.Bundle
	if l.document == "" || json.Unmarshal([]byte(l.document), &b) != nil || b.Format != bundle.Format {
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
