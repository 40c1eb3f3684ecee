package bundle_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/scenario"
)

func preset(t testing.TB, name string) *v1alpha1.ScenarioTemplate {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../config/presets", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	st := &v1alpha1.ScenarioTemplate{}
	if err := yaml.UnmarshalStrict(data, st); err != nil {
		t.Fatal(err)
	}
	st.Namespace = "oabridge-system"
	return st
}

// input is the smallest connector that a person can write.
func input(t testing.TB) bundle.Input {
	return bundle.Input{
		Connector: &v1alpha1.OAConnector{
			ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: "hq"},
			Spec: v1alpha1.OAConnectorSpec{
				Type:                 v1alpha1.TypeSeeyon,
				EnterpriseID:         "714439",
				Endpoint:             v1alpha1.Endpoint{URL: "http://oa.corp.example:8080/"},
				CredentialsSecretRef: v1alpha1.SecretReference{Name: "hq-seeyon"},
				Seeyon:               v1alpha1.SeeyonSpec{RegisterCode: "3004"},
				Scenarios:            []v1alpha1.ScenarioReference{{TemplateRef: v1alpha1.TemplateReference{Name: "seeyon-todo"}}},
				Source:               v1alpha1.Source{SigningSecretRef: v1alpha1.SecretReference{Name: "hq-events"}},
				SSO: v1alpha1.SSO{
					Mode: v1alpha1.SSOV5Ticket, Host: "sso.crm.example",
					CRMLogin: v1alpha1.CRMLogin{Type: v1alpha1.LoginSignedJWT, URL: "https://crm.example/login"},
				},
			},
		},
		Templates: map[string]*v1alpha1.ScenarioTemplate{"seeyon-todo": preset(t, "seeyon-todo"), "seeyon-reminder": preset(t, "seeyon-reminder")},
		Sets:      []bundle.AccountSet{set("staff", 1, "1000=zhangsan", "1002=lisi", "1003=lisi")},
		ProofsURL: "http://hq-dispatcher.crm.svc:8082/proofs",
	}
}

func compile(t testing.TB, in bundle.Input) *bundle.Output {
	t.Helper()
	out, problems := bundle.Compile(in)
	if len(problems) > 0 || out == nil {
		t.Fatal(problems)
	}
	return out
}

var shardHash = regexp.MustCompile(`"sha256": "[0-9a-f]{64}"`)

// Everything optional has its default, and what comes out is one readable document. // F16 F39 F61
func TestCompile(t *testing.T) {
	out := compile(t, input(t))
	document := shardHash.ReplaceAll(out.Files[bundle.FileName], []byte(`"sha256": "…"`)) // differs between gzip versions
	golden(t, "hq.json", document)
	if out.Pairs != 2 || len(out.Conflicts) != 1 || len(out.Hash) != 16 || len(out.Files) != 2 {
		t.Errorf("%d pairs, %v, hash %q, %d files", out.Pairs, out.Conflicts, out.Hash, len(out.Files))
	}
	again := compile(t, input(t))
	if diff := cmp.Diff(out, again); diff != "" {
		t.Errorf("the same input gives another output: %s", diff)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-update writes it anew):\n%s", name, diff)
	}
}

func TestCompileTakesWhatIsSet(t *testing.T) { // F9 F14 F37 F62 F63
	in := input(t)
	s := &in.Connector.Spec
	d := func(x time.Duration) metav1.Duration { return metav1.Duration{Duration: x} }
	s.Headers = []v1alpha1.Header{{Name: "X-From", Value: "crm"}, {Name: "X-Key", ValueFrom: v1alpha1.HeaderSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: "k", Key: "x"}}}}
	s.Result = v1alpha1.ResultFormat{SuccessCode: "1"}
	s.Seeyon = v1alpha1.SeeyonSpec{RegisterCode: "7", Version: v1alpha1.SeeyonBeforeV70SP2, TokenPlacement: v1alpha1.TokenInQuery, TokenIdleTimeout: d(time.Minute)}
	s.Delivery = v1alpha1.Delivery{
		Retry: v1alpha1.Retry{State: v1alpha1.Disabled}, BackoffPolicy: v1alpha1.BackoffLinear, BackoffDelay: d(1), BackoffMax: d(2),
		RetryAfterMax: d(3), MaxAge: d(4), Timeout: d(5), Concurrency: 6, RateLimit: v1alpha1.RateLimit{PerSecond: 7},
		CatchUp: v1alpha1.CatchUp{Policy: v1alpha1.CatchUpEveryState, Finished: v1alpha1.FinishedDeliver}, BatchSize: 9,
	}
	s.Accounts.Unbound = v1alpha1.UnboundFallback
	s.Source = v1alpha1.Source{TokenSecretRef: v1alpha1.SecretReference{Name: "t"}}
	s.Endpoint.CASecretRef.Name, s.Endpoint.AllowedCIDRs, s.Endpoint.ConnectTimeout = "ca", []string{"127.0.0.0/8"}, d(8)
	b := compile(t, in).Bundle
	want := bundle.OA{
		URL: "http://oa.corp.example:8080", ConnectTimeout: 8, AllowedCIDRs: []string{"127.0.0.0/8"}, CustomCA: true,
		Headers: []bundle.Header{{Name: "X-From", Value: "crm"}, {Name: "X-Key", SecretFile: "headers/1"}},
		Seeyon:  &bundle.Seeyon{RegisterCode: "7", Version: "BeforeV70SP2", TokenPlacement: "Query", TokenIdleTimeout: bundle.Duration(time.Minute)},
	}
	if diff := cmp.Diff(want, b.OA); diff != "" {
		t.Error(diff)
	}
	delivery := bundle.Delivery{Backoff: "Linear", BackoffDelay: 1, BackoffMax: 2, RetryAfterMax: 3, MaxAge: 4, Timeout: 5, Concurrency: 6, RatePerSecond: 7, RateBurst: 7,
		CatchUp: "EveryState", CatchUpFinished: "Deliver", BatchSize: 9}
	if diff := cmp.Diff(delivery, b.Delivery); diff != "" {
		t.Error(diff)
	}
	if b.Accounts.Unbound != "Fallback" || b.Source != (bundle.Source{Token: true}) {
		t.Errorf("%+v %+v", b.Accounts, b.Source)
	}
	if want := (scenario.Result{CodeName: "success", MsgName: "errorMsgs", SuccessCode: "1"}); b.Scenarios[0].Result != want {
		t.Errorf("result %+v", b.Scenarios[0].Result)
	}
}

func TestLinksFollowTheExposure(t *testing.T) { // F41 F109
	for _, c := range []struct {
		sso     v1alpha1.SSO
		link    string
		gateway bool
	}{
		{v1alpha1.SSO{Mode: v1alpha1.SSOV5Ticket, Host: "sso.example"}, "http://sso.example/", true},
		{v1alpha1.SSO{Mode: v1alpha1.SSOV5Ticket, Host: "sso.example", Exposure: v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, TLS: v1alpha1.IngressTLS{SecretName: "t"}}}, "https://sso.example/", true},
		{v1alpha1.SSO{Mode: v1alpha1.SSOV5Ticket, Host: "sso.example", Exposure: v1alpha1.Exposure{Type: v1alpha1.ExposureNone}}, "https://sso.example/", true},
		{v1alpha1.SSO{Mode: v1alpha1.SSOV5Ticket, Host: "sso.example", Exposure: v1alpha1.Exposure{Type: v1alpha1.ExposureHTTPRoute}}, "https://sso.example/", true},
		{v1alpha1.SSO{Mode: v1alpha1.SSONone, Host: "crm.example"}, "https://crm.example/", false},
		{v1alpha1.SSO{}, "", false},
	} {
		in := input(t)
		in.Connector.Spec.SSO = c.sso
		b := compile(t, in).Bundle
		if (b.SSO != nil) != c.gateway || c.gateway && b.SSO.URL+"/" != c.link {
			t.Errorf("%+v: SSO %+v", c.sso, b.SSO)
		}
		s, err := scenario.New(b.Scenarios[0])
		if err != nil {
			t.Fatal(err)
		}
		req, err := s.Render(scenario.Create, scenario.Item{ID: "T", Object: scenario.Object{APIName: "Q", ID: "1"}}.Fields("a", "b"))
		if want := `"url":"` + c.link; err != nil || !bytes.Contains(req.Body, []byte(want)) {
			t.Errorf("%+v: %s %v", c.sso, req.Body, err)
		}
	}
}

func TestCompileProblems(t *testing.T) {
	for name, c := range map[string]struct {
		spoil                  func(*bundle.Input)
		reason, field, message string
	}{
		"no template":  {func(in *bundle.Input) { delete(in.Templates, "seeyon-todo") }, v1alpha1.ReasonTemplateNotFound, "spec.scenarios[0].templateRef", "apply it or correct the name"},
		"nil template": {func(in *bundle.Input) { in.Templates["seeyon-todo"] = nil }, v1alpha1.ReasonTemplateNotFound, "spec.scenarios[0].templateRef", "seeyon-todo"},
		"other type":   {func(in *bundle.Input) { in.Templates["seeyon-todo"].Spec.Type = "Weaver" }, v1alpha1.ReasonTemplateMismatch, "spec.scenarios[0].templateRef", "this connector's type is Seeyon; refer to a template for Seeyon"},
		"other protocol": {func(in *bundle.Input) { in.Connector.Spec.Protocol = v1alpha1.ProtocolWebservice }, v1alpha1.ReasonTemplateMismatch, "spec.scenarios[0].templateRef",
			"the ScenarioTemplate oabridge-system/seeyon-todo has the protocol REST, this connector's spec.protocol is Webservice; refer to a template for Webservice, or set spec.protocol to REST"}, // F8
		"typo":          {func(in *bundle.Input) { in.Templates["seeyon-todo"].Spec.Actions.Create.Body = `["#F0O1"]` }, v1alpha1.ReasonUnknownPlaceholder, "spec.scenarios[0].templateRef", "did you mean #F001?"},
		"failing test":  {func(in *bundle.Input) { in.Templates["seeyon-todo"].Spec.Tests[0].Request.Path = "/x" }, v1alpha1.ReasonTestsFailed, "spec.scenarios[0].templateRef", "spec.tests[create].request.path"},
		"parameter":     {func(in *bundle.Input) { in.Connector.Spec.Scenarios[0].Parameters = map[string]string{"x": "y"} }, v1alpha1.ReasonParameterInvalid, "spec.scenarios[0].parameters.x", "no such parameter"},
		"register code": {func(in *bundle.Input) { in.Connector.Spec.Seeyon.RegisterCode = "" }, v1alpha1.ReasonParameterInvalid, "spec.scenarios[0]", "set spec.seeyon.registerCode"},
		"two for a kind": {func(in *bundle.Input) {
			in.Connector.Spec.Scenarios = append(in.Connector.Spec.Scenarios, in.Connector.Spec.Scenarios[0])
		}, v1alpha1.ReasonScenarioConflict, "spec.scenarios[1]", "Disabled"},
		"two of a name": {func(in *bundle.Input) {
			s := in.Connector.Spec.Scenarios[0]
			s.Name = "card"
			in.Connector.Spec.Scenarios = append(in.Connector.Spec.Scenarios, s, s)
		}, v1alpha1.ReasonScenarioConflict, "spec.scenarios[2]", "the name card is also that of spec.scenarios[1]"},
		"two for a source": {func(in *bundle.Input) {
			in.Connector.Spec.Scenarios = append(in.Connector.Spec.Scenarios, v1alpha1.ScenarioReference{
				TemplateRef: v1alpha1.TemplateReference{Name: "seeyon-reminder"}, Sources: []v1alpha1.ItemKind{v1alpha1.KindAlert, v1alpha1.KindTodo}})
		}, v1alpha1.ReasonScenarioConflict, "spec.scenarios[1]", "give one a name if items shall go to both"},
		"too many pairs": {func(in *bundle.Input) {
			in.Sets[0].Pairs = make([]v1alpha1.AccountPair, bundle.MaxPairs+1)
		}, v1alpha1.ReasonBundleTooLarge, "spec.accounts.selector", "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(t)
			c.spoil(&in)
			out, problems := bundle.Compile(in)
			for i, p := range problems {
				if !p.Fatal || p.Reason != c.reason || p.Field != c.field || i == 0 && !strings.Contains(p.Message, c.message) {
					t.Errorf("got %s %s", p.Reason, p)
				}
			}
			if out != nil || len(problems) == 0 {
				t.Errorf("output %v, problems %v", out != nil, problems)
			}
		})
	}
}

// The element that holds the JSON follows the protocol, and is never written for REST; a connector may name another. // F15 F16
func TestXMLJSONField(t *testing.T) {
	for _, c := range []struct {
		protocol                   v1alpha1.Protocol
		template, connector, field string
	}{
		{v1alpha1.ProtocolREST, "", "", ""}, {v1alpha1.ProtocolWebservice, "", "", "out"},
		{v1alpha1.ProtocolWebservice, "return", "", "return"}, {v1alpha1.ProtocolWebservice, "return", "result", "result"},
	} {
		in := input(t)
		spec := &in.Templates["seeyon-todo"].Spec
		in.Connector.Spec.Protocol, spec.Protocol = c.protocol, c.protocol
		in.Connector.Spec.Result.XMLJSONField, spec.Result.XMLJSONField = c.connector, c.template
		spec.Tests, spec.Actions = nil, v1alpha1.Actions{Create: v1alpha1.Call{Path: "/x"}}
		if got := compile(t, in).Bundle.Scenarios[0].Result.XMLJSONField; got != c.field {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

// Each scenario has its own switch, and only one may be on for a kind. // F3 F18
func TestScenarioSwitches(t *testing.T) {
	in := input(t)
	todo := in.Connector.Spec.Scenarios[0]
	off, reminder := todo, todo
	off.State, reminder.TemplateRef.Name = v1alpha1.Disabled, "seeyon-reminder"
	in.Connector.Spec.Scenarios = []v1alpha1.ScenarioReference{off, todo, reminder, off}
	var got []string
	for _, d := range compile(t, in).Bundle.Scenarios {
		got = append(got, fmt.Sprintf("%s %v", d.Kind, d.Enabled))
	}
	if diff := cmp.Diff([]string{"Todo false", "Todo true", "Reminder true", "Todo false"}, got); diff != "" {
		t.Error(diff)
	}
}

// A template that breaks or goes away must not stop what works: its last good revision stays live, and the switch still
// works.
func TestBrokenTemplateKeepsTheLastRevision(t *testing.T) {
	live := compile(t, input(t)).Bundle
	for name, spoil := range map[string]func(*bundle.Input){
		"broken":       func(in *bundle.Input) { in.Templates["seeyon-todo"].Spec.Actions.Create.Body = "{" },
		"failing test": func(in *bundle.Input) { in.Templates["seeyon-todo"].Spec.Tests[0].Answer.Outcome = "Timeout" },
		"gone":         func(in *bundle.Input) { delete(in.Templates, "seeyon-todo") },
	} {
		t.Run(name, func(t *testing.T) {
			in := input(t)
			in.Previous = live
			in.Connector.Spec.Scenarios[0].State = v1alpha1.Disabled
			spoil(&in)
			out, problems := bundle.Compile(in)
			if out == nil || len(problems) != 1 || problems[0].Fatal || !strings.Contains(problems[0].Message, "revision "+live.Scenarios[0].Revision+" stays live") {
				t.Fatalf("%v", problems)
			}
			want := live.Scenarios[0]
			want.Enabled = false
			if diff := cmp.Diff(want, out.Bundle.Scenarios[0]); diff != "" {
				t.Error(diff)
			}
			if !live.Scenarios[0].Enabled {
				t.Error("the live bundle was changed")
			}
		})
	}
}

// A kind may have several targets, and each keeps its own good revision when its template breaks. // F120 F123
func TestSeveralTargets(t *testing.T) {
	in := input(t)
	in.Connector.Spec.Scenarios = append(in.Connector.Spec.Scenarios, v1alpha1.ScenarioReference{
		Name: "all", TemplateRef: v1alpha1.TemplateReference{Name: "seeyon-reminder"}, Sources: v1alpha1.ItemKinds,
	}, v1alpha1.ScenarioReference{Name: "again", TemplateRef: v1alpha1.TemplateReference{Name: "seeyon-todo"}})
	b := compile(t, in).Bundle
	for i, want := range []struct {
		name  string
		kinds []string
	}{{"", []string{"Todo"}}, {"all", []string{"Todo", "Reminder", "Subscription", "Alert"}}, {"again", []string{"Todo"}}} {
		d := b.Scenarios[i]
		if d.Name != want.name || !slices.Equal(d.Kinds(), want.kinds) || d.Serves("Alert") != (want.name == "all") {
			t.Errorf("%d: %q serves %v", i, d.Name, d.Kinds())
		}
	}
	in.Previous = b
	in.Templates["seeyon-todo"] = nil
	out, problems := bundle.Compile(in)
	if out == nil || len(problems) != 2 || problems[0].Fatal || problems[1].Fatal {
		t.Fatalf("output %v, problems %v", out != nil, problems)
	}
	if diff := cmp.Diff(b.Scenarios, out.Bundle.Scenarios); diff != "" {
		t.Errorf("what was live is another: %s", diff)
	}
}
