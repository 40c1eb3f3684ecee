package digest

import (
	"fmt"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A clock that was years ahead once does not silence the digest for years.
func TestClockThatWasAhead(t *testing.T) {
	s := newState(noon.AddDate(3, 0, 0), 10*time.Minute, 0)
	if _, due := s.due(noon.Add(time.Minute), 10*time.Minute); due {
		t.Error("a window ends that began a minute ago")
	}
	if to, due := s.due(noon.Add(10*time.Minute), 10*time.Minute); !due || !to.Equal(noon.Add(10*time.Minute)) {
		t.Errorf("%s %v", to, due)
	}
}

// A store that begins anew holds news only.
func TestAnotherStore(t *testing.T) {
	s := newState(noon, 10*time.Minute, 500)
	s.adapt([]string{"im"})
	s.close(noon.Add(10*time.Minute), noon, 3, true, nil)
	if c := s.Channels["im"]; c.Cursor != 0 || c.Open == nil || c.Open.Upto != 3 {
		t.Errorf("%+v", c)
	}
}

// The memory for people has a bound, whoever comes.
func TestManyPeople(t *testing.T) {
	s := newState(noon, 10*time.Minute, 0)
	for round := range 10 {
		var held []Person
		for i := range 1000 {
			held = append(held, Person{Account: fmt.Sprint(round, "-", i), Reason: "Unbound", Items: 1})
		}
		to := noon.Add(time.Duration(round+1) * 10 * time.Minute)
		s.close(to, to, 0, true, held)
		if n := len(s.news(to.Add(-time.Second), to)); n != 1000 {
			t.Errorf("round %d: %d new people", round, n)
		}
	}
	if len(s.People) != maxPeople {
		t.Errorf("%d people are remembered", len(s.People))
	}
}

func TestBackoff(t *testing.T) {
	for attempts, want := range map[int]time.Duration{1: 30 * time.Second, 2: time.Minute, 5: 8 * time.Minute, 6: retryMax, 1000: retryMax} {
		if got := backoff(attempts, retryFirst); got != want {
			t.Errorf("after %d: %s", attempts, got)
		}
	}
}
