package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/mounted"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// maxVerifyTimeout bounds one question to the OA: a person waits for the answer.
const maxVerifyTimeout = 8 * time.Second

// configurator keeps a Handler's configuration up to date. What cannot be used leaves the last good one live, and the
// report says why.
type configurator struct {
	handler     *Handler
	publisher   *report.Publisher
	secretsDir  string
	peers       *http.Client
	newVerifier func(b *bundle.Bundle, secretsDir string, now func() time.Time) (oa.Verifier, error)
	log         logr.Logger

	mu       sync.Mutex
	loaded   *bundle.Loaded // the newest good bundle
	failed   string         // why a still newer one is not good
	verifier oa.Verifier    // made for the bundle with the hash verifies
	verifies string
	problem  string
}

// bundleLoaded takes a new bundle.
func (c *configurator) bundleLoaded(l *bundle.Loaded) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaded, c.failed = l, ""
	c.apply()
}

// bundleFailed notes that the files on disk cannot be used.
func (c *configurator) bundleFailed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = err.Error()
	c.apply()
}

// secretsChanged reads the mounted Secrets again.
func (c *configurator) secretsChanged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apply()
}

// apply makes the newest bundle and the Secrets as they are now live, and reports what is live.
func (c *configurator) apply() {
	var problems []string
	if c.failed != "" {
		problems = append(problems, c.failed)
	}
	if c.loaded != nil {
		next, warning, err := c.build(c.loaded)
		if err != nil {
			problems = append(problems, err.Error())
		} else {
			if old := c.handler.live.Swap(next); old == nil || old.hash != next.hash {
				c.log.Info("configuration is live", "hash", next.hash)
			}
			if warning != nil {
				problems = append(problems, warning.Error())
			}
		}
	}
	problem := strings.Join(problems, "; ")
	if problem != c.problem {
		c.log.Info("configuration problem changed", "problem", problem)
	}
	c.problem = problem
	gauge := 0.0
	if problem != "" {
		gauge = 1
	}
	c.handler.metrics.config.Set(gauge)
	r := report.Report{Component: v1alpha1.ComponentGateway, Config: report.Config{Problem: problem}}
	if l := c.handler.live.Load(); l != nil {
		r.Config.Hash = l.hash
	}
	c.publisher.Publish(r)
}

// build makes a configuration. A warning is about something that is not needed now: the next key.
func (c *configurator) build(loaded *bundle.Loaded) (next *live, warning, err error) {
	b := loaded.Bundle
	if b.SSO == nil {
		return nil, nil, errors.New("the bundle has no sign-in: a gateway needs spec.sso with a mode other than None")
	}
	if b.SSO.Mode != string(v1alpha1.SSOV5Ticket) {
		return nil, nil, fmt.Errorf("sign-in mode %q is unknown: use a gateway of the operator's version", b.SSO.Mode)
	}
	public, err := publicAddress(b.SSO.URL)
	if err != nil {
		return nil, nil, err
	}
	token, err := mounted.Read(c.secretsDir, bundle.SlotPeer, v1alpha1.KeyToken)
	if err != nil || strings.TrimSpace(token) == "" {
		return nil, nil, errors.New("the peer token is missing; the operator mounts it, so look at its log")
	}
	current, following, warning, err := readKeys(c.secretsDir)
	if err != nil {
		return nil, nil, err
	}
	issuer, err := login.NewIssuer(login.Config{
		GatewayURL: b.SSO.URL, LoginURL: b.SSO.LoginURL, Lifetime: b.SSO.LoginLifetime.Std(),
		Keys: c.handler.keys, Now: c.handler.now,
	})
	if err != nil {
		return nil, nil, err
	}
	if c.verifier == nil || c.verifies != loaded.Hash {
		verifier, err := c.newVerifier(b, c.secretsDir, c.handler.now)
		if err != nil {
			return nil, nil, err
		}
		c.verifier, c.verifies = verifier, loaded.Hash
	}
	timeout := maxVerifyTimeout
	if d := b.Delivery.Timeout.Std(); d > 0 {
		timeout = min(d, timeout)
	}
	c.handler.keys.Replace(current, following)
	return &live{
		hash: loaded.Hash, host: strings.ToLower(public.Hostname()), https: public.Scheme == "https",
		oaType: b.Type, connector: b.Namespace + "/" + b.Name, enterpriseID: b.EnterpriseID,
		proofs:   peerProofs{client: c.peers, url: b.SSO.ProofsURL, token: strings.TrimSpace(token)},
		verifier: c.verifier, verifyTimeout: timeout, accounts: loaded.Accounts, issuer: issuer,
	}, warning, nil
}

// publicAddress parses the only source of absolute addresses: no request header ever is one.
func publicAddress(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil ||
		u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("sso.url must be scheme and host only; correct spec.sso.host")
	}
	return u, nil
}

// readKeys reads the signing key and the one that will replace it. A bad next key hurts nobody today, so it is only a
// warning.
func readKeys(secretsDir string) (current, next *login.Key, warning, err error) {
	data, err := mounted.Read(secretsDir, bundle.SlotLogin, v1alpha1.KeyPrivate)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s is missing: put a PEM private key into the Secret of spec.sso.crmLogin.keySecretRef", v1alpha1.KeyPrivate)
	}
	if current, err = login.ParseKey([]byte(data)); err != nil {
		return nil, nil, nil, fmt.Errorf("%s in the Secret of spec.sso.crmLogin.keySecretRef: %w", v1alpha1.KeyPrivate, err)
	}
	name := v1alpha1.KeyPrivate + v1alpha1.SuffixNext
	data, err = mounted.Read(secretsDir, bundle.SlotLogin, name)
	if errors.Is(err, mounted.ErrMissing) {
		return current, nil, nil, nil
	}
	if err == nil {
		next, err = login.ParseKey([]byte(data))
	}
	if err != nil {
		return current, nil, fmt.Errorf("%s in the Secret of spec.sso.crmLogin.keySecretRef is not published: %w", name, err), nil
	}
	return current, next, nil, nil
}
