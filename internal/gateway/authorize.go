package gateway

import (
	"context"
	"net/http"

	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/oa"
)

// paramRequest names the CRM's request for a sign-in while the person is recognised.
const paramRequest = "request"

// authorize recognises the person for the CRM, which asks the gateway as an OpenID Provider. Whoever clicked in the OA a
// moment ago is known by a sealed cookie, good for one request; anybody else signs in at the OA first, where the mode has a
// way to.
func (h *Handler) authorize(ctx context.Context, v *visit) result {
	provider, ok := v.issuer.(login.Resumer)
	request, err := oa.One(v.route.query, paramRequest)
	if !ok || err != nil {
		return result{code: BadLink, reason: "NoRequest", detail: "the CRM did not ask for a sign-in"}
	}
	cookies := v.request.CookiesNamed(v.cookieName(cookieSession))
	if len(cookies) == 1 {
		location, account, err := provider.Resume(ctx, request, cookies[0].Value)
		if err == nil && location != "" {
			return result{code: SignedIn, location: location, crmAccount: account, reason: "Recognised",
				cookies: []*http.Cookie{v.cookie(cookieSession, "", -1, http.SameSiteLaxMode)}}
		}
		if err != nil {
			return result{code: Unavailable, reason: "LoginIssuer", detail: err.Error()}
		}
	}
	return h.begin(ctx, v, purpose{Resume: request, Target: login.Target{Page: login.PageHome}})
}
