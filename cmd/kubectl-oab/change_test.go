package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/offline"
	"github.com/oabridge/oabridge/internal/scenario"
)

// object reads an object from a file.
func object[T any](t *testing.T, path ...string) *T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	o := new(T)
	if err := yaml.UnmarshalStrict(data, o); err != nil {
		t.Fatal(err)
	}
	return o
}

func templateOfFile(t *testing.T, file string) *v1alpha1.ScenarioTemplate {
	o := object[v1alpha1.ScenarioTemplate](t, "testdata", file)
	o.Namespace = "crm"
	return o
}

// staffed is a world with the connector and the account bindings of the samples.
func staffed(t *testing.T, more ...client.Object) *world {
	samples := filepath.Join("..", "..", "config", "samples")
	w := newWorld(t, append(more, object[v1alpha1.AccountBinding](t, samples, "accounts.yaml"))...)
	hq := object[v1alpha1.OAConnector](t, samples, "connector.yaml")
	now := new(v1alpha1.OAConnector)
	if err := w.access.Get(t.Context(), client.ObjectKeyFromObject(hq), now); err != nil {
		t.Fatal(err)
	}
	now.Spec = hq.Spec
	if err := w.access.Update(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	return w
}

// A file is looked at, imported once, and exported again. Bad lines are named by their number, and nobody who is bound is
// bound anew. // F6 F160 F185
func TestImport(t *testing.T) {
	w := staffed(t)
	golden(t, "import-dry-run", w.run("bindings", "import", "newcomers", "-f", "testdata/staff.csv", "--dry-run"))
	var none v1alpha1.AccountBindingList
	if err := w.access.List(t.Context(), &none); err != nil || len(none.Items) != 1 {
		t.Fatalf("a dry run made something: %v, %v", none.Items, err)
	}
	golden(t, "import", w.run("bindings", "import", "newcomers", "-f", "testdata/staff.csv"))
	var made v1alpha1.AccountBinding
	var file corev1.ConfigMap
	key := client.ObjectKey{Namespace: "crm", Name: "newcomers"}
	if err := w.access.Get(t.Context(), key, &made); err != nil || made.Labels["oa"] != "hq" || made.Spec.AccountsFrom.ConfigMapKeyRef.Name != "newcomers" {
		t.Errorf("%+v, %v", made, err)
	}
	if err := w.access.Get(t.Context(), key, &file); err != nil || file.Labels[v1alpha1.LabelAccounts] != "true" || file.Data["accounts.csv"] != "crm,oa\n1020,zhengshuang\n" {
		t.Errorf("%+v, %v", file, err)
	}
	// The same file again changes nothing.
	if a := w.run("bindings", "import", "newcomers", "-f", "testdata/staff.csv", "-o", "json"); a.code != exitOther || !strings.Contains(a.out, `"added": 0`) || !strings.Contains(a.out, `"same": 2`) {
		t.Errorf("%+v", a)
	}
	a := w.run("bindings", "export")
	if a.code != 0 || strings.Count(a.out, "\n") != 22 || !strings.HasPrefix(a.out, "crm,oa\n") || !strings.Contains(a.out, "1020,zhengshuang\n") {
		t.Errorf("%+v", a)
	}
	// Into a binding that holds its pairs itself.
	more := filepath.Join(t.TempDir(), "more.csv")
	if err := os.WriteFile(more, []byte("oa,crm\nnew,1030\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := w.run("bindings", "import", "hq-staff", "-f", more); a.code != 0 || !strings.Contains(a.out, "1 pair added, 0 there before") {
		t.Errorf("%+v", a)
	}
	if err := w.access.Get(t.Context(), client.ObjectKey{Namespace: "crm", Name: "hq-staff"}, &made); err != nil || made.Spec.Accounts[20] != (v1alpha1.AccountPair{CRM: "1030", OA: "new"}) {
		t.Errorf("%+v, %v", made.Spec.Accounts, err)
	}
}

// What import refuses, in words that say what to do.
func TestImportRefuses(t *testing.T) {
	foreign := &corev1.ConfigMap{}
	foreign.Namespace, foreign.Name = "crm", "foreign"
	other := &v1alpha1.AccountBinding{}
	other.Namespace, other.Name, other.Spec.Accounts = "crm", "other", []v1alpha1.AccountPair{{CRM: "1", OA: "a"}}
	w := staffed(t, foreign, other)
	for args, want := range map[string]answer{
		"bindings import x":                                  {code: exitUsage, errors: "which file?"},
		"bindings import x -f testdata/nowhere.csv":          {code: exitUsage, errors: "no such file"},
		"bindings import foreign -f testdata/staff.csv":      {code: exitOther, errors: `ConfigMap "foreign" is there and has no label`},
		"bindings import other -f testdata/staff.csv":        {code: exitUsage, errors: `connector "hq" does not use AccountBinding "other"`},
		"bindings import x -f testdata/event.json":           {code: exitOther, errors: "1 line is not used"},
		"bindings import x --connector y -f testdata/a.yaml": {code: exitUsage, errors: "no such file"},
	} {
		if a := w.run(strings.Fields(args)...); a.code != want.code || !strings.Contains(a.errors, want.errors) {
			t.Errorf("%s: %+v", args, a)
		}
	}
}

// Pairs that exclude each other and lines that cannot be read are listed, all of them.
func TestConflicts(t *testing.T) {
	w := staffed(t)
	if a := w.run("bindings", "conflicts"); a.code != exitNone || !strings.Contains(a.errors, "all its pairs are used") {
		t.Errorf("%+v", a)
	}
	file := &corev1.ConfigMap{Data: map[string]string{"accounts.csv": "crm,oa\n1002,other\n1040,\n1041,wangfang\n"}}
	file.Namespace, file.Name, file.Labels = "crm", "late", map[string]string{v1alpha1.LabelAccounts: "true"}
	late := &v1alpha1.AccountBinding{}
	late.Namespace, late.Name, late.Labels = "crm", "late", map[string]string{"oa": "hq"}
	late.Spec.AccountsFrom.ConfigMapKeyRef = v1alpha1.ConfigMapKeyReference{Name: "late", Key: "accounts.csv"}
	for _, o := range []client.Object{file, late} {
		if err := w.access.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "conflicts", w.run("bindings", "conflicts", "hq"))
}

// The latest events are rendered as they would go out after the change, and compared with how they go out now.
func TestDiff(t *testing.T) {
	w := staffed(t, templateOfFile(t, "todo.yaml"))
	events, err := offline.ReadEvents("testdata/event.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	later := events[0]
	later.ID, later.Item.ID, later.Item.Receivers = "2", "T-0002", []scenario.Person{{Account: "1020"}}
	w.serve("hq-dispatcher-0", bundle.PortLocal, map[string]any{lookup.PathRecent: jsonLines(t, lookup.Event{AcceptedAt: at(0), Event: events[0]})})
	w.serve("hq-dispatcher-1", bundle.PortLocal, map[string]any{lookup.PathRecent: jsonLines(t, lookup.Event{AcceptedAt: at(1), Event: later})})
	a := w.run("diff", "hq", "-f", "testdata/changed.yaml")
	a.out = revision.ReplaceAllString(a.out, "@…")
	golden(t, "diff", a)
	if a := w.run("diff", "-f", "testdata/changed.yaml", "--last", "1", "-o", "json"); a.code != 0 || a.out != "[]\n" {
		t.Errorf("of the unbound person nothing differs: %+v", a)
	}
	if a := w.run("diff", "-f", "testdata/changed.yaml", "--event", "testdata/event.json", "-o", "json"); a.code != exitNone || strings.Count(a.out, `"before"`) != 2 {
		t.Errorf("%+v", a)
	}
	if a := w.run("diff", "-f", "../../config/samples/accounts.yaml"); a.code != 0 || a.out != "0 of 3 deliveries would go out differently\n" {
		t.Errorf("%+v", a)
	}
	for args, words := range map[string]string{
		"diff": "which change?", "diff -f testdata/nowhere.yaml": "the change is wrong: 1 finding", "diff -f x --last 0": "--last",
		"diff -f - --event -": "cannot both", "diff -f testdata/changed.yaml --event testdata/staff.csv": "--event",
	} {
		if a := w.run(strings.Fields(args)...); a.code != exitUsage || !strings.Contains(a.errors, words) {
			t.Errorf("%s: %+v", args, a)
		}
	}
}

// A test item is sent, its request, answer, verdict and link are shown, and it is withdrawn.
func TestSendTest(t *testing.T) {
	w := staffed(t)
	var asked []lookup.TestEvent
	send := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var e lookup.TestEvent
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Error(err)
		}
		asked = append(asked, e)
		rw.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(rw).Encode(lookup.TestAccepted{EventID: e.ItemID + "-" + string(e.Action)})
	})
	// The second look finds the end.
	looks := 0
	trace := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, d, refused := steps()
		e := asked[len(asked)-1]
		d.Request = `{"taskId":"` + e.ItemID + `","url":"https://sso.oabridge.test/SeeYon/AccountObj/oab-test/714439/false","title":"测试"}`
		out := lookup.Delivery{Kind: e.Kind, ItemID: e.ItemID, Action: e.Action, EventID: r.URL.Query().Get(lookup.ParamEvent), Receiver: e.Receiver, ReceiverOA: "wangfang", State: lookup.Waiting}
		if looks++; looks > 1 {
			out.State, out.Steps = "Delivered", []record.Record{d}
		}
		if e.Receiver == "1003" {
			out.State, out.Steps = "Dead", []record.Record{refused}
		}
		_ = json.NewEncoder(rw).Encode(out)
	})
	w.serve("hq-dispatcher-0", bundle.PortLocal, map[string]any{lookup.PathTestEvents: send, lookup.PathTrace: trace})
	w.serve("hq-dispatcher-1", bundle.PortLocal, map[string]any{lookup.PathTrace: ""})
	golden(t, "send-test", w.run("send-test", "hq", "--to", "1002", "--cleanup", "--item", "oab-test-k3v9x0q2ab"))
	a := w.run("send-test", "hq", "--to", "1002", "--object", "QuoteObj/5f3c2ab1")
	a.out, a.errors = strings.ReplaceAll(a.out, asked[1].ItemID, "oab-test-k3v9x0q2ab"), strings.ReplaceAll(a.errors, asked[1].ItemID, "oab-test-k3v9x0q2ab")
	golden(t, "send-test-stays", a)
	if a := w.run("send-test", "--to", "1002", "--cleanup", "-o", "json"); a.code != 0 || strings.Count(a.out, `"state": "Delivered"`) != 2 {
		t.Errorf("%+v", a)
	}
	if a := w.run("send-test", "--to", "1003"); a.code != exitOther || !strings.Contains(a.out, "Dead, BusinessCode: the OA refused it") {
		t.Errorf("%+v", a)
	}
	if len(asked) != 5 || asked[0].Action != scenario.Delete || asked[1].Object.ID != "5f3c2ab1" || asked[2].Action != scenario.Create || asked[3].Action != scenario.Delete || asked[3].ItemID != asked[2].ItemID {
		t.Errorf("asked %+v", asked)
	}
	for args, words := range map[string]string{
		"send-test": "to whom?", "send-test --to 1 --kind Memo": "is no kind of item", "send-test --to 1 --kind Reminder --cleanup": "what is no to-do stays",
		"send-test --to 1 --object x": "not apiName/id", "send-test --to 1 --item oab-test-1": "--item is for --cleanup",
	} {
		if a := w.run(strings.Fields(args)...); a.code != exitUsage || !strings.Contains(a.errors, words) {
			t.Errorf("%s: %+v", args, a)
		}
	}
	looks = -1000
	if a := w.run("send-test", "--to", "1002", "--timeout", "50ms"); a.code != exitOther || !strings.Contains(a.errors, " has not ended within 50ms") {
		t.Errorf("%+v", a)
	}
}

// A scenario that a change adds or takes away is a difference too, for each of its receivers.
func TestDiffOfScenarios(t *testing.T) {
	was := []offline.Rendered{{Receiver: "1002", Method: "POST", URL: "/a"}, {Receiver: "1002", Scenario: "gone", Method: "POST", URL: "/b"}}
	is := []offline.Rendered{{Receiver: "1002", Scenario: "new", Method: "POST", URL: "/c"}, {Receiver: "1002", Method: "POST", URL: "/a"}}
	got := paired(crm.Event{Kind: crm.Todo}, was, is)
	if len(got) != 3 || !got[0].same() || got[1].same() || got[1].After.Nothing != "there is no such scenario for the kind Todo" || got[2].Before.Nothing == "" || got[2].After.URL != "/c" {
		t.Errorf("%+v", got)
	}
}

// An event that goes to several scenarios has ended when all of its deliveries have, and is well when all are delivered.
func TestVerdict(t *testing.T) {
	states := func(all ...string) (out []sent) {
		for _, s := range all {
			out = append(out, sent{Delivery: lookup.Delivery{ItemID: "oab-test-1", State: s}})
		}
		return out
	}
	for _, c := range []struct {
		all   []sent
		ended bool
		words string
	}{
		{states("Delivered", "Waiting"), false, ""}, {states("Dead", "Retrying"), false, ""}, {states("Delivered", "Delivered"), true, ""},
		{states("Delivered", "Held"), true, "oab-test-1 was not delivered: Held"}, {states("Skipped", "Dead"), true, "oab-test-1 was not delivered: Skipped"},
	} {
		ended, err := verdict(c.all)
		if ended != c.ended || (ended && c.words == "" && err != nil) || (c.words != "" && (err == nil || err.Error() != c.words)) {
			t.Errorf("%+v: %v, %v", c.all, ended, err)
		}
	}
}
