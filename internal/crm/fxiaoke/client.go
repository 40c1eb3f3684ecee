// Package fxiaoke speaks with the CRM Fxiaoke (纷享销客): it asks the open interface for the data of an object, sends
// messages in the name of a service account, and takes the CRM's own callbacks in. Source keys such as [FX-NEW §9.2] name
// where a wire fact comes from.
package fxiaoke

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/rotation"
)

const (
	// callTimeout bounds one call of the open interface, whatever the caller's context says.
	callTimeout = 15 * time.Second
	// connectTimeout bounds DNS, TCP and TLS together.
	connectTimeout = 5 * time.Second
	// maxConns bounds the connections to the CRM; it allows 100 calls in 20 s for an interface [FX-NEW §9.7].
	maxConns = 16
	// maxObject and maxAnswer bound the answer with an object and any other answer, in bytes.
	maxObject = 1 << 20
	maxAnswer = 64 << 10
)

// Client calls the open interface. Tokens are fetched when they are needed and shared by all calls. It is safe for
// concurrent use, and lives as long as the process: Use changes whom it calls.
type Client struct {
	secrets string
	now     func() time.Time
	live    atomic.Pointer[connection]
}

// NewClient returns a client that reads its credentials from the slot crm of a secrets directory each time they are
// needed. Until Use was called every call fails with an *Error.
func NewClient(secrets string, now func() time.Time) *Client {
	return &Client{secrets: secrets, now: now}
}

// Use changes whom the client calls; nil means nobody. Token and connections are kept when nothing is different. The
// error is that a field of the configuration cannot be used; then everything stays as it was.
func (c *Client) Use(config *bundle.CRM) error {
	if config == nil {
		c.live.Store(nil)
		return nil
	}
	if before := c.live.Load(); before != nil && reflect.DeepEqual(before.config, *config) {
		return nil
	}
	u, err := url.Parse(config.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return misconfigured("spec.source.crm.url is not an http(s) address: write one such as https://open.fxiaoke.com")
	}
	client, err := outbound.NewClient(outbound.Config{ConnectTimeout: connectTimeout, AllowedCIDRs: config.AllowedCIDRs, MaxConnsPerHost: maxConns})
	if err != nil {
		return misconfigured("spec.source.crm.allowedCIDRs holds something that is not a CIDR such as 10.0.0.0/8")
	}
	next := &connection{config: *config, base: strings.TrimSuffix(config.URL, "/"), host: u.Host, http: client}
	next.tokens = newTokenCache(c.now, next.fetchToken)
	next.keys = c.newRotation(next)
	c.live.Store(next)
	return nil
}

// connection is one configuration in use. It never changes; calls in flight finish with the old one.
type connection struct {
	config bundle.CRM
	base   string
	host   string
	http   *http.Client
	tokens *tokenCache
	keys   *rotation.Rotation[credentials]
}

// call makes one business call: the token, the enterprise and the acting person stand at the top of the body [SEED1, FX-NEW
// §9.2]. A token that the CRM does not accept any more is replaced, and the call made once more [FX-NEW §9.7].
func (c *Client) call(ctx context.Context, path string, body map[string]any, limit int64) ([]byte, error) {
	conn := c.live.Load()
	if conn == nil {
		return nil, misconfigured("the CRM's open interface is not configured: set spec.source.crm")
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := rotation.Try(ctx, conn.keys, func(keys credentials) ([]byte, error) {
		return conn.callAs(ctx, keys, path, body, limit)
	}, said)
	if missing, ok := errors.AsType[*rotation.MissingError](err); ok {
		return nil, missing.Err
	}
	return answer, err
}

// callAs makes a call with some credentials.
func (conn *connection) callAs(ctx context.Context, keys credentials, path string, body map[string]any, limit int64) ([]byte, error) {
	for first := true; ; first = false {
		g, err := conn.tokens.get(ctx, keys)
		if err != nil {
			return nil, err
		}
		body["corpAccessToken"], body["corpId"], body["currentOpenUserId"] = g.token, g.corpID, conn.config.User
		answer, err := conn.exchange(ctx, path, body, limit, keys.mask(g.token))
		if e, ok := asError(err); ok && e.Code == codeTokenExpired {
			conn.tokens.drop(g.token)
			if first {
				continue
			}
		}
		return answer, err
	}
}

// exchange posts one JSON body and judges the answer by its errorCode alone: the HTTP status is always 200, and texts
// change [FX-NEW §9]. mask takes secrets out of a text that is quoted.
func (conn *connection) exchange(ctx context.Context, path string, body any, limit int64, mask *strings.Replacer) ([]byte, error) {
	payload, err := json.Marshal(body)
	if err != nil {
		return nil, misconfigured("the request cannot be written as JSON")
	}
	// The trace id is documented as required on every URL [FX-NEW §9.3].
	address := conn.base + path + "?thirdTraceId=" + uuid.NewString()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(payload))
	if err != nil {
		return nil, misconfigured("spec.source.crm.url cannot be used as an address")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := conn.http.Do(req)
	if err != nil {
		return nil, conn.networkError(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := outbound.ReadBody(resp, limit)
	if err != nil {
		return nil, conn.readError(err, limit)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, conn.statusError(resp)
	}
	code := gjson.GetBytes(answer, "errorCode")
	if !gjson.ValidBytes(answer) || code.Type != gjson.Number {
		return nil, &Error{Kind: BadAnswer, Message: conn.host + " did not answer as the open interface does: check spec.source.crm.url"}
	}
	if code.Int() != 0 {
		return nil, conn.codeError(int(code.Int()), mask.Replace(gjson.GetBytes(answer, "errorMessage").String()))
	}
	return answer, nil
}
