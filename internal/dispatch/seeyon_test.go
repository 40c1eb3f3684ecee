package dispatch

import (
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/scenario"
)

// seeyonWorld is a world whose OA is a simulated Seeyon behind real HTTP, with the preset that ships.
func seeyonWorld(t *testing.T) (*world, *seeyon.Seeyon) {
	t.Helper()
	sim, err := seeyon.New(seeyon.Options{
		RESTUsers: map[string]string{"fxiaoke": password},
		Apps:      []seeyon.App{{Code: "3004", Name: "CRM"}},
		People:    []seeyon.Person{{LoginName: "lisi", Name: "李四"}, {LoginName: "zhangsan", Name: "张三"}},
		Bindings:  []seeyon.Binding{{RegisterCode: "3004", ThirdUserID: "lisi", LoginName: "lisi"}, {RegisterCode: "3004", ThirdUserID: "zhangsan", LoginName: "zhangsan"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)

	text, err := os.ReadFile("../../config/presets/seeyon-todo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template v1alpha1.ScenarioTemplate
	if err := yaml.UnmarshalStrict(text, &template); err != nil {
		t.Fatal(err)
	}
	definition, problems := scenario.Instantiate(template.Spec, nil, map[string]string{
		"enterpriseID": "714439", "dataCenterID": "dc-1", "ssoURL": "https://sso.crm.example", "registerCode": "3004",
	}, "oabridge-system/seeyon-todo")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	definition.Enabled = true
	w := newWorld(t)
	w.options.NewPusher = nil // the real drivers
	w.base = func(c *connector) {
		c.OA = bundle.OA{
			URL: server.URL, ConnectTimeout: bundle.Duration(5 * time.Second), AllowedCIDRs: []string{"127.0.0.0/8"},
			Seeyon: &bundle.Seeyon{RegisterCode: "3004", Version: "V70SP2", TokenPlacement: "Header", TokenIdleTimeout: bundle.Duration(10 * time.Minute)},
		}
		c.Scenarios = []scenario.Definition{definition}
		c.pairs = map[string]string{"1000": "zhangsan", "1002": "lisi"}
	}
	w.bundle(nil)
	return w, sim
}

// From the CRM's event to the OA's inbox, over the real wire: three calls in order, through an OA that has its moods; an
// expired token and a lost answer leave one item, in its last state. // F19 F32 F36 F45 F92 F94 F100
func TestSeeyonEndToEnd(t *testing.T) {
	w, sim := seeyonWorld(t)
	for _, r := range []fault.Rule{
		{Match: fault.Match{Path: "/seeyon/rest/thirdpartyPending/", TaskID: "T-1"}, Times: 2, Action: fault.Action{Kind: fault.Status, Status: 502}},
		{Match: fault.Match{Path: "/seeyon/rest/thirdpartyPending/", TaskID: "T-2"}, Times: 1, Action: fault.Action{Kind: fault.ExpireToken}},
		{Match: fault.Match{Path: "/seeyon/rest/thirdpartyPending/", TaskID: "T-3"}, Times: 1, Action: fault.Action{Kind: fault.Close, After: true}},
	} {
		if _, err := sim.Faults().Add(r); err != nil {
			t.Fatal(err)
		}
	}
	w.start()
	w.mustSend(todo("e1", "T-1", "created").version(1), todo("e2", "T-2", "created").version(1), todo("e3", "T-3", "created").version(1))
	w.drained(3)
	if got := titles(sim.Inbox("lisi")); !slices.Equal(got, []string{"T-1", "T-2", "T-3"}) {
		t.Fatalf("inbox: %v", got)
	}
	w.mustSend(todo("e4", "T-1", "updated").version(2), todo("e5", "T-1", "completed").version(3), todo("e6", "T-2", "deleted").version(2))
	w.drained(6)
	if got := titles(sim.Inbox("lisi")); !slices.Equal(got, []string{"T-3"}) {
		t.Errorf("inbox: %v", got)
	}
	if got := titles(sim.Done("lisi")); !slices.Equal(got, []string{"T-1"}) {
		t.Errorf("done: %v", got)
	}
	for _, i := range sim.Items() {
		if i.Revived != 0 {
			t.Errorf("%s was opened again after its end", i.TaskID)
		}
	}
	if got := w.outcomes("T-1"); !slices.Equal(got, []string{"Retrying/ServerError", "Retrying/ServerError", "Delivered", "Delivered", "Delivered"}) {
		t.Errorf("outcomes: %v", got)
	}
}

// The OA's own refusal is a dead letter in the OA's words; a wrong password is named and its correction heals; no
// secret is in what is kept. // F14 F40 F85
func TestSeeyonRefusesAndRecovers(t *testing.T) {
	w, sim := seeyonWorld(t)
	w.options.tuning.probeToken = time.Hour
	if _, err := sim.Faults().Add(fault.Rule{Match: fault.Match{TaskID: "T-9"}, Action: fault.Action{Kind: fault.Business, ErrorMsgs: []string{"系统编码不存在"}}}); err != nil {
		t.Fatal(err)
	}
	w.secret(bundle.SlotCredentials, "password", "canary-wrong-password")
	w.start()
	r := w.until("the account is rejected", func(r report.Report) bool { return r.OA.State == "False" })
	if r.OA.Reason != v1alpha1.ReasonTokenRejected || !strings.Contains(r.OA.Message, "username and password in the credentials Secret") {
		t.Errorf("report: %+v", r.OA)
	}
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-9", "created"))
	w.until("they wait", func(r report.Report) bool { return r.Delivery.Pending == 2 })
	w.secret(bundle.SlotCredentials, "password", password)
	w.until("it heals", func(r report.Report) bool {
		return r.Delivery.Delivered == 1 && r.Delivery.Dead == 1 && r.OA.State == "True"
	})
	dead := w.records("outcome=Dead&class=BusinessCode")
	if len(dead) != 1 || dead[0].ItemID != "T-9" || !strings.Contains(dead[0].Message, "系统编码不存在") || dead[0].Attempt != 1 {
		t.Errorf("dead: %+v", dead)
	}
	shown := w.do("GET", w.url("local", "/records"), nil).body + w.do("GET", w.url("local", "/dead"), nil).body +
		w.do("GET", w.url("admin", "/report"), nil).body + w.do("GET", w.url("admin", "/metrics"), nil).body
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{password, "canary-wrong-password", "canary-password%2F0123"} {
		if strings.Contains(shown+w.logs.String(), secret) {
			t.Errorf("%q is in what is kept", secret)
		}
	}
}

func titles(items []seeyon.Item) (out []string) {
	for _, i := range items {
		out = append(out, i.TaskID)
	}
	slices.Sort(out)
	return out
}
