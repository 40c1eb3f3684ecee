package outbound

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What a network policy repeats is refused at the dial as well, each with its first address.
func TestDeniedRangesAreRefused(t *testing.T) {
	p, err := newPolicy(defaultField, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range Denied() {
		network := "tcp4"
		if prefix.Addr().Is6() {
			network = "tcp6"
		}
		if err := p.check(network, netip.AddrPortFrom(prefix.Addr(), 80).String()); !errors.Is(err, ErrEgressDenied) {
			t.Errorf("%s is not refused: %v", prefix, err)
		}
	}
	if len(Denied()) < 6 {
		t.Errorf("only %d ranges", len(Denied()))
	}
}

// Private ranges are where an OA lives; this host, its neighbours by cable and cloud metadata services are not.
func TestPolicy(t *testing.T) {
	tests := map[string]struct {
		address string
		allowed []string
		denied  string // cause; empty: open
	}{
		"public":                       {address: "93.184.216.34:443"},
		"public IPv6":                  {address: "[2606:2800:220:1::1]:443"},
		"RFC 1918, any port":           {address: "10.1.2.3:8080"},
		"RFC 1918 in the middle":       {address: "172.20.0.1:80"},
		"RFC 1918 at home":             {address: "192.168.0.1:80"},
		"carrier-grade NAT":            {address: "100.64.0.1:80"},
		"unique local":                 {address: "[fd12:3456::1]:80"},
		"mapped private":               {address: "[::ffff:10.1.2.3]:80"},
		"loopback":                     {address: "127.0.0.1:80", denied: "loopback"},
		"loopback, another one":        {address: "127.8.8.8:80", denied: "loopback"},
		"loopback IPv6":                {address: "[::1]:80", denied: "loopback"},
		"mapped loopback":              {address: "[::ffff:127.0.0.1]:80", denied: "loopback"},
		"mapped metadata":              {address: "[::ffff:169.254.169.254]:80", denied: "link-local"},
		"mapped with a zone":           {address: "[::ffff:127.0.0.1%eth0]:80", denied: "loopback"},
		"metadata":                     {address: "169.254.169.254:80", denied: "link-local"},
		"metadata in shared space":     {address: "100.100.100.200:80", denied: "metadata"},
		"metadata in protocol range":   {address: "192.0.0.192:80", denied: "special-purpose"},
		"host agent":                   {address: "168.63.129.16:80", denied: "metadata"},
		"metadata IPv6":                {address: "[fd00:ec2::254]:80", denied: "metadata"},
		"metadata IPv6, another":       {address: "[fd20:ce::254]:80", denied: "metadata"},
		"metadata IPv6 with a zone":    {address: "[fd00:ec2::254%1]:80", denied: "metadata"},
		"link-local IPv6 with a zone":  {address: "[fe80::1%eth0]:80", denied: "link-local"},
		"unspecified":                  {address: "0.0.0.0:80", denied: "unspecified"},
		"unspecified IPv6":             {address: "[::]:80", denied: "unspecified"},
		"this network":                 {address: "0.1.2.3:80", denied: "special-purpose"},
		"multicast":                    {address: "224.0.0.1:80", denied: "multicast"},
		"broadcast":                    {address: "255.255.255.255:80", denied: "special-purpose"},
		"NAT64 of loopback":            {address: "[64:ff9b::7f00:1]:80", denied: "special-purpose"},
		"6to4 of loopback":             {address: "[2002:7f00:1::1]:80", denied: "special-purpose"},
		"Teredo":                       {address: "[2001::1]:80", denied: "special-purpose"},
		"IPv4-compatible":              {address: "[::7f00:1]:80", denied: "special-purpose"},
		"site-local":                   {address: "[fec0::1]:80", denied: "special-purpose"},
		"loopback, allowed":            {address: "127.0.0.1:80", allowed: []string{"127.0.0.0/8"}},
		"mapped loopback, allowed":     {address: "[::ffff:127.0.0.1]:80", allowed: []string{"127.0.0.0/8"}},
		"allowed in mapped form":       {address: "127.0.0.1:80", allowed: []string{"::ffff:127.0.0.0/104"}},
		"allowed, not normalised":      {address: "127.0.0.9:80", allowed: []string{"127.0.0.1/8"}},
		"another one allowed":          {address: "127.0.0.2:80", allowed: []string{"127.0.0.1/32"}, denied: "loopback"},
		"metadata, allowed by name":    {address: "169.254.169.254:80", allowed: []string{"169.254.169.254/32"}},
		"an IPv6 default opens no v4":  {address: "127.0.0.1:80", allowed: []string{"::/0"}, denied: "loopback"},
		"an IPv4 default opens no v6":  {address: "[::1]:80", allowed: []string{"0.0.0.0/0"}, denied: "loopback"},
		"a name instead of an address": {address: "localhost:80", denied: "not a TCP address"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := newPolicy(defaultField, test.allowed)
			if err != nil {
				t.Fatal(err)
			}
			network := "tcp4"
			if strings.HasPrefix(test.address, "[") {
				network = "tcp6"
			}
			err = p.check(network, test.address)
			if test.denied == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, ErrEgressDenied) || !strings.Contains(err.Error(), test.denied) {
				t.Errorf("got %v, want a denial because of %s", err, test.denied)
			}
		})
	}
}

func TestPolicyRefusesOtherNetworks(t *testing.T) {
	p, err := newPolicy(defaultField, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, network := range []string{"udp4", "unix", "ip4:icmp"} {
		if err := p.check(network, "10.0.0.1:80"); !errors.Is(err, ErrEgressDenied) {
			t.Errorf("%s: got %v", network, err)
		}
	}
}

func TestPolicyNamesBadCIDR(t *testing.T) {
	if _, err := newPolicy(defaultField, []string{"127.0.0.1"}); err == nil || !strings.Contains(err.Error(), "allowedCIDRs") {
		t.Errorf("got %v", err)
	}
}

// Writing an IPv4 address in its IPv6 form, or with a zone, never changes the verdict.
func TestPolicySeesThroughSpelling(t *testing.T) {
	p, err := newPolicy(defaultField, []string{"127.0.0.0/24"})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		v4 := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(r, "address")))
		plain := p.check("tcp4", netip.AddrPortFrom(v4, 80).String())
		mapped := netip.AddrFrom16(v4.As16())
		for _, a := range []netip.Addr{mapped, mapped.WithZone("eth0")} {
			if got := p.check("tcp6", netip.AddrPortFrom(a, 80).String()); (got == nil) != (plain == nil) {
				r.Fatalf("%s: %v, but %s: %v", a, got, v4, plain)
			}
		}
	})
}
