package controllers

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/match"
	"github.com/oabridge/oabridge/internal/workload"
)

// matcher makes the pairs of AccountBindings with spec.match and remembers them, each binding's in a ConfigMap, from which
// connectors read them (decision 0013). It works on one binding at a time: two must not bind one person.
type matcher struct {
	client   client.Client
	uncached client.Reader

	mu   sync.Mutex
	done map[types.NamespacedName]*matchResult
}

// matchResult is what is known of one binding.
type matchResult struct {
	uid types.UID
	// key names everything that the result depends on.
	key string
	// pairs that are remembered, and file, how they are written; nil when nothing was ever matched.
	pairs []v1alpha1.AccountPair
	file  []byte
	// version of the ConfigMap after file was written.
	version string
	// people in the CRM's directory; those who have no pair, and rows that cannot be used.
	people    int
	unmatched []match.Unmatched
	rows      []match.Row
	// problem is why nobody new could be matched.
	problem *problem
}

func newMatcher(c client.Client, uncached client.Reader) *matcher {
	return &matcher{client: c, uncached: uncached, done: map[types.NamespacedName]*matchResult{}}
}

func (m *matcher) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.done, key)
}

// match binds whom it can tell for certain, and nobody who is bound already: by itself before, or by another set of a
// connector (groups) that selects this binding.
func (m *matcher) match(ctx context.Context, binding *v1alpha1.AccountBinding, groups [][]accountSource) (*matchResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last, live, err := m.remembered(ctx, binding)
	if err != nil {
		return nil, err
	}
	crm, oa, p, err := m.directories(ctx, binding)
	if err != nil {
		return nil, err
	}
	rivals := rivalsOf(binding, groups)
	if p == nil {
		p = unreadableRival(rivals)
	}
	next := &matchResult{
		uid: binding.UID, pairs: last.pairs, file: last.file, version: last.version, people: last.people, unmatched: last.unmatched,
	}
	if p != nil {
		next.problem = p
		next.exclude(binding.Spec.Match.Exclude)
	} else if next.key = matchKeyOf(binding, crm, oa, rivals); next.key == last.key {
		next = last
	} else {
		next.join(binding.Spec.Match, crm, oa, m.pairsOf(rivals))
	}
	p, err = m.remember(ctx, binding, next, live)
	if err != nil {
		return nil, err
	}
	if p != nil {
		return &matchResult{problem: p}, nil
	}
	m.done[client.ObjectKeyFromObject(binding)] = next
	return next, nil
}

// remembered returns what was matched before, and the ConfigMap that holds it. A cache may be a moment behind, and somebody may
// have deleted the ConfigMap or written nonsense into it; so what this process wrote last counts more, unless somebody has
// replaced it by other pairs since.
func (m *matcher) remembered(ctx context.Context, binding *v1alpha1.AccountBinding) (*matchResult, *corev1.ConfigMap, error) {
	live := &corev1.ConfigMap{}
	err := m.client.Get(ctx, types.NamespacedName{Namespace: binding.Namespace, Name: match.MemoryName(binding.Name)}, live)
	if apierrors.IsNotFound(err) {
		live, err = nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	last := m.done[client.ObjectKeyFromObject(binding)]
	if last == nil || last.uid != binding.UID {
		last = &matchResult{uid: binding.UID}
	}
	if live == nil || !metav1.IsControlledBy(live, binding) || bytes.Equal(live.BinaryData[match.MemoryKey], last.file) || !newer(live.ResourceVersion, last.version) {
		return last, live, nil
	}
	if pairs, err := match.DecodeMemory(live.BinaryData[match.MemoryKey]); err == nil {
		last = &matchResult{uid: binding.UID, pairs: pairs, file: live.BinaryData[match.MemoryKey], version: live.ResourceVersion}
	}
	return last, live, nil
}

// newer reports whether a resource version is newer than the one that this process wrote, if it wrote one.
func newer(version, written string) bool {
	if written == "" {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(version, written)
	return err == nil && order > 0
}

// directory is the text of one side.
type directory struct {
	files   []match.File
	version string
}

// directories reads both sides; a problem is that one is not complete.
func (m *matcher) directories(ctx context.Context, binding *v1alpha1.AccountBinding) (crm, oa directory, p *problem, err error) {
	sides := []*directory{&crm, &oa}
	for i, refs := range [][]v1alpha1.PeopleKeyReference{binding.Spec.Match.CRM.ConfigMapKeyRefs, binding.Spec.Match.OA.ConfigMapKeyRefs} {
		side := []match.Side{match.CRM, match.OA}[i]
		for _, ref := range refs {
			field := fmt.Sprintf("spec.match.%s.configMapKeyRefs[%s]", side, ref.Name)
			file, err := readAccountsFile(ctx, m.client, field, types.NamespacedName{Namespace: binding.Namespace, Name: ref.Name}, ref.Key)
			if err != nil || file.problem != nil {
				return crm, oa, file.problem, err
			}
			sides[i].files = append(sides[i].files, match.File{Name: fmt.Sprintf("configmap %q", ref.Name), Data: []byte(file.text)})
			sides[i].version += " " + ref.Name + "@" + file.version
		}
	}
	return crm, oa, nil, nil
}

// rivalsOf a binding are the other sets of the connectors that select it.
func rivalsOf(binding *v1alpha1.AccountBinding, groups [][]accountSource) (rivals []accountSource) {
	for _, s := range slices.Concat(groups...) {
		same := func(r accountSource) bool { return r.binding.Name == s.binding.Name }
		if s.binding.Name != binding.Name && !slices.ContainsFunc(rivals, same) {
			rivals = append(rivals, s)
		}
	}
	return rivals
}

// unreadableRival: whoever is bound in a file that cannot be read must not be bound once more.
func unreadableRival(rivals []accountSource) *problem {
	for _, r := range rivals {
		if r.problem != nil && len(r.binding.Spec.Match.By) == 0 {
			p := newProblem(r.problem.reason, fmt.Sprintf("nobody is matched while the pairs of accountbinding %q cannot be read: %s", r.binding.Name, r.problem.message))
			return &p
		}
	}
	return nil
}

// pairsOf rivals; of those that match people, what this process knows, which is newer than what its cache has.
func (m *matcher) pairsOf(rivals []accountSource) (pairs []v1alpha1.AccountPair) {
	for _, r := range rivals {
		if known := m.done[client.ObjectKeyFromObject(r.binding)]; known != nil && known.uid == r.binding.UID && len(r.binding.Spec.Match.By) > 0 {
			pairs = append(pairs, known.pairs...)
			continue
		}
		found, _ := r.pairs()
		pairs = append(pairs, found...)
	}
	return pairs
}

func matchKeyOf(binding *v1alpha1.AccountBinding, crm, oa directory, rivals []accountSource) string {
	var key strings.Builder
	fmt.Fprintf(&key, "%d crm=%s oa=%s", binding.Generation, crm.version, oa.version)
	for _, r := range rivals {
		fmt.Fprintf(&key, " %s/%d@%s", r.binding.UID, r.binding.Generation, r.version)
	}
	return key.String()
}

// exclude gives up the pairs of some CRM accounts.
func (r *matchResult) exclude(accounts []string) {
	kept := slices.DeleteFunc(slices.Clone(r.pairs), func(p v1alpha1.AccountPair) bool { return slices.Contains(accounts, p.CRM) })
	if len(kept) < len(r.pairs) {
		r.take(kept)
	}
}

// take replaces the pairs, unless they do not fit: then those that are remembered stay.
func (r *matchResult) take(pairs []v1alpha1.AccountPair) {
	file, err := match.EncodeMemory(pairs)
	if err != nil {
		p := newProblem(v1alpha1.ReasonBundleTooLarge, "spec.match: "+err.Error())
		r.problem = &p
		return
	}
	r.pairs, r.file = pairs, file
}

// join looks for new pairs. bound are those of other sets.
func (r *matchResult) join(rule v1alpha1.AccountMatch, crm, oa directory, bound []v1alpha1.AccountPair) {
	r.exclude(rule.Exclude)
	ours, rows, usable := match.Read(match.CRM, crm.files, rule.By)
	theirs, more, usableToo := match.Read(match.OA, oa.files, rule.By)
	if r.rows = append(rows, more...); !usable || !usableToo {
		first := slices.IndexFunc(r.rows, func(row match.Row) bool { return row.Fatal })
		p := newProblem(v1alpha1.ReasonAccountsInvalid, "spec.match: "+r.rows[first].Message())
		r.problem, r.rows = &p, nil
		return
	}
	found := match.Join(match.Input{
		By: rule.By, CRM: ours, OA: theirs, Bound: slices.Concat(r.pairs, bound), Exclude: rule.Exclude,
	})
	r.people, r.unmatched = len(ours), found.Unmatched
	if len(found.Pairs) > 0 || r.file == nil {
		r.take(slices.Concat(r.pairs, found.Pairs))
	}
}

// remember writes the pairs, if they are not there as they should be. A problem is that the name is somebody else's.
func (m *matcher) remember(ctx context.Context, binding *v1alpha1.AccountBinding, r *matchResult, live *corev1.ConfigMap) (*problem, error) {
	name := types.NamespacedName{Namespace: binding.Namespace, Name: match.MemoryName(binding.Name)}
	if r.file == nil {
		return nil, nil
	}
	foreign := live != nil && !metav1.IsControlledBy(live, binding)
	if live == nil {
		// The cache holds labelled objects only: ask the API once before something unseen is overwritten.
		there := metadataOf(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
		err := m.uncached.Get(ctx, name, there)
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		foreign = err == nil && !metav1.IsControlledBy(there, binding)
	}
	if foreign {
		p := newProblem(v1alpha1.ReasonChildNotOurs, fmt.Sprintf(
			"configmap %q exists and does not belong to this binding; it was not touched: rename or delete it, or rename this binding", name.Name))
		return &p, nil
	}
	if live != nil && bytes.Equal(live.BinaryData[match.MemoryKey], r.file) && live.Labels[v1alpha1.LabelAccounts] == workload.AccountsCompiled {
		return nil, nil
	}
	cm := corev1ac.ConfigMap(name.Name, name.Namespace).
		WithLabels(map[string]string{v1alpha1.LabelAccounts: workload.AccountsCompiled}).
		WithOwnerReferences(metav1ac.OwnerReference().WithAPIVersion(v1alpha1.GroupVersion.String()).WithKind("AccountBinding").
			WithName(binding.Name).WithUID(binding.UID).WithController(true)).
		WithBinaryData(map[string][]byte{match.MemoryKey: r.file})
	if err := m.client.Apply(ctx, cm, bindingManager, client.ForceOwnership); err != nil {
		return nil, fmt.Errorf("apply ConfigMap %s: %w", name.Name, err)
	}
	if cm.ResourceVersion != nil { // the answer of the API
		r.version = *cm.ResourceVersion
	}
	return nil, nil
}

// again is when to look once more: no watched object shows that a ConfigMap of somebody else is gone.
func (r *matchResult) again() time.Duration {
	if r != nil && r.problem != nil && r.problem.reason == v1alpha1.ReasonChildNotOurs {
		return refusedPause
	}
	return 0
}
