package seeyon

import (
	"context"
	"fmt"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Inspect implements oa.Inspector. No public page names a call of Seeyon that reads a third-party to-do, so the template
// says which one the customer's OA has.
func (p *Pusher) Inspect(ctx context.Context, req scenario.Request, result scenario.Result) (scenario.Presence, oa.Attempt) {
	began := p.c.Now()
	presence := scenario.Unknown
	x := p.exchanged(ctx, req, func(x exchange) (oa.Attempt, bool) {
		if tokenRefused(x) {
			return p.judge(x, result)
		}
		found, _, message := scenario.ClassifyReadBack(x.status, x.body, result)
		if found == scenario.Unknown {
			a, refused := p.judge(x, result)
			return inquiry(a, x.status), refused
		}
		presence = found
		return oa.Attempt{Message: quote(message)}, false
	})
	return presence, p.finish(x.attempt, began)
}

// inquiry is the attempt of a read-back that did not answer the question. What the OA says about the question (400, 404 …)
// is neither about the item nor about the OA as a whole: it gets a class, and no reason.
func inquiry(a oa.Attempt, status int) oa.Attempt {
	if a.Class == oa.OK || a.Class == oa.BusinessCode || a.Class == oa.ServerError && status >= 400 && status < 500 {
		return oa.Attempt{Class: oa.ServerError, Message: quote(fmt.Sprintf("the OA did not answer the read-back (%d): correct readBack in the template; %s", status, a.Message))}
	}
	return a
}
