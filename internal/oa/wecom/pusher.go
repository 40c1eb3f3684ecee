// Package wecom writes messages and cards into WeCom (企业微信) [WC-GO, WC-WX, WC-94945].
package wecom

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
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
	Credentials tokens.Source
}

// Auth is how calls to WeCom are proven. The secret stands in the query of the token call and nowhere else [WC-GO].
func Auth(credentials tokens.Source) exchange.Auth {
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
		Grant: "must give the application the permission for this interface", Prepare: prepare, Tidy: tidy, Check: check, Spent: spent,
	}
	return exchange.New(c.Config)
}

// errCrowd keeps an item from people whom it is not for.
var errCrowd = errors.New("touser names more than one person: the OA account of a binding must be one member's account, never @all and no list")

// prepare makes agentid a number, and lets a message go to one person only: a binding is data, and "@all" in it would tell
// everybody [WC-SIL].
func prepare(m *exchange.Message) error {
	if to := gjson.GetBytes(m.Body, "touser").String(); strings.EqualFold(to, "@all") || strings.Contains(to, "|") {
		return errCrowd
	}
	m.Body = exchange.Number(m.Body, "agentid")
	return nil
}

// What is different in each errmsg, and a link that says nothing more than the dictionary (from memory). The caller's
// address stays: with 60020 it is what must be added to the trusted IPs.
var (
	hint     = regexp.MustCompile(`,? ?hint: \[[^\]]*\]`)
	moreInfo = regexp.MustCompile(`,? ?more info at https?://[^\s)]*`)
)

func tidy(words string) string {
	return moreInfo.ReplaceAllString(hint.ReplaceAllString(words, ""), "")
}

// spent: a response_code changes a card once and within 72 hours [WC-94945]. The refusal names it (from memory).
func spent(x exchange.Answer) bool {
	said := strings.ToLower(gjson.GetBytes(x.Text, "errmsg").String())
	return strings.HasSuffix(x.URL.Path, "/update_template_card") && strings.Contains(strings.ReplaceAll(said, " ", "_"), "response_code")
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
