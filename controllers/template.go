package controllers

import (
	"context"
	"fmt"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

// +kubebuilder:rbac:groups=oabridge.dev,resources=scenariotemplates/status,verbs=patch

// TemplateReconciler checks each ScenarioTemplate and runs its tests.
type TemplateReconciler struct {
	client  client.Client
	options Options
	status  *statusWriter[v1alpha1.ScenarioTemplateStatus]
}

// Reconcile writes what the check of one template found. It changes nothing else: connectors look at templates
// themselves.
func (t *TemplateReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var template v1alpha1.ScenarioTemplate
	if err := t.client.Get(ctx, req.NamespacedName, &template); err != nil {
		t.status.forget(req.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !t.options.owns(&template) {
		return ctrl.Result{}, nil
	}
	used, err := t.usedBy(ctx, &template)
	if err != nil {
		return ctrl.Result{}, err
	}
	check := scenario.CheckTemplate(template.Spec)
	var problems []problem
	for _, p := range check.Problems {
		message := p.Message
		if p.Field != "" {
			message = p.Field + ": " + message
		}
		problems = append(problems, problem{reason: p.Reason, message: message, fate: stalled})
	}
	before := t.status.previous(&template, template.Status)
	now := t.options.Now()
	next := v1alpha1.ScenarioTemplateStatus{
		ObservedGeneration: template.Generation,
		Conditions: stamp(before.Conditions,
			verdict(problems, fmt.Sprintf("the template is valid, %d of %d tests passed", check.Passed, check.Total)), template.Generation, now),
		Revision: check.Revision,
		Tests:    fmt.Sprintf("%d/%d", check.Passed, check.Total),
		UsedBy:   ptr.To(used),
	}
	again, err := t.status.write(ctx, &template, before, next, now)
	return ctrl.Result{RequeueAfter: again}, err
}

// verdict is Ready, Reconciling and Stalled of an object that only has to be looked at. It is never reconciling: either it
// is right, or something has to change.
func verdict(problems []problem, fine string) []metav1.Condition {
	reconciling := condition(v1alpha1.ConditionReconciling, metav1.ConditionFalse, v1alpha1.ReasonReady, "nothing is left to do")
	if len(problems) == 0 {
		return []metav1.Condition{
			condition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady, fine),
			reconciling,
			condition(v1alpha1.ConditionStalled, metav1.ConditionFalse, v1alpha1.ReasonReady, "nothing needs a change of this object"),
		}
	}
	reason, message := sentence(problems)
	halted := condition(v1alpha1.ConditionStalled, metav1.ConditionFalse, v1alpha1.ReasonReady, "nothing needs a change of this object")
	if problems[0].fate == stalled {
		halted = condition(v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, message)
	} else {
		reconciling = condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonProgressing, message)
	}
	return []metav1.Condition{
		condition(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message), reconciling, halted,
	}
}

// usedBy counts the connectors whose reference leads to this template.
func (t *TemplateReconciler) usedBy(ctx context.Context, template *v1alpha1.ScenarioTemplate) (int64, error) {
	options := []client.ListOption{client.MatchingFields{indexTemplate: template.Name}}
	if template.Namespace != t.options.PresetsNamespace {
		options = append(options, client.InNamespace(template.Namespace))
	}
	var connectors v1alpha1.OAConnectorList
	if err := t.client.List(ctx, &connectors, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		return 0, err
	}
	var used int64
	meant := map[string]bool{} // by namespace
	for i := range connectors.Items {
		ns := connectors.Items[i].Namespace
		leads, known := meant[ns]
		if !known {
			found, err := findTemplate(ctx, t.client, ns, t.options.PresetsNamespace, template.Name)
			if err != nil {
				return 0, err
			}
			leads = found != nil && found.UID == template.UID
			meant[ns] = leads
		}
		if leads {
			used++
		}
	}
	return used, nil
}

func setupTemplate(mgr ctrl.Manager, o Options) error {
	t := &TemplateReconciler{
		client: mgr.GetClient(), options: o,
		status: &statusWriter[v1alpha1.ScenarioTemplateStatus]{
			client: mgr.GetClient(), recorder: mgr.GetEventRecorder("oabridge-template"), manager: templateManager,
			conditions: func(s *v1alpha1.ScenarioTemplateStatus) []metav1.Condition { return s.Conditions },
			urgent: func(before, after *v1alpha1.ScenarioTemplateStatus) bool { // a thousand new connectors are a few writes
				counted := *before
				counted.UsedBy = after.UsedBy
				return !apiequality.Semantic.DeepEqual(&counted, after)
			},
			last: map[types.NamespacedName]written[v1alpha1.ScenarioTemplateStatus]{},
		},
	}
	generation := predicate.GenerationChangedPredicate{}
	changed := predicate.Or(generation, predicate.LabelChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).
		Named("template").
		For(&v1alpha1.ScenarioTemplate{}, builder.WithPredicates(changed)).
		Watches(&v1alpha1.OAConnector{}, t.usersOf(), afterFirst(generation)).
		Watches(&v1alpha1.ScenarioTemplate{}, mapWith(t.namesake), afterFirst(changed)).
		WithOptions(controllerOptions(o)).
		Complete(t)
}

// usersOf maps a connector to the templates that it uses now and used before. They are counted a while later: the count is written no
// earlier anyway, and it goes through all connectors, so that a thousand new ones must not ask for a thousand counts.
func (t *TemplateReconciler) usersOf() handler.EventHandler {
	add := func(o client.Object, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		c, ok := o.(*v1alpha1.OAConnector)
		if !ok {
			return
		}
		for _, s := range c.Spec.Scenarios {
			for _, ns := range []string{c.Namespace, t.options.PresetsNamespace} {
				q.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: ns, Name: s.TemplateRef.Name}}, statusInterval)
			}
		}
	}
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { add(e.Object, q) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) { add(e.ObjectOld, q); add(e.ObjectNew, q) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) { add(e.Object, q) },
	}
}

// namesake: a template that comes or goes in a namespace hides or uncovers the preset of its name.
func (t *TemplateReconciler) namesake(_ context.Context, o client.Object) []reconcile.Request {
	if o.GetNamespace() == t.options.PresetsNamespace {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: t.options.PresetsNamespace, Name: o.GetName()}}}
}
