package credential

import (
	"strings"
	"testing"
	"time"
)

func TestCodesAreUsedOnceAndExpire(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	codes := NewBook[string](func() time.Time { return now }, "c-")
	first, second := codes.Issue("lina", 5*time.Minute), codes.Issue("lina", 5*time.Minute)
	if first == second || !strings.HasPrefix(first, "c-") {
		t.Fatalf("codes %q and %q", first, second)
	}
	if who, state := codes.Take(first); who != "lina" || state != Alive {
		t.Errorf("first use: %q %v", who, state)
	}
	if _, state := codes.Take(first); state != Unknown {
		t.Errorf("second use: %v", state)
	}
	now = now.Add(5 * time.Minute)
	if who, state := codes.Take(second); who != "lina" || state != Expired {
		t.Errorf("too late: %q %v", who, state)
	}
	third := codes.Issue("lina", time.Hour)
	codes.Expire(third)
	if _, state := codes.Look(third); state != Expired {
		t.Errorf("ended: %v", state)
	}
	now = now.Add(memory)
	if _, state := codes.Look(third); state != Unknown {
		t.Errorf("a day later: %v", state)
	}
}

func TestTokensAreGivenAgain(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	tokens := NewTokens(func() time.Time { return now }, "t-")
	const life, renew = 2 * time.Hour, 30 * time.Minute
	first, _ := tokens.For("app", life, renew)
	now = now.Add(89 * time.Minute)
	if again, left := tokens.For("app", life, renew); again != first || left != 31*time.Minute {
		t.Errorf("with 31 minutes left: another token, or %v left", left)
	}
	if other, _ := tokens.For("other", life, renew); other == first {
		t.Error("two apps share a token")
	}
	now = now.Add(time.Minute)
	second, left := tokens.For("app", life, renew)
	if second == first || left != life {
		t.Errorf("with 30 minutes left: the old token again, %v", left)
	}
	if app, state := tokens.Look(first); app != "app" || state != Alive {
		t.Errorf("the old token is %v", state)
	}
	tokens.Clear()
	if third, _ := tokens.For("app", life, renew); third == second {
		t.Error("a forgotten token was given again")
	}
}
