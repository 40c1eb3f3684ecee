package gateway

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
	"github.com/oabridge/oabridge/internal/rotation"
)

// Seeyon's portal: the OA's server announces the ticket, is told SSOOK, and the browser comes with it, once. The OA is
// asked once, because it would not confirm a ticket twice. F42, F106 [SY-SSO]
func TestPortalHandshake(t *testing.T) {
	w := newWorld(t)
	w.change(func(l *live) {
		v, ok := l.signIn.Link.(*seeyon.Verifier)
		if !ok {
			t.Fatal("the world has no Seeyon")
		}
		l.signIn = oa.SignIn{Link: seeyon.Portal{Verifier: v}}
	})
	const handshake = PathPrefix + "handshake/714439"
	announce := func(method, ticket string) string { return w.visit(method, handshake+"?ticket="+ticket).body }

	ticket := w.ticket("lina")
	w.wantPage(w.visit(http.MethodGet, homePC+"?ticket="+ticket), TicketSpent) // not announced
	if said := announce(http.MethodGet, ticket); said != "SSOOK" {
		t.Errorf("the OA is told %q", said)
	}
	if said := announce(http.MethodGet, ticket); said != "SSOLogoutError" {
		t.Errorf("announced again: %q", said)
	}
	w.wantSignedIn(w.visit(http.MethodGet, homePC+"?ticket="+ticket))
	w.wantPage(w.visit(http.MethodGet, homePC+"?ticket="+ticket), TicketSpent)
	if n := w.asked(); n != 1 {
		t.Errorf("the OA was asked %d times", n)
	}
	for _, forged := range []string{"forged", "", "a%20b", ticket + "&ticket=x"} {
		if said := announce(http.MethodPost, forged); said != "SSOLogoutError" {
			t.Errorf("%q: the OA is told %q", forged, said)
		}
	}
	w.wantSignedIn(w.click(recordPC, w.ticket("lina"))) // to-dos carry V5 tickets as ever
	w.wantPage(w.visit(http.MethodGet, PathPrefix+"handshake/714440?ticket=x"), BadLink)

	nobody := w.ticket("nobody")
	announce(http.MethodPost, nobody)
	w.wantPage(w.visit(http.MethodGet, homePC+"?ticket="+nobody), NotLinked)

	// What is announced is kept for all replicas, sealed: the store never sees a name or a ticket.
	if seen := w.proofs.seen.String(); strings.Contains(seen, "lina") || strings.Contains(seen, ticket) {
		t.Error("the store was shown whose ticket it is")
	}
	w.proofs.status.Store(503)
	if said := announce(http.MethodGet, w.ticket("lina")); said != "SSOLogoutError" {
		t.Errorf("without the store the OA is told %q", said)
	}
	w.wantPage(w.visit(http.MethodGet, homePC+"?ticket=x"), Unavailable)
}

// Other modes have no handshake.
func TestNoHandshake(t *testing.T) {
	w := newWorld(t)
	w.wantPage(w.visit(http.MethodGet, PathPrefix+"handshake/714439?ticket="+w.ticket("lina")), BadLink)
	w.wantPage(w.visit(http.MethodGet, prefixOwn+"handshake"), BadLink)
}

// Files that prove whose host this is are served as they are; pages may be framed by those who were named, and by nobody
// else. F182
func TestDomainFilesAndFrames(t *testing.T) {
	w := newWorld(t)
	w.change(func(l *live) {
		l.files = map[string]string{"/WW_verify_AbC123.txt": "AbC123"}
		l.framing = []string{"https://oa.example"}
	})
	a := w.visit(http.MethodGet, "/WW_verify_AbC123.txt")
	if a.StatusCode != http.StatusOK || a.body != "AbC123" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("%d %q %v", a.StatusCode, a.body, a.Header)
	}
	w.wantPage(w.visit(http.MethodPost, "/WW_verify_AbC123.txt"), WrongMethod)
	for _, path := range []string{"/WW_verify_AbC124.txt", "/x/../WW_verify_AbC123.txt", "/WW_verify_AbC123.txt?x", "/WW_verify_AbC123%2etxt"} {
		w.wantPage(w.visit(http.MethodGet, path), BadLink)
	}
	refused := w.click(recordPC, "forged")
	if !strings.HasSuffix(refused.Header.Get("Content-Security-Policy"), "frame-ancestors https://oa.example") || refused.Header.Get("X-Frame-Options") != "" {
		t.Errorf("frames: %v", refused.Header)
	}
}

// What was sealed for one purpose or connector, or by somebody else, cannot be opened for another.
func TestSeals(t *testing.T) { // TM-13
	one, err := newSealer(peerToken, "crm/hq")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := one.seal(purposeFlow, "x")
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if one.open(purposeFlow, sealed, &got) != nil || got != "x" {
		t.Fatal("cannot be opened at all")
	}
	other, err := newSealer(peerToken, "crm/hq2")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := newSealer(peerToken+"x", "crm/hq")
	if err != nil {
		t.Fatal(err)
	}
	changed := []byte(sealed)
	if middle := &changed[len(changed)/2]; *middle == 'A' {
		*middle = 'B'
	} else {
		*middle = 'A'
	}
	for name, fails := range map[string]error{
		"another purpose":   one.open(purposeScan, sealed, &got),
		"another connector": other.open(purposeFlow, sealed, &got),
		"another key":       stranger.open(purposeFlow, sealed, &got),
		"changed":           one.open(purposeFlow, string(changed), &got),
		"cut":               one.open(purposeFlow, sealed[:10], &got),
		"no base64":         one.open(purposeFlow, "%%", &got),
	} {
		if fails == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// A token that is replaced ends no sign-in that has begun, and opens nothing for ever.
func TestSealsOutliveTheirToken(t *testing.T) {
	now := time.Now()
	var none *sealer
	first, err := none.follow("first", "crm/hq", now)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := first.seal(purposeFlow, "x")
	if err != nil {
		t.Fatal(err)
	}
	second, err := first.follow("second", "crm/hq", now)
	if err != nil {
		t.Fatal(err)
	}
	var v string
	if same, _ := second.follow("second", "crm/hq", now); same != second {
		t.Error("the same token makes another sealer")
	}
	if err := second.open(purposeFlow, sealed, &v); err != nil || v != "x" {
		t.Errorf("%q, %v", v, err)
	}
	if second.open(purposeVault, sealed, &v) == nil {
		t.Error("it opens for another purpose")
	}
	if late, _ := first.follow("second", "crm/hq", now.Add(-rotation.Grace)); late.open(purposeFlow, sealed, &v) == nil {
		t.Error("the old token opens for ever")
	}
	if third, _ := second.follow("third", "crm/hq", now); third.open(purposeFlow, sealed, &v) == nil {
		t.Error("a token before the last one opens")
	}
}
