package drivers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
)

// modes by the name in spec.sso.mode.
var modes = map[string]func(config) (oa.SignIn, error){
	"V5Ticket":     v5Ticket,
	"PortalTicket": portalTicket,
}

// NewSignIn returns the sign-in mode of a bundle. Secrets are read when a click needs them, so that rotation needs no new
// one.
func NewSignIn(b *bundle.Bundle, secretsDir string, now func() time.Time) (oa.SignIn, error) {
	mode, ok := modes[b.SSO.Mode]
	if !ok {
		return oa.SignIn{}, fmt.Errorf("spec.sso.mode: this program knows no mode %q, only %s: use a program of the operator's version",
			b.SSO.Mode, strings.Join(slices.Sorted(maps.Keys(modes)), ", "))
	}
	c, _, err := prepare(b, secretsDir, now)
	if err != nil {
		return oa.SignIn{}, err
	}
	return mode(c)
}

func v5Ticket(c config) (oa.SignIn, error) {
	v, err := seeyonVerifier(c)
	return oa.SignIn{Link: v}, err
}

func portalTicket(c config) (oa.SignIn, error) {
	v, err := seeyonVerifier(c)
	return oa.SignIn{Link: seeyon.Portal{Verifier: v}}, err
}
