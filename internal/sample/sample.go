// Package sample makes the skeleton of a ScenarioTemplate from a request that a customer or an OA's manual shows: the names
// on the left stay, likely values on the right become placeholders (F27).
package sample

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

// MaxSize of a sample, in bytes.
const MaxSize = 256 << 10

// Options of a skeleton.
type Options struct {
	// Type of the OA; it decides which of the connector's own values there are.
	Type v1alpha1.OAType
	// ToXML turns a JSON sample into a SOAP 1.1 envelope (F28), with the element Root of the namespace Namespace in its body.
	ToXML           bool
	Root, Namespace string
	// Operation of a WSDL; needed when it has several.
	Operation string
}

// Skeleton is what was made of a sample.
type Skeleton struct {
	Protocol v1alpha1.Protocol
	Body     string
	// Path and Action (SOAPAction) are known when the sample is a WSDL.
	Path, Action string
	// DateFormat of the dates in the sample; empty when there are none.
	DateFormat string
	// Replaced, Kept and Empty are paths of fields: those with placeholders, those that stay as the sample has them, and those
	// for which the sample has no value.
	Replaced, Kept, Empty []string
}

// Make reads a sample: a JSON document, an XML document such as a SOAP envelope, or a WSDL.
func Make(sample string, o Options) (Skeleton, error) {
	sample = strings.TrimSpace(strings.TrimPrefix(sample, "\uFEFF"))
	s := maker{options: o}
	var err error
	switch {
	case sample == "":
		return Skeleton{}, fmt.Errorf("the sample is empty")
	case len(sample) > MaxSize:
		return Skeleton{}, fmt.Errorf("the sample has more than %d bytes", MaxSize)
	case sample[0] != '<':
		err = s.json(sample)
	case o.ToXML:
		return Skeleton{}, fmt.Errorf("the sample is XML already; leave --to out")
	case isWSDL(sample):
		err = s.wsdl(sample)
	default:
		err = s.xml(sample)
	}
	if err != nil {
		return Skeleton{}, err
	}
	return s.out, s.check()
}

type maker struct {
	options Options
	out     Skeleton
}

// replace returns what stands in the template for a value of the sample. path is where it is, name the last part of that.
func (m *maker) replace(path, name, value string) string {
	path = strings.TrimPrefix(path, "Envelope.Body.")
	if hasPlaceholder(value) { // the CRM's own help pages show samples with placeholders
		m.out.Replaced = append(m.out.Replaced, path)
		return value
	}
	what := meaningOf(name)
	replacement := values[what]
	switch what {
	case link:
		replacement = m.link(false)
	case mobileLink:
		replacement = m.link(true)
	case date:
		format := dateFormat(value)
		if value != "" && (format == "" || m.out.DateFormat != "" && m.out.DateFormat != format) {
			replacement = "" // a form that the template cannot write, or not beside another one
		} else if format != "" {
			m.out.DateFormat = format
		}
	default:
		if own := ofType[what]; slices.Contains(own.types, m.options.Type) {
			replacement = own.value
		}
	}
	if replacement == "" {
		if value == "" {
			m.out.Empty = append(m.out.Empty, path)
		} else {
			m.out.Kept = append(m.out.Kept, path)
		}
		return scenario.Literal(value)
	}
	m.out.Replaced = append(m.out.Replaced, path)
	return replacement
}

func hasPlaceholder(s string) bool {
	return slices.ContainsFunc(scenario.Dictionary(), func(p scenario.Placeholder) bool { return strings.Contains(s, "#"+p.ID) })
}

// link is the address of the CRM record through the gateway, in the shape of the CRM's own pages (F43, F54).
func (m *maker) link(mobile bool) string {
	const base = "${connector.ssoURL}/erp/syncdata/open/oa/authorizeWeb/"
	if m.options.Type == v1alpha1.TypeSeeyon {
		return fmt.Sprintf("%sSeeYon/#F037/#F015/${connector.enterpriseID}/%t", base, mobile)
	}
	return base + "webhook/#F037/#F015/#F028"
}

// check makes sure that the skeleton is a template that could be used as it is.
func (m *maker) check() error {
	spec := m.out.Spec(m.options.Type, v1alpha1.KindTodo, "/")
	for _, p := range scenario.CheckTemplate(spec).Problems {
		return fmt.Errorf("no template can be made of the sample: %s", p)
	}
	return nil
}

// Spec is the template's spec without tests.
func (s Skeleton) Spec(oa v1alpha1.OAType, kind v1alpha1.ItemKind, path string) v1alpha1.ScenarioTemplateSpec {
	spec := v1alpha1.ScenarioTemplateSpec{
		Type: oa, Kind: kind, Protocol: s.Protocol, DateFormat: s.DateFormat,
		Actions: v1alpha1.Actions{Create: v1alpha1.Call{Method: scenario.DefaultMethod, Path: path, Body: s.Body}},
	}
	if s.Action != "" {
		spec.Actions.Create.Headers = []v1alpha1.CallHeader{{Name: "SOAPAction", Value: s.Action}}
	}
	return spec
}
