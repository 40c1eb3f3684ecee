// Package drivers makes the driver that a bundle asks for. It is the one place that knows every vendor.
package drivers

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/rotation"
)

// config is what every vendor's driver is made from.
type config struct {
	bundle  *bundle.Bundle
	secrets secrets
	url     *url.URL
	client  *http.Client
	now     func() time.Time
	options Options
}

// Options of a pusher; the zero value has none.
type Options struct {
	// Tokens returns what shares a token of the OA between the replicas of a dispatcher and keeps it over their restarts; nil
	// keeps tokens in this process. An OA with several kinds of tokens has a name for each further one; the name of the first
	// is empty.
	Tokens func(name string) tokens.Store
	// Pace is waited for before each call to the OA that a PushBatch makes beyond its first, so that a rate limit holds;
	// nil means none.
	Pace func(context.Context) error
	// Log of what is no matter of one item; the zero Logger is silent.
	Log logr.Logger
}

// vendor makes the pusher of one OA.
type vendor func(config) (oa.Pusher, error)

// vendors by the type of the connector.
var vendors = map[string]vendor{
	"Seeyon":    seeyonPusher,
	"Weaver":    weaverPusher,
	"Landray":   landrayPusher,
	"Yunzhijia": yunzhijiaPusher,
	"WeLink":    welinkPusher,
	"WeCom":     wecomPusher,
	"DingTalk":  dingtalkPusher,
	"Feishu":    feishuPusher,
	"Generic":   genericPusher,
}

// NewPusher returns the pusher of a bundle, without options.
func NewPusher(b *bundle.Bundle, secretsDir string, now func() time.Time) (oa.Pusher, error) {
	return New(b, secretsDir, now, Options{})
}

// New returns the pusher of a bundle. Secrets are read when a call needs them, from one folder for each slot below
// secretsDir, so that rotation needs no new pusher. now is the clock. The pusher may be an oa.BatchPusher and an
// oa.Inspector too.
func New(b *bundle.Bundle, secretsDir string, now func() time.Time, o Options) (oa.Pusher, error) {
	c, v, err := prepare(b, secretsDir, now)
	if err != nil {
		return nil, err
	}
	c.options = o
	return v(c)
}

func prepare(b *bundle.Bundle, secretsDir string, now func() time.Time) (config, vendor, error) {
	fail := func(err error) (config, vendor, error) { return config{}, nil, err }
	v, ok := vendors[b.Type]
	if !ok {
		return fail(fmt.Errorf("type: this program knows no OA of type %q, only %s: use a program of the operator's version",
			b.Type, strings.Join(slices.Sorted(maps.Keys(vendors)), ", ")))
	}
	u, err := endpoint(b.OA.URL)
	if err != nil {
		return fail(err)
	}
	c := config{bundle: b, secrets: newSecrets(secretsDir), url: u, now: now}
	outboundConfig := outbound.Config{
		ConnectTimeout: b.OA.ConnectTimeout.Std(),
		AllowedCIDRs:   b.OA.AllowedCIDRs,
		RequireTLS:     b.OA.RequireTLS,
		// Concurrency calls are in flight at most, and now and then a token call beside them.
		MaxConnsPerHost: connections(b.Delivery.Concurrency),
	}
	if b.OA.CustomCA {
		outboundConfig.CA = c.secrets.ca
	}
	if c.client, err = outbound.NewClient(outboundConfig); err != nil {
		return fail(err)
	}
	return c, v, nil
}

// exchange is what all pushers have in common.
func (c config) exchange() exchange.Config {
	return exchange.Config{
		Endpoint: c.url, Client: c.client, Headers: c.headers, Keys: c.keys, Timeout: c.bundle.Delivery.Timeout.Std(), Now: c.now,
		Tokens: c.tokens(""), Pace: c.options.Pace, Log: c.options.Log,
	}
}

// tokens is where a kind of tokens is shared; nil when it is not.
func (c config) tokens(name string) tokens.Store {
	if c.options.Tokens == nil {
		return nil
	}
	return c.options.Tokens(name)
}

func (c config) headers(v rotation.Version) ([]exchange.Header, error) {
	return c.secrets.headers(c.bundle.OA.Headers, v)
}

// missingBlock is the error of a bundle without the vendor's own block.
func missingBlock(oaType, field string) error {
	return fmt.Errorf("spec.%s is missing: a connector of type %s needs it", field, oaType)
}

func connections(concurrency int) int {
	if concurrency <= 0 {
		return 0
	}
	return concurrency + 1
}

// endpoint parses the address of the OA. The error does not quote it, because it might hold a password.
func endpoint(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("spec.endpoint.url: not an absolute http or https URL without user info, query and fragment: write it like http://oa.corp.example:8080")
	}
	return u, nil
}
