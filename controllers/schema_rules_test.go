package controllers_test

import (
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Fields of a connector that could send people, credentials or questions to a wrong place are checked by the API server, which
// says what to write instead.
func TestTheAPIRefusesWhatLeadsAstray(t *testing.T) {
	w := newWorld(t)
	home := func(path string) func(*v1alpha1.OAConnector) {
		return func(c *v1alpha1.OAConnector) { c.Spec.SSO.Home.Path = path }
	}
	pull := func(style v1alpha1.SeeyonPullStyle, path string) func(*v1alpha1.OAConnector) {
		return func(c *v1alpha1.OAConnector) {
			c.Spec.Seeyon.Mode, c.Spec.Seeyon.Pull.TokenSecretRef.Name = v1alpha1.SeeyonPull, "pull"
			c.Spec.Seeyon.Pull.Style, c.Spec.Seeyon.Pull.Path = style, path
		}
	}
	for name, test := range map[string]struct {
		edit func(*v1alpha1.OAConnector)
		says string // empty when it is taken
	}{
		"TLS is required, http": {func(c *v1alpha1.OAConnector) { c.Spec.Endpoint.TLS = v1alpha1.TLSRequired }, "tls is Required, but url begins with http://"}, // F17
		"TLS is required, https": {func(c *v1alpha1.OAConnector) {
			c.Spec.Endpoint.URL, c.Spec.Endpoint.TLS = "https://oa.corp.example", v1alpha1.TLSRequired
		}, ""},
		"a page of the CRM":               {home("/crm/board?tab=quotes&view=mine"), ""}, // F115
		"the root of the CRM":             {home("/"), ""},
		"another host":                    {home("//evil.example/x"), "path"},
		"another host, windows":           {home(`/\evil.example`), "path"},
		"a whole address":                 {home("https://evil.example/"), "path"},
		"a script":                        {home("javascript:alert(1)"), "path"},
		"up and away":                     {home("/crm/../admin"), "path must not have the parts . and .."},
		"encoded":                         {home("/%2e%2e/admin"), "path"},
		"a fragment":                      {home("/crm#x"), "path"},
		"a line feed":                     {home("/crm\nx"), "path"},
		"the phones' page is checked too": {func(c *v1alpha1.OAConnector) { c.Spec.SSO.Home.MobilePath = "//evil.example" }, "mobilePath"},
		"read by URL":                     {pull(v1alpha1.SeeyonPullURL, ""), ""}, // F88
		"read by interface":               {pull(v1alpha1.SeeyonPullInterface, ""), ""},
		"read as built in":                {pull(v1alpha1.SeeyonPullBuiltIn, "/seeyon/rest/pendings"), ""},
		"built in, without its path":      {pull(v1alpha1.SeeyonPullBuiltIn, ""), "path belongs to style BuiltIn, which needs it"},
		"a path without built in":         {pull(v1alpha1.SeeyonPullURL, "/pendings"), "path belongs to style BuiltIn"},
		"a path of the gateway":           {pull(v1alpha1.SeeyonPullBuiltIn, "/erp/syncdata/open"), "must not be one of the gateway's or the dispatcher's own"},
		"a path of the dispatcher":        {pull(v1alpha1.SeeyonPullBuiltIn, "/events"), "must not be one of the gateway's or the dispatcher's own"},
	} {
		t.Run(name, func(t *testing.T) {
			c := sampleConnector(t)
			c.Namespace = w.ns
			test.edit(c)
			err := admin.Create(t.Context(), c, client.DryRunAll)
			if test.says == "" {
				NewWithT(t).Expect(err).NotTo(HaveOccurred())
				return
			}
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(test.says)))
		})
	}
}
