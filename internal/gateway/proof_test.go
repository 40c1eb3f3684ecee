package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/audit"
	"github.com/oabridge/oabridge/internal/rotation"
)

// MemoryProofs is a ProofStore in memory; what it remembers and keeps never ends.
type MemoryProofs struct {
	mu     sync.Mutex
	keys   map[string]bool
	grants map[string][]byte
}

func newMemoryProofs() *MemoryProofs {
	return &MemoryProofs{keys: map[string]bool{}, grants: map[string][]byte{}}
}

func (m *MemoryProofs) Reserve(_ context.Context, key string, _ time.Duration) (bool, error) {
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

func (m *MemoryProofs) Keep(_ context.Context, key string, value []byte, _ time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.grants[key]; there {
		return errors.New("there is one")
	}
	m.grants[key] = value
	return nil
}

func (m *MemoryProofs) Take(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value := m.grants[key]
	delete(m.grants, key)
	return value, nil
}

// proofServer is the dispatcher's side of the store.
type proofServer struct {
	*MemoryProofs
	seen   capture      // requests, without the authorization
	status atomic.Int32 // answer to everything, if not 0

	signIns capture                                         // what it was told of sign-ins
	told    atomic.Pointer[func(batch []byte) (status int)] // answers sign-ins, if set
}

func (p *proofServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signIns := r.URL.Path == "/"+audit.Path
	if !signIns {
		_, _ = p.seen.Write([]byte(r.Method + " " + r.RequestURI + "\n"))
	}
	if s := p.status.Load(); s != 0 {
		w.Header().Set("Location", "http://evil.example/")
		w.WriteHeader(int(s))
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+peerToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if signIns {
		p.serveSignIns(w, r)
		return
	}
	ttl, err := time.ParseDuration(r.URL.Query().Get("ttl"))
	if r.Method == http.MethodPut && (err != nil || ttl < time.Second || ttl > time.Hour) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if key, grant := strings.CutPrefix(r.URL.Path, "/grants/"); grant {
		p.serveGrant(w, r, key)
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/proofs/")
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(key) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch r.Method {
	case http.MethodPut:
		status := http.StatusConflict
		if fresh, _ := p.Reserve(r.Context(), key, ttl); fresh {
			status = http.StatusCreated
		}
		w.WriteHeader(status)
	case http.MethodDelete:
		_ = p.Release(r.Context(), key)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (p *proofServer) serveSignIns(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	_, _ = p.signIns.Write(body)
	status := http.StatusNoContent
	if answer := p.told.Load(); answer != nil {
		status = (*answer)(body)
	}
	if err != nil {
		status = http.StatusBadRequest
	}
	w.WriteHeader(status)
}

func (p *proofServer) serveGrant(w http.ResponseWriter, r *http.Request, key string) {
	if r.Method == http.MethodPut {
		body, err := io.ReadAll(r.Body)
		_, _ = p.seen.Write(body)
		status := http.StatusCreated
		if err != nil || p.Keep(r.Context(), key, body, 0) != nil {
			status = http.StatusConflict
		}
		w.WriteHeader(status)
		return
	}
	body, _ := p.Take(r.Context(), key)
	if body == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = w.Write(body)
}

// Replicas share the store; whatever is not a clear yes is not a yes.
func TestTheStoreAnswersYesOrNoOrNothing(t *testing.T) {
	p := &proofServer{MemoryProofs: newMemoryProofs()}
	server := httptest.NewServer(p)
	defer server.Close()
	one := newPeerProofs(newPeerClient(), server.URL+"/proofs/", fixed(peerToken))
	other := newPeerProofs(newPeerClient(), server.URL+"/proofs", fixed(peerToken))
	key := proofKey("Seeyon", "crm/hq", "T")

	expect := func(step string, s ProofStore, want bool, wantErr bool) {
		t.Helper()
		fresh, err := s.Reserve(t.Context(), key, time.Minute)
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
	expect("wrong token", newPeerProofs(newPeerClient(), server.URL+"/proofs", fixed("other")), false, true)
	expect("no URL", newPeerProofs(newPeerClient(), "http://[::1", fixed(peerToken)), false, true)
	server.Close()
	expect("down", one, false, true)
	if strings.Contains(p.seen.String(), peerToken) {
		t.Error("the peer token is in an address")
	}
}

// The same ticket of another OA, connector or namespace is another proof.
func TestProofsOfConnectorsAreApart(t *testing.T) { // TM-26
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

// fixed is a token that nobody replaces.
func fixed(token string) *rotation.Secret {
	return rotation.NewSecret(func(rotation.Version) (string, error) { return token, nil }, nil)
}
