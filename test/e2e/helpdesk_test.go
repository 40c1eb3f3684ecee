package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/stage"
)

// failed is the to-do that an OA refused for good, while the script of failures was there.
func failed(t *testing.T, connector string) crm.Expected {
	t.Helper()
	for _, want := range fleetRuns[connector].Expected {
		if want.Fate == crm.Failed {
			return want
		}
	}
	t.Fatalf("nothing failed for good at %s", connector)
	return crm.Expected{}
}

// A help desk asks the pods with the plugin what became of a to-do, and sends what was given up once more (F64–F65).
func TestHelpDesk(t *testing.T) {
	ctx := bounded(t)
	theFleet(ctx, t)
	const connector = "generic-soap"
	lost := failed(t, connector)
	says := func(want []string, args ...string) {
		t.Helper()
		text, err := scene.Oab(ctx, append(args, "-n", stage.Fleet)...)
		must(t, err)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("kubectl oab %s does not say %q:\n%s", strings.Join(args, " "), w, text)
			}
		}
	}
	says([]string{"Generic", "Dead", "kubectl oab dead " + connector}, "status", connector)
	says([]string{lost.ToDo, "BusinessCode", "该待办不允许接收"}, "dead", connector)
	says([]string{lost.ToDo, "attempt 1", "Dead", "该待办不允许接收", "generic-todo-soap@"}, "trace", lost.ToDo, connector)
	says([]string{"Held", "Unbound", "1020"}, "records", connector, "--outcome", "Held")
	says([]string{"nothing was sent"}, "replay", connector, "--all", "--dry-run")
	if arrived(ctx, t, connector, lost) {
		t.Error("a dry run sent something")
	}
	says([]string{"delivered"}, "replay", connector, "--all", "--wait")
	must(t, stage.Until(ctx, func() error {
		if !arrived(ctx, t, connector, lost) {
			return fmt.Errorf("%s was sent once more and is not in the OA", lost.ToDo)
		}
		return nil
	}))
	if text, err := scene.Oab(ctx, "dead", connector, "-n", stage.Fleet); err == nil {
		t.Errorf("there are dead letters left:\n%s", text)
	}
}

// arrived reports whether a to-do is open in the OA of a member, with its last title.
func arrived(ctx context.Context, t *testing.T, connector string, want crm.Expected) bool {
	t.Helper()
	m := member(t, connector)
	items, err := scene.Inbox(ctx, m.OA)
	must(t, err)
	want.Fate = crm.Delivered
	return len(m.Differences(items, crm.Run{Expected: []crm.Expected{want}})) == 0
}

// A Replay object does the same, once, and says how it went.
func TestReplayObject(t *testing.T) {
	ctx := bounded(t)
	theFleet(ctx, t)
	const connector = "landray"
	lost := failed(t, connector)
	key := client.ObjectKey{Namespace: stage.Fleet, Name: "after-the-talk"}
	must(t, client.IgnoreNotFound(scene.Delete(ctx, &v1alpha1.Replay{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}})))
	_, err := scene.KubectlApply(ctx, `{"apiVersion":"oabridge.dev/v1alpha1","kind":"Replay","metadata":{"name":"`+key.Name+`","namespace":"`+key.Namespace+`"},`+
		`"spec":{"connectorRef":{"name":"`+connector+`"},"filter":{"classes":["BusinessCode"]},"template":"Current","mode":"Send","state":"Running"}}`)
	must(t, err)
	must(t, stage.Until(ctx, func() error {
		var replay v1alpha1.Replay
		if err := scene.Get(ctx, key, &replay); err != nil {
			return err
		}
		s := replay.Status
		if s.CompletionTime.IsZero() || s.Matched == nil || *s.Matched == 0 || s.Dead == nil || *s.Dead != 0 {
			return fmt.Errorf("the Replay is %+v", s)
		}
		return nil
	}))
	if !arrived(ctx, t, connector, lost) {
		t.Errorf("%s is not in the OA", lost.ToDo)
	}
}

// People of the CRM are told of what was given up, in one message, within a minute or two (F64–F68).
func TestDigest(t *testing.T) {
	ctx := bounded(t)
	theFleet(ctx, t)
	lost := failed(t, stage.Told)
	must(t, stage.Until(ctx, func() error {
		var got struct {
			Messages []crm.Message `json:"messages"`
		}
		if err := scene.Call(ctx, http.MethodGet, stage.CRM("/_sim/messages?to="+crm.OpenUserID("1000")), nil, &got); err != nil {
			return err
		}
		i := slices.IndexFunc(got.Messages, func(m crm.Message) bool { return strings.Contains(m.Text, lost.ToDo) })
		if i < 0 {
			return fmt.Errorf("none of %d messages names %s", len(got.Messages), lost.ToDo)
		}
		t.Log(got.Messages[i].Text)
		if strings.Contains(got.Messages[i].Text, lost.Title) {
			return errors.New("the digest shows the title of a to-do")
		}
		return nil
	}))
}
