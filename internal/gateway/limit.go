package gateway

import (
	"sync"
	"time"
)

// Limits of failed sign-ins. A failure is a proof that was refused; a person has a few of them in a bad minute, a guesser
// has thousands.
const (
	// maxFailures of one address, or of one address and the account that the proofs claim, within failureWindow.
	maxFailures   = 20
	failureWindow = time.Minute
	// lockOut is how long the address, or the account from this address, is refused after that.
	lockOut = 5 * time.Minute
	// sharedFactor multiplies maxFailures for an address that many people share.
	sharedFactor = 50
	// maxSignIns of one account within failureWindow: more is a loop or a stolen account.
	maxSignIns = 60
	// maxCounted bounds what is remembered. When it is full, what is oldest is forgotten.
	maxCounted = 20_000
)

// limiter counts failures and sign-ins, in this replica alone. It is safe for concurrent use.
type limiter struct {
	now func() time.Time

	mu      sync.Mutex
	windows map[string]*window
}

type window struct {
	start  time.Time
	count  int
	locked time.Time // until
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, windows: map[string]*window{}}
}

func keysOf(c caller, account string) []string {
	keys := []string{"a|" + c.address}
	if account != "" {
		keys = append(keys, "b|"+c.address+"|"+account)
	}
	return keys
}

// refuses reports whether the caller, or the claimed account from there, is locked out.
func (l *limiter) refuses(c caller, account string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for _, key := range keysOf(c, account) {
		if w := l.windows[key]; w != nil && now.Before(w.locked) {
			return true
		}
	}
	return false
}

// failed notes a refused proof.
func (l *limiter) failed(c caller, account string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, key := range keysOf(c, account) {
		limit := maxFailures
		if i == 0 && c.shared {
			limit *= sharedFactor
		}
		l.add(key, limit)
	}
}

// signedIn notes a sign-in of an account, and reports whether there were too many.
func (l *limiter) signedIn(account string) (tooMany bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.add("s|"+account, maxSignIns)
	return l.now().Before(w.locked)
}

func (l *limiter) add(key string, limit int) *window {
	now := l.now()
	w := l.windows[key]
	if w == nil {
		l.makeRoom(now)
		w = &window{start: now}
		l.windows[key] = w
	}
	if now.Sub(w.start) >= failureWindow {
		w.start, w.count = now, 0
	}
	if w.count++; w.count > limit {
		w.locked = now.Add(lockOut)
	}
	return w
}

// makeRoom forgets what is over, and if that is not enough, the oldest.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.windows) < maxCounted {
		return
	}
	oldest, oldestKey := now, ""
	for key, w := range l.windows {
		if now.Sub(w.start) >= failureWindow && !now.Before(w.locked) {
			delete(l.windows, key)
			continue
		}
		if oldestKey == "" || w.start.Before(oldest) {
			oldest, oldestKey = w.start, key
		}
	}
	if len(l.windows) >= maxCounted {
		delete(l.windows, oldestKey)
	}
}
