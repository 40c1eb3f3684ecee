// Package outbound makes the HTTP clients with which a workload talks to the OA, and the dialers for what is no HTTP. Every
// client has time limits, follows no redirects, uses no proxy from the environment, and checks the address that is really dialled (after DNS) against an
// egress policy: loopback, link-local and cloud metadata addresses are refused unless they were allowed. Private ranges
// are open, because OA systems live in them.
package outbound

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Config of a client.
type Config struct {
	// ConnectTimeout bounds DNS, TCP and TLS together. Zero means 15 s (F39).
	ConnectTimeout time.Duration
	// AllowedCIDRs opens ranges that are refused otherwise.
	AllowedCIDRs []string
	// Field is where AllowedCIDRs are written down, for errors. Default: spec.endpoint.allowedCIDRs.
	Field string
	// CA returns PEM certificates that sign the OA's certificate. It is asked for every new TLS connection, so that a
	// replaced CA counts without a restart. Nil means the system's roots.
	CA func() ([]byte, error)
	// RequireTLS refuses requests with plain http, wherever their address comes from.
	RequireTLS bool
	// MaxConnsPerHost bounds the connections; 0 means no bound.
	MaxConnsPerHost int
}

const (
	defaultField           = "spec.endpoint.allowedCIDRs"
	defaultConnectTimeout  = 15 * time.Second
	keepAlive              = 30 * time.Second
	idleConnTimeout        = 60 * time.Second
	maxIdleConns           = 256
	maxResponseHeaderBytes = 64 << 10
)

// ErrTooLarge is returned by ReadBody.
var ErrTooLarge = errors.New("answer too large")

// ErrPlainHTTP is wrapped by the error of a request with plain http that Config.RequireTLS refuses.
var ErrPlainHTTP = errors.New("plain http refused")

// ErrCA is wrapped by the error of a request whose CA certificates cannot be used.
var ErrCA = errors.New("CA certificates unusable")

// NewDialer returns a dialer for TCP that keeps the egress policy.
func NewDialer(c Config) (*net.Dialer, error) {
	policy, err := newPolicy(cmp.Or(c.Field, defaultField), c.AllowedCIDRs)
	if err != nil {
		return nil, err
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = defaultConnectTimeout
	}
	return &net.Dialer{
		Timeout:   c.ConnectTimeout,
		KeepAlive: keepAlive,
		// The check sees the address of each socket just before it connects: a name that resolves to something else
		// the second time (DNS rebinding) is checked again.
		ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			return policy.check(network, address)
		},
	}, nil
}

// NewClient returns a client for one OA. Requests carry their own deadline in their context.
func NewClient(c Config) (*http.Client, error) {
	dialer, err := NewDialer(c)
	if err != nil {
		return nil, err
	}
	dial := dialer.DialContext
	if c.RequireTLS { // this one is for http alone
		dial = func(context.Context, string, string) (net.Conn, error) { return nil, ErrPlainHTTP }
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:       nil, // a proxy would dial in our place, unchecked
			DialContext: dial,
			DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				config, err := tlsConfig(c.CA)
				if err != nil {
					return nil, err
				}
				// tls.Dialer applies the dialer's timeout to the handshake as well.
				return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, network, address)
			},
			MaxConnsPerHost:        c.MaxConnsPerHost,
			MaxIdleConns:           maxIdleConns,
			MaxIdleConnsPerHost:    maxIdleConns,
			IdleConnTimeout:        idleConnTimeout,
			MaxResponseHeaderBytes: maxResponseHeaderBytes,
			ForceAttemptHTTP2:      true,
		},
		// A redirect would carry the token and the item to another address.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func tlsConfig(ca func() ([]byte, error)) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if ca == nil {
		return config, nil
	}
	pem, err := ca()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCA, err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: ca.crt holds no PEM certificate", ErrCA)
	}
	return config, nil
}

// ReadBody reads an answer of at most limit bytes. A longer one is cut and ErrTooLarge is returned with what was read.
func ReadBody(resp *http.Response, limit int64) ([]byte, error) {
	buf := bytes.NewBuffer(make([]byte, 0, min(max(resp.ContentLength, 0), limit)+bytes.MinRead))
	_, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1))
	if int64(buf.Len()) > limit {
		return buf.Bytes()[:limit], ErrTooLarge
	}
	return buf.Bytes(), err
}
