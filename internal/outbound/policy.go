package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"code.dny.dev/ssrf"
)

// ErrEgressDenied is wrapped by the error of a request whose address the policy refuses; the error is an *EgressError.
var ErrEgressDenied = errors.New("egress denied")

// EgressError says which address the policy refuses.
type EgressError struct {
	Addr netip.Addr
	// Cause in words, e.g. "loopback".
	Cause string
	// Field in which it can be allowed, e.g. spec.endpoint.allowedCIDRs.
	Field string
}

func (e *EgressError) Error() string {
	return fmt.Sprintf("%v: address %s is refused (%s); list it in %s if it is meant", ErrEgressDenied, e.Addr, e.Cause, e.Field)
}

// Unwrap makes errors.Is(err, ErrEgressDenied) true.
func (e *EgressError) Unwrap() error { return ErrEgressDenied }

// metadata holds addresses of cloud metadata services that lie in ranges which are open otherwise. (169.254.169.254 is
// link-local and 192.0.0.192 is in a protocol range: both are refused anyway.)
var metadata = []netip.Prefix{
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud, inside 100.64.0.0/10
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure's host agent, a public address
	netip.MustParsePrefix("fd00:ec2::254/128"),  // AWS, inside fc00::/7
	netip.MustParsePrefix("fd20:ce::254/128"),   // Google Cloud, inside fc00::/7
}

// ownMachine are the ranges that never leave a machine or its cable.
var ownMachine = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("fe80::/10"),
}

// Denied are the ranges behind which somebody listens who must not be asked: loopback, link-local and cloud metadata. A
// network policy can repeat them; the check at the dial refuses more (multicast, reserved and translated addresses).
func Denied() []netip.Prefix { return slices.Concat(ownMachine, metadata) }

// private ranges are open: a company's OA lives in them.
var (
	privateV4 = []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT, used by cloud networks
	}
	privateV6 = []netip.Prefix{netip.MustParsePrefix("fc00::/7")} // unique local
)

// policy decides which addresses may be dialled: first what the user allowed, then metadata services, then the IANA
// special-purpose registries (library ssrf) with the private ranges open.
type policy struct {
	field    string
	allowed  []netip.Prefix
	guardian *ssrf.Guardian
}

func newPolicy(field string, allowedCIDRs []string) (*policy, error) {
	p := &policy{field: field, guardian: ssrf.New(ssrf.WithAnyPort(),
		ssrf.WithAllowedV4Prefixes(privateV4...), ssrf.WithAllowedV6Prefixes(privateV6...))}
	for _, s := range allowedCIDRs {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a CIDR such as 127.0.0.0/8", field, s)
		}
		if a := prefix.Addr(); a.Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(a.Unmap(), prefix.Bits()-96)
		}
		p.allowed = append(p.allowed, prefix.Masked())
	}
	return p, nil
}

// check is called with the network and the address of a socket that is about to connect.
func (p *policy) check(network, address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || (network != "tcp4" && network != "tcp6") {
		return fmt.Errorf("%w: %s %s is not a TCP address", ErrEgressDenied, network, address)
	}
	// ::ffff:127.0.0.1 is 127.0.0.1, and a zone must not hide fe80::1%eth0 from a prefix.
	ip := ap.Addr().Unmap().WithZone("")
	in := func(prefixes []netip.Prefix) bool {
		return slices.ContainsFunc(prefixes, func(prefix netip.Prefix) bool { return prefix.Contains(ip) })
	}
	switch {
	case in(p.allowed):
		return nil
	case in(metadata):
		return &EgressError{Addr: ip, Cause: "cloud metadata service", Field: p.field}
	}
	if p.guardian.SafeAddr(ip) != nil {
		return &EgressError{Addr: ip, Cause: kind(ip), Field: p.field}
	}
	return nil
}

// kind says in words why an address is refused.
func kind(ip netip.Addr) string {
	switch {
	case ip.IsLoopback():
		return "loopback"
	case ip.IsLinkLocalUnicast():
		return "link-local, where cloud metadata services live"
	case ip.IsMulticast():
		return "multicast"
	case ip.IsUnspecified():
		return "unspecified"
	}
	return "special-purpose range"
}
