// Package welink writes to-dos and messages into Huawei WeLink [WL-DOC, WL-TODO, WL-ERR].
package welink

import (
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
)

// Name of the type.
const Name = "WeLink"

const (
	tokenPath = "/auth/v2/tickets"
	tokenLife = 7200 * time.Second
	// TokenHeader carries the token, without the word Bearer [WL-DOC].
	TokenHeader = "x-wlk-Authorization"
)

// Config of a pusher.
type Config struct {
	exchange.Config
	// Credentials returns client_id and client_secret as they are now.
	Credentials func() (tokens.Account, error)
}

// Auth is how calls to WeLink are proven.
func Auth(credentials func() (tokens.Account, error)) exchange.Auth {
	login := exchange.TokenCall{
		Method: http.MethodPost, Path: tokenPath,
		Body: func(a tokens.Account) any {
			return struct {
				ID     string `json:"client_id"`
				Secret string `json:"client_secret"`
			}{a.Name, a.Secret}
		},
		CodeName: "code", MsgName: "message", SuccessCode: "0", TokenName: "access_token", LifeName: "expires_in", Life: tokenLife,
		Account: "spec.welink.clientID and the key appSecret in the Secret of spec.credentialsSecretRef",
	}
	return exchange.Auth{Credentials: credentials, Login: login.Login, Place: exchange.InHeader(TokenHeader, "")}
}

// NewPusher returns a pusher.
func NewPusher(c Config) *exchange.Pusher {
	c.Auth = Auth(c.Credentials)
	c.Vendor = exchange.Vendor{
		Name: Name, Errors: exchange.Errors{Book: dictionary.Of(Name)}, CodeName: "code",
		Grant: "must grant the application the to-do and message permissions; a token has them from its next issue on", Check: check,
	}
	return exchange.New(c.Config)
}

// check: code "0" beside data:false means that nothing was done, and failed receivers of a message are listed in data.
func check(x exchange.Answer) oa.Attempt {
	data := gjson.GetBytes(x.Text, "data")
	if data.Type == gjson.False {
		return oa.Attempt{Class: oa.BusinessCode, Message: `the OA answers code "0" with data:false, which means that it did nothing: check the ids in the template`}
	}
	for _, list := range []string{"failedUserId", "failedUserIds", "failUserList", "failedUserList"} { // names differ by version (from memory)
		if failed := gjson.GetBytes(x.Text, "data."+list); failed.IsArray() && len(failed.Array()) > 0 {
			return oa.Attempt{Class: oa.ReceiverUnknown, Message: "the OA did not reach the receiver, who is not in the application's visible range: extend it in the WeLink console"}
		}
	}
	return oa.Attempt{}
}
