package bundle_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// What two connectors may have beside each other, and what not. // F58 F60 F102
func TestWhatTwoConnectorsClaim(t *testing.T) {
	seeyon := func(edit func(*v1alpha1.OAConnectorSpec)) *v1alpha1.OAConnector {
		c := &v1alpha1.OAConnector{Spec: v1alpha1.OAConnectorSpec{
			Type: v1alpha1.TypeSeeyon, EnterpriseID: "714439", DataCenterID: "dc-1",
			Endpoint: v1alpha1.Endpoint{URL: "http://oa.corp.example:8080/oa"}, Seeyon: v1alpha1.SeeyonSpec{RegisterCode: "3004"},
		}}
		edit(&c.Spec)
		return c
	}
	pull := func(s *v1alpha1.OAConnectorSpec) { s.Seeyon.Mode, s.DataCenterID = v1alpha1.SeeyonPull, "" }
	for name, test := range map[string]struct {
		a, b func(*v1alpha1.OAConnectorSpec)
		want string
	}{
		"the same": {func(*v1alpha1.OAConnectorSpec) {}, func(*v1alpha1.OAConnectorSpec) {}, v1alpha1.ReasonDataCenterTaken},
		"the same in another spelling": {func(*v1alpha1.OAConnectorSpec) {},
			func(s *v1alpha1.OAConnectorSpec) { s.Endpoint.URL = "HTTP://OA.corp.example:8080/oa/" }, v1alpha1.ReasonDataCenterTaken},
		"another data center": {func(*v1alpha1.OAConnectorSpec) {}, func(s *v1alpha1.OAConnectorSpec) { s.DataCenterID = "dc-2" }, ""},
		"another enterprise":  {func(*v1alpha1.OAConnectorSpec) {}, func(s *v1alpha1.OAConnectorSpec) { s.EnterpriseID = "714440" }, ""},
		"another OA": {func(*v1alpha1.OAConnectorSpec) {},
			func(s *v1alpha1.OAConnectorSpec) { s.Endpoint.URL = "http://oa.corp.example:8081/oa" }, ""},
		"another OA behind one host": {func(*v1alpha1.OAConnectorSpec) {},
			func(s *v1alpha1.OAConnectorSpec) { s.Endpoint.URL = "http://oa.corp.example:8080/group" }, ""},
		"another application": {func(*v1alpha1.OAConnectorSpec) {}, func(s *v1alpha1.OAConnectorSpec) { s.Seeyon.RegisterCode = "3005" }, ""},
		"another type": {func(*v1alpha1.OAConnectorSpec) {}, func(s *v1alpha1.OAConnectorSpec) {
			s.Type, s.Weaver.SysCode, s.Seeyon = v1alpha1.TypeWeaver, "3004", v1alpha1.SeeyonSpec{}
		}, ""},
		"no data center is named": {func(s *v1alpha1.OAConnectorSpec) { s.DataCenterID = "" },
			func(s *v1alpha1.OAConnectorSpec) { s.DataCenterID = "" }, ""},
		"Seeyon asks both under one code": {pull, func(s *v1alpha1.OAConnectorSpec) {
			pull(s)
			s.Seeyon.Mode, s.EnterpriseID, s.Endpoint.URL = v1alpha1.SeeyonBoth, "714440", "http://oa.corp.example:8080/"
		}, v1alpha1.ReasonRegisterCodeTaken},
		"Seeyon asks one of them": {pull, func(s *v1alpha1.OAConnectorSpec) { s.DataCenterID = "" }, ""},
		"Seeyon asks each under its code": {pull, func(s *v1alpha1.OAConnectorSpec) {
			pull(s)
			s.Seeyon.RegisterCode = "3005"
		}, ""},
		"two Seeyons ask": {pull, func(s *v1alpha1.OAConnectorSpec) {
			pull(s)
			s.Endpoint.URL = "https://oa.corp.example"
		}, ""},
		"two applications of one WeCom": {
			func(s *v1alpha1.OAConnectorSpec) {
				s.Type, s.Endpoint, s.WeCom = v1alpha1.TypeWeCom, v1alpha1.Endpoint{}, v1alpha1.WeComSpec{CorpID: "ww1", AgentID: 1}
			},
			func(s *v1alpha1.OAConnectorSpec) {
				s.Type, s.Endpoint, s.WeCom = v1alpha1.TypeWeCom, v1alpha1.Endpoint{}, v1alpha1.WeComSpec{CorpID: "ww1", AgentID: 2}
			}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, claim := range bundle.Claims(seeyon(test.a)) {
				for _, other := range bundle.Claims(seeyon(test.b)) {
					if claim.Same(other) {
						got = claim.Reason
					}
				}
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// The older one has it, of two that were created at once the first by name; one that is being deleted has nothing.
func TestWhoComesFirst(t *testing.T) {
	now := time.Now()
	connector := func(name string, age time.Duration) *v1alpha1.OAConnector {
		return &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(now.Add(-age))}}
	}
	leaving := connector("a", 2*time.Hour)
	leaving.DeletionTimestamp = &metav1.Time{Time: now}
	older, twin, younger := connector("z", time.Hour), connector("b", time.Minute), connector("c", time.Minute)
	if !bundle.Precedes(older, younger) || bundle.Precedes(younger, older) {
		t.Error("age")
	}
	if !bundle.Precedes(twin, younger) || bundle.Precedes(younger, twin) || bundle.Precedes(twin, twin) {
		t.Error("name")
	}
	if bundle.Precedes(leaving, younger) {
		t.Error("one that is being deleted is in nobody's way")
	}
}
