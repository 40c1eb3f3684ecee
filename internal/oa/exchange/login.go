package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/scenario"
)

// maxToken bounds a token, in bytes.
const maxToken = 4 << 10

// Ask sends a request that fetches a token for an account. The common headers go along.
func (p *Pusher) Ask(ctx context.Context, method, path string, body []byte) (Answer, *oa.Attempt) {
	return p.ask(ctx, method, path, nil, body)
}

func (p *Pusher) ask(ctx context.Context, method, path string, header http.Header, body []byte) (Answer, *oa.Attempt) {
	s, ok := ctx.Value(sessionKey{}).(session)
	if !ok {
		var failure *oa.Attempt
		if s, failure = p.session(); failure != nil {
			return Answer{}, failure
		}
	}
	u, err := p.Address(path)
	if err != nil {
		return Answer{}, &oa.Attempt{Class: oa.Internal, Message: err.Error()}
	}
	return p.Do(ctx, Message{Method: method, URL: u, Header: p.header(s, header), Body: body}), nil
}

// Refuse returns the failure of a login, masked. secrets are what the exchange shows beside the account.
func (p *Pusher) Refuse(x Answer, a oa.Attempt, account tokens.Account, secrets ...string) *oa.Attempt {
	s, _ := p.session()
	s.account = account
	a = x.Record(p.c.Vendor.tidied(a), oa.NewMasker(append(s.secrets(""), secrets...)...))
	return &a
}

// TokenCall is a login with one JSON exchange, as most vendors have it.
type TokenCall struct {
	// Method and Path of the request. Query, Body (JSON) or Form are made from the account.
	Method, Path string
	Query        func(a tokens.Account) string
	Body         func(a tokens.Account) any
	Form         func(a tokens.Account) url.Values
	// CodeName and SuccessCode tell a refusal with HTTP 200; without CodeName every answer with a token is success.
	CodeName, MsgName, SuccessCode string
	// TokenName is the path of the token, LifeName that of its life in seconds; Life counts when the answer has none.
	TokenName, LifeName string
	Life                time.Duration
	// Account says where the account stands: "spec.wecom.corpID and the key appSecret of the Secret in …".
	Account string
}

// Login implements Auth.Login.
func (t TokenCall) Login(ctx context.Context, p *Pusher, a tokens.Account) (tokens.Token, *oa.Attempt) {
	path := t.Path
	if t.Query != nil {
		path += "?" + t.Query(a)
	}
	var body []byte
	if t.Body != nil {
		body, _ = json.Marshal(t.Body(a)) // a struct of strings and numbers always marshals
	}
	header := http.Header{}
	if t.Form != nil {
		body = []byte(t.Form(a).Encode())
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	x, failure := p.ask(ctx, t.Method, path, header, body)
	if failure != nil {
		return tokens.Token{}, failure
	}
	value := gjson.GetBytes(x.Text, t.TokenName).String()
	fail := func(a2 oa.Attempt) (tokens.Token, *oa.Attempt) { return tokens.Token{}, p.Refuse(x, a2, a, value) }
	if x.Failure.Class != oa.OK {
		return fail(x.Failure)
	}
	if f, ok := p.outage(x, scenario.Result{}); ok {
		return fail(f)
	}
	result := scenario.Result{CodeName: t.CodeName, MsgName: t.MsgName, SuccessCode: t.SuccessCode}
	v := result.Judge(x.Text)
	switch {
	case x.Status == http.StatusOK && (t.CodeName == "" || v.OK) && usable(value):
		life := t.Life
		if seconds := gjson.GetBytes(x.Text, t.LifeName).Int(); t.LifeName != "" && seconds > 0 {
			life = time.Duration(seconds) * time.Second
		}
		return tokens.Token{Value: value, Life: life}, nil
	case !v.Readable:
		return fail(Unexpected(fmt.Sprintf("the answer to the token call (%d) is no JSON: %s", x.Status, CheckAddress)))
	case t.CodeName != "" && !v.OK && v.Code != "" || x.Status >= 400:
		return fail(p.rejected(x, v, t))
	}
	return fail(Unexpected(fmt.Sprintf("the answer to the token call (%d) holds no token: %s", x.Status, CheckAddress)))
}

// rejected reads a refusal with the vendor's dictionary: a limit or a busy OA is not a wrong account.
func (p *Pusher) rejected(x Answer, v scenario.Verdict, t TokenCall) oa.Attempt {
	code := p.c.Vendor.code(x, v)
	what := Quote(said(code, v.Message))
	if code == "" {
		what = fmt.Sprint("HTTP ", x.Status)
	}
	if e, ok := p.c.Vendor.Errors.Lookup(code); ok && e.Class != "" {
		a := e.attempt(fmt.Sprintf("the OA issues no token: %s", what))
		if a.Class == oa.AuthExpired && a.Reason == "" {
			a.Reason = v1alpha1.ReasonTokenRejected
		}
		return a
	}
	return oa.Attempt{Class: oa.AuthExpired, Reason: v1alpha1.ReasonTokenRejected, Message: fmt.Sprintf(
		"the OA does not accept the application's account (%s): check %s against the OA's console", what, t.Account)}
}

// usable reports whether a value can be a token: visible ASCII, which a header can carry.
func usable(token string) bool {
	return token != "" && len(token) <= maxToken && !slices.ContainsFunc([]byte(token), func(c byte) bool { return c <= ' ' || c > '~' })
}
