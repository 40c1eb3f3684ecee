package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/mounted"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/rotation"
)

// maxVerifyTimeout bounds one question to the OA: a person waits for the answer.
const maxVerifyTimeout = 8 * time.Second

// configurator keeps a Handler's configuration up to date. What cannot be used leaves the last good one live, and the
// report says why.
type configurator struct {
	handler    *Handler
	publisher  *report.Publisher
	prober     *prober
	secretsDir string
	peers      *http.Client
	newSignIn  func(b *bundle.Bundle, secretsDir string, now func() time.Time) (oa.SignIn, error)
	log        logr.Logger
	// token is shown to the dispatcher, and seals.
	token *rotation.Secret

	mu sync.Mutex
	// seal is that of the live configuration.
	seal *sealer
	// credentials knows which values of the Secrets are in use.
	credentials *rotation.Keeper
	loaded      *bundle.Loaded // the newest good bundle
	failed      string         // why a still newer one is not good
	signIn      oa.SignIn      // made for the bundle with the hash signsIn
	signsIn     string
	problem     string
	// exposure is what the prober found last.
	exposure *report.Exposure
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

// credentialsChanged reports what is in use.
func (c *configurator) credentialsChanged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.publish()
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
			if err := c.prober.use(c.loaded.Bundle); err != nil {
				problems = append(problems, err.Error())
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
	c.publish()
	c.credentials.Look()
}

// exposed takes what the prober found.
func (c *configurator) exposed(found *report.Exposure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exposure = found
	c.publish()
}

func (c *configurator) publish() {
	r := report.Report{
		Component: v1alpha1.ComponentGateway, Config: report.Config{Problem: c.problem}, Credentials: c.credentials.States(), Exposure: c.exposure,
	}
	if l := c.handler.live.Load(); l != nil {
		r.Config.Hash = l.hash
	}
	c.publisher.Publish(r)
}

// peerToken reads the token that the dispatcher asks for.
func (c *configurator) peerToken(rotation.Version) (string, error) {
	token, err := mounted.Read(c.secretsDir, bundle.SlotPeer, v1alpha1.KeyToken)
	if token = strings.TrimSpace(token); err != nil || token == "" {
		return "", errors.New("the peer token is missing; the operator mounts it, so look at its log")
	}
	return token, nil
}

// build makes a configuration. A warning is about something that is not needed now: the next key.
func (c *configurator) build(loaded *bundle.Loaded) (next *live, warning, err error) {
	b := loaded.Bundle
	if b.SSO == nil {
		return nil, nil, errors.New("the bundle has no sign-in: a gateway needs spec.sso with a mode other than None")
	}
	public, err := publicAddress(b.SSO.URL)
	if err != nil {
		return nil, nil, err
	}
	token, err := c.peerToken(rotation.Current)
	if err != nil {
		return nil, nil, err
	}
	peer := newPeerProofs(c.peers, b.SSO.ProofsURL, c.token)
	next = &live{
		hash:   loaded.Hash,
		oaType: b.Type, mode: b.SSO.Mode, connector: b.Namespace + "/" + b.Name, enterpriseID: b.EnterpriseID,
		suspended: b.Suspended, home: home{pc: b.SSO.HomePath, h5: b.SSO.HomeMobilePath},
		qr: b.SSO.QR, verifyTimeout: maxVerifyTimeout, accounts: loaded.Accounts,
		proofs: peer, records: peer, framing: b.SSO.FrameAncestors, files: map[string]string{},
	}
	next.answerAt(public)
	if d := b.Delivery.Timeout.Std(); d > 0 {
		next.verifyTimeout = min(d, maxVerifyTimeout)
	}
	for name, content := range b.SSO.Files {
		next.files["/"+name] = content
	}
	for _, s := range b.SSO.TrustedProxies {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, nil, fmt.Errorf("spec.sso.trustedProxies: %q is not a CIDR such as 10.0.0.0/8", s)
		}
		next.trusted = append(next.trusted, p.Masked())
	}
	if c.seal, err = c.seal.follow(token, next.connector, time.Now()); err != nil {
		return nil, nil, err
	}
	next.seal = c.seal
	if c.signsIn != loaded.Hash {
		signIn, err := c.newSignIn(b, c.secretsDir, c.handler.now)
		if err != nil {
			return nil, nil, err
		}
		c.signIn, c.signsIn = signIn, loaded.Hash
	}
	next.signIn = c.signIn
	if next.issuer, warning, err = c.newIssuer(b.SSO, next); err != nil {
		return nil, nil, err
	}
	if next.others, err = next.under(b.SSO.OtherURLs); err != nil {
		return nil, nil, err
	}
	return next, warning, nil
}

// publicAddress parses the only source of absolute addresses: no request header ever is one.
func publicAddress(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil ||
		!prefixPattern.MatchString(u.EscapedPath()) || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("sso.url must be scheme, host and path prefix only; correct spec.sso.host and spec.sso.pathPrefix")
	}
	return u, nil
}
