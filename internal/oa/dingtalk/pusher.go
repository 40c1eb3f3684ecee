// Package dingtalk writes to-dos and work notices into DingTalk (钉钉). It has two interfaces, each with tokens of its own:
// the old one (oapi.dingtalk.com: work notices, people) and the one with a version in its paths (api.dingtalk.com: to-dos)
// [DT-SDK, DT-GO].
package dingtalk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Name of the type.
const Name = "DingTalk"

const (
	tokenLife = 7200 * time.Second
	// versioned begins the paths of the newer interface.
	versioned = "/v1.0/"
	account   = "spec.dingtalk.appKey and the key appSecret in the Secret of spec.credentialsSecretRef"
	grant     = "must give the application the permission for this interface in the developer console"
)

// Config of a pusher. Endpoint is the old interface.
type Config struct {
	exchange.Config
	// API is where the newer interface answers.
	API *url.URL
	// APITokens shares the token of the newer interface, as Tokens does that of the old one.
	APITokens tokens.Store
	// Credentials returns AppKey and AppSecret as they are now.
	Credentials tokens.Source
}

// Pusher implements oa.Pusher and oa.Inspector: the path of a call says which interface it belongs to.
type Pusher struct {
	old, v1 *exchange.Pusher
	// pace is waited for before a further call about the same item.
	pace func(context.Context) error
}

var (
	_ oa.Pusher    = (*Pusher)(nil)
	_ oa.Inspector = (*Pusher)(nil)
	_ oa.Rotator   = (*Pusher)(nil)
)

// NewPusher returns a pusher.
func NewPusher(c Config) *Pusher {
	old, v1 := c.Config, c.Config
	old.Auth = Auth(c.Credentials)
	old.Vendor = exchange.Vendor{
		Name: Name, Errors: exchange.Errors{Book: dictionary.Of(Name)}, CodeOf: oldCode, Grant: grant, Prepare: prepare,
	}
	v1.Endpoint, v1.Tokens = c.API, c.APITokens
	v1.Auth = VersionedAuth(c.Credentials)
	v1.Vendor = exchange.Vendor{
		Name: Name, Errors: exchange.Errors{Book: dictionary.Of(Name)}, CodeName: "code", Grant: grant, Before: beforeV1, Check: checkV1,
	}
	return &Pusher{old: exchange.New(old), v1: exchange.New(v1), pace: c.Pace}
}

// Rotate implements oa.Rotator.
func (p *Pusher) Rotate(ctx context.Context) {
	p.v1.Rotate(ctx)
	p.old.Rotate(ctx)
}

// Credentials implements oa.Rotator.
func (p *Pusher) Credentials() []rotation.KeyState {
	return rotation.Merge(p.v1.Credentials(), p.old.Credentials())
}

// Auth is how calls to the old interface are proven [DT-GO].
func Auth(credentials tokens.Source) exchange.Auth {
	login := exchange.TokenCall{
		Method: http.MethodGet, Path: "/gettoken",
		Query: func(a tokens.Account) string {
			return "appkey=" + url.QueryEscape(a.Name) + "&appsecret=" + url.QueryEscape(a.Secret)
		},
		CodeName: "errcode", MsgName: "errmsg", SuccessCode: "0", TokenName: "access_token", LifeName: "expires_in", Life: tokenLife, Account: account,
	}
	return exchange.Auth{Credentials: credentials, Login: login.Login, Place: exchange.InQuery("access_token")}
}

// VersionedAuth is how calls to the newer interface are proven [DT-SDK].
func VersionedAuth(credentials tokens.Source) exchange.Auth {
	login := exchange.TokenCall{
		Method: http.MethodPost, Path: versioned + "oauth2/accessToken",
		Body: func(a tokens.Account) any {
			return struct {
				Key    string `json:"appKey"`
				Secret string `json:"appSecret"`
			}{a.Name, a.Secret}
		},
		MsgName: "message", TokenName: "accessToken", LifeName: "expireIn", Life: tokenLife, Account: account,
	}
	return exchange.Auth{Credentials: credentials, Login: login.Login, Place: exchange.InHeader("x-acs-dingtalk-access-token", "")}
}

// oldCode is the code of an answer of the old interface. 88 only says that the gateway refused the call; sub_code says why
// (from memory).
func oldCode(answer []byte) string {
	code := gjson.GetBytes(answer, "errcode").String()
	if sub := gjson.GetBytes(answer, "sub_code").String(); code == "88" && sub != "" {
		return sub
	}
	return code
}

// errCrowd keeps an item from people whom it is not for.
var errCrowd = errors.New("userid_list names more than one person: the OA account of a binding must be one person's")

// prepare makes agent_id a number, and lets a work notice go to one person only: a binding is data.
func prepare(m *exchange.Message) error {
	if strings.Contains(gjson.GetBytes(m.Body, "userid_list").String(), ",") {
		return errCrowd
	}
	m.Body = exchange.Number(m.Body, "agent_id")
	return nil
}

func (p *Pusher) of(path string) *exchange.Pusher {
	if strings.HasPrefix(path, versioned) {
		return p.v1
	}
	return p.old
}

// Push implements oa.Pusher.
func (p *Pusher) Push(ctx context.Context, req scenario.Request, result scenario.Result) oa.Attempt {
	if req.Lookup != nil {
		resolved, failure := p.of(req.Path).Resolve(ctx, req)
		if failure != nil {
			return *failure
		}
		req = resolved
	}
	a := p.of(req.Path).Push(ctx, req, result)
	if a.Class == oa.OK && strings.HasSuffix(req.Path, noticePath) {
		return p.reached(ctx, req, a)
	}
	return a
}

// Probe implements oa.Pusher: both interfaces take the same account, so the newer one speaks for both.
func (p *Pusher) Probe(ctx context.Context) oa.Attempt { return p.v1.Probe(ctx) }

// Inspect implements oa.Inspector.
func (p *Pusher) Inspect(ctx context.Context, req scenario.Request, result scenario.Result) (scenario.Presence, oa.Attempt) {
	return p.of(req.Path).Inspect(ctx, req, result)
}

// beforeV1 reads the errors of the newer interface: HTTP 4xx with {"code","message","requestid"} [DT-BLOG]. What the
// dictionary knows is left to it.
func beforeV1(x exchange.Answer, _ scenario.Result) (oa.Attempt, bool) {
	if x.Status < http.StatusBadRequest || x.Status >= http.StatusInternalServerError || !gjson.ValidBytes(x.Text) {
		return oa.Attempt{}, false
	}
	code := gjson.GetBytes(x.Text, "code").String()
	if code == "" {
		return oa.Attempt{}, false
	}
	said := gjson.GetBytes(x.Text, "message").String()
	message := exchange.Quote(fmt.Sprintf("the OA answers %d %s (%s)", x.Status, code, said))
	e, ok := dictionary.Of(Name).Find(code)
	switch {
	case ok && e.Class != "":
		return oa.Attempt{Class: oa.Class(e.Class), Reason: e.Reason, Message: message + ": " + e.Next.EN}, true
	// The names of the codes are from memory; each begins with what it is about.
	case strings.HasPrefix(code, "Throttling"), strings.Contains(code, "QpsLimit"):
		return oa.Attempt{Class: oa.RateLimited, Message: message + ": lower spec.delivery.rateLimit if this lasts"}, true
	case strings.Contains(code, "NotInScope"), strings.HasPrefix(code, "InvalidParameter") && strings.Contains(said, "unionId"):
		return oa.Attempt{Class: oa.ReceiverUnknown, Message: message + ": the receiver is no member of the organisation, or not in the application's " +
			"visible range: correct the binding (to-dos want the unionId), or extend the range in the DingTalk console"}, true
	case strings.HasPrefix(code, "Forbidden"):
		return oa.Attempt{Class: oa.AuthExpired, Reason: v1alpha1.ReasonTokenRejected, Message: message + ": the OA administrator " + grant}, true
	}
	return oa.Attempt{Class: oa.BusinessCode, Message: message}, true
}

// todoPath begins the paths of to-dos.
const todoPath = versioned + "todo/"

// checkV1: the newer interface answers with the task, or with result true [DT-SDK]. Anything less means that it did nothing.
func checkV1(x exchange.Answer) oa.Attempt {
	if x.Method == http.MethodGet || !strings.Contains(x.URL.Path, todoPath) {
		return oa.Attempt{}
	}
	if result := gjson.GetBytes(x.Text, "result"); result.Type != gjson.True && gjson.GetBytes(x.Text, "id").String() == "" {
		return oa.Attempt{Class: oa.BusinessCode, Message: "the OA answers 200 without the task's id and without result:true, which means that it did nothing"}
	}
	return oa.Attempt{}
}
