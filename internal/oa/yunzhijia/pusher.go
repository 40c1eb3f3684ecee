// Package yunzhijia writes to-dos into Yunzhijia (云之家) with the token of a light app [YZJ-TOK, YZJ-TODO].
package yunzhijia

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Name of the type.
const Name = "Yunzhijia"

const (
	tokenPath = "/gateway/oauth2/token/getAccessToken"
	// tokenLife is what the documentation says; the answer's expireIn counts [YZJ-TOK].
	tokenLife = 6400 * time.Second
)

// Config of a pusher.
type Config struct {
	exchange.Config
	// Credentials returns the id and the secret of the light app as they are now.
	Credentials tokens.Source
}

// NewPusher returns a pusher. The token has the scope app, which is that of the to-do interface.
func NewPusher(c Config) *exchange.Pusher {
	now := c.Now
	if now == nil {
		now = time.Now
	}
	login := exchange.TokenCall{
		Method: http.MethodPost, Path: tokenPath,
		Body: func(a tokens.Account) any {
			return struct {
				AppID     string `json:"appId"`
				Secret    string `json:"secret"`
				Timestamp int64  `json:"timestamp"` // ms, good for 3 minutes
				Scope     string `json:"scope"`
			}{a.Name, a.Secret, now().UnixMilli(), "app"}
		},
		CodeName: "success", MsgName: "error", SuccessCode: "true", TokenName: "data.accessToken", LifeName: "data.expireIn", Life: tokenLife,
		Account: "spec.yunzhijia.appID and the key appSecret in the Secret of spec.credentialsSecretRef, and the clock of the node (3 minutes),",
	}
	c.Auth = exchange.Auth{Credentials: c.Credentials, Login: login.Login, Place: exchange.InQuery("accessToken")} // F52
	c.Vendor = exchange.Vendor{
		Name: Name, Errors: exchange.Errors{Book: dictionary.Of(Name)}, CodeName: "errorCode",
		Grant: "must permit the light app to use the to-do interface (newtodo)", Refused: refused, Before: before, Check: check,
	}
	return exchange.New(c.Config)
}

// refused: the documentation gives no code for a dead token, only that success is false; the error's words name it.
func refused(x exchange.Answer, v scenario.Verdict) bool {
	if x.Status == http.StatusUnauthorized {
		return true
	}
	if v.OK || !gjson.ValidBytes(x.Text) {
		return false
	}
	said := bytes.ToLower([]byte(gjson.GetBytes(x.Text, "error").String()))
	return bytes.Contains(said, []byte("accesstoken")) || bytes.Contains(said, []byte("access_token")) || bytes.Contains(said, []byte("token invalid"))
}

// before: a bad parameter is answered with errorCode 0, as an asynchronous success is, and what is wrong stands in data
// [YZJ-TODO].
func before(x exchange.Answer, _ scenario.Result) (oa.Attempt, bool) {
	if !gjson.ValidBytes(x.Text) {
		return oa.Attempt{}, false
	}
	f := gjson.GetManyBytes(x.Text, "success", "errorCode", "data", "error")
	if f[0].String() != "false" || f[1].String() != "0" {
		return oa.Attempt{}, false
	}
	return oa.Attempt{Class: oa.BusinessCode, Message: exchange.Quote(fmt.Sprintf(
		"the OA refused it with errorCode 0 and success false: %s %s: correct the template, or give the item the value that is missing", f[2].String(), f[3].String()))}, true
}

// check looks at success beside the errorCode that the template names. Some receivers may have been left out of an answer
// that says success; their openIds stand in data [YZJ-TODO].
func check(x exchange.Answer) oa.Attempt {
	f := gjson.GetManyBytes(x.Text, "success", "errorCode", "error")
	code := f[1].String()
	if e, ok := dictionary.Of(Name).Find(code); ok && e.Class != "" {
		return oa.Attempt{Class: oa.Class(e.Class), Reason: e.Reason, Message: "the OA answers success with errorCode " + code + ": " + e.Cause.EN}
	}
	if f[0].String() == "false" {
		return oa.Attempt{Class: oa.BusinessCode, Message: "the OA answers errorCode " + code + " and success false: " + f[2].String()}
	}
	return oa.Attempt{}
}
