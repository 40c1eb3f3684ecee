package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// results remembers what was compiled for each connector. Compiling is pure, and with 100,000 pairs it is not cheap enough to
// be repeated whenever a pod reports a new count; and the bundles of ten thousand connectors are too much to be kept. So a bundle
// is kept until the children are what it makes of them. From then on digests are enough: as long as neither what it was made
// from nor the children change, there is nothing to compile, to build or to compare.
type results struct {
	mu   sync.Mutex
	last map[types.NamespacedName]result
}

type result struct {
	// inputs is a digest of everything that the result depends on, children one of the children that it led to: empty until
	// they are there.
	inputs, children string
	// output is without bundle and files when children is known.
	output   *bundle.Output
	problems []problem
}

func newResults() *results { return &results{last: map[types.NamespacedName]result{}} }

func (s *results) of(connector types.NamespacedName, inputs string) (result, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.last[connector]
	return known, ok && known.inputs == inputs
}

func (s *results) keep(connector types.NamespacedName, next result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[connector] = next
}

func (s *results) forget(connector types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.last, connector)
}

// remember is the step after the children were applied: when none had to be written, digests stand for the bundle.
func (c *ConnectorReconciler) remember(_ context.Context, r *round) error {
	if r.inputs == "" || r.settled {
		return nil
	}
	next := result{inputs: r.inputs, output: r.compiled, problems: r.found}
	if !r.unsettled {
		next.children, next.problems = r.seen, slices.Concat(r.found, r.unusable)
		if next.output != nil {
			lean := *next.output
			lean.Bundle, lean.Files = nil, nil
			next.output = &lean
		}
	}
	c.results.keep(client.ObjectKeyFromObject(r.connector), next)
	return nil
}

// settlement is what the status says of a calm round for the next process: a digest of this program, of what it was told, of what
// the children were made from, and of the children.
func (c *ConnectorReconciler) settlement(r *round) string {
	if c.options.Build == "" {
		return ""
	}
	o := c.options
	return shortDigest(fmt.Appendf(nil, "%q %q %q %q %s %s", o.Build, o.Image, o.PullPolicy, o.OperatorNamespace, r.inputs, r.seen))
}

// settledNow is what the status says next. It goes as soon as something else was compiled: the count of pairs, which the next process
// takes from the status too, is of that then.
func (c *ConnectorReconciler) settledNow(r *round, before string) string {
	switch {
	case r.calm():
		return c.settlement(r)
	case r.compiled != nil:
		return ""
	}
	return before
}

// calm: the children are what was compiled without a remark, so that a digest says it all.
func (r *round) calm() bool {
	return r.compiled != nil && r.inputs != "" && !r.unsettled && len(r.found)+len(r.unusable) == 0 &&
		len(r.compiled.Conflicts) == 0 && len(r.compiled.Doubts) == 0
}

// settledBefore is the result that the status stands for, when this build of the program wrote it down and nothing has changed
// since. It need not be remembered then.
func (c *ConnectorReconciler) settledBefore(r *round, live liveConfig) (result, bool) {
	status := c.status.previous(r.connector, r.connector.Status)
	if r.applyAll || status.Config.Settled == "" || status.Config.Settled != c.settlement(r) {
		return result{}, false
	}
	c.results.forget(client.ObjectKeyFromObject(r.connector))
	output := &bundle.Output{Hash: live.hash, Pairs: int(ptr.Deref(status.Accounts.Bound, 0))}
	return result{inputs: r.inputs, children: r.seen, output: output}, true
}

// inputsOf a compilation, and of what is made of it.
func inputsOf(c *v1alpha1.OAConnector, templates map[string]*v1alpha1.ScenarioTemplate, sources []accountSource, replays []v1alpha1.Replay, promoted map[string]bool, live liveConfig) string {
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%s/%d paused=%t live=%s", c.UID, c.Generation, podsPaused(c), live.hash)
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		_, _ = fmt.Fprintf(sum, " %s=%s/%d", name, templates[name].UID, templates[name].Generation)
	}
	for _, s := range sources {
		_, _ = fmt.Fprintf(sum, " %s/%d@%s", s.binding.UID, s.binding.Generation, s.version)
	}
	for _, r := range replays {
		_, _ = fmt.Fprintf(sum, " %s/%d/%d", r.UID, r.Generation, r.Status.Run.Generation)
	}
	for _, trial := range slices.Sorted(maps.Keys(promoted)) {
		_, _ = fmt.Fprintf(sum, " promoted=%q", trial)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// seenChildren is a digest of all that decides whether a child has to be applied or deleted.
func (c *ConnectorReconciler) seenChildren(r *round) (string, error) {
	var lines []string
	for _, child := range r.live {
		kind, err := c.kindOf(child)
		if err != nil {
			return "", err
		}
		last, err := lastApplied(child)
		if err != nil {
			return "", err
		}
		lines = append(lines, fmt.Sprintf("%s/%s %s %t %t\n", kind.Kind, child.GetName(), last,
			ours(child, r.connector), child.GetDeletionTimestamp().IsZero()))
	}
	slices.Sort(lines)
	return shortDigest([]byte(strings.Join(lines, ""))), nil
}
