package gateway

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"math/big"
	"net/http"
	"strconv"
	"time"

	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/oa"
)

// Sign-in with a code that the OA's app scans (F161–F165, F168): a screen shows it, a phone opens its address inside the
// app, signs in there, and confirms; then the screen is let in. The screen's browser keeps the name of the code in a
// sealed cookie, so that whoever photographs the code cannot be let in in its place; the person compares a number on both,
// so that nobody confirms the code of somebody else.

const (
	// codeLife is how long a code can be scanned and confirmed.
	codeLife = 2 * time.Minute
	// confirmLife is how long the person on the phone may think.
	confirmLife = time.Minute
	// numbers is how many different numbers there are to compare.
	numbers = 90
)

// code is what a QR code stands for. Sealed, it is in the address that the phone opens, and in the screen's cookie.
type code struct {
	ID string `json:"id"`
	// Number is shown on both devices.
	Number string    `json:"number"`
	Until  time.Time `json:"until"`
}

// screen is the code in the cookie of the browser that shows it, with the page that it wants.
type screen struct {
	Code   code         `json:"code"`
	Target login.Target `json:"target"`
}

// grant is what the phone's gateway tells the screen's.
type grant struct {
	// Account of the OA; empty when Code says why there is none.
	Account string `json:"account,omitempty"`
	Code    Code   `json:"code,omitempty"`
}

// approval is in the form with which the person on the phone confirms; its ID is in a cookie as well.
type approval struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Code    code      `json:"code"`
	Until   time.Time `json:"until"`
}

// showCode shows the page with a code.
func (h *Handler) showCode(v *visit, why purpose) result {
	n, err := rand.Int(rand.Reader, big.NewInt(numbers))
	if err != nil {
		return result{code: Broken, reason: "Random", detail: err.Error()}
	}
	s := screen{Target: why.Target, Code: code{ID: random(), Number: strconv.FormatInt(n.Int64()+100-numbers, 10), Until: h.now().Add(codeLife)}}
	link, err := v.seal.seal(purposeScan, s.Code)
	if err == nil {
		var cookie string
		if cookie, err = v.seal.seal(purposeQR, s); err == nil {
			var page *view
			if page, err = codePage(v, v.url+prefixScan+link, s.Code.Number); err == nil {
				return result{code: Shown, reason: "ShowCode", page: page,
					cookies: []*http.Cookie{v.cookie(cookieQR, cookie, codeLife, http.SameSiteStrictMode)}}
			}
		}
	}
	return result{code: Broken, reason: "Code", detail: err.Error()}
}

// scan is the phone that opens the code's address.
func (h *Handler) scan(ctx context.Context, v *visit) result {
	var c code
	if !v.qr || v.seal.open(purposeScan, v.route.name, &c) != nil {
		return result{code: BadLink, reason: "NoCode", detail: "the address is not that of a code of this gateway"}
	}
	if !h.now().Before(c.Until) {
		return result{code: CodeExpired, reason: "CodeExpired"}
	}
	res := h.begin(ctx, v, purpose{Scan: &c, Target: login.Target{Page: login.PageHome, Client: login.ClientH5}})
	if res.code == Begun {
		// The screen says that the code was scanned. That it may not be able to is no reason to stop.
		_ = v.proofs.Keep(ctx, proofKey("scanned", v.connector, c.ID), []byte("1"), codeLife)
	}
	return res
}

// askToConfirm shows the page with which the person on the phone lets the screen in.
func (h *Handler) askToConfirm(v *visit, account string, c code) result {
	a := approval{ID: random(), Account: account, Code: c, Until: h.now().Add(confirmLife)}
	sealed, err := v.seal.seal(purposeConfirm, a)
	if err != nil {
		return result{code: Broken, reason: "Seal", detail: err.Error()}
	}
	return result{code: Shown, reason: "AskToConfirm", page: confirmPage(v, sealed, c.Number),
		cookies: []*http.Cookie{v.cookie(cookieConfirm, a.ID, confirmLife, http.SameSiteStrictMode)}}
}

// maxForm bounds the confirmation form, in bytes.
const maxForm = 8 << 10

// confirm takes the person's yes. Only the form that this browser was shown, sent from our own page, is one.
func (h *Handler) confirm(ctx context.Context, v *visit) result {
	v.request.Body = http.MaxBytesReader(nil, v.request.Body, maxForm)
	if h.origins.Check(v.request) != nil || v.request.ParseForm() != nil {
		return result{code: BadLink, reason: "CrossOrigin", detail: "the confirmation does not come from the gateway's own page"}
	}
	var a approval
	sealed, err := oa.One(v.request.PostForm, "approval")
	cookies := v.request.CookiesNamed(v.cookieName(cookieConfirm))
	if err != nil || v.seal.open(purposeConfirm, sealed, &a) != nil || len(cookies) != 1 ||
		subtle.ConstantTimeCompare([]byte(cookies[0].Value), []byte(a.ID)) != 1 {
		return result{code: FlowLost, reason: "OtherBrowser", detail: "this browser was not asked to confirm"}
	}
	if now := h.now(); !now.Before(a.Until) || !now.Before(a.Code.Until) {
		return result{code: CodeExpired, reason: "CodeExpired"}
	}
	fresh, err := h.reserve(ctx, v, proofKey("approval", v.connector, a.ID), codeLife)
	if err != nil {
		return result{code: Unavailable, reason: "ProofStore", detail: err.Error()}
	}
	if !fresh {
		return result{code: FlowLost, reason: "ConfirmedBefore", detail: "the person confirmed before"}
	}
	if err := h.tellScreen(ctx, v, a.Code, grant{Account: a.Account}); err != nil {
		return result{code: Unavailable, reason: "ProofStore", detail: err.Error()}
	}
	return result{code: Shown, reason: "Confirmed", oaAccount: a.Account, page: confirmedPage(),
		cookies: []*http.Cookie{v.cookie(cookieConfirm, "", -1, http.SameSiteStrictMode)}}
}

// tellScreen leaves word for the screen that shows a code.
func (h *Handler) tellScreen(ctx context.Context, v *visit, c code, g grant) error {
	sealed, err := v.seal.seal(purposeVault, g)
	if err != nil {
		return err
	}
	return v.proofs.Keep(ctx, proofKey("granted", v.connector, c.ID), []byte(sealed), codeLife)
}

// poll answers the page that shows a code: what became of it.
func (h *Handler) poll(ctx context.Context, v *visit) result {
	var s screen
	cookies := v.request.CookiesNamed(v.cookieName(cookieQR))
	if !v.qr || len(cookies) != 1 || v.seal.open(purposeQR, cookies[0].Value, &s) != nil || !h.now().Before(s.Code.Until) {
		return result{page: pollPage(polled{State: "expired"})}
	}
	sealed, err := v.proofs.Take(ctx, proofKey("granted", v.connector, s.Code.ID))
	if err != nil {
		return result{page: pollPage(polled{State: "waiting"})} // the next poll may be luckier
	}
	if sealed == nil {
		return result{page: pollPage(polled{State: h.waiting(ctx, v, s.Code)})}
	}
	var g grant
	if err := v.seal.open(purposeVault, string(sealed), &g); err != nil {
		return result{code: Unavailable, reason: "ProofStore", detail: "the grant cannot be read"}
	}
	res := result{code: g.Code, reason: "Scanned", oaAccount: g.Account}
	if g.Code == "" {
		res = h.letIn(ctx, v, g.Account, s)
	}
	answer := polled{State: "done", URL: res.location}
	if res.code != SignedIn {
		e := explanations[res.code]
		answer = polled{State: "refused", ZH: e.zh, EN: e.en, Code: res.code, Trace: shortTrace(v.trace)}
	}
	res.location, res.page = "", pollPage(answer)
	res.cookies = append(res.cookies, v.cookie(cookieQR, "", -1, http.SameSiteStrictMode))
	return res
}

// letIn vouches for the person at the screen. The binding may have changed meanwhile, so it is looked up again.
func (h *Handler) letIn(ctx context.Context, v *visit, account string, s screen) result {
	crm, bound := v.accounts.CRM(account)
	if !bound || crm == "" {
		return result{code: NotLinked, oaAccount: account, reason: "Unbound", detail: "no AccountBinding of this connector has the OA account"}
	}
	res := h.handOff(ctx, v, account, crm, purpose{Target: s.Target})
	res.oaAccount = account
	return res
}

// waiting says whether the code was scanned. The mark is taken: the page remembers it.
func (h *Handler) waiting(ctx context.Context, v *visit, c code) string {
	if mark, err := v.proofs.Take(ctx, proofKey("scanned", v.connector, c.ID)); err == nil && mark != nil {
		return "scanned"
	}
	return "waiting"
}

// polled is the answer to a poll.
type polled struct {
	State string `json:"state"` // waiting, scanned, expired, refused or done
	URL   string `json:"url,omitempty"`
	Code  Code   `json:"code,omitempty"`
	Trace string `json:"trace,omitempty"`
	ZH    text   `json:"zh,omitzero"`
	EN    text   `json:"en,omitzero"`
}
