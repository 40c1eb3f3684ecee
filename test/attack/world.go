package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/gateway"
	"github.com/oabridge/oabridge/internal/report"
)

const (
	host      = "sso.crm.example"
	otherHost = "sso.office.example" // a further name of the gateway
	crmLogin  = "https://crm.example/login"
	peerToken = "peer-token-canary-0123456789abcdef"
	linkKey   = "d73ec6289574d272c9cc2df5ff70488b" // the seed's own (F47)
	sharedKey = "shared-key-canary-0123456789abcdef0123456789"
	ei        = "714439"
	replicas  = 2
	patience  = 20 * time.Second

	prefixSeeyon = "/erp/syncdata/open/oa/authorizeWeb/SeeYon/"
	record       = prefixSeeyon + "QuoteObj/5f3c2ab1/" + ei + "/false"
	otherRecord  = prefixSeeyon + "QuoteObj/000000/" + ei + "/false"
	home         = prefixSeeyon + "login/" + ei + "/false"
)

// world is a gateway with two replicas, the store in which they remember proofs, and the provider.
type world struct {
	provider *provider
	store    *store
	dir      string
	public   [replicas]string
	admin    [replicas]string
	log      *capture
	stop     context.CancelFunc
	done     sync.WaitGroup
	secrets  []string
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

// connector is the object as a platform engineer writes it.
func (w *world) connector() *v1alpha1.OAConnector {
	c := &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: "hq"}}
	c.Spec.Type, c.Spec.EnterpriseID = v1alpha1.TypeGeneric, ei
	c.Spec.Endpoint.URL = w.provider.server.URL
	c.Spec.Endpoint.AllowedCIDRs = []string{"127.0.0.0/8"}
	c.Spec.SSO.Host, c.Spec.SSO.AdditionalHosts = host, []string{otherHost}
	c.Spec.SSO.Exposure.Type = v1alpha1.ExposureNone // TLS ends elsewhere; links are https
	c.Spec.SSO.CRMLogin.Type, c.Spec.SSO.CRMLogin.URL = v1alpha1.LoginSignedJWT, crmLogin
	return c
}

// start runs the gateway's replicas with a connector, as the operator would have them run.
func start(change func(*v1alpha1.OAConnector, *world)) *world {
	dir, err := os.MkdirTemp("", "attack")
	must(err)
	w := &world{provider: newProvider(), store: newStore(), dir: dir, log: &capture{},
		secrets: []string{peerToken, linkKey, sharedKey, clientSecret, appSecret}}
	c := w.connector()
	change(c, w)
	pem := newPEM()
	for file, content := range map[string]string{
		"peer/token": peerToken, "login/key.pem": pem, "login/shared-key": sharedKey, "login/client-secret": clientSecret,
		"sso/link-secret": linkKey, "sso/client-secret": clientSecret, "sso/shared-key": sharedKey, "sso/token": "callback-token-canary",
		"credentials/appSecret": appSecret, "company-0/appSecret": appSecret, "sso/jwks.json": jwks(w),
	} {
		w.write(filepath.Join("secrets", file), content)
	}
	hash := w.configure(c)
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	for i := range replicas {
		listening := make(chan struct{})
		w.done.Go(func() {
			must(gateway.Run(ctx, gateway.Options{
				BundleDir: filepath.Join(dir, "bundle"), SecretsDir: filepath.Join(dir, "secrets"),
				ListenPublic: "127.0.0.1:0", ListenAdmin: "127.0.0.1:0", ShutdownTimeout: patience,
				Log: logr.FromSlogHandler(slog.NewJSONHandler(w.log, nil)),
				Listening: func(public, admin net.Addr) {
					w.public[i], w.admin[i] = public.String(), "http://"+admin.String()
					close(listening)
				},
			}))
		})
		<-listening
	}
	w.wait(hash)
	return w
}

func (w *world) end() {
	w.stop()
	w.done.Wait()
	w.provider.server.Close()
	w.store.server.Close()
	_ = os.RemoveAll(w.dir)
}

// configure compiles a connector and puts the bundle where the gateways look.
func (w *world) configure(c *v1alpha1.OAConnector) string {
	pairs := []v1alpha1.AccountPair{{CRM: "1001", OA: "lina"}, {CRM: "1002", OA: "wangfang"}, {CRM: "1003", OA: "aa/lina"}}
	out, problems := bundle.Compile(bundle.Input{
		Connector: c, Sets: []bundle.AccountSet{{Namespace: "crm", Name: "people", Pairs: pairs}}, ProofsURL: w.store.server.URL + "/proofs",
	})
	if out == nil {
		panic(fmt.Sprint(problems))
	}
	for name, data := range out.Files {
		w.write(filepath.Join("bundle", name), string(data))
	}
	return out.Hash
}

func (w *world) write(name, content string) {
	path := filepath.Join(w.dir, name)
	must(os.MkdirAll(filepath.Dir(path), 0o700))
	must(os.WriteFile(path+"~", []byte(content), 0o600))
	must(os.Rename(path+"~", path))
}

// wait until every replica has reported a bundle.
func (w *world) wait(hash string) {
	for i := range replicas {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		etag := ""
		for {
			r, next, changed, err := report.Get(ctx, http.DefaultClient, w.admin[i]+"/report", etag, time.Second)
			must(err)
			if changed && r.Config.Hash == hash && r.Config.Problem == "" {
				break
			}
			if changed && r.Config.Problem != "" && r.Config.Hash == "" && !strings.Contains(r.Config.Problem, "missing") {
				panic(r.Config.Problem)
			}
			etag = next
		}
		cancel()
	}
}

func newPEM() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// browser is one browser: it keeps cookies as the gateway sets them.
type browser struct {
	w       *world
	cookies map[string]string
	agent   string
	from    string // X-Forwarded-For
}

func (w *world) browser() *browser {
	n := browsers.Add(1)
	return &browser{w: w, cookies: map[string]string{}, from: fmt.Sprintf("198.18.%d.%d", n/250%250, n%250+1)}
}

// browsers gives each browser an address of its own.
var browsers atomic.Int64

// page is an answer of the gateway.
type page struct {
	status   int
	location string
	body     string
	header   http.Header
}

// in reports whether the person was let into the CRM.
func (p page) in() bool {
	return p.status == http.StatusSeeOther && strings.HasPrefix(p.location, crmLogin+"?")
}

// get opens an address, absolute or not, at one of the replicas.
func (b *browser) get(replica int, target string, change ...func(*http.Request)) page {
	return b.do(replica, http.MethodGet, target, nil, change...)
}

func (b *browser) do(replica int, method, target string, body io.Reader, change ...func(*http.Request)) page {
	target = strings.TrimPrefix(target, "https://"+host)
	r, err := http.NewRequestWithContext(context.Background(), method, "http://"+b.w.public[replica], body)
	must(err)
	r.URL = &url.URL{Scheme: "http", Host: b.w.public[replica], Opaque: target}
	r.Host = host
	if b.agent != "" {
		r.Header.Set("User-Agent", b.agent)
	}
	r.Header.Set("X-Forwarded-For", b.from)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, c := range change {
		c(r)
	}
	resp, err := plain.RoundTrip(r)
	if err != nil {
		return page{status: http.StatusBadRequest, body: err.Error()} // net/http refuses to send it
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	must(err)
	for _, c := range resp.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return page{resp.StatusCode, resp.Header.Get("Location"), string(text), resp.Header}
}

var plain = &http.Transport{MaxIdleConnsPerHost: 64}

// store remembers proofs and keeps grants for the replicas, as the dispatcher does.
type store struct {
	server *httptest.Server
	down   atomic.Bool
	mu     sync.Mutex
	proofs map[string]bool
	grants map[string][]byte
}

func newStore() *store {
	s := &store{proofs: map[string]bool{}, grants: map[string][]byte{}}
	s.server = httptest.NewServer(s)
	return s
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.down.Load() || r.Header.Get("Authorization") != "Bearer "+peerToken {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	value, kept := s.grants[key]
	switch {
	case kind == "proofs" && r.Method == http.MethodPut && s.proofs[key], kind == "grants" && r.Method == http.MethodPut && kept:
		w.WriteHeader(http.StatusConflict)
	case kind == "proofs" && r.Method == http.MethodPut:
		s.proofs[key] = true
		w.WriteHeader(http.StatusCreated)
	case kind == "proofs":
		delete(s.proofs, key)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPut:
		data, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.grants[key] = data
		w.WriteHeader(http.StatusCreated)
	case kept:
		delete(s.grants, key)
		_, _ = w.Write(value)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}
