// Package feishu writes third-party approvals and messages into Feishu (飞书), internationally Lark [FS-SDK, FS-DOC].
package feishu

import (
	"crypto/sha256"
	"encoding/hex"
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
const Name = "Feishu"

const (
	tokenPath = "/open-apis/auth/v3/tenant_access_token/internal"
	tokenLife = 7200 * time.Second
	// retryAfter is the header in which the gateway says in how many seconds the limit begins anew (from memory).
	retryAfter = "x-ogw-ratelimit-reset"
)

// Config of a pusher.
type Config struct {
	exchange.Config
	// Credentials returns app_id and app_secret as they are now.
	Credentials tokens.Source
}

// NewPusher returns a pusher.
func NewPusher(c Config) *exchange.Pusher {
	login := exchange.TokenCall{
		Method: http.MethodPost, Path: tokenPath,
		Body: func(a tokens.Account) any {
			return struct {
				ID     string `json:"app_id"`
				Secret string `json:"app_secret"`
			}{a.Name, a.Secret}
		},
		CodeName: "code", MsgName: "msg", SuccessCode: "0", TokenName: "tenant_access_token", LifeName: "expire", Life: tokenLife,
		Account: "spec.feishu.appID and the key appSecret in the Secret of spec.credentialsSecretRef",
	}
	c.Auth = exchange.Auth{Credentials: c.Credentials, Login: login.Login, Place: exchange.Bearer()}
	c.Vendor = exchange.Vendor{
		Name: Name, Errors: exchange.Errors{Book: dictionary.Of(Name)}, CodeName: "code",
		Grant: "must enable the scopes of this interface for the application and publish a version of it", Prepare: prepare, Before: before, Check: check,
		RetryAfter: retryAfter,
	}
	return exchange.New(c.Config)
}

// maxUUID bounds the uuid by which Feishu knows a message that is sent twice, in characters (from memory).
const maxUUID = 50

// prepare names the initiator of an approval, which must be there, when no account is bound to the CRM's: it is then the
// receiver's own, and user_name shows who sent it. A uuid that is too long becomes its digest.
func prepare(m *exchange.Message) error {
	b := m.Body
	for _, id := range []string{"open_id", "user_id"} {
		b = exchange.Fill(b, id, gjson.GetBytes(b, "task_list.0."+id).String())
	}
	if uuid := gjson.GetBytes(b, "uuid").String(); len(uuid) > maxUUID {
		sum := sha256.Sum256([]byte(uuid))
		b = exchange.Text(b, "uuid", hex.EncodeToString(sum[:])[:maxUUID])
	}
	m.Body = b
	return nil
}

// before finds what is about the receiver behind a code that says no more than "parameter" (from memory).
func before(x exchange.Answer, _ scenario.Result) (oa.Attempt, bool) {
	if !gjson.ValidBytes(x.Text) {
		return oa.Attempt{}, false
	}
	code, said := gjson.GetBytes(x.Text, "code").String(), gjson.GetBytes(x.Text, "msg").String()
	about := code == "1390001" && strings.Contains(said, "user not found") || code == "230001" && strings.Contains(said, "receive_id")
	if !about {
		return oa.Attempt{}, false
	}
	return oa.Attempt{Class: oa.ReceiverUnknown, Message: exchange.Quote("the OA answers " + code + " (" + said + "): correct the binding: " +
		"the account must be of the kind that the template names (open_id, unless changed)")}, true
}

// check: an instance or a task with a smaller update_time than the stored one is ignored without a word; only the instance
// that the answer repeats shows it [FS-DOC].
func check(x exchange.Answer) oa.Attempt {
	sent := gjson.GetBytes(x.Body, "update_time")
	for _, at := range []string{"data.data.update_time", "data.update_time"} {
		if stored := gjson.GetBytes(x.Text, at); sent.Exists() && stored.Exists() && stored.Int() > sent.Int() {
			return oa.Attempt{Class: oa.BusinessCode, Message: "the OA ignored this state, because it holds a newer one (update_time): " +
				"another system writes the same instance_id, or the CRM's versions went back"}
		}
	}
	return oa.Attempt{}
}
