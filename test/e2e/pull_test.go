package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/stage"
)

// A Seeyon that asks reads the list of open to-dos at the gateway's host, behind an Ingress and behind a Gateway, where
// everything else of the host is the gateway's (F86, F90).
func TestSeeyonReadsItsListBehindEitherProxy(t *testing.T) {
	if os.Getenv("CLUSTER") == "current" {
		t.Skip("another cluster has Gateways of its own; this machine's own has the class oabridge")
	}
	ctx := within(t, 6*time.Minute)
	theFleet(ctx, t)
	const token = "pull-token-of-the-trial-2026"
	canaries["the token of the list"] = token
	key := client.ObjectKey{Namespace: stage.Fleet, Name: "seeyon"}
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: "seeyon-pull", Labels: map[string]string{v1alpha1.LabelCredentials: "true"}},
		StringData: map[string]string{v1alpha1.KeyToken: token},
	}
	must(t, client.IgnoreAlreadyExists(scene.Create(ctx, s)))
	patch := func(ctx context.Context, operations string) {
		t.Helper()
		_, err := scene.Kubectl(ctx, "-n", key.Namespace, "patch", "oac", key.Name, "--type=json", "-p", "["+operations+"]")
		must(t, err)
	}
	var before v1alpha1.OAConnector
	must(t, scene.Get(ctx, key, &before))
	patch(ctx, `{"op":"add","path":"/spec/seeyon/mode","value":"Both"},{"op":"add","path":"/spec/seeyon/pull","value":{"tokenSecretRef":{"name":"seeyon-pull"}}}`)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(ctx)
		seeyon, err := json.Marshal(before.Spec.Seeyon)
		must(t, err)
		patch(ctx, `{"op":"replace","path":"/spec/seeyon","value":`+string(seeyon)+`},`+
			`{"op":"replace","path":"/spec/sso/exposure","value":{"type":"Ingress","tls":{"secretName":"tls"}}}`)
		must(t, scene.DeleteGateway(ctx))
		must(t, scene.Delete(ctx, s))
	})
	_, err := scene.Await(ctx, key, 2*time.Minute, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	must(t, err)
	run, err := scene.EmitTo(ctx, key, crm.Emission{Workload: crm.Workload{Seed: 4, Events: 12, ToDos: 4, Prefix: fmt.Sprintf("list-%d", time.Now().Unix())}})
	must(t, err)
	want := stage.Clickable(mustRun(ctx, t, run))

	must(t, stage.Until(ctx, func() error { return listed(ctx, token, want) }))
	if err := listed(ctx, "somebody's", want); err == nil {
		t.Error("the list is there for everybody")
	}
	must(t, scene.ApplyGateway(ctx, "All"))
	patch(ctx, `{"op":"replace","path":"/spec/sso/exposure","value":{"type":"HTTPRoute","parentRefs":[{"name":"public","namespace":"`+stage.GatewayNamespace+`","sectionName":"tls"}]}}`)
	_, err = scene.Await(ctx, key, time.Minute, v1alpha1.ConditionExposed, metav1.ConditionTrue, v1alpha1.ReasonExposed)
	must(t, err)
	goneIn(ctx, t, "ingress", member(t, "seeyon"))
	must(t, stage.Until(ctx, func() error { return listed(ctx, token, want) }))
	if err := listed(ctx, "somebody's", want); err == nil {
		t.Error("the list is there for everybody")
	}
}

// listed is nil when the list at the public address has a person's to-do.
func listed(ctx context.Context, token string, want crm.Expected) error {
	at := url.URL{Scheme: "https", Host: "seeyon-" + stage.HostSSO, Path: "/seeyon/pendings"}
	at.RawQuery = url.Values{"registerCode": {"3005"}, "account": {want.OALogin}, "limit": {"1000"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	browser := scene.HTTP()
	defer browser.CloseIdleConnections()
	resp, err := browser.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%d %.300s %w", resp.StatusCode, text, err)
	}
	var page struct {
		PendingList []struct{ TaskID string } `json:"pendingList"`
	}
	if err := json.Unmarshal(text, &page); err != nil {
		return err
	}
	for _, item := range page.PendingList {
		if item.TaskID == want.ToDo {
			return nil
		}
	}
	return fmt.Errorf("%s is not among the %d items of %s", want.ToDo, len(page.PendingList), want.OALogin)
}
