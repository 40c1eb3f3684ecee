package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// client is who sent a request.
type caller struct {
	// address of the client as far as it is known: the TCP peer, or what trusted proxies say.
	address string
	// shared is true when many people may be behind the address: the peer is a proxy that is not trusted.
	shared bool
}

// maxHops bounds how many proxies are followed.
const maxHops = 16

// callerOf finds out who sent a request. Forwarding headers are believed only when the TCP peer is in one of the trusted
// ranges; by default there are none (CVE-2026-76835). Of the chain, the last address that is not a trusted proxy counts:
// everything before it could be made up.
func callerOf(r *http.Request, trusted []netip.Prefix) caller {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	peer, err := netip.ParseAddr(host)
	if err != nil {
		return caller{address: host}
	}
	peer = peer.Unmap().WithZone("")
	forwarded := r.Header.Values("X-Forwarded-For")
	if !contains(trusted, peer) {
		return caller{address: peer.String(), shared: len(forwarded) > 0 || r.Header.Get("Forwarded") != "" || r.Header.Get("X-Real-Ip") != ""}
	}
	// Several headers would be joined by some readers and not by others.
	if len(forwarded) != 1 {
		return caller{address: peer.String(), shared: true}
	}
	chain := strings.Split(forwarded[0], ",")
	for i := len(chain) - 1; i >= max(0, len(chain)-maxHops); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(chain[i]))
		if err != nil {
			break
		}
		if hop = hop.Unmap().WithZone(""); !contains(trusted, hop) {
			return caller{address: hop.String()}
		}
	}
	return caller{address: peer.String(), shared: true}
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
