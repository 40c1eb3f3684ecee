package gateway

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/report"
)

// The gateway proves that its public address leads to it (F112): it asks that address with a random challenge, and only a
// gateway of the same connector can seal the challenge. What is between, such as an Ingress, a proxy or a cloud's load
// balancer, is thereby asked too.

const (
	// prefixProbe is followed by the challenge.
	prefixProbe = prefixOwn + "probe/"
	// maxChallenge bounds a challenge that is answered, in characters.
	maxChallenge = 64
	// probeEvery is the time between two probes, probeRetry after one that failed. A pod that starts asks at once.
	probeEvery = 5 * time.Minute
	probeRetry = time.Minute
	// probeTimeout bounds one probe, probeConnect its connection, and maxProbeAnswer the answer, in bytes.
	probeTimeout   = 10 * time.Second
	probeConnect   = 5 * time.Second
	maxProbeAnswer = 4 << 10
)

// answerProbe seals the challenge of a probe; false when a request is none. The Host header has to have come through, or
// links would be refused as well.
func (h *Handler) answerProbe(w http.ResponseWriter, r *http.Request, c *live, target string) bool {
	challenge, ok := strings.CutPrefix(target, prefixProbe)
	if !ok || r.Method != http.MethodGet || !sameHost(r.Host, c.host) || challenge == "" || len(challenge) > maxChallenge ||
		strings.Trim(challenge, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return false
	}
	sealed, err := c.seal.seal(purposeProbe, challenge)
	if err != nil {
		return false
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(sealed))
	return true
}

// prober asks the public address from time to time, and publishes what it finds.
type prober struct {
	handler *Handler
	// found takes each result; nil says that there is nothing to say.
	found func(*report.Exposure)

	mu     sync.Mutex
	target probeTarget
	client *http.Client
	wake   chan struct{}
}

// probeTarget is what a probe depends on.
type probeTarget struct {
	url     string
	allowed string
}

func newProber(h *Handler, found func(*report.Exposure)) *prober {
	return &prober{handler: h, found: found, wake: make(chan struct{}, 1)}
}

// use takes the address of a new bundle. One that did not change is not asked again.
func (p *prober) use(b *bundle.Bundle) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var next probeTarget
	if b.SSO.SelfProbe {
		next = probeTarget{b.SSO.URL, strings.Join(b.OA.AllowedCIDRs, " ")}
	}
	if next == p.target {
		return nil
	}
	client, err := probeClient(b.OA.AllowedCIDRs)
	if err != nil {
		return err
	}
	p.target, p.client = next, client
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return nil
}

// run probes until ctx ends.
func (p *prober) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
		p.mu.Lock()
		target, client := p.target, p.client
		p.mu.Unlock()
		c := p.handler.live.Load()
		if target.url == "" || c == nil || c.url != target.url {
			p.found(nil)
			timer.Reset(probeRetry)
			continue
		}
		result := probe(ctx, client, c)
		if ctx.Err() != nil {
			return
		}
		p.found(&result)
		timer.Reset(probeEvery)
		if result.State != stateTrue {
			timer.Reset(probeRetry)
		}
	}
}

// States of a report.
const (
	stateTrue    = "True"
	stateFalse   = "False"
	stateUnknown = "Unknown"
)

// probeClient keeps the egress policy, uses no proxy, and takes a certificate of any authority: that of the people's
// browsers may be one that this pod does not know. Its name and dates have to be right all the same.
func probeClient(allowed []string) (*http.Client, error) {
	client, err := outbound.NewClient(outbound.Config{ConnectTimeout: probeConnect, AllowedCIDRs: allowed})
	if err != nil {
		return nil, err
	}
	dialer, err := outbound.NewDialer(outbound.Config{ConnectTimeout: probeConnect, AllowedCIDRs: allowed})
	if err != nil {
		return nil, err
	}
	client.Transport = &http.Transport{
		DialContext: dialer.DialContext, DisableKeepAlives: true, MaxResponseHeaderBytes: maxProbeAnswer,
		TLSHandshakeTimeout: probeConnect,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, //nolint:gosec // the answer is sealed; see VerifyConnection
			VerifyConnection: func(s tls.ConnectionState) error {
				leaf := s.PeerCertificates[0]
				if err := leaf.VerifyHostname(s.ServerName); err != nil {
					return err
				}
				if now := time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
					return x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired}
				}
				return nil
			},
		},
	}
	return client, nil
}

// probe asks the public address once. Its messages hold nothing random: the same failure reads the same each time.
func probe(ctx context.Context, client *http.Client, c *live) report.Exposure {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	challenge := random()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+prefixProbe+challenge, nil)
	if err != nil {
		return failed(stateUnknown, "HTTP", "the public address cannot be asked: check spec.sso.host")
	}
	resp, err := client.Do(req)
	if err != nil {
		return unreached(err, c.host)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	body, err := outbound.ReadBody(resp, maxProbeAnswer)
	var sealed string
	switch {
	case err != nil && !errors.Is(err, outbound.ErrTooLarge):
		return failed(stateFalse, "HTTP", fmt.Sprintf("%s closed the connection before its answer was complete: check the proxy in front of the gateway", c.host))
	case resp.StatusCode == http.StatusMisdirectedRequest:
		return failed(stateFalse, "HTTP", fmt.Sprintf("the proxy in front of the gateway does not pass on the Host header: let it send Host: %s", c.host))
	case resp.StatusCode != http.StatusOK:
		return failed(stateFalse, "HTTP", fmt.Sprintf("%s answers %d, and not this gateway: check that the host with all its paths leads to the gateway's Service, port 8080", c.host, resp.StatusCode))
	case c.seal.open(purposeProbe, string(body), &sealed) != nil, subtle.ConstantTimeCompare([]byte(sealed), []byte(challenge)) != 1:
		return failed(stateFalse, "HTTP", fmt.Sprintf("something else than this gateway answers at %s: check that the name leads to this cluster, and that no other Ingress or route has the host", c.host))
	}
	return report.Exposure{State: stateTrue, Message: "the gateway reached itself at its public address"}
}

// elsewhere is said where a pod may see what people outside do not.
const elsewhere = "; people outside may get there all the same (hairpin NAT, split DNS): open the address of status.addresses.login from outside, and set spec.sso.selfProbe to Disabled if it works"

// unreached says at which stage it ended. From inside, a name that is not known or an address that does not answer proves
// nothing; a certificate that is wrong does.
func unreached(err error, host string) report.Exposure {
	var dns *net.DNSError
	var egress *outbound.EgressError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var address *url.Error
	isTimeout := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &address) && address.Timeout()
	switch {
	case errors.As(err, &dns):
		return failed(stateUnknown, "DNS", fmt.Sprintf("the name %s does not resolve in the cluster: add it to the DNS", host)+elsewhere)
	case errors.As(err, &egress):
		return failed(stateUnknown, "TCP", fmt.Sprintf("the name %s leads to %s in the cluster, which is refused (%s): correct the DNS", host, egress.Addr, egress.Cause)+elsewhere)
	case errors.As(err, &name):
		return failed(stateFalse, "TLS", fmt.Sprintf("the certificate of %s is for another name: put one for this host into the Secret of spec.sso.exposure.tls, or the Gateway's listener", host))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return failed(stateFalse, "TLS", fmt.Sprintf("the certificate of %s has expired or is not valid yet: renew it", host))
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return failed(stateFalse, "TLS", fmt.Sprintf("%s does not speak TLS on this port: check where TLS ends (spec.sso.exposure)", host))
	case errors.Is(err, syscall.ECONNREFUSED):
		return failed(stateUnknown, "TCP", fmt.Sprintf("%s refuses the connection: check the load balancer of the ingress controller or Gateway", host)+elsewhere)
	case isTimeout:
		return failed(stateUnknown, "TCP", fmt.Sprintf("no answer of %s in time: check firewalls and the load balancer", host)+elsewhere)
	}
	return failed(stateUnknown, "TCP", fmt.Sprintf("the connection to %s fails: check the load balancer and its certificate", host)+elsewhere)
}

func failed(state, stage, message string) report.Exposure {
	return report.Exposure{State: state, Reason: v1alpha1.ReasonSelfProbeFailed, Message: fmt.Sprintf("%s: %s", stage, message)}
}
