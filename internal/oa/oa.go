// Package oa says what a driver of an OA can do. Each vendor has a package of its own below this one; the dispatcher and
// the gateway know only the small interfaces here.
package oa

import (
	"context"
	"time"

	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Pusher writes items into an OA.
type Pusher interface {
	// Push sends one rendered request and judges the answer. The context bounds the whole call. It makes exactly one
	// attempt; only a token that the OA no longer accepts is replaced and the request sent once more.
	Push(ctx context.Context, req scenario.Request, result scenario.Result) Attempt
	// Probe asks the OA whether it answers and accepts the credentials, without writing anything.
	Probe(ctx context.Context) Attempt
}

// Rotator is a Pusher, or a sign-in, whose credentials can be replaced while it works.
type Rotator = rotation.Rotator

// Class is the kind of a failed attempt. The empty class is success.
type Class string

// The classes. They are the values of delivery.retry.classes and of the outcome records.
const (
	OK           Class = ""
	Network      Class = "Network"
	Timeout      Class = "Timeout"
	ServerError  Class = "ServerError"
	RateLimited  Class = "RateLimited"
	AuthExpired  Class = "AuthExpired"
	BusinessCode Class = "BusinessCode"
	// ReceiverUnknown: the OA does not know the receiver, or the application may not reach them. Nothing but a change in
	// the OA or in a binding helps, so these are listed apart.
	ReceiverUnknown Class = "ReceiverUnknown"
	// Internal: the request could not be made (a value does not fit the template). Never retried.
	Internal Class = "Internal"
)

// Attempt is what one call came to. It holds nothing secret: drivers mask tokens, passwords and secret headers before
// they return it.
type Attempt struct {
	Class Class
	// Message says what happened in one sentence without random parts; for BusinessCode it quotes the OA's own words.
	Message string
	// Reason is a CamelCase condition reason for the OA's reachability (TokenRejected, ConnectionRefused, Timeout …);
	// empty when the OA answered as it should, whatever it decided about the item.
	Reason string
	// Method and URL of the request, masked.
	Method, URL string
	// Request and Answer are the bodies, masked and cut to a bound.
	Request, Answer []byte
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// RetryAfter is what the OA asked for; 0 when it did not.
	RetryAfter time.Duration
	// Latency of the call.
	Latency time.Duration
	// Accepted is set beside success when the OA may still drop the item: it answered 202, or the template has a read-back
	// that asks it (see Inspector).
	Accepted bool
	// Captured are values of a successful answer by name, see scenario.Capture. An empty one is used up.
	Captured map[string]string
	// Shared is set when an earlier Attempt of the same PushBatch tells of the same exchange with the OA: the breaker, the
	// metrics of calls and the like count it once.
	Shared bool
}

// TargetDown reports whether the attempt says something about the OA as a whole rather than about this item.
func (a Attempt) TargetDown() bool { return a.Reason != "" }
