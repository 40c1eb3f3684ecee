package main

import (
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
)

// What each command prints, joined from all dispatchers.
func TestAnswers(t *testing.T) {
	for name, args := range map[string]string{
		"records": "records hq --since 2h", "records-wide": "records -o wide", "records-limit": "records --limit 2", "records-yaml": "records --limit 1 -o yaml",
		"signins": "signins hq --since 2h", "signins-wide": "signins -o wide", "signins-limit": "signins --limit 1", "signins-json": "signins -o json --limit 1", "signins-yaml": "signins -o yaml --limit 1",
		"dead": "dead hq --class BusinessCode", "dead-json": "dead -o json",
		"trace": "trace T-0001", "trace-wide": "trace T-0001 hq -o wide", "trace-none": "trace",
		"status":            "status hq",
		"unknown-connector": "records branch", "unknown-flag": "records --itme T-1", "format": "dead -o xml", "too-many": "status a b",
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, stocked(t).run(strings.Fields(args)...)) })
	}
}

// The flags become the parameters that the dispatcher knows.
func TestParameters(t *testing.T) {
	w := stocked(t)
	w.run("records", "hq", "--item", "T-1,T-2", "--item", "T-3", "--receiver", "lisi", "--kind", "Todo", "--outcome", "Dead", "--reason", "Expired", "--class", "Timeout",
		"--event", "ev-1", "--trace", strings.Repeat("a", 32), "--replay", "u/1", "--since", "2h", "--until", "1h", "--limit", "5")
	slices.Sort(w.asked)
	want := "hq-dispatcher-0 /records?class=Timeout&eventID=ev-1&item=T-1&item=T-2&item=T-3&kind=Todo&limit=5&outcome=Dead&reason=Expired&receiver=lisi&replay=u%2F1&since=2h&traceID=" +
		strings.Repeat("a", 32) + "&until=1h"
	if len(w.asked) != 2 || w.asked[0] != want {
		t.Errorf("asked %q", w.asked)
	}
	w = stocked(t)
	w.run("signins", "hq", "--account", "lisi", "--crm-account", "1002", "--code", "OK,SSO-1101", "--mode", "App", "--trace", "a3ce929d0e0e", "--since", "2h", "--until", "1h", "--limit", "5")
	slices.Sort(w.asked)
	want = "hq-dispatcher-0 /signins?account=lisi&code=OK&code=SSO-1101&crmAccount=1002&limit=5&mode=App&since=2h&trace=a3ce929d0e0e&until=1h"
	if len(w.asked) != 2 || w.asked[0] != want {
		t.Errorf("asked %q", w.asked)
	}
}

// Whatever a dispatcher can be asked is a flag: with all flags set, all parameters are in the question.
func TestEveryParameterIsAFlag(t *testing.T) {
	for path, command := range map[string]string{lookup.PathRecords: "records", lookup.PathDead: "dead", lookup.PathTrace: "trace", lookup.PathSignIns: "signins"} {
		w := stocked(t)
		root := newApp(os.Stdout, os.Stderr).newRootCommand()
		cmd, _, err := root.Find([]string{command})
		if err != nil {
			t.Fatal(err)
		}
		args := []string{command}
		if command == "trace" {
			args = append(args, "T-0001")
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			switch {
			case f.Name == "output":
			case f.Value.Type() == "int":
				args = append(args, "--"+f.Name, "5")
			default:
				args = append(args, "--"+f.Name, "1h")
			}
		})
		w.run(args...)
		if len(w.asked) == 0 {
			t.Fatalf("%s: nobody was asked", command)
		}
		_, query, _ := strings.Cut(w.asked[0], "?")
		asked, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		for _, parameter := range lookup.Parameters[path] {
			if parameter != lookup.ParamCursor && !asked.Has(parameter) {
				t.Errorf("kubectl oab %s has no flag for %s: %v", command, parameter, w.asked[0])
			}
		}
	}
}

// Nothing found is exit code 1, also when the connectors have to be named.
func TestNothing(t *testing.T) {
	w := newWorld(t)
	for _, pod := range []string{"hq-dispatcher-0", "hq-dispatcher-1"} {
		w.serve(pod, bundle.PortLocal, map[string]any{lookup.PathRecords: "", lookup.PathDead: "", lookup.PathTrace: "", lookup.PathSignIns: ""})
	}
	for args, words := range map[string]string{
		"records":          `connector "hq" has no such records`,
		"dead --since 24h": `connector "hq" has no such dead letters`,
		"signins":          `connector "hq" has no such sign-ins`,
		"trace T-9":        `connector "hq" knows nothing of T-9`,
		"status branch":    `there is no connector "branch" in namespace "crm"`,
	} {
		if a := w.run(strings.Fields(args)...); a.code != exitNone || !strings.Contains(a.errors, words) || a.out != "" {
			t.Errorf("%s: %+v", args, a)
		}
	}
	w = newWorld(t, connector("branch"))
	if a := w.run("dead"); a.code != exitUsage || !strings.Contains(a.errors, "name one of branch, hq") {
		t.Errorf("%+v", a)
	}
}

// A dispatcher that does not answer is said; what the others know is shown, and the exit code tells.
func TestPartly(t *testing.T) {
	w := stocked(t)
	delete(w.ports, "hq-dispatcher-1/8083")
	golden(t, "partly", w.run("records"))
	delete(w.ports, "hq-dispatcher-0/8083")
	if a := w.run("records"); a.code != exitOther || !strings.Contains(a.errors, "port-forward to pod hq-dispatcher-0") {
		t.Errorf("%+v", a)
	}
	// status shows what the operator wrote down all the same.
	if a := w.run("status"); a.code != 0 || !strings.Contains(a.out, "Missing") || !strings.Contains(a.out, "delivered 3412") {
		t.Errorf("%+v", a)
	}
	for _, name := range []string{"hq-dispatcher-0", "hq-dispatcher-1"} {
		if err := w.access.Delete(t.Context(), pod(name, v1alpha1.ComponentDispatcher)); err != nil {
			t.Fatal(err)
		}
	}
	if a := w.run("trace", "T-1"); a.code != exitOther || !strings.Contains(a.errors, "kubectl -n crm describe oac hq says why") {
		t.Errorf("%+v", a)
	}
}

// A parameter that the dispatcher refuses is a matter of usage, in its words.
func TestRefusedParameter(t *testing.T) {
	w := newWorld(t)
	problem := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/problem+json")
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = rw.Write([]byte(`{"status":400,"title":"Bad Request","errors":[{"field":"since","cause":"it is neither a time nor a duration","nextStep":"give a time"}]}`))
	})
	for _, pod := range []string{"hq-dispatcher-0", "hq-dispatcher-1"} {
		w.serve(pod, bundle.PortLocal, map[string]any{lookup.PathRecords: problem})
	}
	if a := w.run("records", "--since", "soon"); a.code != exitUsage || a.errors != "since: it is neither a time nor a duration; give a time\n" {
		t.Errorf("%+v", a)
	}
}

// The shell completes connectors, words and replays.
func TestCompletion(t *testing.T) {
	w := newWorld(t, connector("branch"))
	for args, want := range map[string]string{
		"__complete records ":           "branch hq :4",
		"__complete trace T-1 ":         "branch hq :4",
		"__complete dead --kind ":       "Todo Reminder Subscription Alert :4",
		"__complete replay --template ": "current original :4",
		"__complete records -o ":        "table wide json yaml :4",
		"__complete records --outcome ": "Delivered Retrying Held Dead Skipped :4",
		"__complete status ":            "branch hq :4",
		"__complete capture ":           "branch hq :4",
		"__complete signins ":           "branch hq :4",
		"__complete diff ":              "branch hq :4",
		"__complete replay ":            "branch hq :4",
		"__complete send-test ":         "branch hq :4",
		"__complete bindings export ":   "branch hq :4",
	} {
		got := strings.Join(strings.Fields(w.run(strings.Split(args, " ")...).out), " ")
		if got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
	for args, want := range map[string]string{"__complete explain ": "SSO-1101", "__complete explain --oa WeCom ": "60020", "__complete signins --code ": "SSO-1101", "__complete signins --mode ": "PortalTicket"} {
		if got := strings.Fields(w.run(strings.Split(args, " ")...).out); !slices.Contains(got, want) {
			t.Errorf("%q: %q, want %s among them", args, got, want)
		}
	}
}

// Colours are for terminals, and leave the columns where they are.
func TestColours(t *testing.T) {
	a := &app{colour: true}
	if got := a.paint(colourOf("Dead"), "Dead"); got != "\x1b[31mDead\x1b[0m" {
		t.Errorf("%q", got)
	}
	if columns("王五 ab") != 7 {
		t.Error("Chinese characters take two columns")
	}
}
