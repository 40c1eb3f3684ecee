package yunzhijia

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/scenario"
	"github.com/oabridge/oabridge/internal/signin"
)

const (
	contextPath = "/gateway/ticket/user/acquirecontext"
	// paramTicket is appended to the addresses of the app by the client [YZJ-CTX].
	paramTicket = "ticket"
)

// Ticket is Yunzhijia's app ticket: the client appends it to the link, the gateway asks whose it is [YZJ-CTX, F54].
type Ticket struct {
	pusher *exchange.Pusher
	appID  string
}

// NewTicket returns the verifier of the light app whose pusher this is.
func NewTicket(p *exchange.Pusher, appID string) *Ticket { return &Ticket{p, appID} }

// Read implements oa.LinkVerifier.
func (t *Ticket) Read(l oa.Link) (oa.Proof, error) { return signin.OneProof(l.Query, paramTicket) }

// Verify implements oa.LinkVerifier. The account is the openid, the id under which to-dos are pushed.
func (t *Ticket) Verify(ctx context.Context, p oa.Proof) (oa.Identity, error) {
	body, err := json.Marshal(map[string]string{"appid": t.appID, "ticket": p.Key})
	if err != nil {
		return oa.Identity{}, err
	}
	x, a := t.pusher.Call(ctx, scenario.Request{Method: http.MethodPost, Path: contextPath, Body: body},
		scenario.Result{CodeName: "success", MsgName: "error", SuccessCode: "true"})
	if err := t.pusher.Refusal(x, a, "errorCode", p.Key); err != nil {
		return oa.Identity{}, err
	}
	data := gjson.GetBytes(x.Text, "data")
	if appID := data.Get("appid").String(); appID != "" && appID != t.appID {
		return oa.Identity{}, signin.Rejected("OtherApp", "the ticket was made for another light app")
	}
	id, good := signin.Account(data.Get("openid").String())
	if !good {
		return oa.Identity{}, signin.Unexpected("the answer names no openid", "spec.endpoint.url")
	}
	return id, nil
}
