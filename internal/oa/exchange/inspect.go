package exchange

import (
	"context"
	"fmt"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Inspect implements oa.Inspector.
func (p *Pusher) Inspect(ctx context.Context, req scenario.Request, result scenario.Result) (scenario.Presence, oa.Attempt) {
	began := p.c.Now()
	presence := scenario.Unknown
	x := p.exchanged(ctx, req, func(x Answer) (oa.Attempt, bool) {
		if p.refused(x, result.Judge(x.Text)) {
			return p.judge(x, result)
		}
		found, _, message := scenario.ClassifyReadBack(x.Status, x.Text, result)
		if found == scenario.Unknown {
			a, refused := p.judge(x, result)
			return inquiry(a, x.Status), refused
		}
		presence = found
		return oa.Attempt{Message: Quote(message)}, false
	})
	return presence, p.finish(x.attempt, began)
}

// inquiry is the attempt of a read-back that did not answer the question. What the OA says about the question (400, 404 …)
// is neither about the item nor about the OA as a whole: it gets a class, and no reason.
func inquiry(a oa.Attempt, status int) oa.Attempt {
	if a.Class == oa.OK || a.Class == oa.BusinessCode || a.Class == oa.ServerError && status >= 400 && status < 500 {
		return oa.Attempt{Class: oa.ServerError, Message: Quote(fmt.Sprintf("the OA did not answer the read-back (%d): correct readBack in the template; %s", status, a.Message))}
	}
	return a
}
