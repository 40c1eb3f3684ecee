package gateway

import (
	"net/http"
	"testing"

	"k8s.io/utils/ptr"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// While a connector is suspended nobody gets in, by whatever address; the page says so in both languages, and no proof is
// touched: the same link works afterwards. What the CRM asks for goes on, and what is no link of ours is still none. // F172
func TestNobodyGetsInWhileSuspended(t *testing.T) {
	w := newWorld(t)
	ticket := w.ticket("lina")
	w.change(func(c *live) { c.suspended = true })
	for _, target := range []string{
		recordPC + "?v5ticket=" + ticket, homePC + "?v5ticket=" + ticket, PathPrefix + "handshake/714439?ticket=" + ticket,
		"/sso/callback/wecom?code=c&state=s", "/sso/qr", PathAuthorize,
	} {
		a := w.visit(http.MethodGet, target)
		w.wantPage(a, Suspended)
	}
	if w.asked() != 0 {
		t.Error("the OA was asked")
	}
	if a := w.visit(http.MethodGet, JWKSPath); a.StatusCode != http.StatusOK {
		t.Errorf("the keys: %d", a.StatusCode)
	}
	w.wantPage(w.visit(http.MethodGet, "/somewhere"), BadLink)

	w.change(func(c *live) { c.suspended = false })
	w.wantSignedIn(w.click(recordPC, ticket))
}

// The brake of a connector reaches a running gateway with the bundle, and comes off with it.
func TestTheBrakeOfARunningGateway(t *testing.T) {
	p := start(t, nil)
	p.writeSecret(bundle.SlotPeer, "token", []byte(peerToken))
	p.writeSecret(bundle.SlotLogin, "key.pem", newPEM(t))
	p.waitHash(p.writeBundle(func(c *v1alpha1.OAConnector, _ *[]v1alpha1.AccountPair) { c.Spec.Suspend = ptr.To(true) }))
	ticket := p.ticket("lina")
	p.wantPage(p.fetch(recordPC+"?v5ticket="+ticket), Suspended)
	if p.adminStatus("/readyz") != 200 {
		t.Error("a suspended gateway has to answer, so it is ready")
	}
	p.waitHash(p.writeBundle(nil))
	p.wantSignedIn(p.fetch(recordPC + "?v5ticket=" + ticket))
}
