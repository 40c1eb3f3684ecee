package exchange

import (
	"context"
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Call makes one exchange that writes nothing, such as the question whose sign-in code this is, with a token as for a push.
// The Answer is not masked; the Attempt is.
func (p *Pusher) Call(ctx context.Context, req scenario.Request, result scenario.Result) (Answer, oa.Attempt) {
	x := p.exchanged(ctx, req, func(x Answer) (oa.Attempt, bool) { return p.judge(x, result) })
	return x.Answer, x.attempt
}

// Reason of a proof that an OA does not know.
const reasonRejected = "TicketRejected"

// Sides of the error dictionary: what the person brought, and what passes by itself. The others are about the set-up.
const (
	sidePerson = "Person"
	sideNobody = "Nobody"
)

// Refusal says what a failed question about a sign-in proof means; nil when it did not fail. codeName is the path of the OA's
// own code in the answer. The proof is masked in what the OA said.
func (p *Pusher) Refusal(x Answer, a oa.Attempt, codeName, proof string) error {
	if a.Class == oa.OK {
		return nil
	}
	code := ""
	if gjson.ValidBytes(x.Text) {
		code = gjson.GetBytes(x.Text, codeName).String()
	}
	refused := &oa.VerifyError{Reason: a.Reason, Message: oa.NewMasker(proof).String(a.Message)}
	entry, known := p.c.Vendor.Errors.Find(code)
	switch {
	case known && entry.Side == sidePerson, a.Class == oa.BusinessCode && !known:
		refused.Verdict, refused.Reason = oa.Rejected, reasonRejected
		refused.Message = fmt.Sprintf("the OA does not know the proof (any more): it answered %s", Quote(code))
	case a.Reason == v1alpha1.ReasonKeyMissing, a.Class == oa.BusinessCode && entry.Side == sideNobody:
	case a.Class == oa.AuthExpired, a.Class == oa.BusinessCode:
		refused.Verdict = oa.SetUp
	case a.Class == oa.ReceiverUnknown:
		refused.Verdict = oa.Declined
	}
	if refused.Reason == "" {
		refused.Reason = "OA" + string(a.Class)
	}
	return refused
}
