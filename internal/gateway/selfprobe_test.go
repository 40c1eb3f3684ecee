package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

// certificate of a proxy for a name, from an authority that nobody knows.
func certificate(t *testing.T, name string, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: until.Add(-48 * time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// reverseProxy stands before the gateway, as an ingress controller does. The result is its address.
func (w *world) reverseProxy(serve *tls.Certificate, change func(*httputil.ProxyRequest)) string {
	w.t.Helper()
	to := &url.URL{Scheme: "https", Host: w.hosts[gatewayHost]}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
			if change != nil {
				change(r)
			}
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	s := httptest.NewUnstartedServer(proxy)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // some handshakes are meant to fail
	if serve != nil {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{*serve}}
		s.StartTLS()
	} else {
		s.Start()
	}
	w.t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// at makes a client that finds the public host at an address; its certificate checks and limits are the real ones.
func at(t *testing.T, address string) *http.Client {
	t.Helper()
	client, err := probeClient([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	transport := client.Transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		if address == "" {
			return nil, &net.DNSError{Err: "no such host", Name: gatewayHost, IsNotFound: true}
		}
		return dial(ctx, network, address)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// The gateway asks its own public address through whatever is in front of it. Only the gateway's own answer is a proof; what
// fails names the stage and what to do, and a failure that a pod cannot tell from hairpin NAT is no verdict. // F112
func TestTheGatewayAsksItsPublicAddress(t *testing.T) {
	w := newWorld(t)
	c := w.handler.live.Load()
	good := certificate(t, gatewayHost, time.Now().Add(time.Hour))
	other := certificate(t, "old.example", time.Now().Add(time.Hour))
	old := certificate(t, gatewayHost, time.Now().Add(-time.Hour))
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("welcome")) }))
	t.Cleanup(elsewhere.Close)
	elsewhere.TLS.Certificates = []tls.Certificate{good}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for _, test := range []struct{ name, address, state, says string }{
		{"through a proxy", w.reverseProxy(&good, nil), stateTrue, "reached itself"},
		{"no such name", "", stateUnknown, "DNS: the name sso.crm.example does not resolve in the cluster"},
		{"nobody listens", closed.Addr().String(), stateUnknown, "TCP: sso.crm.example refuses the connection"},
		{"the certificate of another name", w.reverseProxy(&other, nil), stateFalse, "TLS: the certificate of sso.crm.example is for another name"},
		{"an old certificate", w.reverseProxy(&old, nil), stateFalse, "TLS: the certificate of sso.crm.example has expired"},
		{"no TLS", w.reverseProxy(nil, nil), stateFalse, "TLS: sso.crm.example does not speak TLS"},
		{"somebody else", elsewhere.Listener.Addr().String(), stateFalse, "HTTP: something else than this gateway answers"},
		{"a proxy that changes the host", w.reverseProxy(&good, func(r *httputil.ProxyRequest) { r.Out.Host = "hq-gateway.crm.svc" }), stateFalse, "HTTP: the proxy in front of the gateway does not pass on the Host header"},
		{"a proxy that knows some paths only", w.reverseProxy(&good, func(r *httputil.ProxyRequest) { r.Out.URL.Path = "/elsewhere" }), stateFalse, "HTTP: sso.crm.example answers 404, and not this gateway"},
	} {
		t.Run(test.name, func(t *testing.T) {
			first := probe(t.Context(), at(t, test.address), c)
			if first.State != test.state || !strings.HasPrefix(strings.TrimPrefix(first.Message, "the gateway "), test.says) ||
				(first.State == stateTrue) != (first.Reason == "") {
				t.Errorf("%+v", first)
			}
			if unsure := strings.Contains(first.Message, "hairpin"); unsure != (test.state == stateUnknown) {
				t.Errorf("a verdict: %+v", first)
			}
			if again := probe(t.Context(), at(t, test.address), c); again != first {
				t.Errorf("the same failure reads another way: %+v", again)
			}
		})
	}
	w.wantPage(w.visit(http.MethodGet, prefixProbe+"a%2fb"), BadLink)
	w.wantPage(w.visit(http.MethodGet, prefixProbe+strings.Repeat("a", maxChallenge+1)), BadLink)
	w.wantPage(w.visit(http.MethodPost, prefixProbe+"abc"), WrongMethod)
}

// Another connector's gateway, or an older answer, is no proof.
func TestAnswersThatAreNoProof(t *testing.T) {
	w := newWorld(t)
	c := *w.handler.live.Load()
	good := certificate(t, gatewayHost, time.Now().Add(time.Hour))
	address := w.reverseProxy(&good, nil)
	stranger := c
	stranger.seal, _ = newSealer("another peer token", c.connector)
	if found := probe(t.Context(), at(t, address), &stranger); found.State != stateFalse || !strings.Contains(found.Message, "something else") {
		t.Errorf("%+v", found)
	}
	replayed := w.visit(http.MethodGet, prefixProbe+"abc").body
	replay := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(replayed)) }))
	replay.TLS = &tls.Config{Certificates: []tls.Certificate{good}}
	replay.StartTLS()
	t.Cleanup(replay.Close)
	if found := probe(t.Context(), at(t, replay.Listener.Addr().String()), &c); found.State != stateFalse {
		t.Errorf("an old answer: %+v", found)
	}
}

// A running gateway reports what it finds, unless it is told not to look.
func TestTheProbeOfARunningGateway(t *testing.T) {
	p := start(t, nil)
	p.writeSecret(bundle.SlotPeer, "token", []byte(peerToken))
	p.writeSecret(bundle.SlotLogin, "key.pem", newPEM(t))
	p.writeBundle(nil)
	seen := func(what string, ok func(*report.Exposure) bool) {
		t.Helper()
		p.waitForReport(what, func(r report.Report) bool { return ok(r.Exposure) })
	}
	// The name of the tests leads nowhere.
	seen("a finding", func(e *report.Exposure) bool {
		return e != nil && e.State == stateUnknown && e.Reason == v1alpha1.ReasonSelfProbeFailed
	})
	p.writeBundle(func(c *v1alpha1.OAConnector, _ *[]v1alpha1.AccountPair) { c.Spec.SSO.SelfProbe = v1alpha1.Disabled })
	seen("silence", func(e *report.Exposure) bool { return e == nil })
}
