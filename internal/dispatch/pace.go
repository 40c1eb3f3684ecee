package dispatch

import (
	"context"

	"golang.org/x/time/rate"
)

// paceKey is the key of a context's limiter.
type paceKey struct{}

// withPace tells a driver, which all partitions share, the pace of the one that calls it.
func withPace(ctx context.Context, l *rate.Limiter) context.Context {
	return context.WithValue(ctx, paceKey{}, l)
}

// pace waits until the rate allows one more call.
func pace(ctx context.Context) error {
	if l, ok := ctx.Value(paceKey{}).(*rate.Limiter); ok {
		return l.Wait(ctx)
	}
	return nil
}
