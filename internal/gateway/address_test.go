package gateway

import (
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// Whose address a request has. Headers count only when the peer is a proxy that was listed (CVE-2026-40575,
// CVE-2026-76835).
func TestWhoCalls(t *testing.T) { // TM-15
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		peer    string
		trusted []netip.Prefix
		header  http.Header
		want    caller
	}{
		"direct":                      {"203.0.113.7:1", nil, nil, caller{"203.0.113.7", false}},
		"nobody is trusted":           {"203.0.113.7:1", nil, http.Header{"X-Forwarded-For": {"1.2.3.4"}}, caller{"203.0.113.7", true}},
		"nobody is trusted, loopback": {"127.0.0.1:1", nil, http.Header{"X-Forwarded-For": {"1.2.3.4"}}, caller{"127.0.0.1", true}},
		"another header":              {"203.0.113.7:1", nil, http.Header{"Forwarded": {"for=1.2.3.4"}}, caller{"203.0.113.7", true}},
		"through a proxy":             {"10.1.2.3:1", proxies, http.Header{"X-Forwarded-For": {"203.0.113.7"}}, caller{"203.0.113.7", false}},
		"made up before the proxy":    {"10.1.2.3:1", proxies, http.Header{"X-Forwarded-For": {"1.2.3.4, 203.0.113.7"}}, caller{"203.0.113.7", false}},
		"two proxies":                 {"10.1.2.3:1", proxies, http.Header{"X-Forwarded-For": {"1.2.3.4, 203.0.113.7, 10.9.9.9"}}, caller{"203.0.113.7", false}},
		"only proxies":                {"10.1.2.3:1", proxies, http.Header{"X-Forwarded-For": {"10.9.9.9"}}, caller{"10.1.2.3", true}},
		"not an address":              {"10.1.2.3:1", proxies, http.Header{"X-Forwarded-For": {"1.2.3.4, unknown"}}, caller{"10.1.2.3", true}},
		"two headers":                 {"10.1.2.3:1", proxies, http.Header{"X-Forwarded-For": {"1.2.3.4", "203.0.113.7"}}, caller{"10.1.2.3", true}},
		"underscores":                 {"10.1.2.3:1", proxies, http.Header{"X_Forwarded_For": {"1.2.3.4"}}, caller{"10.1.2.3", true}},
		"mapped":                      {"[::ffff:10.1.2.3]:1", proxies, http.Header{"X-Forwarded-For": {"::ffff:203.0.113.7"}}, caller{"203.0.113.7", false}},
		"zone":                        {"[fd00::1%eth0]:1", proxies, http.Header{"X-Forwarded-For": {"2001:db8::1"}}, caller{"2001:db8::1", false}},
		"another peer":                {"11.1.2.3:1", proxies, http.Header{"X-Forwarded-For": {"203.0.113.7"}}, caller{"11.1.2.3", true}},
	} {
		if got := callerOf(&http.Request{RemoteAddr: c.peer, Header: c.header}, c.trusted); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// Who fails again and again is locked out for a while: the address, and the account from that address, and nobody else.
func TestLockOut(t *testing.T) { // TM-16
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	l := newLimiter(func() time.Time { return now })
	guesser, other, proxy := caller{address: "203.0.113.7"}, caller{address: "203.0.113.8"}, caller{"10.0.0.1", true}
	for range maxFailures {
		l.failed(guesser, "lina")
	}
	if l.refuses(guesser, "lina") {
		t.Error("locked out too early")
	}
	l.failed(guesser, "lina")
	if !l.refuses(guesser, "") || !l.refuses(guesser, "lina") || l.refuses(other, "lina") {
		t.Error("the address must be locked out, and it alone")
	}
	now = now.Add(lockOut - time.Second)
	if !l.refuses(guesser, "") {
		t.Error("let in again too early")
	}
	now = now.Add(time.Second)
	if l.refuses(guesser, "lina") {
		t.Error("locked out for ever")
	}
	// Behind a proxy that is not listed, one person's failures do not lock out the others; those on one account do.
	for range maxFailures + 1 {
		l.failed(proxy, "wangfang")
	}
	if l.refuses(proxy, "") || !l.refuses(proxy, "wangfang") || l.refuses(proxy, "lina") {
		t.Error("behind a proxy the account counts")
	}
	for range maxFailures * sharedFactor {
		l.failed(proxy, "")
	}
	if !l.refuses(proxy, "lina") {
		t.Error("a flood through a proxy has a bound, too")
	}
	for i := range maxSignIns {
		if l.signedIn("lina") {
			t.Fatalf("%d sign-ins are too many", i+1)
		}
	}
	if !l.signedIn("lina") || l.signedIn("wangfang") {
		t.Error("a loop of sign-ins must end, and only that")
	}
}

// What is remembered has a bound, whatever comes.
func TestTheLimiterForgets(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	l := newLimiter(func() time.Time { return now })
	address := netip.MustParseAddr("10.0.0.0")
	for range maxCounted + 100 {
		address = address.Next()
		l.failed(caller{address: address.String()}, "")
		if len(l.windows) > maxCounted {
			t.Fatalf("%d addresses are remembered", len(l.windows))
		}
		if len(l.windows) == maxCounted { // makeRoom walks all of them: a few are enough
			now = now.Add(2 * failureWindow)
		}
	}
	if len(l.windows) > 1000 {
		t.Errorf("%d addresses are remembered though their time is over", len(l.windows))
	}
}
