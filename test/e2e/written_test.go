package e2e

import (
	"fmt"
	"io"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/test/canary"
	"github.com/oabridge/oabridge/test/stage"
)

// canaries are secrets that the tests before this one used, by what they are.
var canaries = map[string]string{"a wrong password": "wrong-" + "password-canary"}

// Nothing secret is in any log, object, Event, metric, report or record, in whatever spelling (the last test of the package: it
// reads what the others left).
func TestZNothingSecretWasWritten(t *testing.T) { // TM-22
	ctx := bounded(t)
	must(t, ready(ctx))

	theFleet(ctx, t)
	for _, namespace := range []string{stage.Namespace, stage.Fleet} {
		var secrets corev1.SecretList
		must(t, scene.List(ctx, &secrets, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelCredentials: "true"}))
		for _, s := range secrets.Items {
			for key, value := range s.Data {
				switch key {
				case v1alpha1.KeyUsername, v1alpha1.KeyAppID, v1alpha1.KeyCA:
					continue // names and certificates are no secrets
				}
				text := strings.TrimSpace(string(value))
				if lines := strings.Split(text, "\n"); len(lines) > 2 { // PEM: a line of its body
					text = lines[1]
				}
				canaries["key "+key+" of secret "+namespace+"/"+s.Name] = text
			}
		}
	}

	var book canary.Book
	for what, secret := range canaries {
		if secret == "" {
			t.Errorf("%s is empty: there is nothing to search for", what)
			continue
		}
		book.Note(what, secret)
	}
	keep := func(where, text string, err error) {
		must(t, err)
		if text == "" {
			t.Errorf("%s is empty: there is nothing to search", where)
		}
		_, _ = io.WriteString(book.Writer(where), text)
	}
	read := func(name string, args ...string) {
		out, err := scene.Kubectl(ctx, args...)
		keep(name, out, err)
	}
	// The simulators are the other side: they know the password, of course.
	for _, namespace := range []string{stage.Namespace, stage.Fleet, stage.OperatorNamespace} {
		read("objects of "+namespace, "-n", namespace, "get",
			"oac,st,ab,configmap,deployment,replicaset,pod,service,ingress,pvc,serviceaccount,pdb,lease", "-o", "yaml", "--show-managed-fields")
		read("events of "+namespace, "-n", namespace, "get", "events", "-o", "yaml")
		var pods corev1.PodList
		must(t, scene.List(ctx, &pods, client.InNamespace(namespace)))
		for _, pod := range pods.Items {
			if pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning {
				continue // one that the test before is taking away
			}
			read("log of "+pod.Name, "-n", namespace, "logs", pod.Name)
			if namespace == stage.OperatorNamespace {
				read("metrics of "+pod.Name, "get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8080/proxy/metrics", namespace, pod.Name))
				continue
			}
			for _, path := range []string{"metrics", "report"} {
				read(path+" of "+pod.Name, "get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8081/proxy/%s", namespace, pod.Name, path))
			}
		}
	}
	var connectors v1alpha1.OAConnectorList
	must(t, scene.List(ctx, &connectors))
	found := map[string]int{}
	for _, c := range connectors.Items {
		for _, kind := range []string{"records", "dead", "signins"} {
			if kind == "signins" && c.Spec.SSO.Mode == "" {
				continue
			}
			out, err := scene.Oab(ctx, kind, c.Name, "-n", c.Namespace, "-o", "json", "--limit", "1000")
			if err != nil && strings.Contains(err.Error(), " has no ") {
				continue
			}
			found[kind]++
			keep(kind+" of "+c.Namespace+"/"+c.Name, out, err)
		}
	}
	if len(found) != 3 {
		t.Errorf("there is not one of each to search: %v", found)
	}
	for _, leak := range book.Found() {
		t.Error(leak)
	}
}
