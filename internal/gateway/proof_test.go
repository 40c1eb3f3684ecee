package gateway

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// MemoryProofs is a ProofStore in memory.
type MemoryProofs struct {
	mu   sync.Mutex
	keys map[string]bool
}

func newMemoryProofs() *MemoryProofs { return &MemoryProofs{keys: map[string]bool{}} }

func (m *MemoryProofs) Reserve(_ context.Context, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fresh := !m.keys[key]
	m.keys[key] = true
	return fresh, nil
}

func (m *MemoryProofs) Release(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys, key)
	return nil
}

// proofServer is the dispatcher's side of the store.
type proofServer struct {
	*MemoryProofs
	seen   capture      // requests, without the authorization
	status atomic.Int32 // answer to everything, if not 0
}

func (p *proofServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = p.seen.Write([]byte(r.Method + " " + r.RequestURI + "\n"))
	if s := p.status.Load(); s != 0 {
		w.Header().Set("Location", "http://evil.example/")
		w.WriteHeader(int(s))
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+peerToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/proofs/")
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(key) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch r.Method {
	case http.MethodPut:
		fresh, _ := p.Reserve(r.Context(), key)
		switch {
		case r.URL.Query().Get("ttl") != "10m":
			w.WriteHeader(http.StatusBadRequest)
		case fresh:
			w.WriteHeader(http.StatusCreated)
		default:
			w.WriteHeader(http.StatusConflict)
		}
	case http.MethodDelete:
		_ = p.Release(r.Context(), key)
		w.WriteHeader(http.StatusNoContent)
	}
}

// Replicas share the store; whatever is not a clear yes is not a yes.
func TestTheStoreAnswersYesOrNoOrNothing(t *testing.T) {
	p := &proofServer{MemoryProofs: newMemoryProofs()}
	server := httptest.NewServer(p)
	defer server.Close()
	one := peerProofs{newPeerClient(), server.URL + "/proofs/", peerToken}
	other := peerProofs{newPeerClient(), server.URL + "/proofs", peerToken}
	key := proofKey("Seeyon", "crm/hq", "T")

	expect := func(step string, s ProofStore, want bool, wantErr bool) {
		t.Helper()
		fresh, err := s.Reserve(t.Context(), key)
		if fresh != want || (err != nil) != wantErr {
			t.Errorf("%s: %v, %v", step, fresh, err)
		}
	}
	expect("first", one, true, false)
	expect("again at another replica", other, false, false)
	if err := one.Release(t.Context(), key); err != nil {
		t.Error(err)
	}
	expect("released", other, true, false)
	if err := other.Release(t.Context(), key); err != nil {
		t.Error(err)
	}
	for _, status := range []int32{200, 202, 204, 301, 307, 400, 401, 404, 429, 500, 503} {
		p.status.Store(status)
		expect(http.StatusText(int(status)), one, false, true)
	}
	if err := one.Release(t.Context(), key); err == nil {
		t.Error("a failed release is not noticed")
	}
	p.status.Store(0)
	expect("wrong token", peerProofs{newPeerClient(), server.URL + "/proofs", "other"}, false, true)
	expect("no URL", peerProofs{newPeerClient(), "http://[::1", peerToken}, false, true)
	server.Close()
	expect("down", one, false, true)
	if strings.Contains(p.seen.String(), peerToken) {
		t.Error("the peer token is in an address")
	}
}

// The same ticket of another OA, connector or namespace is another proof.
func TestProofsOfConnectorsAreApart(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range []string{
		proofKey("Seeyon", "crm/hq", "T"), proofKey("Seeyon", "crm/hq2", "T"), proofKey("Seeyon", "crm2/hq", "T"),
		proofKey("Weaver", "crm/hq", "T"), proofKey("Seeyon", "crm/hq", "T2"),
	} {
		if seen[k] || len(k) != 64 {
			t.Errorf("key %q", k)
		}
		seen[k] = true
	}
}
