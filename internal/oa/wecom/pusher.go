// Package wecom writes messages and cards into WeCom (企业微信) [WC-GO, WC-WX, WC-94945].
package wecom

import (
	"net/http"
	"net/url"
	"time"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
)

// Name of the type.
const Name = "WeCom"

const (
	tokenPath = "/cgi-bin/gettoken"
	tokenLife = 7200 * time.Second
)

// Config of a pusher.
type Config struct {
	exchange.Config
	// Credentials returns CorpID and the secret of the application as they are now.
	Credentials func() (tokens.Account, error)
}

// Auth is how calls to WeCom are proven. The secret stands in the query of the token call and nowhere else [WC-GO].
func Auth(credentials func() (tokens.Account, error)) exchange.Auth {
	login := exchange.TokenCall{
		Method: http.MethodGet, Path: tokenPath,
		Query: func(a tokens.Account) string {
			return "corpid=" + url.QueryEscape(a.Name) + "&corpsecret=" + url.QueryEscape(a.Secret)
		},
		CodeName: "errcode", MsgName: "errmsg", SuccessCode: "0", TokenName: "access_token", LifeName: "expires_in", Life: tokenLife,
		Account: "spec.wecom.corpID and the key appSecret in the Secret of spec.credentialsSecretRef",
	}
	return exchange.Auth{Credentials: credentials, Login: login.Login, Place: exchange.InQuery("access_token")}
}

// NewPusher returns a pusher.
func NewPusher(c Config) *exchange.Pusher {
	c.Auth = Auth(c.Credentials)
	c.Vendor = exchange.Vendor{
		Name: Name, Errors: exchange.Errors{Book: dictionary.Of(Name)}, CodeName: "errcode",
		Grant: "must give the application the permission for this interface", Check: check,
	}
	return exchange.New(c.Config)
}

// check: errcode 0 with receivers in a list of failures. One call goes to one receiver, so it went to nobody.
func check(x exchange.Answer) oa.Attempt {
	for _, f := range []struct{ list, message string }{
		{"invaliduser", "the receiver is not a member, or not in the application's visible range: correct the binding, or extend the range in the WeCom console (应用管理 → 可见范围)"},
		{"unlicenseduser", "the receiver has no licence for this application: assign one in the WeCom console"},
	} {
		if v := gjson.GetBytes(x.Text, f.list); v.Exists() && v.String() != "" && v.String() != "[]" {
			return oa.Attempt{Class: oa.ReceiverUnknown, Message: "errcode 0, but " + f.list + ": " + f.message}
		}
	}
	return oa.Attempt{}
}
