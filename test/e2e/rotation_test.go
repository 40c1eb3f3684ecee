package e2e

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/stage"
)

const (
	// rotateEvery is the time between two rotations of every Secret of the connector.
	rotateEvery = 5 * time.Second
	rotations   = 8
	// pushRate is in events, signInPause between two clicks.
	pushRate    = 20
	signInPause = 200 * time.Millisecond
)

// generation is one set of what the connector's Secrets hold.
type generation struct {
	user, password, signing string
	login                   []byte
}

// Every five seconds there are another OA account, another signing key of the CRM and another key of login tokens, each
// announced one rotation ahead where there is a way to announce it, while to-dos flow and people sign in: no call to the OA
// fails, no event and no login is refused, nothing is lost, and no pod is restarted.
func TestSecretsRotateUnderLoad(t *testing.T) {
	ctx := bounded(t)
	must(t, scene.Call(ctx, http.MethodDelete, stage.OA("/_sim/faults"), nil, nil))
	all := generations(ctx, t)
	doors := thingsToClick(ctx, t)
	before, pods := baseline(ctx, t), connectorPods(ctx, t)
	failures := badAttempts(ctx, t)

	var clicks atomic.Int64
	clicking, stop := context.WithCancel(ctx)
	refused := make(chan error, 1)
	go func() {
		refused <- click(clicking, doors, &clicks, func(d door) error { return scene.SignIn(clicking, d.want, d.link) })
	}()

	// Half of the time a run is signed with a key that was announced, half of the time with the one that is current.
	var runs []crm.Run
	tick := time.NewTicker(rotateEvery / 2)
	defer tick.Stop()
	for n := 1; n < len(all); n++ {
		<-tick.C
		runs = append(runs, emit(ctx, t, crm.Workload{Seed: uint64(n), Events: pushRate * 9 / 2, Prefix: fmt.Sprintf("R%d-%d", n, time.Now().Unix())},
			crm.Target{Concurrency: 4, RatePerSecond: pushRate, SigningKey: all[n].signing}))
		<-tick.C
		if n > 1 {
			mustRun(ctx, t, runs[n-2]) // its key is about to count no more
		}
		rotate(ctx, t, all, n)
	}
	var whole crm.Run
	for i, run := range runs {
		run = kindly(mustRun(ctx, t, run))
		if c := run.Counts; c.Refused > 0 {
			t.Errorf("rotation %d: %d events were refused: %s", i+1, c.Refused, run.Error)
		}
		whole.Total += run.Total
		whole.Expected = append(whole.Expected, run.Expected...)
	}
	tally := inPlace(ctx, t, whole, before)
	stop()
	if err := <-refused; err != nil {
		t.Errorf("a login was refused after %d: %v", clicks.Load(), err)
	}
	if now := badAttempts(ctx, t); !maps.Equal(now, failures) {
		t.Errorf("calls to the OA failed: %v, before %v", now, failures)
	}
	if now := connectorPods(ctx, t); !maps.Equal(now, pods) {
		t.Errorf("pods were replaced or restarted: %v, were %v", now, pods)
	}
	if clicks.Load() < rotations {
		t.Errorf("only %d clicks", clicks.Load())
	}
	t.Logf("%d rotations: %s; %d logins", len(all)-1, tally, clicks.Load())
}

// generations are what the Secrets will hold, one after the other. The first and the last are what they hold now.
func generations(ctx context.Context, t *testing.T) []generation {
	t.Helper()
	account, events, login := secretOf(ctx, t, "hq-seeyon"), secretOf(ctx, t, "hq-events"), secretOf(ctx, t, "hq-login")
	first := generation{
		user: string(account.Data[v1alpha1.KeyUsername]), password: string(account.Data[v1alpha1.KeyPassword]),
		signing: string(events.Data[v1alpha1.KeySigning]), login: login.Data[v1alpha1.KeyPrivate],
	}
	t.Cleanup(func() { rotate(context.WithoutCancel(ctx), t, []generation{first}, 0) }) // it may end in the middle
	all := []generation{first}
	for n := 1; n < rotations; n++ {
		signing := make([]byte, 24)
		_, _ = rand.Read(signing) // never fails
		key, err := stage.NewLoginKey()
		must(t, err)
		all = append(all, generation{
			// An OA has one password for each account, so two accounts take turns.
			user: first.user + strconv.Itoa(n%2), password: rand.Text(),
			signing: "whsec_" + base64.StdEncoding.EncodeToString(signing), login: key,
		})
		canaries["a rotated password"], canaries["a rotated signing key"] = all[n].password, all[n].signing
	}
	all = append(all, first)
	announce(ctx, t, all, 0)
	return all
}

// rotate makes generation n the current one.
func rotate(ctx context.Context, t *testing.T, all []generation, n int) {
	t.Helper()
	must(t, scene.Call(ctx, http.MethodPut, stage.OA("/_sim/passwords"), map[string]string{"user": all[n].user, "password": all[n].password}, nil))
	replace(ctx, t, "hq-seeyon", map[string][]byte{v1alpha1.KeyUsername: []byte(all[n].user), v1alpha1.KeyPassword: []byte(all[n].password)})
	announce(ctx, t, all, n)
}

// announce writes the keys of generation n, and those of the next one beside them.
func announce(ctx context.Context, t *testing.T, all []generation, n int) {
	t.Helper()
	events := map[string][]byte{v1alpha1.KeySigning: []byte(all[n].signing)}
	login := map[string][]byte{v1alpha1.KeyPrivate: all[n].login}
	if n+1 < len(all) {
		events[v1alpha1.KeySigning+v1alpha1.SuffixNext] = []byte(all[n+1].signing)
		login[v1alpha1.KeyPrivate+v1alpha1.SuffixNext] = all[n+1].login
	}
	replace(ctx, t, "hq-events", events)
	replace(ctx, t, "hq-login", login)
}

func secretOf(ctx context.Context, t *testing.T, name string) *corev1.Secret {
	t.Helper()
	var s corev1.Secret
	must(t, scene.Get(ctx, client.ObjectKey{Namespace: stage.Namespace, Name: name}, &s))
	return &s
}

func replace(ctx context.Context, t *testing.T, name string, data map[string][]byte) {
	t.Helper()
	s := secretOf(ctx, t, name)
	s.Data = data
	must(t, scene.Update(ctx, s))
}

// door is a to-do with its link.
type door struct {
	want crm.Expected
	link string
}

// thingsToClick has to-dos delivered and returns an open one for each receiver: a person may not sign in as often as this test
// does.
func thingsToClick(ctx context.Context, t *testing.T) []door {
	t.Helper()
	before := baseline(ctx, t)
	run := kindly(mustRun(ctx, t, emit(ctx, t, crm.Workload{Seed: 2, Events: 100, ToDos: 40}, crm.Target{Concurrency: 4})))
	inPlace(ctx, t, run, before)
	return doorsOf(ctx, t, "seeyon", run)
}

// doorsOf are the open to-dos of a run, one for each receiver, with their links.
func doorsOf(ctx context.Context, t *testing.T, oa string, run crm.Run) []door {
	t.Helper()
	var doors []door
	seen := map[string]bool{}
	for _, want := range run.Expected {
		if want.Fate == crm.Delivered && want.State == crm.Open && !seen[want.Receiver] {
			seen[want.Receiver] = true
			link, err := scene.Link(ctx, oa, want)
			must(t, err)
			doors = append(doors, door{want, link})
		}
	}
	return doors
}

// click signs one person in after the other until ctx ends, and returns the first refusal.
func click(ctx context.Context, doors []door, clicks *atomic.Int64, enter func(door) error) error {
	pause := time.NewTicker(signInPause)
	defer pause.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
		d := doors[i%len(doors)]
		if err := enter(d); err != nil && ctx.Err() == nil {
			return err
		}
		clicks.Add(1)
	}
}

// connectorPods are the restarts of the sample's pods.
func connectorPods(ctx context.Context, t *testing.T) map[types.UID]int32 {
	t.Helper()
	var pods corev1.PodList
	must(t, scene.List(ctx, &pods, client.InNamespace(stage.Namespace), client.MatchingLabels{v1alpha1.LabelConnector: stage.Connector}))
	found := map[types.UID]int32{}
	for i := range pods.Items {
		found[pods.Items[i].UID] = restarts(&pods.Items[i])
	}
	return found
}

// badAttempts are the dispatcher's failed calls to the OA, by class.
func badAttempts(ctx context.Context, t *testing.T) map[string]string {
	t.Helper()
	text, err := scene.Kubectl(ctx, "get", "--raw",
		fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8081/proxy/metrics", stage.Namespace, dispatcherPod(ctx, t).Name))
	must(t, err)
	const attempts = "oabridge_attempts_total"
	found, fine := map[string]string{}, false
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch {
		case name == attempts+`{class="OK"}`:
			fine = true
		case strings.HasPrefix(name, attempts+"{"):
			found[name] = value
		}
	}
	if !fine {
		t.Fatalf("the dispatcher counts no good calls: %s was renamed", attempts)
	}
	return found
}
