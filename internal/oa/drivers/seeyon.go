package drivers

import (
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
	"github.com/oabridge/oabridge/internal/rotation"
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

func seeyonVerifier(c config) (*seeyon.Verifier, error) {
	if c.bundle.OA.Seeyon == nil {
		return nil, missingBlock("Seeyon", "seeyon")
	}
	return seeyon.NewVerifier(seeyon.VerifierConfig{
		Endpoint: c.url.String(),
		Client:   c.client,
		Version:  c.bundle.OA.Seeyon.Version,
		Headers:  func() ([]exchange.Header, error) { return c.headers(rotation.Current) },
	}), nil
}
