package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// left are the Secrets of a deleted connector; the second one repeats a delivery of the first.
func left(t *testing.T) []client.Object {
	t.Helper()
	delivery := func(item string, action scenario.Action, typ string) record.Delivery {
		return record.Delivery{AcceptedAt: at(0), Event: crm.Event{
			ID: "e-" + item, Source: "/crm/714439", Type: "dev.oabridge.todo." + typ, Kind: crm.Todo, Action: action, Time: at(0), DataCenterID: "dc-1",
			Item: scenario.Item{ID: item, Version: 3, Subject: "提交 <b>", CreatedAt: at(0), EnterpriseID: "714439",
				Object: scenario.Object{APIName: "QuoteObj", ID: "5f3c"}, Sender: scenario.Person{Account: "1000", Name: "张三"}, Receivers: []scenario.Person{{Account: "1002", Name: "李四"}}},
		}}
	}
	secret := func(name string, all ...leftover) client.Object {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		for _, l := range all {
			if err := json.NewEncoder(z).Encode(l); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: name, Labels: map[string]string{v1alpha1.LabelLeftover: "old"}},
			Type: v1alpha1.SecretTypeLeftover, Data: map[string][]byte{v1alpha1.KeyLeftovers: b.Bytes()}}
	}
	waits := leftover{State: "Waiting", Delivery: delivery("T-1", scenario.Create, "created")}
	died := leftover{State: "Dead", Reason: "BusinessCode", Message: "该待办不允许接收", Delivery: delivery("T-2", scenario.Update, "updated")}
	return []client.Object{secret("old-leftover-1", waits, died), secret("old-leftover-2", waits),
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: "hq-events"}, Data: map[string][]byte{
			v1alpha1.KeyToken: []byte("0123456789abcdef0123"), v1alpha1.KeySigning: []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")}}}
}

// What a deleted connector left can be seen, and is sent to the one that took its place as the CRM would send it.
func TestLeftovers(t *testing.T) {
	w := newWorld(t, left(t)...)
	golden(t, "leftovers", w.run("leftovers", "old"))
	if got := w.run("__complete", "leftovers", ""); !strings.HasPrefix(got.out, "old\n:") {
		t.Errorf("%+v", got)
	}
	if got := w.run("leftovers", "nobody", "-n", "crm"); got.code == 0 || !strings.Contains(got.errors, "no deleted connector") {
		t.Errorf("%+v", got)
	}
	for name, source := range map[string]v1alpha1.Source{
		"token":     {TokenSecretRef: v1alpha1.SecretReference{Name: "hq-events"}},
		"signature": {SigningSecretRef: v1alpha1.SecretReference{Name: "hq-events"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, left(t)...)
			change := &v1alpha1.OAConnector{}
			if err := w.access.Get(t.Context(), client.ObjectKey{Namespace: "crm", Name: "hq"}, change); err != nil {
				t.Fatal(err)
			}
			change.Spec.Source = source
			if err := w.access.Update(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			keys := crm.Keys{Tokens: []string{"0123456789abcdef0123"}}
			if name == "signature" {
				keys = crm.Keys{Signing: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}
			}
			var got []crm.Event
			w.serve("hq-dispatcher-0", bundle.PortPublic, map[string]any{"POST /events": http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				authenticator, err := crm.NewAuthenticator(keys, time.Now)
				if err != nil {
					t.Error(err)
				}
				if problem := authenticator.Check(r.Header, body); problem != nil {
					t.Errorf("%+v", problem)
				}
				events, problem := crm.Parse(r.Header, body, crm.DefaultLimits())
				if problem != nil {
					t.Errorf("%+v", problem)
				}
				got = append(got, events...)
				rw.WriteHeader(http.StatusAccepted)
			})})
			if a := w.run("replay", "hq", "--from-leftovers", "old", "--dry-run", "-n", "crm"); a.code != 0 || len(got) != 0 || !strings.Contains(a.errors, "2 deliveries would be sent") {
				t.Errorf("%+v", a)
			}
			if a := w.run("replay", "hq", "--from-leftovers", "old", "-n", "crm"); a.code != 0 || !strings.Contains(a.errors, "2 deliveries were sent to connector hq") {
				t.Errorf("%+v", a)
			}
			if len(got) != 2 || got[0].ID != "e-T-1" || got[0].Item.Subject != "提交 <b>" || got[0].Item.Version != 3 || got[0].Action != scenario.Create || got[0].DataCenterID != "dc-1" ||
				got[1].Item.ID != "T-2" || got[1].Item.Receivers[0].Account != "1002" {
				t.Errorf("%+v", got)
			}
		})
	}
}
