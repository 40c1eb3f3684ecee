package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
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
	// url is the public address: scheme, host and path prefix, without a slash at the end.
	url string
	// host, prefix and https are taken from it; host is in lower case and without port.
	host   string
	prefix string
	https  bool
	// others is the same under further hosts.
	others map[string]*live

	oaType       string
	mode         string // of the sign-in
	connector    string // namespace/name
	enterpriseID string

	suspended     bool // nobody is let in
	home          home
	signIn        oa.SignIn
	qr            bool // people outside of the OA's app scan a code
	verifyTimeout time.Duration
	accounts      accounts
	issuer        login.Issuer

	proofs  ProofStore
	records peerProofs // keeps finished sign-ins
	seal    *sealer
	trusted []netip.Prefix
	// framing lists the origins that may show the gateway's pages in a frame.
	framing []string
	// files by their path at the root: proofs that the host belongs to the company (F182).
	files map[string]string
}

// provider by its name; nil when there is none.
func (c *live) provider(name string) *oa.Provider {
	for i := range c.signIn.Providers {
		if p := &c.signIn.Providers[i]; p.Name == name {
			return p
		}
	}
	return nil
}

// visit is one request, with what is known about it.
type visit struct {
	*live
	request *http.Request
	route   route
	caller  caller
	trace   string
}

// result is what became of a visit. Location and the values of cookies are secret.
type result struct {
	code Code
	// location is where a signed-in person goes.
	location string
	// page is shown in the place of the code's own page.
	page    *view
	cookies []*http.Cookie
	// oaAccount and crmAccount as far as they became known.
	oaAccount, crmAccount string
	// reason and detail are for the log; they hold no part of a proof.
	reason, detail string
	// skew of the proof's time, when it has one.
	skew time.Duration
}

// click answers a link that an OA user clicked: the proof is in it, or the browser has to fetch one.
func (h *Handler) click(ctx context.Context, v *visit) result {
	if v.route.target.Client == "" {
		v.route.target.Client = clientOf(v.request.UserAgent())
	}
	if v.signIn.Link == nil {
		return h.begin(ctx, v, purpose{Target: v.route.target})
	}
	p, refused := h.readLink(v)
	if refused != nil {
		return *refused
	}
	var id oa.Identity
	if announced(v) {
		id, refused = h.takeAnnounced(ctx, v, p)
	} else {
		id, refused = h.consume(ctx, v, "link", p, func(ctx context.Context) (oa.Identity, error) {
			return v.signIn.Link.Verify(ctx, p)
		})
	}
	if refused != nil {
		return *refused
	}
	return h.complete(ctx, v, id.Account, purpose{Target: v.route.target}, p.Skew)
}

// readLink finds the proof in the link of a visit, unless the caller is locked out.
func (h *Handler) readLink(v *visit) (oa.Proof, *result) {
	p, err := v.signIn.Link.Read(oa.Link{
		Host: v.host, Path: v.route.path, Query: v.route.query, Home: v.route.target.Page == login.PageHome,
	})
	if h.limits.refuses(v.caller, p.Claimed) {
		return p, &result{code: TooMany, reason: "LockedOut"}
	}
	if err != nil {
		return p, h.refuse(v, p.Claimed, err)
	}
	return p, nil
}

// consume takes a proof through its steps: reserve it, and ask whose it is (F42). Nobody gets past a step that did not
// succeed. The reservation comes first, so that of several clicks with one proof exactly one is asked about.
func (h *Handler) consume(ctx context.Context, v *visit, kind string, p oa.Proof, verify func(context.Context) (oa.Identity, error)) (oa.Identity, *result) {
	life := p.Life
	if life <= 0 {
		life = proofTTL
	}
	key := proofKey(kind, v.oaType+"|"+v.connector, p.Key)
	fresh, err := h.reserve(ctx, v, key, life)
	if err != nil {
		return oa.Identity{}, &result{code: Unavailable, reason: "ProofStore", detail: err.Error()}
	}
	if !fresh {
		h.limits.failed(v.caller, p.Claimed)
		return oa.Identity{}, &result{code: TicketSpent, reason: "TicketReused", detail: "the proof was used at this gateway before"}
	}
	id, err := h.verify(ctx, v, verify)
	if err == nil {
		return id, nil
	}
	refused := h.refuse(v, p.Claimed, err)
	if notUsed(refused.code) {
		// The click may be repeated, even when the person has left meanwhile.
		if err := v.proofs.Release(context.WithoutCancel(ctx), key); err != nil {
			refused.detail += "; the proof cannot be used again, because " + err.Error()
		}
	}
	return oa.Identity{}, refused
}

// notUsed reports whether a proof may come again after an outcome.
func notUsed(code Code) bool { return code == OANotAsked || code == OARefusesUs }

func (h *Handler) reserve(ctx context.Context, v *visit, key string, life time.Duration) (bool, error) {
	ctx, end := h.step(ctx, stepReserve)
	defer end()
	return v.proofs.Reserve(ctx, key, life)
}

func (h *Handler) verify(ctx context.Context, v *visit, verify func(context.Context) (oa.Identity, error)) (oa.Identity, error) {
	ctx, end := h.step(ctx, stepVerify)
	defer end()
	ctx, cancel := context.WithTimeout(ctx, v.verifyTimeout)
	defer cancel()
	id, err := verify(ctx)
	if err == nil && id.Account == "" {
		err = &oa.VerifyError{Reason: "EmptyAccount", Message: "the OA named nobody"}
	}
	return id, err
}

// codes of the verdicts.
var codes = map[oa.Verdict]Code{
	oa.Unasked:   OANotAsked,
	oa.Rejected:  TicketSpent,
	oa.Missing:   NoTicket,
	oa.Ambiguous: BadLink,
	oa.Skewed:    ClockSkew,
	oa.Declined:  Declined,
	oa.SetUp:     OARefusesUs,
}

// refuse explains a failed verification. Only a rejected proof counts as a failure of the caller.
func (h *Handler) refuse(v *visit, claimed string, err error) *result {
	refused := &oa.VerifyError{Reason: "Unknown", Message: "the verifier failed"}
	errors.As(err, &refused)
	code, known := codes[refused.Verdict]
	if !known {
		code = OANotAsked
	}
	if code == TicketSpent {
		h.limits.failed(v.caller, claimed)
	}
	return &result{code: code, reason: refused.Reason, detail: refused.Message, skew: refused.Skew, oaAccount: shownClaim(code, claimed)}
}

// shownClaim: a claimed account is logged only when its proof was good in itself; otherwise it could be anything.
func shownClaim(code Code, claimed string) string {
	if code == ClockSkew {
		return claimed
	}
	return ""
}

// purpose is what a sign-in is for: a page of the CRM in this browser, unless it is for another one.
type purpose struct {
	Target login.Target `json:"target"`
	// Scan is set when the person scanned a code that a browser elsewhere shows.
	Scan *code `json:"scan,omitempty"`
	// Resume is the CRM's own request for a sign-in (OpenID Provider).
	Resume string `json:"resume,omitempty"`
}

// complete finds the CRM account of a verified person, and vouches for it.
func (h *Handler) complete(ctx context.Context, v *visit, account string, p purpose, skew time.Duration) result {
	crm, bound := v.accounts.CRM(account)
	var res result
	switch {
	case !bound || crm == "":
		res = result{code: NotLinked, reason: "Unbound", detail: "no AccountBinding of this connector has the OA account"}
	case h.limits.signedIn(account):
		res = result{code: TooMany, reason: "TooManySignIns", crmAccount: crm}
	case p.Scan != nil:
		res = h.askToConfirm(v, account, *p.Scan)
		res.crmAccount = crm
	default:
		res = h.handOff(ctx, v, account, crm, p)
	}
	res.oaAccount, res.skew = account, skew
	if p.Scan != nil && res.code != Shown {
		_ = h.tellScreen(ctx, v, *p.Scan, grant{Code: res.code}) // the phone says it as well
	}
	return res
}

// handOff vouches for a person in this browser.
func (h *Handler) handOff(ctx context.Context, v *visit, account, crm string, p purpose) result {
	p.Target = v.home.lead(p.Target)
	out, err := v.issuer.HandOff(ctx, login.Person{
		CRMAccount: crm, EnterpriseID: v.enterpriseID, Target: p.Target,
		OA: login.OAIdentity{Type: v.oaType, Account: account}, TraceID: v.trace,
	}, p.Resume)
	if err != nil {
		return result{code: Broken, crmAccount: crm, reason: "LoginIssuer", detail: err.Error()}
	}
	res := result{code: SignedIn, location: out.URL, crmAccount: crm}
	if out.Session != "" {
		res.cookies = append(res.cookies, v.cookie(cookieSession, out.Session, out.SessionLife, http.SameSiteLaxMode))
	}
	return res
}
