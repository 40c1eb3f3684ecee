package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// The protocol decides what a body is. // F8 F15 F16 F25 F26
func TestTheAPIKnowsTheProtocols(t *testing.T) {
	w := newWorld(t)
	const envelope = "\n <e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"/>"
	call := func(body string) map[string]any { return map[string]any{"path": "/x", "body": body} }
	readBack := func(body, field string) map[string]any {
		return with(call(body), "readBack", map[string]any{
			"path": "/y", "body": body, "result": map[string]any{"codeName": "a", "successCode": "1", field: "b"},
		})
	}
	for name, c := range map[string]struct {
		spec map[string]any
		// message is empty when the template is taken.
		message string
	}{
		"REST by default":    {map[string]any{"actions": map[string]any{"create": call(`{"a":1}`), "delete": readBack(`{}`, "msgName")}}, ""},
		"a web service":      {map[string]any{"protocol": "Webservice", "actions": map[string]any{"create": call(envelope), "update": readBack(envelope, "xmlJsonField")}, "result": map[string]any{"xmlJsonField": "out"}}, ""},
		"no body at all":     {map[string]any{"protocol": "Webservice", "actions": map[string]any{"create": map[string]any{"path": "/x"}}}, ""},
		"JSON for SOAP":      {map[string]any{"protocol": "Webservice", "actions": map[string]any{"create": call(envelope), "complete": call("{}")}}, "actions.complete.body must be an XML document"},
		"XML for REST":       {map[string]any{"actions": map[string]any{"create": call(envelope)}}, "actions.create.body must be an XML document with protocol Webservice, and a JSON document"},
		"XML in its update":  {map[string]any{"protocol": "REST", "actions": map[string]any{"create": call("{}"), "update": call(envelope)}}, "actions.update.body must be"},
		"out of REST":        {map[string]any{"actions": map[string]any{"create": call("{}")}, "result": map[string]any{"xmlJsonField": "out"}}, "xmlJsonField is only for protocol Webservice"},
		"out of a read-back": {map[string]any{"actions": map[string]any{"create": readBack("{}", "xmlJsonField")}}, "xmlJsonField is only for protocol Webservice"},
		"a batch of XML":     {map[string]any{"protocol": "Webservice", "actions": map[string]any{"create": with(call(envelope), "batch", map[string]any{"path": "/z"})}}, "every item goes alone"},
		"another protocol":   {map[string]any{"protocol": "SOAP", "actions": map[string]any{"create": call(envelope)}}, `Unsupported value: "SOAP"`},
	} {
		t.Run(name, func(t *testing.T) {
			c.spec["type"], c.spec["kind"] = "Weaver", "Todo"
			u := &unstructured.Unstructured{Object: map[string]any{"spec": c.spec}}
			u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("ScenarioTemplate"))
			u.SetNamespace(w.ns)
			u.SetName("t")
			err := admin.Create(t.Context(), u, client.DryRunAll, client.FieldValidation("Strict"))
			if c.message == "" {
				NewWithT(t).Expect(err).NotTo(HaveOccurred())
				return
			}
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(c.message)))
		})
	}
}
