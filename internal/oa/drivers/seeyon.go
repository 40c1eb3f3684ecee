package drivers

import (
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
)

func seeyonPusher(c config) (oa.Pusher, error) {
	if c.bundle.OA.Seeyon == nil {
		return nil, missingBlock("Seeyon", "seeyon")
	}
	return seeyon.NewPusher(seeyon.Config{
		Config:      c.exchange(),
		Credentials: c.secrets.person,
		Placement:   seeyon.Placement(c.bundle.OA.Seeyon.TokenPlacement),
		IdleTimeout: c.bundle.OA.Seeyon.TokenIdleTimeout.Std(),
	}), nil
}

// seeyonVerifier is what asks whose ticket this is, and the headers with which it does.
func seeyonVerifier(c config) (*seeyon.Verifier, oa.Rotator, error) {
	if c.bundle.OA.Seeyon == nil {
		return nil, nil, missingBlock("Seeyon", "seeyon")
	}
	headers := c.shown()
	return seeyon.NewVerifier(seeyon.VerifierConfig{
		Endpoint: c.url.String(),
		Client:   c.client,
		Version:  c.bundle.OA.Seeyon.Version,
		Headers:  headers,
	}), headers, nil
}
