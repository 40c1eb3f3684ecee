package gateway

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
	crmsim "github.com/oabridge/oabridge/internal/oasim/crm"
	oasim "github.com/oabridge/oabridge/internal/oasim/seeyon"
)

const (
	gatewayHost = "sso.crm.example"
	gatewayURL  = "https://" + gatewayHost
	crmHost     = "crm.example"
	loginURL    = "https://" + crmHost + "/login"
	peerToken   = "peer-token-canary"
	crmKey      = "shared-key-canary-0123456789abcdef0123456789" // that the CRM and the gateway know
	crmSecret   = "crm-secret-canary-0123456789abcdef0123456789" // of the CRM as a client of the gateway
	recordPC    = PathPrefix + "QuoteObj/5f3c2ab1/714439/false"
	recordH5    = PathPrefix + "QuoteObj/5f3c2ab1/714439/true"
	homePC      = PathPrefix + "login/714439/false"
)

// world is an OA, a CRM, the dispatcher's proof store and a gateway between them, all with real HTTP. When a test ends,
// everything that the gateway ever wrote is searched for secrets.
type world struct {
	t       *testing.T
	oa      *oasim.Seeyon
	oaURL   string
	crm     *crmsim.CRM
	proofs  *proofServer
	handler *Handler
	keys    *login.KeyRing
	hosts   map[string]string // name → address of its server
	cert    *x509.Certificate // of the gateway and of the CRM
	log     *capture
	wire    *capture // answers of the gateway, without the Location of a sign-in
	secrets []string
	mu      sync.Mutex
}

// bindings maps OA accounts for the gateway.
type bindings map[string]string

func (b bindings) CRM(oa string) (string, bool) { crm, ok := b[oa]; return crm, ok }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, log: &capture{}, wire: &capture{}, hosts: map[string]string{}, secrets: []string{peerToken, crmKey, crmSecret}}

	var err error
	w.oa, err = oasim.New(oasim.Options{
		RESTUsers: map[string]string{"fxiaoke": "pw"},
		Apps:      []oasim.App{{Code: "3004", Name: "CRM", LoginURL: gatewayURL + homePC}},
		People:    []oasim.Person{{LoginName: "lina"}, {LoginName: "wangfang"}, {LoginName: "nobody"}},
		Bindings:  []oasim.Binding{{RegisterCode: "3004", ThirdUserID: "1001", LoginName: "lina"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	oaServer := httptest.NewServer(w.oa)
	w.oaURL = oaServer.URL
	t.Cleanup(oaServer.Close)
	t.Cleanup(w.oa.Faults().Clear)

	w.proofs = &proofServer{MemoryProofs: newMemoryProofs()}
	proofServer := httptest.NewServer(w.proofs)
	t.Cleanup(proofServer.Close)

	w.keys = login.NewKeyRing(time.Now)
	w.keys.Replace(w.newKey(), nil)
	w.handler = newHandler(w.keys, newMetrics(), logr.FromSlogHandler(slog.NewJSONHandler(w.log, nil)), time.Now)
	issuer, err := login.NewSignedJWT(login.Config{GatewayURL: gatewayURL, LoginURL: loginURL, Lifetime: time.Minute, Now: time.Now}, w.keys)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := newSealer(peerToken, "crm/hq")
	if err != nil {
		t.Fatal(err)
	}
	w.handler.live.Store(&live{
		hash: "h1", url: gatewayURL, host: gatewayHost, https: true, oaType: "Seeyon", mode: "V5Ticket", connector: "crm/hq", enterpriseID: "714439",
		proofs: newPeerProofs(newPeerClient(), proofServer.URL+"/proofs", fixed(peerToken)), seal: seal,
		records:       newPeerProofs(newPeerClient(), proofServer.URL+"/proofs", fixed(peerToken)),
		signIn:        oa.SignIn{Link: seeyon.NewVerifier(seeyon.VerifierConfig{Endpoint: w.oaURL, Client: &http.Client{}, Version: "V70SP2"})},
		verifyTimeout: 5 * time.Second,
		accounts:      bindings{"lina": "1001", "wangfang": "1002"},
		issuer:        issuer,
	})
	gateway := httptest.NewUnstartedServer(nil)
	gateway.Config = newServer(http.HandlerFunc(w.serveAndRemember), writeTimeout, t.Context(), w.handler.log)
	gateway.StartTLS()
	t.Cleanup(gateway.Close)
	w.hosts[gatewayHost], w.cert = gateway.Listener.Addr().String(), gateway.Certificate()

	w.crm, err = crmsim.New(crmsim.Options{
		Login: crmsim.Login{
			JWKSURL: gatewayURL + JWKSPath, Issuer: gatewayURL, Audience: loginURL, EnterpriseID: "714439",
			SharedKey: crmKey, RedeemURL: gatewayURL + login.RedeemPath,
			OpenID: crmsim.OpenIDClient{ID: "crm", Secret: crmSecret, RedirectURL: "https://" + crmHost + "/oidc/callback"},
		},
		Client: &http.Client{Transport: w.transport()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.crm.Close)
	crm := httptest.NewTLSServer(w.crm)
	t.Cleanup(crm.Close)
	w.hosts[crmHost] = crm.Listener.Addr().String()

	auditing, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	audited := make(chan struct{})
	go func() { defer close(audited); w.handler.auditor.run(auditing) }()
	t.Cleanup(func() {
		stop()
		<-audited
		w.searchSecrets()
	})
	return w
}

// change replaces the live configuration.
func (w *world) change(f func(*live)) {
	next := *w.handler.live.Load()
	f(&next)
	w.handler.live.Store(&next)
}

// newKey makes a signing key; its PEM must never be seen.
func (w *world) newKey() *login.Key {
	w.t.Helper()
	data := newPEM(w.t)
	w.keepSecret(coreOf(data))
	k, err := login.ParseKey(data)
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

// coreOf is the line of a PEM text that holds most of the key.
func coreOf(data []byte) string { return strings.Split(string(data), "\n")[1] }

func newPEM(t *testing.T) []byte {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// ticket is what the OA appends to a link when the person clicks.
func (w *world) ticket(login string) string {
	w.t.Helper()
	id, err := w.oa.IssueTicket(login)
	if err != nil {
		w.t.Fatal(err)
	}
	w.keepSecret(id)
	return id
}

func (w *world) keepSecret(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets = append(w.secrets, s)
}

// transport resolves the names of this world and reaches nothing else.
func (w *world) transport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			if to, ok := w.hosts[host]; ok {
				address = to
			} else if host != "127.0.0.1" {
				return nil, &net.DNSError{Err: "no such host in this world", Name: host, IsNotFound: true}
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
}

// browser follows redirects and keeps cookies, as a person's does.
func (w *world) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: w.transport()}
}

type answer struct {
	*http.Response
	body string
}

// visit sends one request to the gateway without following the answer.
func (w *world) visit(method, target string, change ...func(*http.Request)) answer {
	w.t.Helper()
	req := &http.Request{Method: method, URL: &url.URL{Scheme: "https", Host: gatewayHost, Opaque: target}, Header: http.Header{}}
	for _, c := range change {
		c(req)
	}
	resp, err := w.transport().RoundTrip(req.WithContext(w.t.Context()))
	if err != nil {
		w.t.Fatalf("%s %q: %v", method, target, err)
	}
	return w.read(resp)
}

// read takes an answer of the gateway, and notes the token in it as a secret.
func (w *world) read(resp *http.Response) answer {
	w.t.Helper()
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if location, err := resp.Location(); err == nil {
		w.keepSecret(location.Query().Get("token"))
	}
	return answer{resp, string(body)}
}

func (w *world) click(path, ticket string) answer {
	w.t.Helper()
	return w.visit(http.MethodGet, path+"?v5ticket="+url.QueryEscape(ticket))
}

// wantPage checks that an answer is the error page of a code, and lets nobody in.
func (w *world) wantPage(a answer, code Code) {
	w.t.Helper()
	e := explanations[code]
	if a.StatusCode != e.status || !strings.Contains(a.body, string(code)) || !strings.Contains(a.body, e.zh.Problem) ||
		!strings.Contains(a.body, e.en.Problem) {
		_, shown, _ := strings.Cut(a.body, "<main>")
		w.t.Errorf("want %s (%d), got %d:\n%s", code, e.status, a.StatusCode, shown)
	}
	if a.Header.Get("Location") != "" || len(a.Cookies()) != 0 {
		w.t.Errorf("an error page must send nobody anywhere: %v", a.Header)
	}
}

func (w *world) wantSignedIn(a answer) {
	w.t.Helper()
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), loginURL+"?token=") {
		w.t.Errorf("not signed in: %d %s", a.StatusCode, a.body)
	}
}

// metrics is what Prometheus reads.
func (w *world) metrics() string {
	rec := httptest.NewRecorder()
	adminHandler(func() bool { return true }, w.handler.metrics, nil, "").ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	return rec.Body.String()
}

// wantCount checks how many clicks ended with a code.
func (w *world) wantCount(code Code, n int) {
	w.t.Helper()
	if line := fmt.Sprintf("oabridge_sso_logins_total{outcome=%q} %d\n", code, n); !strings.Contains(w.metrics(), line) {
		w.t.Errorf("metrics do not say %s", line)
	}
}

// asked is how often the OA was asked about a ticket.
func (w *world) asked() int {
	return len(w.oa.Journal().Entries("/seeyon/thirdpartyController.do"))
}

// serveAndRemember keeps all of an answer but the places for a token: where a redirect leads, and the word that a screen with
// a QR code waits for.
func (w *world) serveAndRemember(rw http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	result := rec.Result()
	for k, v := range result.Header {
		rw.Header()[k] = v
	}
	rw.WriteHeader(result.StatusCode)
	_, _ = rw.Write(rec.Body.Bytes())
	redirects := result.StatusCode/100 == 3
	if redirects {
		result.Header.Del("Location")
	}
	if r.RequestURI == pathPoll && bytes.Contains(rec.Body.Bytes(), []byte(`"state":"done"`)) {
		return
	}
	dump, err := httputil.DumpResponse(result, !redirects) // the body may repeat the Location
	if err != nil {
		w.t.Error(err)
	}
	_, _ = w.wire.Write(dump)
}

func (w *world) searchSecrets() {
	for place, text := range map[string]string{
		"log": w.log.String(), "answers": w.wire.String(), "metrics": w.metrics(),
		"proof store": w.proofs.seen.String(), "records": w.proofs.signIns.String(),
	} {
		for _, s := range w.secrets {
			if s != "" && strings.Contains(text, s) {
				w.t.Errorf("the secret %q is in the %s", s, place)
			}
		}
	}
}

// capture is a buffer that several writers may share.
type capture struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Write(p)
}

func (c *capture) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.String()
}
