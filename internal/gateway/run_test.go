package gateway

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

// patience bounds the wait for something that happens within milliseconds on an idle machine.
const patience = 20 * time.Second

// process is a running gateway with its directories, in the world of an OA and a CRM.
type process struct {
	*world
	dirBundle, dirSecrets string
	admin                 string
	stop                  context.CancelFunc
	ended                 chan error
}

func start(t *testing.T, prepare func(*process)) *process {
	t.Helper()
	p := &process{world: newWorld(t), dirBundle: t.TempDir(), dirSecrets: t.TempDir(), ended: make(chan error, 1)}
	if prepare != nil {
		prepare(p)
	}
	listening := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	p.stop = stop
	go func() {
		p.ended <- Run(ctx, Options{
			BundleDir: p.dirBundle, SecretsDir: p.dirSecrets, ListenPublic: "127.0.0.1:0", ListenAdmin: "127.0.0.1:0",
			Log: logr.FromSlogHandler(slog.NewJSONHandler(p.log, nil)), ShutdownTimeout: patience,
			Listening: func(public, admin net.Addr) {
				p.hosts[gatewayHost], p.admin = public.String(), "http://"+admin.String()
				close(listening)
			},
		})
	}()
	<-listening
	t.Cleanup(func() {
		stop()
		if err := <-p.ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		p.ended <- nil
	})
	return p
}

// writeBundle compiles a connector, as the operator does.
func (p *process) writeBundle(change func(*v1alpha1.OAConnector, *[]v1alpha1.AccountPair)) (hash string) {
	p.t.Helper()
	c := &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: "hq"}}
	c.Spec.Type = v1alpha1.TypeSeeyon
	c.Spec.EnterpriseID = "714439"
	c.Spec.Endpoint.URL = p.oaURL
	c.Spec.Endpoint.AllowedCIDRs = append(c.Spec.Endpoint.AllowedCIDRs, "127.0.0.0/8")
	c.Spec.Seeyon.RegisterCode = "3004"
	c.Spec.Seeyon.Version = v1alpha1.SeeyonV70SP2
	c.Spec.SSO.Mode = v1alpha1.SSOV5Ticket
	c.Spec.SSO.Host = gatewayHost
	c.Spec.SSO.CRMLogin.Type = v1alpha1.LoginSignedJWT
	c.Spec.SSO.CRMLogin.URL = loginURL
	pairs := []v1alpha1.AccountPair{{CRM: "1001", OA: "lina"}}
	if change != nil {
		change(c, &pairs)
	}
	proofs := httptest.NewServer(p.proofs)
	p.t.Cleanup(proofs.Close)
	out, problems := bundle.Compile(bundle.Input{
		Connector: c, Sets: []bundle.AccountSet{{Namespace: "crm", Name: "people", Pairs: pairs}}, ProofsURL: proofs.URL + "/proofs",
	})
	if out == nil {
		p.t.Fatal(problems)
	}
	for name, data := range out.Files {
		writeFile(p.t, filepath.Join(p.dirBundle, name), data)
	}
	return out.Hash
}

func (p *process) writeSecret(slot, key string, data []byte) {
	p.t.Helper()
	secret := strings.TrimSpace(string(data))
	if strings.HasPrefix(secret, "-----BEGIN") {
		secret = coreOf(data)
	}
	p.keepSecret(secret)
	writeFile(p.t, filepath.Join(p.dirSecrets, slot, key), data)
}

// writeFile replaces a file at once, as Kubernetes does.
func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"~", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

// waitFor follows the reports of the process until one is as wanted.
func (p *process) waitFor(what string, ok func(report.Config) bool) {
	p.t.Helper()
	p.waitForReport(what, func(r report.Report) bool { return ok(r.Config) })
}

func (p *process) waitForReport(what string, ok func(report.Report) bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	etag := ""
	for {
		r, next, changed, err := report.Get(ctx, http.DefaultClient, p.admin+"/report", etag, time.Second)
		if err != nil {
			p.t.Fatalf("waiting for %s: %v", what, err)
		}
		if changed {
			text, _ := json.Marshal(r)
			_, _ = p.wire.Write(text)
			if r.Component != "gateway" {
				p.t.Fatalf("a report of a %q", r.Component)
			}
			if ok(r) {
				return
			}
			etag = next
		}
	}
}

func (p *process) waitHash(hash string) {
	p.t.Helper()
	p.waitFor("bundle "+hash, func(c report.Config) bool { return c.Hash == hash && c.Problem == "" })
}

// keyIDs are the published keys.
func (p *process) keyIDs() []string {
	p.t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(p.fetch(JWKSPath).body), &set); err != nil {
		p.t.Fatal(err)
	}
	var ids []string
	for _, k := range set.Keys {
		ids = append(ids, k.KeyID)
	}
	return ids
}

// fetch sends a plain request to the gateway; a bundle without TLS has links with http.
func (p *process) fetch(target string) answer {
	p.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = "http://" + gatewayHost + target
	}
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	transport := p.transport()
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	a := p.read(resp)
	shown := a.Header.Clone()
	shown.Del("Location")
	_ = shown.Write(p.wire)
	_, _ = io.WriteString(p.wire, a.body)
	return a
}

func (p *process) adminStatus(path string) int {
	p.t.Helper()
	resp, err := http.Get(p.admin + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	_, _ = p.wire.Write(body)
	return resp.StatusCode
}

// The whole process: it starts with nothing, becomes ready as its files appear, takes on new accounts and keys without a
// restart, keeps what works when a new file does not, and stops when it is told to.
func TestTheLifeOfAGateway(t *testing.T) {
	p := start(t, nil)
	if p.adminStatus("/healthz") != 200 || p.adminStatus("/readyz") != 503 {
		t.Error("without files it is alive and not ready")
	}
	p.wantPage(p.fetch(recordPC+"?v5ticket=T"), Unavailable)

	first, second := newPEM(t), newPEM(t)
	p.writeBundle(nil)
	p.writeSecret(bundle.SlotPeer, "token", []byte(peerToken+"\n"))
	p.waitFor("the missing key", func(c report.Config) bool { return c.Hash == "" && strings.Contains(c.Problem, "key.pem is missing") })
	p.writeSecret(bundle.SlotLogin, "key.pem", first)
	p.waitHash(p.writeBundle(nil))
	if p.adminStatus("/readyz") != 200 {
		t.Error("it is not ready")
	}

	p.wantSignedIn(p.fetch(recordPC + "?v5ticket=" + p.ticket("lina")))
	p.wantPage(p.fetch(recordPC+"?v5ticket="+p.ticket("wangfang")), NotLinked)
	p.waitHash(p.writeBundle(func(_ *v1alpha1.OAConnector, pairs *[]v1alpha1.AccountPair) {
		*pairs = append(*pairs, v1alpha1.AccountPair{CRM: "1002", OA: "wangfang"})
	}))
	p.wantSignedIn(p.fetch(recordPC + "?v5ticket=" + p.ticket("wangfang")))

	ids := p.keyIDs()
	p.writeSecret(bundle.SlotLogin, "key.pem.next", []byte("canary: no key"))
	p.waitFor("the bad next key", func(c report.Config) bool { return strings.Contains(c.Problem, "key.pem.next") })
	p.wantSignedIn(p.fetch(recordPC + "?v5ticket=" + p.ticket("lina")))
	p.writeSecret(bundle.SlotLogin, "key.pem.next", second)
	p.waitFor("the good next key", func(c report.Config) bool { return c.Problem == "" })
	if got := p.keyIDs(); len(got) != 2 || got[0] != ids[0] {
		t.Errorf("published %v, want %v and another one", got, ids)
	}
	p.writeSecret(bundle.SlotLogin, "key.pem", []byte("canary: no key"))
	p.waitFor("the bad key", func(c report.Config) bool { return strings.Contains(c.Problem, "key.pem") })
	p.wantSignedIn(p.fetch(recordPC + "?v5ticket=" + p.ticket("lina"))) // with the last good one
	p.writeSecret(bundle.SlotLogin, "key.pem", second)
	p.waitFor("the new key", func(c report.Config) bool { return c.Problem == "" })
	if got := p.keyIDs(); len(got) != 2 || got[1] != ids[0] {
		t.Errorf("published %v, want the old key %v after the new one", got, ids)
	}

	writeFile(t, filepath.Join(p.dirBundle, bundle.FileName), []byte("{"))
	p.waitFor("the bad bundle", func(c report.Config) bool { return c.Hash != "" && c.Problem != "" })
	p.wantSignedIn(p.fetch(recordPC + "?v5ticket=" + p.ticket("lina")))
	if p.adminStatus("/readyz") != 200 || p.adminStatus("/metrics") != 200 {
		t.Error("a bad new file must not take it out of service")
	}
}

// A click that is being answered when the gateway is told to stop still gets its answer.
func TestAClickSurvivesTheShutdown(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		select {
		case <-answer:
		case <-r.Context().Done():
		}
		w.Header().Set("LoginName", "lina")
	}))
	defer slow.Close()
	var hash string
	p := start(t, func(p *process) {
		p.oaURL = slow.URL
		p.writeSecret(bundle.SlotPeer, "token", []byte(peerToken))
		p.writeSecret(bundle.SlotLogin, "key.pem", newPEM(t))
		hash = p.writeBundle(nil)
	})
	p.waitHash(hash)
	done := make(chan int, 1)
	go func() { done <- p.fetch(recordPC + "?v5ticket=T").StatusCode }()
	<-asked
	p.stop()
	for deadline := time.Now().Add(patience); p.adminStatus("/readyz") != http.StatusServiceUnavailable; {
		if time.Now().After(deadline) {
			t.Fatal("it is still ready")
		}
	}
	close(answer)
	if status := <-done; status != http.StatusSeeOther {
		t.Errorf("status %d", status)
	}
}

// A bundle that a gateway cannot serve is named in the report.
func TestBundlesThatAreNotForAGateway(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*v1alpha1.OAConnector)
		want   string
	}{
		"no sign-in":    {func(c *v1alpha1.OAConnector) { c.Spec.SSO.Mode = v1alpha1.SSONone }, "no sign-in"},
		"another mode":  {func(c *v1alpha1.OAConnector) { c.Spec.SSO.Mode = "Telepathy" }, `no mode "Telepathy"`},
		"login address": {func(c *v1alpha1.OAConnector) { c.Spec.SSO.CRMLogin.URL = "https://crm.example/login?next=x" }, "sso.loginURL"},
		"no host":       {func(c *v1alpha1.OAConnector) { c.Spec.SSO.Host = "" }, "sso.url"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, func(p *process) {
				p.writeSecret(bundle.SlotPeer, "token", []byte(peerToken))
				p.writeSecret(bundle.SlotLogin, "key.pem", newPEM(t))
				p.writeBundle(func(o *v1alpha1.OAConnector, _ *[]v1alpha1.AccountPair) { c.change(o) })
			})
			p.waitFor(c.want, func(r report.Config) bool { return r.Hash == "" && strings.Contains(r.Problem, c.want) })
		})
	}
}
