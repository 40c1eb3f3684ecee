package bundle

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/utils/lru"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

func compileScenarios(in Input) ([]scenario.Definition, []Problem) {
	spec := in.Connector.Spec
	out := make([]scenario.Definition, 0, len(spec.Scenarios))
	var problems []Problem
	first := map[lane]int{} // the enabled scenario without a name for a kind, and the one of a name
	for i, ref := range spec.Scenarios {
		field := fmt.Sprintf("spec.scenarios[%d]", i)
		d, found := compileScenario(in, field, ref)
		problems = append(problems, found...)
		if d == nil {
			continue
		}
		d.Enabled = or(ref.State, v1alpha1.Enabled) == v1alpha1.Enabled
		d.Name, d.Sources = ref.Name, nil
		for _, kind := range ref.Sources {
			d.Sources = append(d.Sources, string(kind))
		}
		for _, l := range lanesOf(d) {
			if other, taken := first[l]; taken {
				problems = append(problems, conflict(spec, field, ref, l, other))
				break
			}
			first[l] = i
		}
		out = append(out, *d)
	}
	return out, problems
}

// lane is what only one scenario may have: a name, or to have none and be enabled for a kind.
type lane struct{ name, kind string }

func lanesOf(d *scenario.Definition) (lanes []lane) {
	if d.Name != "" {
		return []lane{{name: d.Name}}
	}
	if d.Enabled {
		for _, kind := range d.Kinds() {
			lanes = append(lanes, lane{kind: kind})
		}
	}
	return lanes
}

func conflict(spec v1alpha1.OAConnectorSpec, field string, ref v1alpha1.ScenarioReference, l lane, other int) Problem {
	message := fmt.Sprintf("the name %s is also that of spec.scenarios[%d]; give each its own", l.name, other)
	if l.name == "" {
		message = fmt.Sprintf("the scenario %s is for the kind %s, and spec.scenarios[%d] (%s) already serves it; set the state of one of them to Disabled, or give one a name if items shall go to both",
			ref.TemplateRef.Name, l.kind, other, spec.Scenarios[other].TemplateRef.Name)
	}
	return Problem{v1alpha1.ReasonScenarioConflict, field, message, true}
}

// compileScenario returns nil when a problem is fatal.
func compileScenario(in Input, field string, ref v1alpha1.ScenarioReference) (*scenario.Definition, []Problem) {
	template := in.Templates[ref.TemplateRef.Name]
	if template == nil {
		return fallBack(in, ref, Problem{v1alpha1.ReasonTemplateNotFound, field + ".templateRef",
			fmt.Sprintf("there is no ScenarioTemplate %s in the namespace %s, nor among the presets; apply it or correct the name",
				ref.TemplateRef.Name, in.Connector.Namespace), true})
	}
	name := template.Namespace + "/" + template.Name
	if template.Spec.Type != in.Connector.Spec.Type {
		return nil, []Problem{{v1alpha1.ReasonTemplateMismatch, field + ".templateRef",
			fmt.Sprintf("the ScenarioTemplate %s is for the OA type %s, this connector's type is %s; refer to a template for %[3]s",
				name, template.Spec.Type, in.Connector.Spec.Type), true}}
	}
	want, got := or(in.Connector.Spec.Protocol, v1alpha1.ProtocolREST), or(template.Spec.Protocol, v1alpha1.ProtocolREST)
	if want != got {
		return nil, []Problem{{v1alpha1.ReasonTemplateMismatch, field + ".templateRef",
			fmt.Sprintf("the ScenarioTemplate %s has the protocol %s, this connector's spec.protocol is %s; refer to a template for %[3]s, or set spec.protocol to %[2]s if that is what the OA speaks",
				name, got, want), true}}
	}
	check := checkOf(template)
	if len(check.Problems) > 0 {
		first := check.Problems[0]
		message := fmt.Sprintf("the ScenarioTemplate %s is not valid: %s", name, first)
		if more := len(check.Problems) - 1; more > 0 {
			message += fmt.Sprintf(" (and %d more)", more)
		}
		return fallBack(in, ref, Problem{first.Reason, field + ".templateRef", message, true})
	}
	d, found := scenario.InstantiateChecked(template.Spec, check, ref.Parameters, ConnectorValues(in.Connector.Spec), name)
	if len(found) == 0 {
		d.Result = d.Result.Override(in.Connector.Spec.Result)
		_, err := scenario.New(d)
		if err == nil {
			return &d, nil
		}
		found = []scenario.Problem{{Reason: v1alpha1.ReasonParameterInvalid, Message: "with this connector's values: " + err.Error()}}
	}
	var problems []Problem
	for _, p := range found { // the template itself is valid, so it is about this connector's values
		at := field
		if strings.HasPrefix(p.Field, "parameters") {
			at += "." + p.Field
		} else if p.Field != "" {
			p.Message = fmt.Sprintf("ScenarioTemplate %s, spec.%s: %s", name, p.Field, p.Message)
		}
		problems = append(problems, Problem{v1alpha1.ReasonParameterInvalid, at, p.Message, true})
	}
	return nil, problems
}

// maxTemplates bounds how many checks are remembered by the object that was checked.
const maxTemplates = 1024

var templates = lru.New(maxTemplates)

// checkOf a template: one that comes from a cluster has not changed while its generation is the same.
func checkOf(template *v1alpha1.ScenarioTemplate) scenario.Check {
	if template.UID == "" {
		return scenario.CheckTemplate(template.Spec)
	}
	key := fmt.Sprintf("%s/%d", template.UID, template.Generation)
	if known, ok := templates.Get(key); ok {
		return known.(scenario.Check) //nolint:forcetypeassert // nothing else is put there
	}
	check := scenario.CheckTemplate(template.Spec)
	templates.Add(key, check)
	return check
}

// fallBack takes the scenario from the live bundle, if it is there: a template that breaks must not stop what works.
func fallBack(in Input, ref v1alpha1.ScenarioReference, p Problem) (*scenario.Definition, []Problem) {
	d := previous(in, ref)
	if d == nil {
		return nil, []Problem{p}
	}
	p.Fatal = false
	p.Message += fmt.Sprintf("; revision %s stays live", d.Revision)
	d.Result = d.Result.Override(in.Connector.Spec.Result)
	if _, err := scenario.New(*d); err != nil {
		return nil, []Problem{p, {v1alpha1.ReasonSpecInvalid, "spec.result", "with the revision that stays live: " + err.Error(), true}}
	}
	return d, []Problem{p}
}

// previous returns a copy of the live scenario of a template: of the template that is meant now, or else of one with the
// same name; and of the scenario of that name, if there are several.
func previous(in Input, ref v1alpha1.ScenarioReference) *scenario.Definition {
	if in.Previous == nil {
		return nil
	}
	meant := func(d scenario.Definition) bool { return strings.HasSuffix(d.Template, "/"+ref.TemplateRef.Name) }
	if t := in.Templates[ref.TemplateRef.Name]; t != nil {
		exact := func(d scenario.Definition) bool { return d.Template == t.Namespace+"/"+t.Name }
		if slices.ContainsFunc(in.Previous.Scenarios, exact) {
			meant = exact
		}
	}
	named := func(d scenario.Definition) bool { return meant(d) && d.Name == ref.Name }
	for _, match := range []func(scenario.Definition) bool{named, meant} {
		if i := slices.IndexFunc(in.Previous.Scenarios, match); i >= 0 {
			d := in.Previous.Scenarios[i]
			return &d
		}
	}
	return nil
}
