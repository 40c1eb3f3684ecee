package main

import (
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// addressLines are what is to be pasted into the consoles of the CRM and the OA, by the name of the field; those that the
// connector does not have are left out.
func addressLines(a *v1alpha1.AddressStatus) [][2]string {
	var out [][2]string
	for _, line := range [][2]string{
		{"events", a.Events}, {"callback", a.Callback}, {"pendings", a.Pendings},
		{"login", a.Login}, {"mobileLogin", a.MobileLogin}, {"record", a.Record}, {"handshake", a.Handshake}, {"return", a.Return},
		{"domain", a.Domain}, {"domainFiles", strings.Join(a.DomainFiles, " ")}, {"trustedIPs", a.TrustedIPs},
		{"issuer", a.Issuer}, {"jwks", a.JWKS}, {"redeem", a.Redeem},
	} {
		if line[1] != "" {
			out = append(out, line)
		}
	}
	return out
}
