package dispatch

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
)

// jitter spreads retries: a delay is up to this part shorter or longer.
const jitter = 0.2

// policy is the delivery policy of a bundle.
type policy struct{ bundle.Delivery }

// judge says what an attempt means for its delivery. attempts counts this one too.
func (p policy) judge(a oa.Attempt, attempts int) (outcome record.Outcome, delay time.Duration) {
	switch {
	case a.Class == oa.OK:
		return record.Delivered, 0
	case a.Class == oa.Internal, !p.Retry, !slices.Contains(p.RetryOn, string(a.Class)):
		return record.Dead, 0
	}
	return record.Retrying, p.delay(a, attempts, rand.Float64())
}

// delay before the next attempt; random is in [0, 1).
func (p policy) delay(a oa.Attempt, attempts int, random float64) time.Duration {
	d, limit := p.BackoffDelay.Std(), p.BackoffMax.Std()
	if limit <= 0 {
		limit = d
	}
	switch p.Backoff {
	case "Linear":
		// Not a product of the two: a large count must not overflow.
		if int64(attempts) > int64(limit/max(d, 1)) {
			d = limit
		} else {
			d *= time.Duration(attempts)
		}
	default:
		for i := 1; i < attempts && d < limit; i++ {
			d *= 2
		}
	}
	d = min(d, limit)
	d += time.Duration((2*random - 1) * jitter * float64(d))
	// What the OA asks for is honoured, but it cannot make us wait for ever.
	return max(d, min(a.RetryAfter, p.RetryAfterMax.Std()))
}

// expiry is when a delivery becomes a dead letter.
func (p policy) expiry(acceptedAt time.Time) time.Time { return acceptedAt.Add(p.MaxAge.Std()) }

// callTimeout bounds one attempt as a whole: at most a token, the call, another token and the call again, each of which
// the driver bounds by itself.
func (p policy) callTimeout() time.Duration { return 4 * p.Timeout.Std() }

// sane bounds a time for the next attempt that was written down before the start: the clock, or the policy, may have been
// another one then.
func (p policy) sane(at, now time.Time) time.Time {
	if most := now.Add(max(p.BackoffMax.Std(), p.RetryAfterMax.Std())); at.After(most) {
		return most
	}
	return at
}
