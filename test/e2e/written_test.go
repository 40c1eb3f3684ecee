package e2e

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/test/stage"
)

// canaries are secrets that the tests before this one used, by what they are.
var canaries = map[string]string{"a wrong password": "wrong-" + "password-canary"}

// Nothing secret is in any log, object, Event, metric or report (the last test of the package: it reads what the others
// left).
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

	written := map[string]string{}
	read := func(name string, args ...string) {
		out, err := scene.Kubectl(ctx, args...)
		must(t, err)
		written[name] = out
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
	for where, text := range written {
		if text == "" {
			t.Errorf("%s is empty: there is nothing to search", where)
		}
		for what, secret := range canaries {
			if secret == "" {
				t.Errorf("%s is empty: there is nothing to search for", what)
			} else if strings.Contains(text, secret) {
				t.Errorf("%s is in %s", what, where)
			}
		}
	}
}
