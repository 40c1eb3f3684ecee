package wecom

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The console asks the trusted domain for the file that proves whose it is (F182).
func TestVerifyDomain(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/WW_verify_abc123.txt" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("abc123\n"))
	}))
	defer site.Close()
	w := newWorld(t)
	if err := w.Configure(func(s *Settings) { s.DomainScheme = "http" }); err != nil {
		t.Fatal(err)
	}
	verify := func(agent int, file, content string) error {
		return w.VerifyDomain(t.Context(), "wwAA", agent, file, content)
	}
	domain := func(d string) {
		a, _ := w.account("wwAA", func(a App) bool { return a.AgentID == 1000002 })
		a.app.TrustedDomain = d
		if err := w.SetApp("wwAA", a.app); err != nil {
			t.Fatal(err)
		}
	}
	domain(strings.TrimPrefix(site.URL, "http://"))
	if err := verify(1000002, "WW_verify_abc123.txt", "abc123"); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"another content": verify(1000002, "WW_verify_abc123.txt", "xyz"), "another file": verify(1000002, "WW_verify_xyz.txt", "abc123"),
		"no such app": verify(7, "WW_verify_abc123.txt", "abc123"), "a path": verify(1000002, "../WW_verify_abc123.txt", "abc123"),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	status, body, _ := w.Fetch(http.DefaultClient, "POST", "/_sim/domains", `{"corpId":"wwAA","agentId":1000002,"file":"WW_verify_abc123.txt","content":"abc123"}`)
	if status != 200 || !strings.Contains(body, `"verified":true`) {
		t.Errorf("control: %d %s", status, body)
	}
	site.Close()
	for _, d := range []string{strings.TrimPrefix(site.URL, "http://"), ""} {
		domain(d)
		if err := verify(1000002, "WW_verify_abc123.txt", "abc123"); err == nil {
			t.Errorf("domain %q was accepted", d)
		}
	}
	if err := w.Configure(func(s *Settings) { s.DomainScheme = "ftp" }); err == nil {
		t.Error("a wrong scheme was accepted")
	}
}
