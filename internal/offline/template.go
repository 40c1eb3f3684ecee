package offline

import (
	"maps"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// TemplateOf returns the template of that name as a scenario of a connector uses it, with the parameters that fill it: those of
// the scenario, and those of the connector as connector.enterpriseID and so on. It is nil when the connector has no such scenario.
func (s *Set) TemplateOf(c *v1alpha1.OAConnector, scenario, template string) (t *v1alpha1.ScenarioTemplate, parameters map[string]string) {
	for _, ref := range c.Spec.Scenarios {
		if ref.Name != scenario || ref.TemplateRef.Name != template {
			continue
		}
		parameters = map[string]string{}
		maps.Copy(parameters, ref.Parameters)
		for name, value := range bundle.ConnectorValues(c.Spec) {
			parameters["connector."+name] = value
		}
		return s.template(c.Namespace, template), parameters
	}
	return nil, nil
}

// AccountsOf are the OA accounts by CRM account that a connector of the set uses.
func (s *Set) AccountsOf(namespace, name string) map[string]string {
	for _, c := range s.Connectors {
		if c.Object.Namespace == namespace && c.Object.Name == name {
			return s.accounts(c)
		}
	}
	return nil
}
