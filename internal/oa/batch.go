package oa

import (
	"context"

	"github.com/oabridge/oabridge/internal/scenario"
)

// Call is one rendered request and the mapping that judges its answer.
type Call struct {
	Request scenario.Request
	Result  scenario.Result
}

// BatchPusher is a Pusher of an OA that takes several items in one call.
//
// Calls may be grouped when their Request.Batch is the same pointer (not nil), which only requests of one action of one
// live scenario have: the batch then has one path, one method and the same headers. At most bundle.Delivery.BatchSize
// calls go into a group, and no two of the same lane: within a batch there is no order. An item that failed before with
// ServerError or Timeout should go alone: it may be the one at which the OA stumbles, and would take the others with it
// again.
type BatchPusher interface {
	Pusher
	// PushBatch sends a group and returns one Attempt for each call, in the order of the calls; each holds the request of
	// its own item. The context bounds all of it.
	//
	// A failure of the OA as a whole (network, time, 5xx, 401, 429) is that of every item. When the OA refuses the batch
	// for a business reason, the items that its answer names have failed; where it does not name them reliably, each item
	// is pushed alone. Attempts that tell of an exchange that an earlier one of the same slice tells of have Shared set.
	PushBatch(ctx context.Context, calls []Call) []Attempt
}

// Inspector is a Pusher of an OA that can be asked whether it holds an item. An OA that only accepts an item (an Attempt
// with Accepted) may drop it later.
type Inspector interface {
	// Inspect sends a read-back (scenario.ReadBack) and says what the answer shows. The Attempt has no class when the OA
	// answered the question, whatever the answer; with any class the Presence is Unknown. Its Message says why when the
	// item is not there.
	Inspect(ctx context.Context, req scenario.Request, result scenario.Result) (scenario.Presence, Attempt)
}
