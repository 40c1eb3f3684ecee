package gitops

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

const root = "../.."

// kinds that people commit.
var kinds = []string{"OAConnector", "ScenarioTemplate", "AccountBinding", "Replay"}

type condition struct {
	kind, status, reason, message string
	since                         time.Duration
}

func object(kind string, generation, observed int64, deleting bool, conditions ...condition) *unstructured.Unstructured {
	metadata := map[string]any{"name": "hq", "namespace": "crm", "generation": generation}
	if deleting {
		metadata["deletionTimestamp"] = "2026-11-26T08:00:00Z"
	}
	var list []any
	for _, c := range conditions {
		list = append(list, map[string]any{
			"type": c.kind, "status": c.status, "reason": c.reason, "message": c.message,
			"lastTransitionTime": time.Now().Add(-c.since).UTC().Format(time.RFC3339),
		})
	}
	stat := map[string]any{"observedGeneration": observed}
	if list != nil {
		stat["conditions"] = list
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "oabridge.dev/v1alpha1", "kind": kind, "metadata": metadata, "status": stat,
	}}
}

func conditions(ready, reconciling, stalled condition) []condition {
	ready.kind, reconciling.kind, stalled.kind = "Ready", "Reconciling", "Stalled"
	return []condition{ready, reconciling, stalled}
}

var (
	yes = condition{status: "True", reason: "Ready", message: "all is well"}
	no  = condition{status: "False", reason: "Ready", message: "nothing"}
)

// A pipeline sees each state of an object as it is meant, in all three tools.
func TestHealth(t *testing.T) {
	argo, err := ReadArgoCD(root)
	if err != nil {
		t.Fatal(err)
	}
	flux, err := ReadFlux(root)
	if err != nil {
		t.Fatal(err)
	}
	down := condition{status: "False", reason: "OADown", message: "nothing listens at the OA's port"}
	long := down
	long.since = 11 * time.Minute
	password := condition{status: "False", reason: "TokenRejected", message: "check the password"}
	suspended := condition{status: "False", reason: "Suspended", message: "suspended by spec"}
	missing := condition{status: "False", reason: "SecretNotFound", message: "no Secret hq-seeyon"}
	for name, c := range map[string]struct {
		generation, observed int64
		deleting             bool
		conditions           []condition
		argo, message        string
		flux, kstatus        string
	}{
		"just created":                {1, -1, false, nil, "Progressing", "waiting for the operator", "InProgress", "InProgress"},
		"changed a moment ago":        {3, 2, false, conditions(yes, no, no), "Progressing", "waiting for the operator", "InProgress", "InProgress"},
		"ready":                       {2, 2, false, conditions(yes, no, no), "Healthy", "all is well", "Current", "Current"},
		"waits for a Secret":          {2, 2, false, conditions(missing, condition{status: "True", reason: "Progressing", message: "waits"}, no), "Progressing", "waits", "InProgress", "InProgress"},
		"must be changed":             {2, 2, false, conditions(missing, no, condition{status: "True", reason: "SpecInvalid", message: "correct spec.type"}), "Degraded", "correct spec.type", "Failed", "Failed"},
		"the OA is down":              {2, 2, false, conditions(down, no, no), "Healthy", "events are kept meanwhile: nothing listens at the OA's port", "Current", "InProgress"},
		"the OA is down for long":     {2, 2, false, conditions(long, no, no), "Degraded", "nothing listens at the OA's port", "Current", "InProgress"},
		"the OA refuses the password": {2, 2, false, conditions(password, no, no), "Degraded", "check the password", "InProgress", "InProgress"},
		"suspended":                   {2, 2, false, conditions(suspended, no, no), "Suspended", "suspended by spec", "Current", "InProgress"},
		"being deleted":               {2, 2, true, conditions(condition{status: "False", reason: "Deleting", message: "412 left"}, condition{status: "True", reason: "Deleting", message: "412 left"}, no), "Progressing", "412 left", "InProgress", "Terminating"},
	} {
		for _, kind := range kinds {
			t.Run(name+" "+kind, func(t *testing.T) {
				o := object(kind, c.generation, c.observed, c.deleting, c.conditions...)
				health, message, err := argo.Health(o)
				if err != nil {
					t.Fatal(err)
				}
				if health != c.argo || message != c.message {
					t.Errorf("Argo CD shows %s (%s), want %s (%s)", health, message, c.argo, c.message)
				}
				state, err := flux.Status(o)
				if err != nil {
					t.Fatal(err)
				}
				if state != c.flux {
					t.Errorf("for Flux it is %s, want %s", state, c.flux)
				}
				result, err := status.Compute(o)
				if err != nil {
					t.Fatal(err)
				}
				if result.Status.String() != c.kstatus {
					t.Errorf("for kstatus it is %s, want %s", result.Status, c.kstatus)
				}
			})
		}
	}
}

// The zone of Argo CD's pod does not move the ten minutes.
func TestOutageInAnotherZone(t *testing.T) {
	argo, err := ReadArgoCD(root)
	if err != nil {
		t.Fatal(err)
	}
	here := time.Local
	defer func() { time.Local = here }()
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("CST", 8*3600), time.FixedZone("PST", -8*3600)} {
		time.Local = zone
		for since, want := range map[time.Duration]string{9 * time.Minute: "Healthy", 11 * time.Minute: "Degraded"} {
			down := condition{status: "False", reason: "OADown", message: "down", since: since}
			health, _, err := argo.Health(object("OAConnector", 1, 1, false, conditions(down, no, no)...))
			if err != nil || health != want {
				t.Errorf("%s, down for %s: %s %v, want %s", zone, since, health, err, want)
			}
		}
	}
}

// A script that asks for more than Argo CD gives fails here too.
func TestScriptsHaveNoMoreThanInArgoCD(t *testing.T) {
	for _, script := range []string{`return os.time()`, `return string.format("%d", 1)`, `return require("os").getenv("HOME")`, `return io.open("/etc/passwd")`} {
		if _, _, err := (ArgoCD{"Replay": script}).Health(object("Replay", 1, 1, false)); err == nil {
			t.Errorf("%s worked", script)
		}
	}
}
