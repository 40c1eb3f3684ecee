package bundle

import (
	"fmt"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

func compileScenarios(in Input) ([]scenario.Definition, []Problem) {
	spec := in.Connector.Spec
	out := make([]scenario.Definition, 0, len(spec.Scenarios))
	var problems []Problem
	enabled := map[string]int{} // kind → index of the enabled scenario
	for i, ref := range spec.Scenarios {
		field := fmt.Sprintf("spec.scenarios[%d]", i)
		d, found := compileScenario(in, field, ref)
		problems = append(problems, found...)
		if d == nil {
			continue
		}
		d.Enabled = or(ref.State, v1alpha1.Enabled) == v1alpha1.Enabled
		if first, taken := enabled[d.Kind]; taken && d.Enabled {
			problems = append(problems, Problem{v1alpha1.ReasonScenarioConflict, field,
				fmt.Sprintf("the scenario %s is for the kind %s, and spec.scenarios[%d] (%s) already serves it; set the state of one of them to Disabled",
					ref.TemplateRef.Name, d.Kind, first, spec.Scenarios[first].TemplateRef.Name), true})
		} else if d.Enabled {
			enabled[d.Kind] = i
		}
		out = append(out, *d)
	}
	return out, problems
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
	if check := scenario.CheckTemplate(template.Spec); len(check.Problems) > 0 {
		first := check.Problems[0]
		message := fmt.Sprintf("the ScenarioTemplate %s is not valid: %s", name, first)
		if more := len(check.Problems) - 1; more > 0 {
			message += fmt.Sprintf(" (and %d more)", more)
		}
		return fallBack(in, ref, Problem{first.Reason, field + ".templateRef", message, true})
	}
	d, found := scenario.Instantiate(template.Spec, ref.Parameters, connectorValues(in.Connector.Spec), name)
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

// fallBack takes the scenario from the live bundle, if it is there: a template that breaks must not stop what works.
func fallBack(in Input, ref v1alpha1.ScenarioReference, p Problem) (*scenario.Definition, []Problem) {
	d := previous(in, ref.TemplateRef.Name)
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
// same name.
func previous(in Input, name string) *scenario.Definition {
	if in.Previous == nil {
		return nil
	}
	if t := in.Templates[name]; t != nil {
		for _, d := range in.Previous.Scenarios {
			if d.Template == t.Namespace+"/"+t.Name {
				return &d
			}
		}
	}
	for _, d := range in.Previous.Scenarios {
		if strings.HasSuffix(d.Template, "/"+name) {
			return &d
		}
	}
	return nil
}
