package controllers

import (
	"context"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// +kubebuilder:rbac:groups=oabridge.dev,resources=accountbindings/status,verbs=patch

const (
	// namedProblems bounds how many problems a status lists, maxNamed the length of each in bytes.
	namedProblems = 20
	maxNamed      = 512
)

// BindingReconciler counts the pairs of each AccountBinding and names those that are not in use. It makes the pairs of
// those that match people.
type BindingReconciler struct {
	client  client.Client
	options Options
	matcher *matcher
	status  *statusWriter[v1alpha1.AccountBindingStatus]
}

// Reconcile looks at one set: its own lines, and the pairs that an earlier set of the same connector claims (F160: what
// was bound first stays).
func (b *BindingReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var binding v1alpha1.AccountBinding
	if err := b.client.Get(ctx, req.NamespacedName, &binding); err != nil {
		b.status.forget(req.NamespacedName)
		b.matcher.forget(req.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !b.options.owns(&binding) {
		return ctrl.Result{}, nil
	}
	if !binding.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil // what was matched goes with it
	}
	own, err := readAccounts(ctx, b.client, &binding)
	if err != nil {
		return ctrl.Result{}, err
	}
	users, err := selecting(ctx, b.client, &binding)
	if err != nil {
		return ctrl.Result{}, err
	}
	groups, err := b.groups(ctx, own, users)
	if err != nil {
		return ctrl.Result{}, err
	}
	var matched *matchResult
	if len(binding.Spec.Match.By) > 0 {
		if matched, err = b.matcher.match(ctx, &binding, groups); err != nil {
			return ctrl.Result{}, err
		}
		own.pairs, own.problem = these(matched.pairs), matched.problem
		replaceSource(groups, own)
	}
	pairs, rows := own.pairs()
	conflicts := conflictsOf(own, groups)
	problems := bindingProblems(own, rows, matched, conflicts)
	before := b.status.previous(&binding, binding.Status)
	now := b.options.Now()
	bound := int64(len(pairs) - len(conflicts))
	next := v1alpha1.AccountBindingStatus{
		ObservedGeneration: binding.Generation,
		Conditions:         verdict(problems, count(bound, "pair is in use", "pairs are in use")),
		Bound:              ptr.To(bound),
		Conflicts:          ptr.To(int64(len(conflicts))),
		Invalid:            ptr.To(int64(invalid(own, rows, matched))),
		Problems:           named(problems),
	}
	if matched != nil {
		next.Conditions = append(next.Conditions, matched.condition())
		next.Unmatched = ptr.To(int64(len(matched.unmatched)))
		next.Problems = append(next.Problems, namedFirst(matched.unmatched, namedProblems-len(next.Problems))...)
	}
	if doubts, judged := doubtsOf(users, pairs); judged {
		next.Conditions = append(next.Conditions, accountsPlausible(doubts))
		next.Problems = append(next.Problems, namedFirst(doubts, namedProblems-len(next.Problems))...)
	}
	next.Conditions = stamp(before.Conditions, next.Conditions, binding.Generation, now)
	_, err = b.status.write(ctx, &binding, before, next, now)
	return ctrl.Result{RequeueAfter: matched.again()}, err
}

// bindingProblems are what keeps a set from being what its author wrote.
func bindingProblems(own accountSource, rows []bundle.RowError, matched *matchResult, conflicts []bundle.Conflict) (problems []problem) {
	add := func(reason, message string) {
		problems = append(problems, problem{reason: reason, message: message, fate: stalled})
	}
	if own.problem != nil {
		problems = append(problems, *own.problem)
	} else {
		for _, row := range rows {
			add(v1alpha1.ReasonAccountsInvalid, row.Error())
		}
	}
	if matched != nil {
		for _, row := range matched.rows {
			add(v1alpha1.ReasonAccountsInvalid, row.Message())
		}
	}
	for _, c := range conflicts {
		add(v1alpha1.ReasonAccountsConflict, c.Message())
	}
	return problems
}

func invalid(own accountSource, rows []bundle.RowError, matched *matchResult) int {
	switch {
	case matched != nil:
		return len(matched.rows)
	case own.problem != nil:
		return 0
	}
	return len(rows)
}

func named(problems []problem) []string {
	var names []string
	for _, p := range problems[:min(len(problems), namedProblems)] {
		names = append(names, clip(p.message, maxNamed))
	}
	return names
}

// namedFirst are the messages of the first few, at most limit.
func namedFirst[T interface{ Message() string }](all []T, limit int) (names []string) {
	for _, one := range all[:min(len(all), limit)] {
		names = append(names, clip(one.Message(), maxNamed))
	}
	return names
}

// doubtsOf a set's pairs, by each connector that uses them; judged is false when none of these has rules for accounts.
func doubtsOf(users []v1alpha1.OAConnector, pairs []v1alpha1.AccountPair) (doubts []bundle.Doubt, judged bool) {
	slices.SortFunc(users, func(a, b v1alpha1.OAConnector) int { return strings.Compare(a.Name, b.Name) }) // one message, whatever the order of a map
	for i := range users {
		judged = judged || users[i].Spec.Type == v1alpha1.TypeWeCom
		doubts = append(doubts, bundle.Doubts(&users[i], pairs)...)
	}
	return doubts, judged
}

// groups are the sets of each connector that uses the own one, and first the own one alone.
func (b *BindingReconciler) groups(ctx context.Context, own accountSource, users []v1alpha1.OAConnector) ([][]accountSource, error) {
	groups := [][]accountSource{{own}}
	for i := range users {
		sources, err := selectAccounts(ctx, b.client, &users[i])
		if err != nil {
			return nil, err
		}
		groups = append(groups, sources)
	}
	return groups, nil
}

// replaceSource puts a set in the place of what was read of it.
func replaceSource(groups [][]accountSource, own accountSource) {
	for _, sources := range groups {
		for i := range sources {
			if sources[i].binding.Name == own.binding.Name {
				sources[i] = own
			}
		}
	}
}

// conflictsOf a set's pairs, with itself and with the other sets of every connector that selects it. A pair counts once.
func conflictsOf(own accountSource, groups [][]accountSource) []bundle.Conflict {
	name := own.binding.Namespace + "/" + own.binding.Name
	seen := map[v1alpha1.AccountPair]bool{}
	var found []bundle.Conflict
	for _, sources := range groups {
		var sets []bundle.AccountSet
		for _, s := range sources {
			sets = append(sets, s.set())
		}
		_, conflicts := bundle.Merge(sets)
		for _, c := range conflicts {
			if c.Set == name && !seen[c.Pair] {
				seen[c.Pair] = true
				found = append(found, c)
			}
		}
	}
	return found
}

func setupBinding(mgr ctrl.Manager, o Options) error {
	b := &BindingReconciler{
		client: mgr.GetClient(), options: o, matcher: newMatcher(mgr.GetClient(), mgr.GetAPIReader()),
		status: &statusWriter[v1alpha1.AccountBindingStatus]{
			client: mgr.GetClient(), recorder: mgr.GetEventRecorder("oabridge-binding"), manager: bindingManager,
			conditions: func(s *v1alpha1.AccountBindingStatus) []metav1.Condition { return s.Conditions },
			last:       map[types.NamespacedName]written[v1alpha1.AccountBindingStatus]{},
		},
	}
	generation := predicate.GenerationChangedPredicate{}
	changed := predicate.Or(generation, predicate.LabelChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).
		Named("binding").
		For(&v1alpha1.AccountBinding{}, builder.WithPredicates(changed)).
		Watches(&v1alpha1.AccountBinding{}, mapWith(b.companions), afterFirst(changed)).
		Watches(&v1alpha1.OAConnector{}, mapWith(b.companions), afterFirst(generation)).
		Watches(&corev1.ConfigMap{}, mapWith(b.byAccountsFile), afterFirst()).
		WithOptions(controllerOptions(o)).
		Complete(b)
}

// companions are the bindings that a connector selects, or that share a connector with a binding: a conflict has two sides, and
// both of them say so.
func (b *BindingReconciler) companions(ctx context.Context, o client.Object) []reconcile.Request {
	var connectors []v1alpha1.OAConnector
	var err error
	if c, ok := o.(*v1alpha1.OAConnector); ok {
		connectors = append(connectors, *c)
	} else if connectors, err = selecting(ctx, b.client, o); err != nil {
		log.FromContext(ctx).Error(err, "list connectors of a binding")
	}
	seen := map[reconcile.Request]bool{}
	for i := range connectors {
		bindings, err := selected(ctx, b.client, &connectors[i], client.UnsafeDisableDeepCopy)
		if err != nil {
			log.FromContext(ctx).Error(err, "list the bindings of a connector")
		}
		for i := range bindings {
			seen[requestFor(&bindings[i])] = true
		}
	}
	return slices.Collect(maps.Keys(seen))
}

// byAccountsFile is those that name the ConfigMap, and their companions.
func (b *BindingReconciler) byAccountsFile(ctx context.Context, o client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, binding := range (backrefs{reader: b.client}).bindingsOf(ctx, o) {
		requests = append(append(requests, requestFor(binding)), b.companions(ctx, binding)...)
	}
	return requests
}
