package seeyon

import (
	"github.com/oabridge/oabridge/internal/oa"
)

// Portal is Seeyon's portal authentication [SY-SSO]: the OA's server announces a ticket, the gateway asks whose it is and
// answers SSOOK, and then the browser comes with the same ticket, which the OA would not confirm a second time. Links of
// items carry a V5 ticket as ever.
type Portal struct{ *Verifier }

// Read implements oa.LinkVerifier.
func (p Portal) Read(l oa.Link) (oa.Proof, error) {
	if l.Home {
		return readTicket(l, paramTicket)
	}
	return readTicket(l, paramV5Ticket)
}

// Answer implements oa.Handshaker.
func (Portal) Answer(accepted bool) string {
	if accepted {
		return "SSOOK"
	}
	return "SSOLogoutError"
}
