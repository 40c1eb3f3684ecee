package profiling

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever has the token gets profiles; nobody else does, and without a token there are none. A replaced token counts at once.
func TestWhoGetsProfiles(t *testing.T) {
	const old, young = "canary-profiling-token-1", "canary-profiling-token-2"
	dir := t.TempDir()
	put := func(key, value string) {
		path := filepath.Join(dir, "profiling", key)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(Protected(dir))
	t.Cleanup(server.Close)
	get := func(path, authorization string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	expect := func(what, authorization string, status int) {
		t.Helper()
		for _, path := range []string{Path, Path + "heap?debug=1", Path + "goroutine?debug=2", Path + "cmdline"} {
			if path == Path+"cmdline" && status == http.StatusOK {
				continue
			}
			got, body := get(path, authorization)
			if got != status || strings.Contains(body, "canary") {
				t.Errorf("%s: GET %s answers %d, want %d: %.200s", what, path, got, status, body)
			}
		}
	}
	expect("nobody has set a token", "Bearer "+old, http.StatusNotFound)
	put("token", old+"\n")
	expect("no token", "", http.StatusUnauthorized)
	expect("another token", "Bearer "+young, http.StatusUnauthorized)
	expect("another scheme", "Basic "+old, http.StatusUnauthorized)
	expect("an empty token", "Bearer ", http.StatusUnauthorized)
	expect("the token", "Bearer "+old, http.StatusOK)
	put("token.next", young)
	expect("the old one while the next is there", "Bearer "+old, http.StatusOK)
	expect("the next one", "Bearer "+young, http.StatusOK)
	put("token", young)
	expect("the one that was replaced", "Bearer "+old, http.StatusUnauthorized)
	put("token", "")
	put("token.next", "")
	expect("empty files are no token", "Bearer ", http.StatusNotFound)
	// The command line may hold what somebody typed.
	put("token", young)
	if _, body := get(Path+"cmdline", "Bearer "+young); strings.Contains(body, os.Args[0]) {
		t.Error("the command line is served")
	}
}
