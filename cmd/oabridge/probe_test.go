package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A probe is content with 2xx alone; a redirect to something that is well does not count.
func TestProbe(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no lease", http.StatusInternalServerError)
	})
	mux.Handle("/moved", http.RedirectHandler("/readyz", http.StatusFound))
	server := httptest.NewServer(mux)
	gone := httptest.NewServer(mux)
	gone.Close()
	t.Cleanup(server.Close)
	for _, c := range []struct{ url, out, err string }{
		{url: server.URL + "/readyz", out: "ok\n"},
		{url: server.URL + "/broken", err: "/broken answers 500 Internal Server Error: no lease"},
		{url: server.URL + "/moved", err: "/moved answers 302 Found"},
		{url: gone.URL + "/readyz", err: "connection refused"},
	} {
		var out strings.Builder
		cmd := newProbeCommand()
		cmd.SetArgs([]string{c.url})
		cmd.SetOut(&out)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		err := cmd.ExecuteContext(t.Context())
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("probe %s: %v, want %q", c.url, err, c.err)
		}
		if out.String() != c.out {
			t.Errorf("probe %s printed %q, want %q", c.url, out.String(), c.out)
		}
	}
}
