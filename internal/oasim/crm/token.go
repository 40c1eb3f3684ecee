package crm

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Target kinds of a login.
const (
	pageRecord = "record"
	pageHome   = "home"
)

// Destination is where a login leads; it travels in the claim "target".
type Destination struct {
	Page    string `json:"page"`
	APIName string `json:"apiName,omitempty"`
	DataID  string `json:"dataId,omitempty"`
	Path    string `json:"path,omitempty"` // of a page in the place of the home page
	Client  string `json:"client"`         // pc or h5
}

var (
	apiNameForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,79}$`)
	pathForm    = regexp.MustCompile(`^/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*/?)*(?:\?[A-Za-z0-9._~=&/-]*)?$`)
	dataIDForm  = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.:-]{0,127}$`)
)

// path is the clean address of a destination, or "" if there is none.
func (d Destination) path() string {
	prefix := ""
	switch d.Client {
	case "h5":
		prefix = "/h5"
	case "pc", "":
	default:
		return ""
	}
	switch {
	case d.Path != "":
		if d.Page == pageHome && d.APIName == "" && d.DataID == "" && pathForm.MatchString(d.Path) {
			return d.Path
		}
	case d.Page == pageRecord && apiNameForm.MatchString(d.APIName) && dataIDForm.MatchString(d.DataID):
		return prefix + "/record/" + url.PathEscape(d.APIName) + "/" + url.PathEscape(d.DataID)
	case (d.Page == pageHome || d.Page == "") && d.APIName == "" && d.DataID == "":
		return prefix + "/home"
	}
	return ""
}

// refusal is why a login failed: a code and a sentence, and no hint at the secret parts.
type refusal struct {
	Code             string
	Status           int
	Chinese, English string
}

var (
	refuseMissing   = &refusal{"CRM-1401", 401, "缺少登录凭证。", "The login token is missing."}
	refuseMalformed = &refusal{"CRM-1402", 401, "登录凭证格式不正确。", "The login token is malformed or uses an algorithm that is not allowed."}
	refuseSignature = &refusal{"CRM-1403", 401, "登录凭证的签名无效。", "The signature of the login token is not valid."}
	refuseTime      = &refusal{"CRM-1404", 401, "登录凭证已过期或尚未生效。", "The login token has expired or is not valid yet."}
	refuseAudience  = &refusal{"CRM-1405", 401, "登录凭证不是签发给本系统的。", "The login token was not issued for this system."}
	refuseReplay    = &refusal{"CRM-1406", 401, "登录凭证已被使用。", "The login token has been used before."}
	refuseAccount   = &refusal{"CRM-1407", 403, "没有这个 CRM 账号。", "There is no such CRM account."}
	refuseTarget    = &refusal{"CRM-1408", 403, "登录目标无效。", "The target of the login is not valid."}
	refuseLoginCode = &refusal{"CRM-1409", 401, "登录码无效或已过期。", "The login code is unknown, was used before, or is too old."}
	refuseFlow      = &refusal{"CRM-1410", 401, "登录未在此浏览器中开始。", "The login was not begun in this browser, or took too long."}
	refuseKeys      = &refusal{"CRM-1503", 503, "暂时无法验证登录凭证，请稍后再试。", "The login cannot be verified at the moment."}
	refuseSession   = &refusal{"CRM-1400", 401, "请先登录。请从 OA 重新打开待办。", "Login required. Open the to-do from the OA again."}
)

const (
	maxToken     = 8 << 10
	leeway       = 30 * time.Second
	longestLogin = 10 * time.Minute // a login token that lives longer is refused
)

// claims are what a login token says besides the registered claims.
type claims struct {
	jwt.Claims
	EnterpriseID string       `json:"ei"`
	Target       *Destination `json:"target"`
}

// verify judges a login token: pinned algorithms, a published key, issuer, audience, times, and one use only. The token
// chooses nothing but its issuer among the believed ones, and the key id.
func (c *CRM) verify(ctx context.Context, raw string) (Person, Destination, *refusal) {
	var nobody Person
	var nowhere Destination
	if raw == "" {
		return nobody, nowhere, refuseMissing
	}
	if len(raw) > maxToken {
		return nobody, nowhere, refuseMalformed
	}
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil || len(token.Headers) != 1 {
		return nobody, nowhere, refuseMalformed
	}
	var unproven jwt.Claims // says only whose keys to look for
	if err := token.UnsafeClaimsWithoutVerification(&unproven); err != nil {
		return nobody, nowhere, refuseMalformed
	}
	login, header := c.Login().of(unproven.Issuer), token.Headers[0]
	key, err := c.keys.find(ctx, login.JWKSURL, header.KeyID)
	switch {
	case errors.Is(err, errUnknownKey):
		return nobody, nowhere, refuseSignature
	case err != nil:
		return nobody, nowhere, refuseKeys
	case key.Algorithm != "" && key.Algorithm != header.Algorithm:
		return nobody, nowhere, refuseSignature
	}
	var got claims
	if err := token.Claims(key.Key, &got); err != nil {
		if errors.Is(err, jose.ErrCryptoFailure) {
			return nobody, nowhere, refuseSignature
		}
		return nobody, nowhere, refuseMalformed
	}
	return c.judge(login, got)
}

// judge looks at the claims of a token whose signature is good.
func (c *CRM) judge(login Login, got claims) (Person, Destination, *refusal) {
	var nobody Person
	var nowhere Destination
	now := c.Now()
	if got.Issuer != login.Issuer || !got.Audience.Contains(login.Audience) ||
		login.EnterpriseID != "" && got.EnterpriseID != login.EnterpriseID {
		return nobody, nowhere, refuseAudience
	}
	if got.Expiry == nil || got.IssuedAt == nil || got.ID == "" || len(got.ID) > 256 {
		return nobody, nowhere, refuseMalformed
	}
	expiry, issued := got.Expiry.Time(), got.IssuedAt.Time()
	if !now.Before(expiry.Add(leeway)) || issued.After(now.Add(leeway)) || expiry.Sub(issued) > longestLogin ||
		got.NotBefore != nil && got.NotBefore.Time().After(now.Add(leeway)) {
		return nobody, nowhere, refuseTime
	}
	person, where, refused := c.admit(got.Subject, got.Target)
	if refused == nil && !c.spent.Add(got.ID, struct{}{}, expiry.Add(leeway).Sub(now)) {
		refused = refuseReplay
	}
	return person, where, refused
}

// admit finds the person and the page of a login whose proof is good. Without a target it leads to the home page.
func (c *CRM) admit(account string, target *Destination) (Person, Destination, *refusal) {
	person, ok := c.person(account)
	if !ok {
		return Person{}, Destination{}, refuseAccount
	}
	where := Destination{Page: pageHome, Client: "pc"}
	if target != nil {
		where = *target
	}
	if where.path() == "" {
		return Person{}, Destination{}, refuseTarget
	}
	return person, where, nil
}

func (r *refusal) write(w http.ResponseWriter, phone bool) {
	show(w, r.Status, "refused.html", phone, r)
}
