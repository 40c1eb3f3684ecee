// Package landray writes to-dos into a Landray (蓝凌) EKP, over REST with HTTP Basic or as a web service with the account in
// the header of the envelope [LR-DOC, LR-SOAP, LR-REST].
package landray

import (
	"crypto/md5" //nolint:gosec // the OA's own form of a password, not ours to choose
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Name of the type.
const Name = "Landray"

const (
	// headerNamespace and headerElement carry the account of a web service call [LR-SOAP].
	headerNamespace = "http://sys.webservice.client"
	headerElement   = "RequestSOAPHeader"
	restPath        = "/api/sys-notify/sysNotifyTodoRestService/"
	servicePath     = "/sys/webservice/sysNotifyTodoWebService"
	// nobody is a target that EKP does not know: counting its to-dos proves the account and changes nothing [LR-DOC].
	nobody = `{"LoginName":"oabridge-probe"}`
)

// Config of a pusher.
type Config struct {
	exchange.Config
	// Credentials returns the account as it is now; it is not asked with Authentication None.
	Credentials tokens.Source
	// Authentication is Basic, SOAPHeader or None.
	Authentication string
	// MD5 sends the lower-case hexadecimal MD5 of the password, as the vendor's sample client does (from memory).
	MD5 bool
}

// NewPusher returns a pusher. Its probe asks how many to-dos nobody has, over the protocol of the account, so that a wrong
// account is found before an item has to find out.
func NewPusher(c Config) *exchange.Pusher {
	switch c.Authentication {
	case "SOAPHeader":
		c.Auth = exchange.Auth{Credentials: c.account, Place: exchange.SOAPHeader(headerNamespace, headerElement)}
	case "Basic":
		c.Auth = exchange.Auth{Credentials: c.account, Place: exchange.Basic()}
	}
	c.Vendor = exchange.Vendor{
		Name: Name, Errors: exchange.Errors{Book: dictionary.Of(Name)},
		Grant: "must permit this account to use the to-do service (系统服务 → webservice)", Knock: c.knock(), Refused: refused,
	}
	return exchange.New(c.Config)
}

func (c Config) knock() scenario.Request {
	if c.Authentication != "SOAPHeader" {
		body, _ := json.Marshal(map[string]string{"target": nobody}) // strings always marshal
		return scenario.Request{Method: http.MethodPost, Path: restPath + "getTodoCount", Body: body}
	}
	return scenario.Request{
		Method: http.MethodPost, Path: servicePath, Header: http.Header{"Content-Type": {scenario.ContentTypeXML}, "Soapaction": {`""`}},
		Body: []byte(`<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>` +
			`<w:getTodoCount xmlns:w="http://webservice.notify.sys.kmss.landray.com/"><arg0><target>` + nobody + `</target></arg0></w:getTodoCount>` +
			`</e:Body></e:Envelope>`),
	}
}

// refused: with the account in the envelope, a wrong one is answered with a fault, whose words are not public. Faults about
// anything else do not speak of accounts (from memory).
func refused(x exchange.Answer, v scenario.Verdict) bool {
	if x.Status == http.StatusUnauthorized {
		return true
	}
	said := strings.ToLower(v.Message)
	return v.Fault != "" && slices.ContainsFunc(accountWords, func(word string) bool { return strings.Contains(said, word) })
}

var accountWords = []string{"password", "authenti", "authoriz", "密码", "用户名", "认证", "鉴权", "身份验证"}

func (c Config) account(v rotation.Version) (tokens.Account, error) {
	a, err := c.Credentials(v)
	if err == nil && c.MD5 {
		sum := md5.Sum([]byte(a.Secret)) //nolint:gosec // see above
		a.Secret = hex.EncodeToString(sum[:])
	}
	return a, err
}
