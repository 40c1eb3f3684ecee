package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/oa"
)

// accounts maps an OA account to the CRM account that it is bound to.
type accounts interface {
	CRM(oa string) (crm string, ok bool)
}

// live is everything that a click needs, as it is configured now. It is replaced as a whole.
type live struct {
	hash string
	// host and https are taken from the public address; host is in lower case and without port.
	host  string
	https bool

	oaType       string
	connector    string // namespace/name
	enterpriseID string

	proofs        ProofStore
	verifier      oa.Verifier
	verifyTimeout time.Duration
	accounts      accounts
	issuer        *login.Issuer
}

// result is what became of a click. Only location is secret: it holds the login token.
type result struct {
	code Code
	// location is where a signed-in person goes.
	location string
	// oaAccount and crmAccount as far as they became known.
	oaAccount, crmAccount string
	// reason and detail are for the log; they hold no part of the ticket.
	reason, detail string
}

// signIn takes a click through its steps: reserve the ticket, ask the OA whose it is, find the CRM account, vouch for it
// (F42). Nobody gets past a step that did not succeed.
func (h *Handler) signIn(ctx context.Context, c *live, l link, trace string) result {
	key := proofKey(c.oaType, c.connector, l.ticket)
	fresh, err := h.reserve(ctx, c, key)
	if err != nil {
		return result{code: Unavailable, reason: "ProofStore", detail: err.Error()}
	}
	if !fresh {
		return result{code: TicketSpent, reason: "TicketReused", detail: "the ticket was used at this gateway before"}
	}

	id, err := h.verify(ctx, c, l.ticket)
	if err != nil {
		return h.refuse(ctx, c, key, err)
	}

	crm, bound := c.accounts.CRM(id.Account)
	if !bound || crm == "" {
		return result{code: NotLinked, oaAccount: id.Account, reason: "Unbound",
			detail: "no AccountBinding of this connector has the OA account"}
	}

	location, err := c.issuer.Redirect(login.Person{
		CRMAccount: crm, EnterpriseID: c.enterpriseID, Target: l.target,
		OA: login.OAIdentity{Type: c.oaType, Account: id.Account}, TraceID: trace,
	})
	if err != nil {
		return result{code: Broken, oaAccount: id.Account, crmAccount: crm, reason: "LoginIssuer", detail: err.Error()}
	}
	return result{code: SignedIn, location: location, oaAccount: id.Account, crmAccount: crm}
}

// reserve comes before the question to the OA, so that of several clicks with one ticket exactly one is asked about.
func (h *Handler) reserve(ctx context.Context, c *live, key string) (bool, error) {
	defer h.observe(stepReserve, h.now())
	return c.proofs.Reserve(ctx, key)
}

func (h *Handler) verify(ctx context.Context, c *live, ticket string) (oa.Identity, error) {
	defer h.observe(stepVerify, h.now())
	ctx, cancel := context.WithTimeout(ctx, c.verifyTimeout)
	defer cancel()
	id, err := c.verifier.Verify(ctx, ticket)
	if err == nil && id.Account == "" {
		err = &oa.VerifyError{Reason: "EmptyAccount", Message: "the OA named nobody"}
	}
	return id, err
}

// refuse explains a failed verification. A ticket that the OA was not asked about is not burnt: the click may be
// repeated, even when the person has left meanwhile.
func (h *Handler) refuse(ctx context.Context, c *live, key string, err error) result {
	refused := &oa.VerifyError{Reason: "Unknown", Message: "the verifier failed"}
	errors.As(err, &refused)
	if refused.Rejected {
		return result{code: TicketSpent, reason: refused.Reason, detail: refused.Message}
	}
	detail := refused.Message
	if err := c.proofs.Release(context.WithoutCancel(ctx), key); err != nil {
		detail += "; the ticket cannot be used again, because " + err.Error()
	}
	return result{code: OANotAsked, reason: refused.Reason, detail: detail}
}

func (h *Handler) observe(step string, start time.Time) {
	h.metrics.steps.WithLabelValues(step).Observe(h.now().Sub(start).Seconds())
}
