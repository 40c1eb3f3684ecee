// Package callback verifies proofs by asking an interface of the OA that is configured (F110): the "third-party
// authentication" of a to-do, with a parameter of one's own.
package callback

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/signin"
)

// Config of a Verifier.
type Config struct {
	// Channel asks the interface; what proves the gateway to it is among the headers.
	Channel signin.Channel
	// Parameter of the link that holds the proof, and under which it is sent on.
	Parameter string
	URL       string
	// Method is GET or POST.
	Method string
	// AccountPath in a JSON answer; empty when the whole answer is the account.
	AccountPath string
}

// Verifier implements oa.LinkVerifier.
type Verifier struct{ c Config }

// New returns a Verifier.
func New(c Config) *Verifier { return &Verifier{c} }

// Read implements oa.LinkVerifier.
func (v *Verifier) Read(l oa.Link) (oa.Proof, error) { return signin.OneProof(l.Query, v.c.Parameter) }

// Verify implements oa.LinkVerifier. 200 with an account is a yes; 400, 401, 403, 404 and 200 without one are a no.
func (v *Verifier) Verify(ctx context.Context, p oa.Proof) (oa.Identity, error) {
	header := http.Header{"Accept": {"application/json, text/plain"}}
	values := url.Values{v.c.Parameter: {p.Key}}
	var a signin.Answer
	var err error
	if v.c.Method == http.MethodPost {
		a, err = v.c.Channel.PostForm(ctx, v.c.URL, header, values)
	} else {
		address, wrong := signin.WithQuery(v.c.URL, values)
		if wrong != nil {
			return oa.Identity{}, signin.Unexpected("the address is "+wrong.Error(), v.c.Channel.Field)
		}
		a, err = v.c.Channel.Get(ctx, address, header)
	}
	if err != nil {
		return oa.Identity{}, err
	}
	switch a.Status {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
		return oa.Identity{}, signin.Rejected("TicketRejected", "the interface answered %d: it does not know the proof", a.Status)
	case http.StatusUnauthorized:
		return oa.Identity{}, signin.SetUp(v1alpha1.ReasonTokenRejected, "the interface does not accept the gateway (401): check the key token in the Secret of spec.sso.secretRef, and spec.headers")
	default:
		return oa.Identity{}, signin.Unexpected("the interface answered "+http.StatusText(a.Status), v.c.Channel.Field)
	}
	return v.account(a.Body)
}

func (v *Verifier) account(body []byte) (oa.Identity, error) {
	text := strings.TrimSpace(string(body))
	if v.c.AccountPath != "" {
		if !gjson.Valid(text) {
			return oa.Identity{}, signin.Unexpected("the answer is not JSON", v.c.Channel.Field)
		}
		found := gjson.Get(text, v.c.AccountPath)
		if found.Exists() && found.Type != gjson.String && found.Type != gjson.Number && found.Type != gjson.Null {
			return oa.Identity{}, signin.Unexpected("what spec.sso.callback.accountPath leads to is no account", v.c.Channel.Field)
		}
		text = found.String()
	}
	if text == "" {
		return oa.Identity{}, signin.Rejected("TicketRejected", "the interface named nobody: the proof expired or was used before")
	}
	id, good := signin.Account(text)
	if !good {
		return oa.Identity{}, signin.Unexpected("the answer is no account", v.c.Channel.Field)
	}
	return id, nil
}
