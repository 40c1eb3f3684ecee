package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/audit"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/report"
)

var update = flag.Bool("update", false, "write the golden files")

// TestMain makes English what the tests ask in, wherever they run.
func TestMain(m *testing.M) {
	if err := os.Setenv("LC_ALL", "C"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

var shanghai = time.FixedZone("CST", 8*60*60)

// morning is when people ask.
var morning = time.Date(2026, 11, 22, 10, 30, 0, 0, shanghai)

// at is a time of that morning, in seconds after 9:30.
func at(seconds float64) time.Time {
	return time.Date(2026, 11, 22, 9, 30, 0, 0, shanghai).Add(time.Duration(seconds * float64(time.Second)))
}

// world is a cluster with a connector and its pods; each dispatcher knows some records.
type world struct {
	t      *testing.T
	access access
	// ports are the servers of the pods, by pod/port.
	ports map[string]string
	// asked are the requests to dispatchers, which are asked at the same time.
	mu    sync.Mutex
	asked []string
}

// newWorld has the connector hq with two dispatchers and a gateway.
func newWorld(t *testing.T, more ...client.Object) *world {
	w := &world{t: t, ports: map[string]string{}}
	objects := append([]client.Object{connector("hq"), pod("hq-dispatcher-0", v1alpha1.ComponentDispatcher), pod("hq-dispatcher-1", v1alpha1.ComponentDispatcher),
		pod("hq-gateway-0", v1alpha1.ComponentGateway)}, more...)
	w.access = access{
		WithWatch: fake.NewClientBuilder().WithScheme(newScheme()).WithObjects(objects...).WithStatusSubresource(&v1alpha1.Replay{}).Build(),
		namespace: "crm",
		reach: func(_ context.Context, pod *corev1.Pod, port int) (string, func(), error) {
			url, ok := w.ports[fmt.Sprint(pod.Name, "/", port)]
			if !ok {
				return "", nil, fmt.Errorf("port-forward to pod %s: connection refused", pod.Name)
			}
			return url, func() {}, nil
		},
	}
	return w
}

func connector(name string) *v1alpha1.OAConnector {
	c := &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: name}}
	c.Spec.Type, c.Spec.DataCenterID, c.Spec.Endpoint.URL = "Seeyon", "dc-1", "http://oa.corp.example:8080"
	yes, no := metav1.ConditionTrue, metav1.ConditionFalse
	c.Status.Conditions = []metav1.Condition{
		{Type: v1alpha1.ConditionReady, Status: yes, Reason: v1alpha1.ReasonReady, Message: "events are accepted and delivered"},
		{Type: v1alpha1.ConditionStalled, Status: no, Reason: v1alpha1.ReasonReady},
		{Type: v1alpha1.ConditionOAReachable, Status: yes, Reason: v1alpha1.ReasonReachable, Message: "the OA answers and accepts the account"},
		{Type: v1alpha1.ConditionDeliveryHealthy, Status: no, Reason: v1alpha1.ReasonDeadLetters, Message: "2 items are dead letters; kubectl oab dead lists them"},
	}
	c.Status.Delivery = v1alpha1.DeliveryStatus{
		Pending: ptr.To[int64](0), Held: ptr.To[int64](12), Dead: ptr.To[int64](2), Delivered: ptr.To[int64](3412), OldestTime: metav1.NewTime(morning.Add(-4 * time.Minute)),
		LastFailure: v1alpha1.FailureStatus{Time: metav1.NewTime(at(40)), Class: "BusinessCode", Message: "the OA refused it with success=false: 该待办不允许接收"},
	}
	c.Status.Problems = []v1alpha1.Problem{{
		Reason: v1alpha1.ReasonDeadLetters, Object: "OAConnector/hq", Key: v1alpha1.ConditionDeliveryHealthy,
		Message: "2 items are dead letters; kubectl oab dead lists them", Since: metav1.NewTime(morning.Add(-59 * time.Minute)),
	}, {
		Reason: v1alpha1.ReasonHeld, Object: "OAConnector/hq", Key: v1alpha1.ConditionDeliveryHealthy,
		Message: "12 items are held until the receiver is bound to an OA account", Since: metav1.NewTime(morning.Add(-4 * time.Minute)),
	}}
	c.Status.SLO = v1alpha1.SLOStatus{
		Objective: "99.9", Within: metav1.Duration{Duration: time.Minute}, Items: ptr.To[int64](410), InTime: "99.5", BurnRate: "4.9",
	}
	c.Status.Accounts = v1alpha1.AccountsStatus{Bound: ptr.To[int64](1247), Conflicts: ptr.To[int64](3)}
	c.Status.Addresses = v1alpha1.AddressStatus{
		Login:       "https://sso.crm.example/erp/syncdata/open/oa/authorizeWeb/SeeYon/login/714439/false",
		DomainFiles: []string{"https://sso.crm.example/a.txt", "https://sso.crm.example/b.txt"}, TrustedIPs: "203.0.113.7;203.0.113.8",
	}
	return c
}

func pod(name, component string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: name, Labels: map[string]string{
		v1alpha1.LabelConnector: "hq", v1alpha1.LabelComponent: component,
	}}}
	p.Status.Phase = corev1.PodRunning
	return p
}

// serve makes a port of a pod answer. Paths that are not given answer 404.
func (w *world) serve(pod string, port int, answers map[string]any) {
	mux := http.NewServeMux()
	for path, answer := range answers {
		mux.HandleFunc(path, func(rw http.ResponseWriter, r *http.Request) {
			w.mu.Lock()
			w.asked = append(w.asked, pod+" "+r.URL.RequestURI())
			w.mu.Unlock()
			switch v := answer.(type) {
			case http.HandlerFunc:
				v(rw, r)
			case string:
				_, _ = rw.Write([]byte(v))
			default:
				_ = json.NewEncoder(rw).Encode(v)
			}
		})
	}
	s := httptest.NewServer(mux)
	w.t.Cleanup(s.Close)
	w.ports[fmt.Sprint(pod, "/", port)] = s.URL
}

// jsonLines of an answer.
func jsonLines[T any](t *testing.T, lines ...T) string {
	t.Helper()
	var b bytes.Buffer
	for _, l := range lines {
		if err := json.NewEncoder(&b).Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// steps of a to-do that the OA took at the second attempt, and of one that it refused.
func steps() (timeout, delivered, refused record.Record) {
	base := record.Record{
		Seq: 7, Kind: "Todo", Source: "/crm/714439", EventID: "ev-0001", ItemID: "T-0001", Version: 3, EventTime: at(-2), Action: "create",
		Receiver: "1002", ReceiverOA: "lisi", Template: "oabridge-system/seeyon-todo", Revision: "9379cc11daa5", AcceptedAt: at(0),
		TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}
	timeout, delivered, refused = base, base, base
	timeout.Attempt, timeout.Outcome, timeout.Reason, timeout.Class = 1, record.Retrying, "Timeout", "Timeout"
	timeout.Message, timeout.At, timeout.RetryAt = "the OA did not answer within 15s: check the load of the OA and delivery.timeout", at(15.02), at(20.02)
	timeout.Method, timeout.URL, timeout.LatencyMS = "POST", "http://oa.corp.example:8080/seeyon/rest/thirdpartyPending/receive?token=***", 15000
	timeout.Request = `{"taskId":"T-0001","title":"张三 提交 报价单"}`
	delivered.Attempt, delivered.Outcome, delivered.At = 2, record.Delivered, at(20.14)
	delivered.Method, delivered.URL, delivered.Status, delivered.LatencyMS = "POST", timeout.URL, 200, 118.4
	delivered.Request, delivered.Answer = timeout.Request, "{\n  \"success\": true\n}"
	refused.Seq, refused.EventID, refused.ItemID, refused.Receiver, refused.ReceiverOA = 9, "ev-0002", "T-0002", "1003", "王五"
	refused.Attempt, refused.Outcome, refused.Reason, refused.Class = 1, record.Dead, "BusinessCode", "BusinessCode"
	refused.Message, refused.At, refused.AcceptedAt, refused.Status, refused.LatencyMS = "the OA refused it with success=false:\n该待办不允许接收", at(40), at(39), 200, 9.25
	refused.Method, refused.URL, refused.Answer = "POST", timeout.URL, `{"success":false,"errorMsgs":"该待办不允许接收"}`
	return timeout, delivered, refused
}

// signIns of three people: one is let in, one is not bound, and one clicks a link twice.
func signIns() (let, unbound, spent audit.SignIn) {
	let = audit.SignIn{
		ID: strings.Repeat("0a", 16), At: at(60), Mode: "App", Provider: "b", Code: "OK", OAAccount: "b/lisi", CRMAccount: "1002", Trace: "4bf92f3577b34da6a3ce929d0e0e4736",
		IP: "203.0.113.20", UserAgent: "Mozilla/5.0 (iPhone) wxwork/4.1.22", Page: "record", APIName: "QuoteObj", DataID: "5f3c2ab1", Client: "H5",
	}
	unbound, spent = let, let
	unbound.ID, unbound.At, unbound.Code, unbound.Reason, unbound.OAAccount, unbound.CRMAccount = strings.Repeat("0b", 16), at(90), "SSO-1101", "Unbound", "b/王五", ""
	unbound.Detail, unbound.Trace = "no AccountBinding of this connector has the OA account", "0af7651916cd43dd8448eb211c80319c"
	spent.ID, spent.At, spent.Code, spent.Reason, spent.OAAccount, spent.CRMAccount = strings.Repeat("0c", 16), at(75), "SSO-1003", "TicketReused", "", ""
	spent.Detail, spent.Trace, spent.Page, spent.APIName, spent.DataID = "the proof was used at this gateway before", "7d3cdcb1ad9b40c7a1f46b8cf2b6e0d9", "home", "", ""
	return let, unbound, spent
}

// stocked is a world whose dispatchers tell that story, each its part.
func stocked(t *testing.T, more ...client.Object) *world {
	w := newWorld(t, more...)
	timeout, delivered, refused := steps()
	let, unbound, spent := signIns()
	w.serve("hq-dispatcher-0", bundle.PortLocal, map[string]any{
		lookup.PathRecords: jsonLines(t, lookup.Record{Record: timeout}, lookup.Record{Record: delivered}),
		lookup.PathTrace: jsonLines(t, lookup.Delivery{
			Seq: 7, Kind: "Todo", ItemID: "T-0001", Action: "create", Version: 3, EventID: "ev-0001", EventTime: at(-2), TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
			Receiver: "1002", ReceiverOA: "lisi", AcceptedAt: at(0), State: "Delivered", Steps: []record.Record{timeout, delivered},
		}, lookup.Delivery{
			Seq: 12, Kind: "Todo", ItemID: "T-0001", Action: "complete", EventID: "ev-0009", Receiver: "1002", AcceptedAt: at(3000), State: lookup.Waiting,
			Note: "it goes out when the OA takes deliveries again: nothing listens at oa.corp.example:8080",
		}),
		lookup.PathDead:    "",
		lookup.PathSignIns: jsonLines(t, let, unbound),
		lookup.PathSummary: lookup.Summary{SignIns: map[string]int64{"OK": 1, "SSO-1101": 1}, Outcomes: map[record.Outcome]int64{record.Delivered: 400, record.Retrying: 9}, DeliveredLate: 9, P50: 180, P95: 640, P99: 2100},
	})
	w.serve("hq-dispatcher-1", bundle.PortLocal, map[string]any{
		lookup.PathRecords: jsonLines(t, lookup.Record{Partition: 1, Record: refused}),
		lookup.PathTrace: jsonLines(t, lookup.Delivery{
			Partition: 1, Seq: 9, Kind: "Todo", ItemID: "T-0001", Action: "create", Version: 3, EventID: "ev-0002", Receiver: "1003", ReceiverOA: "王五", AcceptedAt: at(0.01),
			State: "Dead", Digest: at(600), Steps: []record.Record{refused},
		}, lookup.Delivery{
			Partition: 1, Seq: 15, Kind: "Todo", ItemID: "T-0001", Action: "create", Version: 3, EventID: "ev-0002", Receiver: "1003", AcceptedAt: at(3100),
			State: lookup.Waiting, Note: "its turn comes at once", Replay: "5d1c/1", ReplayOf: 9,
		}),
		lookup.PathDead:    jsonLines(t, lookup.Letter{Partition: 1, Record: refused}),
		lookup.PathSignIns: jsonLines(t, let, spent),
		lookup.PathSummary: lookup.Summary{SignIns: map[string]int64{"OK": 40, "SSO-1003": 1}, Outcomes: map[record.Outcome]int64{record.Delivered: 12, record.Dead: 2}, DeadReasons: map[string]int64{"BusinessCode": 2}, P50: 90, P95: 700, P99: 900},
	})
	sent := at(600)
	w.serve("hq-dispatcher-0", bundle.PortAdmin, map[string]any{"/report": report.Report{
		Delivery: &report.Delivery{Held: 12, HeldReasons: map[string]int64{"Unbound": 12}}, Store: &report.Store{}, Notifications: &report.Notifications{LastSent: &sent},
	}})
	w.serve("hq-dispatcher-1", bundle.PortAdmin, map[string]any{"/report": report.Report{
		Delivery: &report.Delivery{}, Store: &report.Store{Records: "the database of the index does not answer"},
	}})
	w.serve("hq-gateway-0", bundle.PortAdmin, map[string]any{"/metrics": "# TYPE oabridge_sso_logins_total counter\n" +
		`oabridge_sso_logins_total{outcome="OK"} 312` + "\n" + `oabridge_sso_logins_total{outcome="BEGUN"} 320` + "\n" + `oabridge_sso_logins_total{outcome="SSO-1003"} 3` + "\n" + `oabridge_sso_logins_total{outcome="SSO-1101"} 1` + "\n"})
	return w
}

// revision of a template: it changes with the API.
var revision = regexp.MustCompile(`@[0-9a-f]{12}`)

// answer of a command line.
type answer struct {
	line        string
	code        int
	out, errors string
}

func (w *world) run(args ...string) answer {
	w.t.Helper()
	return w.runWith(func() (*access, error) { return &w.access, nil }, args...)
}

func (w *world) runWith(connect func() (*access, error), args ...string) answer {
	w.t.Helper()
	var out, problems bytes.Buffer
	a := newApp(os.Stdout, os.Stderr)
	a.out, a.errors, a.now, a.zone, a.colour, a.live = &out, &problems, func() time.Time { return morning }, shanghai, false, false
	a.connect = connect
	code := a.run(w.t.Context(), args)
	// Files of the tests are shown as if they lay where the person is.
	line := strings.ReplaceAll(strings.Join(args, " "), "testdata/", "")
	return answer{line, code, out.String(), problems.String()}
}

// alone runs a command line where there is no cluster.
func alone(t *testing.T, args ...string) answer {
	t.Helper()
	w := world{t: t}
	return w.runWith(func() (*access, error) { return nil, errors.New("a cluster was asked for") }, args...)
}

// golden compares a command line and its answer with testdata/<name>.golden.
func golden(t *testing.T, name string, got answer) {
	t.Helper()
	text := "$ kubectl oab " + got.line + "\n" + got.out
	if got.errors != "" {
		text += "-- stderr --\n" + got.errors
	}
	if got.code != 0 {
		text += fmt.Sprintf("-- exit %d --\n", got.code)
	}
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); diff != "" {
		t.Errorf("%s (-want +got); go test ./cmd/kubectl-oab -update writes it:\n%s", file, diff)
	}
}
