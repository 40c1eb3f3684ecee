// Package landray writes to-dos into a Landray (蓝凌) EKP, over REST with HTTP Basic or as a web service with the account in
// the header of the envelope [LR-DOC, LR-SOAP, LR-REST].
package landray

import (
	"crypto/md5" //nolint:gosec // the OA's own form of a password, not ours to choose
	"encoding/hex"

	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
)

// Name of the type.
const Name = "Landray"

const (
	// headerNamespace and headerElement carry the account of a web service call [LR-SOAP].
	headerNamespace = "http://sys.webservice.client"
	headerElement   = "RequestSOAPHeader"
	// servicePath answers GET with a description, without an account [LR-DOC].
	servicePath = "/sys/webservice/sysNotifyTodoWebService?wsdl"
)

// Config of a pusher.
type Config struct {
	exchange.Config
	// Credentials returns the account as it is now; it is not asked with Authentication None.
	Credentials func() (tokens.Account, error)
	// Authentication is Basic, SOAPHeader or None.
	Authentication string
	// MD5 sends the lower-case hexadecimal MD5 of the password, as the vendor's sample client does (from memory).
	MD5 bool
}

// NewPusher returns a pusher. Its probe asks for the description of the web service.
func NewPusher(c Config) *exchange.Pusher {
	switch c.Authentication {
	case "SOAPHeader":
		c.Auth = exchange.Auth{Credentials: c.account, Place: exchange.SOAPHeader(headerNamespace, headerElement)}
	case "Basic":
		c.Auth = exchange.Auth{Credentials: c.account, Place: exchange.Basic()}
	}
	c.Vendor = exchange.Vendor{
		Name: Name, Errors: exchange.Errors{Book: dictionary.Of(Name)},
		Grant: "must permit this account to use the to-do service (系统服务 → webservice)", Knock: servicePath,
	}
	return exchange.New(c.Config)
}

func (c Config) account() (tokens.Account, error) {
	a, err := c.Credentials()
	if err == nil && c.MD5 {
		sum := md5.Sum([]byte(a.Secret)) //nolint:gosec // see above
		a.Secret = hex.EncodeToString(sum[:])
	}
	return a, err
}
