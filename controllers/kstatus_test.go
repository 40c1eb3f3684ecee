package controllers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/controllers"
	"github.com/oabridge/oabridge/test/gitops"
)

// statuses watches every object of ours for as long as the tests run, and notes each status that a tool which reads kstatus,
// or a person, could not rely on.
type statuses struct {
	reasons map[string]bool
	argo    gitops.ArgoCD
	flux    gitops.Flux

	mu    sync.Mutex
	wrong []string
}

var declaredReason = regexp.MustCompile(`(?m)^\s+Reason\w+\s+= "([A-Za-z0-9]+)"`)

func watchStatuses(ctx context.Context) (*statuses, error) {
	source, err := os.ReadFile(filepath.Join("..", "api", "v1alpha1", "conditions.go"))
	if err != nil {
		return nil, err
	}
	s := &statuses{reasons: map[string]bool{}}
	if s.argo, err = gitops.ReadArgoCD(".."); err != nil {
		return nil, err
	}
	if s.flux, err = gitops.ReadFlux(".."); err != nil {
		return nil, err
	}
	for _, m := range declaredReason.FindAllStringSubmatch(string(source), -1) {
		s.reasons[m[1]] = true
	}
	for _, list := range []client.ObjectList{
		&v1alpha1.OAConnectorList{}, &v1alpha1.ScenarioTemplateList{}, &v1alpha1.AccountBindingList{}, &v1alpha1.ReplayList{},
	} {
		w, err := admin.Watch(ctx, list)
		if err != nil {
			return nil, err
		}
		go s.follow(ctx, w)
	}
	return s, nil
}

func (s *statuses) follow(ctx context.Context, w watch.Interface) {
	defer w.Stop()
	for event := range w.ResultChan() {
		if event.Type != watch.Added && event.Type != watch.Modified {
			continue
		}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(event.Object)
		if err != nil {
			s.note(fmt.Sprintf("%T: %v", event.Object, err))
			continue
		}
		u := &unstructured.Unstructured{Object: content}
		if gvk, err := apiutil.GVKForObject(event.Object, controllers.Scheme()); err == nil {
			u.SetGroupVersionKind(gvk) // a typed object does not know its kind
		}
		for _, problem := range append(s.check(u), s.pipelines(u)...) {
			s.note(fmt.Sprintf("%T %s/%s: %s", event.Object, u.GetNamespace(), u.GetName(), problem))
		}
	}
	if ctx.Err() == nil {
		s.note("a watch of statuses ended before the tests did")
	}
}

func (s *statuses) note(problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.wrong, problem) {
		s.wrong = append(s.wrong, problem)
	}
}

// err is nil when every status that was seen was right.
func (s *statuses) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.wrong) == 0 {
		return nil
	}
	return fmt.Errorf("statuses that do not conform:\n%s", strings.Join(s.wrong, "\n"))
}

var (
	camelCase = regexp.MustCompile(`^[A-Z][A-Za-z0-9]+$`)
	// random parts make a new message of an old one: UIDs, digests, fractions of a second, addresses in memory.
	random = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-|\b[0-9a-f]{32,}\b|:\d\d\.\d+|\b0xc0`)
)

// check returns what is wrong with the status of an object. One that was not looked at yet has none.
func (s *statuses) check(u *unstructured.Unstructured) (wrong []string) {
	var status struct {
		Status struct {
			ObservedGeneration int64              `json:"observedGeneration"`
			Conditions         []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &status); err != nil {
		return []string{err.Error()}
	}
	conditions, observed := status.Status.Conditions, status.Status.ObservedGeneration
	if len(conditions) == 0 {
		if observed > 0 {
			wrong = append(wrong, "observedGeneration without a condition")
		}
		return wrong
	}
	if observed < 1 || observed > u.GetGeneration() {
		wrong = append(wrong, fmt.Sprintf("observedGeneration %d of generation %d", observed, u.GetGeneration()))
	}
	is := func(kind string) metav1.ConditionStatus {
		if c := meta.FindStatusCondition(conditions, kind); c != nil {
			return c.Status
		}
		wrong = append(wrong, "no condition "+kind)
		return ""
	}
	ready, reconciling, stalled := is(v1alpha1.ConditionReady), is(v1alpha1.ConditionReconciling), is(v1alpha1.ConditionStalled)
	if stalled == metav1.ConditionTrue && (ready == metav1.ConditionTrue || reconciling == metav1.ConditionTrue) {
		wrong = append(wrong, fmt.Sprintf("Stalled, and yet Ready %s and Reconciling %s", ready, reconciling))
	}
	summary := []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled}
	for _, c := range conditions {
		problem := ""
		// What a deleted object said last stays as it was.
		kept := u.GetDeletionTimestamp() != nil && !slices.Contains(summary, c.Type) && c.ObservedGeneration <= observed
		switch {
		case c.ObservedGeneration != observed && !kept:
			problem = fmt.Sprintf("is of generation %d, the status of %d", c.ObservedGeneration, observed)
		case !camelCase.MatchString(c.Reason) || !s.reasons[c.Reason]:
			problem = fmt.Sprintf("has reason %q, which api/v1alpha1/conditions.go does not declare", c.Reason)
		case strings.TrimSpace(c.Message) == "":
			problem = "has no message"
		case random.MatchString(c.Message):
			problem = fmt.Sprintf("has a random part: %s", c.Message)
		case c.LastTransitionTime.IsZero():
			problem = "has no time"
		}
		if problem != "" {
			wrong = append(wrong, c.Type+" "+problem)
		}
	}
	return wrong
}

// pipelines returns what the health scripts of Argo CD and Flux make wrong of an object.
func (s *statuses) pipelines(u *unstructured.Unstructured) (wrong []string) {
	health, message, err := s.argo.Health(u)
	switch {
	case err != nil:
		wrong = append(wrong, "Argo CD: "+err.Error())
	case !slices.Contains([]string{"Healthy", "Progressing", "Degraded", "Suspended"}, health) || message == "":
		wrong = append(wrong, fmt.Sprintf("Argo CD shows %q (%q)", health, message))
	}
	state, err := s.flux.Status(u)
	switch {
	case err != nil:
		wrong = append(wrong, "Flux: "+err.Error())
	case state == "Failed" && health != "Degraded" && u.GetDeletionTimestamp() == nil:
		wrong = append(wrong, "it failed for Flux, and Argo CD shows "+health)
	}
	return wrong
}

// The check itself can fail.
func TestStatusesThatDoNotConform(t *testing.T) {
	good := func() map[string]metav1.Condition {
		all := map[string]metav1.Condition{}
		for kind, status := range map[string]metav1.ConditionStatus{"Ready": "True", "Reconciling": "False", "Stalled": "False"} {
			all[kind] = metav1.Condition{
				Type: kind, Status: status, Reason: "Ready", Message: "all is well", ObservedGeneration: 2, LastTransitionTime: metav1.Now(),
			}
		}
		return all
	}
	s := &statuses{reasons: map[string]bool{"Ready": true}}
	for name, c := range map[string]struct {
		change func(*metav1.Condition)
		want   string
	}{
		"nothing":        {func(*metav1.Condition) {}, ""},
		"both":           {func(c *metav1.Condition) { c.Status = "True" }, "Stalled, and yet Ready True"},
		"not declared":   {func(c *metav1.Condition) { c.Reason = "Invented" }, `Stalled has reason "Invented"`},
		"wordless":       {func(c *metav1.Condition) { c.Message = " " }, "Stalled has no message"},
		"old":            {func(c *metav1.Condition) { c.ObservedGeneration = 1 }, "Stalled is of generation 1"},
		"a UID in it":    {func(c *metav1.Condition) { c.Message = "5b1c0d4e-1111-2222-3333-444455556666" }, "Stalled has a random part"},
		"under any name": {func(c *metav1.Condition) { c.Type = "Other" }, "no condition Stalled"},
	} {
		all := good()
		stalled := all["Stalled"]
		c.change(&stalled)
		object := &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
		object.Status.ObservedGeneration = 2
		object.Status.Conditions = []metav1.Condition{all["Ready"], all["Reconciling"], stalled}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		g := NewWithT(t)
		g.Expect(err).NotTo(HaveOccurred())
		wrong := strings.Join(s.check(&unstructured.Unstructured{Object: content}), "; ")
		if c.want == "" {
			g.Expect(wrong).To(BeEmpty(), name)
		} else {
			g.Expect(wrong).To(ContainSubstring(c.want), name)
		}
	}
}
