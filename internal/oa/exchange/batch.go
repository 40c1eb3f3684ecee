package exchange

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

// noBatchesFor is how long items go alone after the OA turned out not to serve the address of a batch: versions differ.
const noBatchesFor = 10 * time.Minute

// PushBatch implements oa.BatchPusher. How an OA names the bad items of a list is seldom public, so the answer to a refused
// list is relied on only where the template describes it; otherwise each item is pushed alone. The item's own id makes that
// safe for those that were stored already.
func (p *Pusher) PushBatch(ctx context.Context, calls []oa.Call) []oa.Attempt {
	g := &group{pusher: p, ctx: ctx, calls: calls, attempts: make([]oa.Attempt, len(calls))}
	for items := range parts(calls) {
		g.push(items)
	}
	return g.attempts
}

// parts cuts calls so that no body of a batch exceeds what one item may have. It yields the indices of each part.
func parts(calls []oa.Call) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		var part []int
		size := 0
		for i, c := range calls {
			if size += len(c.Request.Body) + 1; size > scenario.MaxBody && len(part) > 0 {
				if !yield(part) {
					return
				}
				part, size = nil, len(c.Request.Body)+1
			}
			part = append(part, i)
		}
		if len(part) > 0 {
			yield(part)
		}
	}
}

// group is the work of one PushBatch.
type group struct {
	pusher   *Pusher
	ctx      context.Context
	calls    []oa.Call
	attempts []oa.Attempt
	// exchanges counts the calls to the OA so far.
	exchanges int
	// down is the failure of the OA as a whole, or the reason why nothing more can be sent.
	down *oa.Attempt
}

// push sends items in one exchange, or alone where that does not work.
func (g *group) push(items []int) {
	p, batch := g.pusher, g.calls[items[0]].Request.Batch
	bodies := make([][]byte, len(items))
	for n, i := range items {
		bodies[n] = g.calls[i].Request.Body
	}
	if len(items) == 1 || batch == nil || p.c.Now().UnixNano() < p.noBatches.Load() {
		g.alone(items)
		return
	}
	body, err := batch.Join(bodies)
	if err != nil { // the one that is not JSON will say so
		g.alone(items)
		return
	}
	if !g.mayCall() {
		g.share(*g.down, items, true)
		return
	}
	first := g.calls[items[0]]
	began := p.c.Now()
	x := p.exchanged(g.ctx, scenario.Request{Method: first.Request.Method, Path: batch.Path, Header: first.Request.Header, Body: body},
		func(x Answer) (oa.Attempt, bool) { return p.judge(x, first.Result) })
	a := p.finish(x.attempt, began)
	g.share(a, items, false)
	if x.masker != nil {
		for n, i := range items {
			g.attempts[i].Request = x.masker.Bytes(bodies[n], maxKept)
		}
	}
	switch {
	case x.Status == http.StatusNotFound || x.Status == http.StatusMethodNotAllowed || x.Status == http.StatusNotImplemented:
		p.noBatches.Store(p.c.Now().Add(noBatchesFor).UnixNano())
		p.c.Log.Info("the OA does not serve the address of a batch; items go alone for a while", "path", batch.Path, "status", x.Status)
		g.alone(items)
	case a.Class == oa.Internal:
		g.alone(items)
	case a.Class == oa.BusinessCode:
		fates, reliable := batch.Fates(x.Text, bodies)
		if !reliable {
			g.alone(items)
			return
		}
		g.sortOut(items, fates, x)
	case a.Class != oa.OK:
		g.down = &a
	}
}

// sortOut gives each item of a refused batch the outcome that the answer names.
func (g *group) sortOut(items []int, fates []scenario.Fate, x answered) {
	var doubtful []int
	for n, i := range items {
		switch a := &g.attempts[i]; {
		case fates[n].Doubtful:
			doubtful = append(doubtful, i)
		case fates[n].Taken:
			a.Class, a.Message = oa.OK, ""
			a.Accepted = g.calls[i].Request.Confirm
		default:
			a.Message = x.masker.String(Quote(fates[n].Message()))
		}
	}
	g.alone(doubtful)
}

// alone sends each item in an exchange of its own.
func (g *group) alone(items []int) {
	for n, i := range items {
		if !g.mayCall() {
			g.share(*g.down, items[n:], true)
			return
		}
		a := g.pusher.Push(g.ctx, g.calls[i].Request, g.calls[i].Result)
		g.attempts[i] = a
		if a.Class != oa.OK && a.Class != oa.BusinessCode && a.Class != oa.Internal {
			g.down = &a
		}
	}
}

// share gives items the same outcome. repeats is true when an earlier item has it already.
func (g *group) share(a oa.Attempt, items []int, repeats bool) {
	for n, i := range items {
		g.attempts[i] = a
		g.attempts[i].Shared = repeats || n > 0
		g.attempts[i].Accepted = a.Class == oa.OK && (g.calls[i].Request.Confirm || a.Status == http.StatusAccepted)
	}
}

// mayCall reports whether there may be one more exchange, and waits for its turn.
func (g *group) mayCall() bool {
	if g.down != nil {
		return false
	}
	g.exchanges++
	if g.exchanges == 1 {
		return true // that one was granted to the caller
	}
	err := g.ctx.Err()
	if err == nil && g.pusher.c.Pace != nil {
		err = g.pusher.c.Pace(g.ctx)
	}
	if err != nil {
		// It says nothing about the OA: no reason.
		g.down = &oa.Attempt{Class: oa.Timeout, Message: "the item was not sent: the items before it in the same group used up the time"}
		return false
	}
	return true
}
