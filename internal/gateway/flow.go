package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
)

const (
	// flowLife is how long a person may take at the OA.
	flowLife = 10 * time.Minute
	// companyLife is how long a browser remembers the chosen company.
	companyLife = 180 * 24 * time.Hour
	// maxFlows bounds the sign-ins under way in one browser: each has a cookie.
	maxFlows = 8

	cookieFlow    = "oab-flow-" // followed by a part of the state's hash: several tabs do not disturb each other
	cookieCompany = "oab-company"
	cookieSession = "oab-session"
	cookieQR      = "oab-qr"
	cookieConfirm = "oab-confirm"

	// paramWeb asks for the OA's own web sign-in in the place of a code to scan.
	paramWeb = "web"
)

// pending is a sign-in while the browser is at the OA. It travels in a sealed cookie, so that only the browser that began
// can finish.
type pending struct {
	purpose
	Provider     string    `json:"provider"`
	State        string    `json:"state"`
	Nonce        string    `json:"nonce"`
	CodeVerifier string    `json:"verifier"`
	InApp        bool      `json:"inApp,omitempty"`
	Begun        time.Time `json:"begun"`
}

func (p pending) flow(v *visit) oa.Flow {
	challenge := sha256.Sum256([]byte(p.CodeVerifier))
	return oa.Flow{
		RedirectURI: v.url + prefixCallback + p.Provider, State: p.State, Nonce: p.Nonce, CodeVerifier: p.CodeVerifier,
		Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]), InApp: p.InApp,
	}
}

// begin sends the browser to the OA, lets the person choose a company first, or shows a code to scan.
func (h *Handler) begin(ctx context.Context, v *visit, why purpose) result {
	if h.limits.refuses(v.caller, "") {
		return result{code: TooMany, reason: "LockedOut"}
	}
	if v.signIn.Link != nil {
		return result{code: NoTicket, reason: "NoProvider", detail: "in this sign-in mode a person has to come from the OA"}
	}
	if why.Target.Client == "" {
		why.Target.Client = clientOf(v.request.UserAgent())
	}
	inside := inApp(v.request.UserAgent())
	provider, shown := h.choose(v)
	if shown != nil {
		return *shown
	}
	if v.qr && !inside && why.Scan == nil && v.route.query.Get(paramWeb) == "" {
		return h.showCode(v, why)
	}
	p := pending{
		purpose: why, Provider: provider.Name, InApp: inside, State: random(), Nonce: random(), CodeVerifier: random(),
		Begun: h.now(),
	}
	ctx, cancel := context.WithTimeout(ctx, v.verifyTimeout)
	defer cancel()
	step, err := provider.Verifier.Begin(ctx, p.flow(v))
	if err != nil {
		return *h.refuse(v, "", err)
	}
	sealed, err := v.seal.seal(purposeFlow, p)
	if err != nil {
		return result{code: Broken, reason: "Seal", detail: err.Error()}
	}
	res := result{code: Begun, location: step.URL}
	res.cookies = append(v.tooManyFlows(), v.cookie(flowCookie(p.State), sealed, flowLife, http.SameSiteLaxMode))
	if len(v.signIn.Providers) > 1 {
		res.cookies = append(res.cookies, v.cookie(cookieCompany, provider.Name, companyLife, http.SameSiteLaxMode))
	}
	if step.Script != nil {
		res.location, res.page = "", scriptPage(*step.Script, p.flow(v))
	}
	return res
}

// choose returns the provider of a visit: the only one, or the one that the person chose (F189).
func (h *Handler) choose(v *visit) (*oa.Provider, *result) {
	providers := v.signIn.Providers
	if len(providers) == 1 {
		return &providers[0], nil
	}
	name, err := oa.One(v.route.query, paramCompany)
	if err == nil {
		if p := v.provider(name); p != nil {
			return p, nil
		}
	}
	if len(v.route.query[paramCompany]) > 0 {
		return nil, &result{code: BadLink, reason: "NoCompany", detail: "the link names no company of this connector"}
	}
	return nil, &result{code: Shown, reason: "ChooseCompany", page: chooserPage(v)}
}

func flowCookie(state string) string {
	const part = 12
	sum := sha256.Sum256([]byte(state))
	return cookieFlow + base64.RawURLEncoding.EncodeToString(sum[:])[:part]
}

// finish takes the browser that comes back from the OA.
func (h *Handler) finish(ctx context.Context, v *visit) result {
	if h.limits.refuses(v.caller, "") {
		return result{code: TooMany, reason: "LockedOut"}
	}
	p, refused := h.pendingOf(v)
	if refused != nil {
		return *refused
	}
	provider := v.provider(p.Provider)
	res := h.finishAt(ctx, v, provider, p)
	if !notUsed(res.code) && res.code != Unavailable {
		res.cookies = append(res.cookies, v.cookie(flowCookie(p.State), "", -1, http.SameSiteLaxMode))
	}
	return res
}

func (h *Handler) finishAt(ctx context.Context, v *visit, provider *oa.Provider, p pending) result {
	flow := p.flow(v)
	proof, err := provider.Verifier.Read(v.route.query, flow)
	if err != nil {
		return *h.refuse(v, "", err)
	}
	stateKey := proofKey("state", v.connector, p.State)
	fresh, err := h.reserve(ctx, v, stateKey, flowLife)
	if err != nil {
		return result{code: Unavailable, reason: "ProofStore", detail: err.Error()}
	}
	if !fresh {
		return result{code: FlowLost, reason: "StateReused", detail: "this sign-in was finished before"}
	}
	id, refused := h.consume(ctx, v, "code|"+provider.Name, proof, func(ctx context.Context) (oa.Identity, error) {
		return provider.Verifier.Verify(ctx, proof, flow)
	})
	if refused != nil {
		if notUsed(refused.code) || refused.code == Unavailable {
			_ = v.proofs.Release(context.WithoutCancel(ctx), stateKey) // if it fails, the person begins again
		}
		return *refused
	}
	return h.complete(ctx, v, provider.AccountPrefix+id.Account, p.purpose, proof.Skew)
}

// pendingOf finds the sign-in that this browser began with the state that came back. A state of another browser, provider
// or connector, and one that is too old, is none.
func (h *Handler) pendingOf(v *visit) (pending, *result) {
	lost := func(reason, detail string) (pending, *result) {
		return pending{}, &result{code: FlowLost, reason: reason, detail: detail}
	}
	state, err := oa.One(v.route.query, "state")
	if err != nil {
		return pending{}, &result{code: BadLink, reason: "NoState", detail: "the OA sent the browser back without one state"}
	}
	cookies := v.request.CookiesNamed(v.cookieName(flowCookie(state)))
	if len(cookies) != 1 {
		return lost("OtherBrowser", "this browser did not begin the sign-in, or took longer than 10 minutes")
	}
	var p pending
	if v.seal.open(purposeFlow, cookies[0].Value, &p) != nil {
		return lost("CookieForged", "the cookie is not of this gateway")
	}
	if subtle.ConstantTimeCompare([]byte(p.State), []byte(state)) != 1 {
		return lost("OtherState", "the state is not that of the cookie")
	}
	if age := h.now().Sub(p.Begun); age < 0 || age >= flowLife {
		return lost("TooLate", "the sign-in took longer than 10 minutes")
	}
	if p.Provider != v.route.name || v.provider(p.Provider) == nil {
		return lost("OtherProvider", "the answer is not of the provider to which the browser was sent")
	}
	return p, nil
}

// cookie makes a cookie that only this host can set and read. A life of less than zero takes it away.
func (c *live) cookie(name, value string, life time.Duration, site http.SameSite) *http.Cookie {
	age := int(life.Seconds())
	if life < 0 {
		age = -1
	}
	return &http.Cookie{
		Name: c.cookieName(name), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: c.https, SameSite: site,
	}
}

// cookieName: browsers take a cookie with the prefix __Host- from this very host over TLS only, and for the whole host: the path
// prefix is in the name, so that two gateways on one host do not disturb each other. A gateway on trial without TLS has to do
// without __Host-.
func (c *live) cookieName(name string) string {
	if c.prefix != "" {
		name = strings.ReplaceAll(c.prefix[1:], "/", ".") + "." + name
	}
	if c.https {
		return "__Host-" + name
	}
	return name
}

// tooManyFlows takes away the cookies of sign-ins that were begun and left, when there are many.
func (v *visit) tooManyFlows() []*http.Cookie {
	prefix := v.cookieName(cookieFlow)
	var stale []*http.Cookie
	for _, c := range v.request.Cookies() {
		if len(c.Name) > len(prefix) && c.Name[:len(prefix)] == prefix {
			stale = append(stale, &http.Cookie{Name: c.Name, Path: "/", MaxAge: -1, HttpOnly: true, Secure: v.https, SameSite: http.SameSiteLaxMode})
		}
	}
	if len(stale) < maxFlows {
		return nil
	}
	return stale
}
