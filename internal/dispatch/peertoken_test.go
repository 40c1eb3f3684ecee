package dispatch

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/gateway"
)

// The token between gateway and dispatcher is replaced, and no click fails, whichever of the two reads the new one first: the
// kubelet decides. In the end the old one is worth nothing.
func TestNoClickFailsWhileThePeerTokenIsReplaced(t *testing.T) {
	w := newWorld(t)
	w.start()
	own := t.TempDir() // what the gateway's pod has
	browser := w.gateway(func(o *gateway.Options) {
		if err := os.CopyFS(own, os.DirFS(w.options.Secrets)); err != nil {
			t.Error(err)
		}
		o.SecretsDir = own
	})
	clicks := 0
	click := func(when string) {
		t.Helper()
		for range 3 {
			clicks++
			resp, err := browser.Get(fmt.Sprint(ssoLink, "ticket-", clicks))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusSeeOther {
				t.Errorf("%s: click %d is answered with %d", when, clicks, resp.StatusCode)
			}
		}
	}
	accepts := func(token string) bool {
		hash := strings.Repeat(fmt.Sprintf("%02d", len(token)%100), 32)
		return w.do(http.MethodDelete, w.url("peer", "/proofs/"+hash), nil, "Authorization", "Bearer "+token).status != http.StatusUnauthorized
	}
	forDispatcher := func(token string) {
		t.Helper()
		w.secret(bundle.SlotPeer, "token", token)
		w.eventually("the dispatcher accepts "+token, func() bool { return accepts(token) })
	}
	forGateway := func(token string) {
		t.Helper()
		w.write(filepath.Join(own, bundle.SlotPeer, "token"), []byte(token))
	}
	grace := func() { // is over
		w.d.keys.mu.Lock()
		defer w.d.keys.mu.Unlock()
		w.d.keys.until = time.Time{}
	}
	click("before")
	const second, third = "peer-token-the-second", "peer-token-the-third-one"
	forDispatcher(second)
	click("the dispatcher has the second")
	forGateway(second)
	click("both have the second")
	grace()
	click("the first is worth nothing")
	if accepts(peerToken) {
		t.Error("the first token is accepted after its grace")
	}
	forGateway(third)
	click("the gateway has the third")
	forDispatcher(third)
	click("both have the third")
	grace()
	click("the second is worth nothing")
}
