package drivers

import (
	"fmt"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
)

func seeyonPusher(c config) (oa.Pusher, error) {
	if c.bundle.OA.Seeyon == nil {
		return nil, missingBlock()
	}
	return seeyon.NewPusher(seeyon.Config{
		Endpoint:    c.url,
		Client:      c.client,
		Credentials: c.secrets.account,
		Headers:     func() ([]seeyon.Header, error) { return c.secrets.headers(c.bundle.OA.Headers) },
		Placement:   seeyon.Placement(c.bundle.OA.Seeyon.TokenPlacement),
		IdleTimeout: c.bundle.OA.Seeyon.TokenIdleTimeout.Std(),
		Timeout:     c.bundle.Delivery.Timeout.Std(),
		Now:         c.now,
		Tokens:      c.options.Tokens,
		Pace:        c.options.Pace,
		Log:         c.options.Log,
	}), nil
}

func seeyonVerifier(c config) (oa.Verifier, error) {
	if c.bundle.OA.Seeyon == nil {
		return nil, missingBlock()
	}
	return seeyon.NewVerifier(seeyon.VerifierConfig{
		Endpoint: c.url.String(),
		Client:   c.client,
		Version:  c.bundle.OA.Seeyon.Version,
		Headers:  func() ([]seeyon.Header, error) { return c.secrets.headers(c.bundle.OA.Headers) },
	}), nil
}

func missingBlock() error {
	return fmt.Errorf("spec.seeyon is missing: a connector of type Seeyon needs at least spec.seeyon.registerCode")
}
