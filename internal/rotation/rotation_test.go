package rotation_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/rotation"
)

// world is a Secret with the keys password and password.next, and somebody who accepts passwords.
type world struct {
	mu            sync.Mutex
	current, next string
	good          map[string]bool
	down          bool
	asked         []string
	now           time.Time
	r             *rotation.Secret
}

func newWorld(prove bool) *world {
	w := &world{current: "one", good: map[string]bool{"one": true}, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	c := rotation.Config[rotation.Text]{Now: func() time.Time { return w.now }, Read: func(v rotation.Version) (rotation.Text, error) {
		switch {
		case w.current == "":
			return "", errors.New("the key password is missing")
		case v == rotation.Next && w.next != "":
			return rotation.Text(w.next), nil
		}
		return rotation.Text(w.current), nil
	}, Keys: func(v rotation.Version) []rotation.Key {
		value := w.current
		if v == rotation.Next && w.next != "" {
			value = w.next
		}
		k := rotation.NewKey("", "credentials", "password", value)
		k.Print = "print of " + value
		return []rotation.Key{k}
	}}
	if prove {
		c.Prove = func(_ context.Context, v rotation.Text) (rotation.Verdict, string) {
			w.asked = append(w.asked, string(v))
			switch {
			case w.down:
				return rotation.Unknown, "nobody answers"
			case w.good[string(v)]:
				return rotation.Accepted, ""
			}
			return rotation.Refused, "wrong password"
		}
	}
	w.r = rotation.New(c)
	return w
}

// call is what a driver does; it returns the value that did the work, or the error.
func (w *world) call(t *testing.T) string {
	t.Helper()
	got, err := rotation.Try(t.Context(), w.r, func(v rotation.Text) (string, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.good[string(v)] {
			return "", errors.New("401")
		}
		return string(v), nil
	}, func(err error) rotation.Verdict {
		switch err.Error() {
		case "401":
			return rotation.Refused
		case "403":
			return rotation.Unknown
		}
		return rotation.Accepted
	})
	if err != nil {
		return err.Error()
	}
	return got
}

func (w *world) want(t *testing.T, state, inUse, next string) {
	t.Helper()
	got := w.r.Credentials()
	if len(got) != 1 || got[0].State != state || got[0].InUse != "print of "+inUse || strings.TrimPrefix(got[0].Next, "print of ") != next {
		t.Errorf("got %+v, want %s with %s in use and %q waiting", got, state, inUse, next)
	}
}

// The drill: next is put beside the current value, proven, used; it takes its place, and nothing fails on the way.
func TestNextIsProvenAndUsed(t *testing.T) {
	w := newWorld(true)
	if got := w.call(t); got != "one" {
		t.Fatal(got)
	}
	w.next, w.good["two"] = "two", true
	if got := w.call(t); got != "one" || len(w.asked) != 0 {
		t.Fatalf("used %s before it was proven", got)
	}
	w.want(t, rotation.StateProbing, "one", "two")
	w.r.Rotate(t.Context())
	w.want(t, rotation.StateNext, "two", "")
	w.r.Worked("one") // a call from before ends
	delete(w.good, "one")
	if got := w.call(t); got != "two" {
		t.Error(got)
	}
	w.current, w.next = "two", ""
	if got := w.call(t); got != "two" || len(w.asked) != 1 {
		t.Errorf("%s, asked %v", got, w.asked)
	}
	w.want(t, rotation.StateCurrent, "two", "")
}

// A wrong next value is named, tried a few times only, and harms nobody; its correction is used.
func TestWrongNext(t *testing.T) {
	w := newWorld(true)
	w.call(t)
	w.next = "typo"
	for range 100 {
		w.r.Rotate(t.Context())
		if got := w.call(t); got != "one" {
			t.Fatal(got)
		}
		w.now = w.now.Add(6 * time.Second)
	}
	w.want(t, rotation.StateNextRejected, "one", "typo")
	if n := len(w.asked); n < 3 || n > 6 {
		t.Errorf("%d attempts in ten minutes", n)
	}
	if m := w.r.Credentials()[0].Message; m != "wrong password" {
		t.Errorf("message %q", m)
	}
	w.next, w.good["two"] = "two", true
	w.r.Rotate(t.Context())
	w.want(t, rotation.StateNext, "two", "")
}

// The OA knows one password at a time: the next one is refused until the OA has it, and then it is used by the very call
// that found the old one refused.
func TestOneAtATime(t *testing.T) {
	w := newWorld(true)
	w.call(t)
	w.next = "two"
	w.r.Rotate(t.Context())
	w.want(t, rotation.StateNextRejected, "one", "two")
	w.good = map[string]bool{"two": true}
	if got := w.call(t); got != "two" {
		t.Errorf("the call ended with %s", got)
	}
	w.want(t, rotation.StateNext, "two", "")
}

// Somebody writes a wrong password over the right one: calls go on with the one that was good, as long as it may.
func TestOverwritten(t *testing.T) {
	w := newWorld(true)
	w.call(t)
	w.current = "typo"
	w.r.Rotate(t.Context())
	for range 10 {
		if got := w.call(t); got != "one" {
			t.Fatal(got)
		}
	}
	w.want(t, rotation.StateRejected, "one", "typo")
	if len(w.asked) != 1 {
		t.Errorf("asked %v", w.asked)
	}
	w.now = w.now.Add(rotation.Grace + time.Second)
	if got := w.call(t); got != "401" {
		t.Errorf("after the grace: %s", got)
	}
	w.current = "one"
	if got := w.call(t); got != "one" {
		t.Error(got)
	}
	w.want(t, rotation.StateCurrent, "one", "")

	w.current = ""
	if got := w.call(t); got != "the key password is missing" {
		t.Errorf("a key that was taken away: %s", got)
	}
}

// The right value takes the place of the right one: it is used once it is proven.
func TestReplacedInPlace(t *testing.T) {
	w := newWorld(true)
	w.call(t)
	w.current, w.good["two"] = "two", true
	w.down = true
	w.r.Rotate(t.Context())
	w.want(t, rotation.StateProbing, "one", "two")
	w.down = false
	w.now = w.now.Add(time.Minute)
	w.r.Rotate(t.Context())
	w.want(t, rotation.StateCurrent, "two", "")
}

// When both are wrong, the attempts are few, whatever the calls do.
func TestNoStorm(t *testing.T) {
	w := newWorld(true)
	w.call(t)
	w.next, w.good = "typo", nil
	for range 50 {
		w.call(t)
		w.r.Rotate(t.Context())
	}
	if n := len(w.asked); n > 4 {
		t.Errorf("%d attempts with a wrong value", n)
	}
}

// Where only a real call proves a value, the other one has its turn in the call that is refused.
func TestWithoutProof(t *testing.T) {
	w := newWorld(false)
	w.next, w.good = "two", map[string]bool{"two": true}
	if got := w.call(t); got != "two" {
		t.Error(got)
	}
	w.want(t, rotation.StateNext, "two", "")
	if got := w.call(t); got != "two" {
		t.Error(got)
	}
}

// Who is refused at the same time finds the same way out, with one proof.
func TestConcurrentRefusals(t *testing.T) {
	w := newWorld(true)
	w.call(t)
	w.next, w.good = "two", map[string]bool{"two": true}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if got := w.call(t); got != "two" {
				t.Error(got)
			}
		})
	}
	all.Wait()
	if len(w.asked) != 1 {
		t.Errorf("asked %v", w.asked)
	}
}

// While a call is under way the Secret moves on twice: what it was refused with is gone, and the next value is not good yet. Also
// where a refusal may be about what was asked, the call ends with the current one.
func TestTheSecretMovesOnDuringACall(t *testing.T) {
	w := newWorld(false)
	w.call(t)
	got, err := rotation.Try(t.Context(), w.r, func(v rotation.Text) (string, error) {
		w.current, w.next = "two", "three"
		if v != "two" {
			return "", errors.New("403")
		}
		return string(v), nil
	}, func(error) rotation.Verdict { return rotation.Unknown })
	if got != "two" || err != nil {
		t.Errorf("the call ended with %q, %v", got, err)
	}
}

// A fingerprint tells values of a key apart and says nothing about them to who does not know the connector's own secret.
func TestPrint(t *testing.T) {
	a := rotation.Print("peer", "credentials/password", "123456")
	if len(a) != len("sha256:")+12 || a != rotation.Print("peer", "credentials/password", "123456") {
		t.Error(a)
	}
	for _, other := range []string{
		rotation.Print("other", "credentials/password", "123456"), rotation.Print("peer", "sso/password", "123456"), rotation.Print("peer", "credentials/password", "123457"),
	} {
		if other == a {
			t.Error("the same fingerprint")
		}
	}
	if rotation.Print("", "x", "123456") != "" || rotation.Print("peer", "x", "") != "" {
		t.Error("a fingerprint without a key, or of nothing")
	}
}

// Of two processes that see a key differently the one with the problem is heard.
func TestMerge(t *testing.T) {
	got := rotation.Merge(
		[]rotation.KeyState{{Slot: "sso", Name: "a", State: rotation.StateCurrent}, {Slot: "crm", Name: "b", State: rotation.StateNext}},
		[]rotation.KeyState{{Slot: "sso", Name: "a", State: rotation.StateNextRejected}},
	)
	if len(got) != 2 || got[0].Slot != "crm" || got[1].State != rotation.StateNextRejected {
		t.Errorf("%+v", got)
	}
}
