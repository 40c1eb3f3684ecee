package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// What is usual in a company's network is taken: an OA without TLS on a port of its own, and each way of signing in.
func TestTheAPITakesWhatIsUsual(t *testing.T) {
	w := newWorld(t)
	url := func(u string) func(*v1alpha1.OAConnector) {
		return func(c *v1alpha1.OAConnector) { c.Spec.Endpoint.URL = u }
	}
	for name, edit := range map[string]func(*v1alpha1.OAConnector){
		"plain http on a port":     url("http://oa.corp.example:8080"),    // F17
		"plain http at an address": url("http://10.20.30.40:8081/seeyon"), // F17
		"https":                    url("https://oa.corp.example"),
		"links as they are":        func(c *v1alpha1.OAConnector) { c.Spec.SSO = v1alpha1.SSO{Mode: v1alpha1.SSONone} }, // F104
		"the portal's ticket":      func(c *v1alpha1.OAConnector) { c.Spec.SSO.Mode = v1alpha1.SSOPortalTicket },        // F104
		"an interface of a third party": func(c *v1alpha1.OAConnector) { // F104
			c.Spec.SSO.Mode = v1alpha1.SSOCallback
			c.Spec.SSO.Callback = v1alpha1.CallbackSSO{Parameter: "who", URL: "http://auth.corp.example:8080/verify"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := sampleConnector(t)
			c.Namespace = w.ns
			edit(c)
			NewWithT(t).Expect(admin.Create(t.Context(), c, client.DryRunAll)).To(Succeed())
		})
	}
}
