package drivers

import (
	"fmt"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/rotation"
)

// Parts are what a driver is made from.
type Parts struct {
	// Bundle of the connector.
	Bundle *bundle.Bundle
	// Exchange has the address, the client with the egress policy, the common headers, the timeout and the shared tokens.
	Exchange exchange.Config
	// Credential returns what is in the Secret of spec.credentialsSecretRef under a key now; the error names the key.
	Credential func(key string, version rotation.Version) (string, error)
}

// Register adds the driver of an OA that this program does not ship: the extension point for code of one's own (F89). Call it
// from an init function or main, before anything is made. It panics when the type has a driver already, because one of the two
// would never be called.
func Register(oaType string, pusher func(Parts) (oa.Pusher, error)) {
	if _, taken := vendors[oaType]; taken {
		panic(fmt.Sprintf("drivers: the type %q has a driver already", oaType))
	}
	vendors[oaType] = func(c config) (oa.Pusher, error) {
		return pusher(Parts{Bundle: c.bundle, Exchange: c.exchange(), Credential: c.secrets.credential})
	}
}
