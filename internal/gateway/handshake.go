package gateway

import (
	"context"
	"time"

	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/oa"
)

// announcedLife is how long the browser may take to come with a ticket that the OA's server announced.
const announcedLife = 2 * time.Minute

// announced reports whether the OA's server has to announce the proof of a visit first.
func announced(v *visit) bool {
	_, ok := v.signIn.Link.(oa.Handshaker)
	return ok && v.route.target.Page == login.PageHome
}

// handshake answers the OA's server, which announces whose browser will come with a ticket [SY-SSO]. The ticket is
// verified with the OA itself: whoever announces it is not believed.
func (h *Handler) handshake(ctx context.Context, v *visit) result {
	shaker, ok := v.signIn.Link.(oa.Handshaker)
	if !ok {
		return result{code: BadLink, reason: "NoHandshake", detail: "the sign-in mode of the connector has no handshake"}
	}
	p, refused := h.readLink(v)
	var id oa.Identity
	if refused == nil {
		id, refused = h.consume(ctx, v, "handshake", p, func(ctx context.Context) (oa.Identity, error) {
			return shaker.Verify(ctx, p)
		})
	}
	if refused == nil {
		if err := h.announce(ctx, v, p, id); err != nil {
			refused = &result{code: Unavailable, reason: "ProofStore", detail: err.Error()}
		}
	}
	if refused != nil {
		refused.page = &view{plain: shaker.Answer(false)}
		return *refused
	}
	return result{code: Announced, oaAccount: id.Account, page: &view{plain: shaker.Answer(true)}}
}

func (h *Handler) announce(ctx context.Context, v *visit, p oa.Proof, id oa.Identity) error {
	sealed, err := v.seal.seal(purposeVault, id)
	if err != nil {
		return err
	}
	return v.proofs.Keep(ctx, proofKey("announced", v.connector, p.Key), []byte(sealed), announcedLife)
}

// takeAnnounced returns whose ticket it is, once.
func (h *Handler) takeAnnounced(ctx context.Context, v *visit, p oa.Proof) (oa.Identity, *result) {
	ctx, end := h.step(ctx, stepReserve)
	defer end()
	sealed, err := v.proofs.Take(ctx, proofKey("announced", v.connector, p.Key))
	var id oa.Identity
	switch {
	case err != nil:
		return id, &result{code: Unavailable, reason: "ProofStore", detail: err.Error()}
	case sealed == nil:
		h.limits.failed(v.caller, "")
		return id, &result{code: TicketSpent, reason: "NotAnnounced", detail: "the OA did not announce the ticket, or it was used before"}
	case v.seal.open(purposeVault, string(sealed), &id) != nil || id.Account == "":
		return id, &result{code: Unavailable, reason: "ProofStore", detail: "what was announced cannot be read"}
	}
	return id, nil
}
