package dispatch

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// What one gateway keeps, exactly one of many takes, also across a restart.
func TestGrants(t *testing.T) {
	w := newWorld(t)
	w.start()
	bearer := []string{"Authorization", "Bearer " + peerToken}
	at := func(hash, query string) string { return w.url("peer", "/grants/"+hash+query) }
	hash := strings.Repeat("0c", 32)
	keep := func(value string) int {
		return w.do(http.MethodPut, at(hash, "?ttl=10m"), []byte(value), bearer...).status
	}
	if got := keep("sealed"); got != http.StatusCreated {
		t.Fatalf("keep: %d", got)
	}
	if got := keep("another"); got != http.StatusConflict {
		t.Errorf("keep again: %d", got)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	if got := w.do(http.MethodDelete, at(hash, ""), nil); got.status != http.StatusUnauthorized {
		t.Errorf("without the peer token: %d", got.status)
	}
	var mu sync.Mutex
	counts := map[int]int{}
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			a := w.do(http.MethodDelete, at(hash, ""), nil, bearer...)
			mu.Lock()
			defer mu.Unlock()
			counts[a.status]++
			if a.status == http.StatusOK && a.body != "sealed" {
				t.Errorf("took %q", a.body)
			}
		})
	}
	all.Wait()
	if counts[http.StatusOK] != 1 || counts[http.StatusNotFound] != 29 {
		t.Errorf("answers: %v", counts)
	}
	if got := keep("again"); got != http.StatusCreated {
		t.Errorf("after it was taken: %d", got)
	}
	if got := keep(strings.Repeat("x", 9<<10)); got != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", got)
	}
	if got := w.do(http.MethodPut, at("grant-in-clear", "?ttl=1m"), nil, bearer...).status; got != http.StatusBadRequest {
		t.Errorf("not a hash: %d", got)
	}
	if got := w.do(http.MethodPut, at(hash, ""), nil, bearer...).status; got != http.StatusBadRequest {
		t.Errorf("no ttl: %d", got)
	}
}
