// Package welink writes to-dos and messages into Huawei WeLink [WL-DOC, WL-TODO, WL-ERR].
package welink

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/scenario"
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
	Credentials tokens.Source
}

// Auth is how calls to WeLink are proven.
func Auth(credentials tokens.Source) exchange.Auth {
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
		Grant:   "must grant the application the to-do and message permissions; a token has them from its next issue on",
		Prepare: prepare, Before: before, Check: check,
	}
	return exchange.New(c.Config)
}

// Bounds of a message, in bytes [WL-DOC].
const (
	maxTitle   = 128
	maxContent = 512
)

// prepare fills what WeLink wants in every to-do [WL-TODO] and the CRM may not know: the name of the receiver, and the
// sender when nobody is bound to them. It cuts the texts of a message to their bounds.
func prepare(m *exchange.Message) error {
	b := exchange.Shorten(exchange.Shorten(m.Body, "msgTitle", maxTitle), "msgContent", maxContent)
	for _, f := range [][2]string{
		{"applicantUserId", "userId"}, {"applicantId", "applicantUserId"}, {"applicantUserNameCn", "applicantUserId"}, {"applicantUserNameEn", "applicantUserNameCn"},
	} {
		b = exchange.Fill(b, f[0], gjson.GetBytes(b, f[1]).String())
	}
	m.Body = b
	return nil
}

// before finds what is about the receiver: failures name them in a list [WL-DOC], and a to-do that does not pass the check
// names the field (from memory).
func before(x exchange.Answer, _ scenario.Result) (oa.Attempt, bool) {
	if !gjson.ValidBytes(x.Text) {
		return oa.Attempt{}, false
	}
	code, said := gjson.GetBytes(x.Text, "code").String(), words(x)
	switch {
	case failedReceivers(x):
		return unreachable(code, said), true
	case (code == "55006" || code == "55007" || code == "55008") && strings.Contains(said, "userId"):
		return unreachable(code, said), true
	}
	return oa.Attempt{}, false
}

// words of a failure stand in message [WL-DOC] or in errorMessage [WL-JAVA].
func words(x exchange.Answer) string {
	return cmp.Or(gjson.GetBytes(x.Text, "message").String(), gjson.GetBytes(x.Text, "errorMessage").String())
}

// failedReceivers reports whether somebody did not get a message. One call goes to one receiver, so it went to nobody. The
// names of the list differ by version (from memory).
func failedReceivers(x exchange.Answer) bool {
	for _, list := range []string{"failedUserId", "failedUserIds", "failUserList", "failedUserList"} {
		for _, at := range []string{list, "data." + list} {
			if failed := gjson.GetBytes(x.Text, at); failed.Exists() && failed.String() != "" && failed.String() != "[]" {
				return true
			}
		}
	}
	return false
}

func unreachable(code, said string) oa.Attempt {
	return oa.Attempt{Class: oa.ReceiverUnknown, Message: exchange.Quote("the OA answers " + code + " (" + said + "): the receiver is not a WeLink user, or not in the " +
		"application's visible range: correct the binding, or extend the range in the WeLink console")}
}

// check: code "0" beside data:false means that nothing was done.
func check(x exchange.Answer) oa.Attempt {
	if gjson.GetBytes(x.Text, "data").Type == gjson.False {
		return oa.Attempt{Class: oa.BusinessCode, Message: `the OA answers code "0" with data:false, which means that it did nothing: check the ids in the template`}
	}
	return oa.Attempt{}
}
