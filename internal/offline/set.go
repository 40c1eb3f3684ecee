// Package offline does with objects from files what the API server and the operator do with them in a cluster: it checks
// them against the schemas, runs the tests of templates and compiles connectors.
package offline

import (
	"context"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/manifest"
	"github.com/oabridge/oabridge/internal/scenario"
	"github.com/oabridge/oabridge/internal/workload"
)

// Finding is one thing that is wrong.
type Finding struct {
	File string `json:"file"`
	// Line is 0 when it is about the file as a whole.
	Line int `json:"line,omitempty"`
	// Object is "Kind namespace/name", Field a path in it; both may be empty.
	Object string `json:"object,omitempty"`
	Field  string `json:"field,omitempty"`
	// Reason is a condition reason of the API, or Schema for what the API server refuses.
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// Warning is set for what is allowed, and still to be known.
	Warning bool `json:"warning,omitempty"`
}

// Problems counts the findings that are more than a warning.
func Problems(findings []Finding) (n int) {
	for _, f := range findings {
		if !f.Warning {
			n++
		}
	}
	return n
}

// Reasons of findings that have no condition.
const (
	ReasonSchema     = "Schema"
	ReasonUnreadable = "Unreadable"
	ReasonDuplicate  = "Duplicate"
)

// Set is a set of objects that the API server would take.
type Set struct {
	Connectors []Entry[v1alpha1.OAConnector]
	Templates  []Entry[v1alpha1.ScenarioTemplate]
	Bindings   []Entry[v1alpha1.AccountBinding]
	configMaps []Entry[corev1.ConfigMap]
	presets    []Entry[v1alpha1.ScenarioTemplate]
	// refused are the IDs of objects that the API server would not take.
	refused map[string]bool
}

// Entry is an object in both forms.
type Entry[T any] struct {
	Source *manifest.Object
	Object *T
}

// Load reads files as manifest.Read does, and checks the objects against the schemas.
func Load(ctx context.Context, objects []*manifest.Object, readErrors []error) (*Set, []Finding, error) {
	kinds, err := schemas()
	if err != nil {
		return nil, nil, err
	}
	s := &Set{refused: map[string]bool{}}
	if s.presets, err = presets(); err != nil {
		return nil, nil, err
	}
	findings := unreadable(readErrors)
	seen := map[string]*manifest.Object{}
	for _, o := range objects {
		if first := seen[o.ID()]; first != nil && o.Name != "" {
			findings = append(findings, Finding{File: o.File, Line: o.Line, Object: o.ID(), Field: "metadata.name", Reason: ReasonDuplicate,
				Message: fmt.Sprintf("the object is also in %s, line %d; one of them would replace the other", first.File, first.Line)})
			continue
		}
		seen[o.ID()] = o
		found, err := s.take(ctx, kinds, o)
		if err != nil {
			return nil, nil, err
		}
		s.refused[o.ID()] = len(found) > 0
		findings = append(findings, found...)
	}
	return s, findings, nil
}

// presets are read once: reading them takes longer than checking a file. Nobody changes them.
var presets = sync.OnceValues(func() (list []Entry[v1alpha1.ScenarioTemplate], err error) {
	objects, err := manifest.Presets()
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		if list, err = add(list, o); err != nil {
			return nil, fmt.Errorf("%s: %w", o.File, err)
		}
	}
	return list, nil
})

func unreadable(errs []error) []Finding {
	var findings []Finding
	for _, err := range errs {
		f := Finding{Reason: ReasonUnreadable, Message: err.Error()}
		if r, ok := err.(*manifest.ReadError); ok { //nolint:errorlint // manifest.Read promises the type
			f.File, f.Line, f.Message = r.File, r.Line, r.Cause
		}
		findings = append(findings, f)
	}
	return findings
}

// take checks one object and adds it to the set.
func (s *Set) take(ctx context.Context, kinds map[string]*kindSchema, o *manifest.Object) (findings []Finding, err error) {
	if o.Kind == "ConfigMap" {
		if s.configMaps, err = add(s.configMaps, o); err != nil {
			findings = append(findings, finding(o, "", ReasonSchema, err.Error()))
		}
		return findings, nil
	}
	kind, version := kinds[o.Kind], o.Tree["apiVersion"]
	if kind == nil || version != v1alpha1.GroupVersion.String() {
		return []Finding{finding(o, "apiVersion", ReasonSchema, fmt.Sprintf("there is no %v %s; the version is %s", version, o.Kind, v1alpha1.GroupVersion))}, nil
	}
	for _, p := range kind.check(ctx, o.Tree) {
		findings = append(findings, finding(o, p.Field, ReasonSchema, sentence(p)))
	}
	if len(findings) > 0 {
		return findings, nil
	}
	switch o.Kind {
	case "OAConnector":
		s.Connectors, err = add(s.Connectors, o)
	case "ScenarioTemplate":
		s.Templates, err = add(s.Templates, o)
	case "AccountBinding":
		s.Bindings, err = add(s.Bindings, o)
	}
	return nil, err
}

func add[T any](entries []Entry[T], o *manifest.Object) ([]Entry[T], error) {
	object := new(T)
	if err := o.Into(object); err != nil {
		return entries, err
	}
	if m, ok := any(object).(metav1.Object); ok {
		m.SetNamespace(o.Namespace)
	}
	return append(entries, Entry[T]{o, object}), nil
}

// sentence is what people read. It quotes a value only when it is one of a few words.
func sentence(p *field.Error) string {
	if p.Type == field.ErrorTypeNotSupported || p.Detail == "" {
		return p.ErrorBody()
	}
	return p.Detail
}

func finding(o *manifest.Object, path, reason, message string) Finding {
	return Finding{File: o.File, Line: o.LineOf(path, message), Object: o.ID(), Field: path, Reason: reason, Message: message}
}

// Compile makes the bundle of a connector.
func (s *Set) Compile(c Entry[v1alpha1.OAConnector]) (*bundle.Output, []bundle.Problem) {
	in := bundle.Input{Connector: c.Object, Templates: map[string]*v1alpha1.ScenarioTemplate{}}
	for _, ref := range c.Object.Spec.Scenarios {
		if t := s.template(c.Object.Namespace, ref.TemplateRef.Name); t != nil {
			in.Templates[ref.TemplateRef.Name] = t
		}
	}
	if _, err := metav1.LabelSelectorAsSelector(&c.Object.Spec.Accounts.Selector); err != nil {
		return nil, []bundle.Problem{{Reason: v1alpha1.ReasonSpecInvalid, Field: "spec.accounts.selector", Message: err.Error(), Fatal: true}}
	}
	in.Sets = s.sets(c.Object)
	return bundle.Compile(in)
}

// sets are the pairs that a connector selects.
func (s *Set) sets(c *v1alpha1.OAConnector) []bundle.AccountSet {
	selector, err := metav1.LabelSelectorAsSelector(&c.Spec.Accounts.Selector)
	if err != nil {
		return nil // Compile says so
	}
	var sets []bundle.AccountSet
	var matching []*v1alpha1.AccountBinding
	for _, b := range s.Bindings {
		switch {
		case b.Object.Namespace != c.Namespace || !selector.Matches(labels.Set(b.Object.Labels)):
		case matches(b.Object):
			matching = append(matching, b.Object)
		default:
			pairs, _ := s.pairs(b)
			sets = append(sets, bundle.AccountSet{Namespace: b.Object.Namespace, Name: b.Object.Name, Pairs: pairs})
		}
	}
	return s.withMatched(sets, matching)
}

// template finds a template as the operator does: in the namespace first, then among the presets.
func (s *Set) template(namespace, name string) *v1alpha1.ScenarioTemplate {
	for _, t := range s.Templates {
		if t.Object.Namespace == namespace && t.Object.Name == name {
			return t.Object
		}
	}
	for _, t := range s.presets {
		if t.Object.Name == name {
			return t.Object
		}
	}
	return nil
}

// pairs of a binding. A ConfigMap that is not in the files has none.
func (s *Set) pairs(b Entry[v1alpha1.AccountBinding]) ([]v1alpha1.AccountPair, []bundle.RowError) {
	ref := b.Object.Spec.AccountsFrom.ConfigMapKeyRef
	cm := s.configMap(b.Object.Namespace, ref.Name)
	if ref.Name == "" || cm == nil {
		return b.Object.Spec.Accounts, nil
	}
	return bundle.ParseCSV([]byte(cm.Data[ref.Key]))
}

// Check returns what the operator would say about the objects.
func (s *Set) Check() []Finding {
	var findings []Finding
	broken := map[string]bool{}
	for _, t := range s.Templates {
		for _, p := range scenario.CheckTemplate(t.Object.Spec).Problems {
			broken[t.Source.ID()] = true
			findings = append(findings, finding(t.Source, p.Field, p.Reason, p.Message))
		}
	}
	for _, b := range s.Bindings {
		if matches(b.Object) {
			findings = append(findings, s.checkDirectories(b)...)
			continue
		}
		_, rows := s.pairs(b)
		for _, r := range rows {
			findings = append(findings, finding(b.Source, "spec.accountsFrom.configMapKeyRef", v1alpha1.ReasonAccountsInvalid, r.Error()))
		}
	}
	for i, c := range s.Connectors {
		findings = append(findings, taken(s.Connectors[:i], c)...)
		if warning := bundle.PlainHTTP(c.Object); warning != "" {
			f := finding(c.Source, "spec.endpoint.url", v1alpha1.ReasonPlainHTTP, warning)
			f.Warning = true
			findings = append(findings, f)
		}
		output, problems := s.Compile(c)
		for _, p := range problems {
			if !s.saidOfTemplate(broken, c, p) {
				findings = append(findings, finding(c.Source, p.Field, p.Reason, p.Message))
			}
		}
		if output != nil {
			for _, conflict := range output.Conflicts {
				findings = append(findings, finding(c.Source, "spec.accounts.selector", v1alpha1.ReasonAccountsConflict, conflict.Message()))
			}
			for _, p := range workload.Check(workload.Input{Connector: c.Object, Bundle: output.Bundle, Files: output.Files}) {
				findings = append(findings, finding(c.Source, p.Field, v1alpha1.ReasonPodTemplateInvalid, p.Message))
			}
			for _, doubt := range output.Doubts {
				f := finding(c.Source, "spec.accounts.selector", doubt.Reason, doubt.Message())
				f.Warning = true
				findings = append(findings, f)
			}
		}
	}
	return findings
}

// taken is what a connector of the files before claims as well: files have no age.
func taken(before []Entry[v1alpha1.OAConnector], c Entry[v1alpha1.OAConnector]) []Finding {
	var findings []Finding
	for _, claim := range bundle.Claims(c.Object) {
		for _, other := range before {
			if other.Object.Namespace == c.Object.Namespace && slices.ContainsFunc(bundle.Claims(other.Object), claim.Same) {
				findings = append(findings, finding(c.Source, claim.Field, claim.Reason, claim.Refusal(other.Object).Message))
				break
			}
		}
	}
	return findings
}

// saidOfTemplate reports whether a problem with a reference was already said of the template itself.
func (s *Set) saidOfTemplate(broken map[string]bool, c Entry[v1alpha1.OAConnector], p bundle.Problem) bool {
	for i, ref := range c.Object.Spec.Scenarios {
		id := "ScenarioTemplate " + c.Object.Namespace + "/" + ref.TemplateRef.Name
		if p.Field == fmt.Sprintf("spec.scenarios[%d].templateRef", i) && (broken[id] || s.refused[id]) && p.Reason != v1alpha1.ReasonTemplateMismatch {
			return true
		}
	}
	return false
}
