package dispatch

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/audit"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/gateway"
)

const (
	ssoHost = "sso.crm.example"
	ssoLink = "http://" + ssoHost + "/erp/syncdata/open/oa/authorizeWeb/SeeYon/QuoteObj/5f3c2ab1/714439/false?v5ticket="
)

// gateway runs the gateway of this connector, whose OA knows every ticket as lina's, and returns a browser that reaches it.
func (w *world) gateway(change ...func(*gateway.Options)) *http.Client {
	w.t.Helper()
	oa := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.Header().Set("LoginName", "lina") }))
	w.t.Cleanup(oa.Close)
	c := &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: "hq"}}
	c.Spec.Type, c.Spec.EnterpriseID, c.Spec.Endpoint.URL = v1alpha1.TypeSeeyon, "714439", oa.URL
	c.Spec.Endpoint.AllowedCIDRs = append(c.Spec.Endpoint.AllowedCIDRs, "127.0.0.0/8")
	c.Spec.Seeyon.RegisterCode, c.Spec.Seeyon.Version = "3004", v1alpha1.SeeyonV70SP2
	c.Spec.SSO.Mode, c.Spec.SSO.Host = v1alpha1.SSOV5Ticket, ssoHost
	c.Spec.SSO.CRMLogin.Type, c.Spec.SSO.CRMLogin.URL = v1alpha1.LoginSignedJWT, "https://crm.example/login"
	pairs := []v1alpha1.AccountPair{{CRM: "1001", OA: "lina"}}
	out, problems := bundle.Compile(bundle.Input{
		Connector: c, Sets: []bundle.AccountSet{{Namespace: "crm", Name: "people", Pairs: pairs}}, ProofsURL: w.url("peer", "/proofs"),
	})
	if out == nil {
		w.t.Fatal(problems)
	}
	dir := w.t.TempDir()
	for name, data := range out.Files {
		w.write(filepath.Join(dir, name), data)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		w.t.Fatal(err)
	}
	w.secret(bundle.SlotLogin, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	var public, admin string
	ctx, stop := context.WithCancel(context.Background())
	ended, listening := make(chan error, 1), make(chan struct{})
	go func() {
		o := gateway.Options{
			BundleDir: dir, SecretsDir: w.options.Secrets, ListenPublic: "127.0.0.1:0", ListenAdmin: "127.0.0.1:0", Log: w.options.Log, ShutdownTimeout: patience,
			Listening: func(p, a net.Addr) { public, admin = p.String(), a.String(); close(listening) },
		}
		for _, f := range change {
			f(&o)
		}
		ended <- gateway.Run(ctx, o)
	}()
	<-listening
	w.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	w.eventually("the gateway is ready", func() bool { return w.do(http.MethodGet, "http://"+admin+"/readyz", nil).status == http.StatusOK })
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, public)
		}},
	}
}

// eventually waits for something that nothing tells of.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	gomega.NewWithT(w.t).Eventually(ok).WithTimeout(patience).Should(gomega.BeTrue(), "waited in vain until "+what)
}

func (w *world) signIns(query url.Values) []audit.SignIn {
	w.t.Helper()
	found, _, err := w.ask().SignIns(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// Whoever comes through the gateway is found at the dispatcher, let in or refused, also after a restart; and neither the
// ticket nor the token that the CRM gets is on disk or in an answer.
func TestSignInsAreFoundBesideTheRecords(t *testing.T) {
	w := newWorld(t)
	w.start()
	browser := w.gateway()
	const ticket = "canary-ticket-7391"
	visit := func() *http.Response {
		t.Helper()
		resp, err := browser.Get(ssoLink + ticket)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp
	}
	in := visit()
	location, err := in.Location()
	if err != nil || in.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d, %v", in.StatusCode, err)
	}
	token := location.Query().Get("token")
	if again := visit(); again.StatusCode != http.StatusForbidden || token == "" {
		t.Fatalf("the second click: %d", again.StatusCode)
	}
	w.eventually("both are kept", func() bool { return len(w.signIns(nil)) == 2 })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()

	got := w.signIns(nil)
	if len(got) != 2 || got[0].Code != "OK" || got[0].Mode != "V5Ticket" || got[0].OAAccount != "lina" || got[0].CRMAccount != "1001" || got[0].IP != "127.0.0.1" ||
		got[0].UserAgent == "" || len(got[0].Trace) != 32 || got[0].DataID != "5f3c2ab1" || got[1].Code != "SSO-1003" || got[1].Reason != "TicketReused" {
		t.Fatalf("%+v", got)
	}
	for query, want := range map[string]int{
		"account=lina": 1, "account=1001": 1, "crmAccount=lina": 0, "code=SSO-1003": 1, "mode=V5Ticket": 2, "mode=App": 0, "since=1h": 2, "until=1h": 0, "limit=1": 1,
		"trace=" + got[1].Trace[20:]: 1,
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if found := w.signIns(q); len(found) != want {
			t.Errorf("%s: %d, want %d", query, len(found), want)
		}
	}
	for _, bad := range []string{"trace=abc", "item=T-1", "cursor=x"} {
		if a := w.do(http.MethodGet, w.url("local", "/signins?"+bad), nil); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
	sum, err := w.ask().Summary(t.Context(), url.Values{"since": {"1h"}})
	if err != nil || sum.SignIns["OK"] != 1 || sum.SignIns["SSO-1003"] != 1 || sum.SignInsShared {
		t.Errorf("%+v, %v", sum, err)
	}

	places := map[string][]byte{"an answer": []byte(w.do(http.MethodGet, w.url("local", "/signins"), nil).body), "the log": []byte(w.logs.String())}
	files, err := filepath.Glob(filepath.Join(w.options.Store, indexFile+"*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if places[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for place, data := range places {
		for _, secret := range []string{ticket, token, peerToken} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%q is in %s", secret, place)
			}
		}
	}
}

// Only the gateway may tell of sign-ins, and only as many and as large ones as agreed. Old ones are forgotten like records.
func TestSignInsThatAreKept(t *testing.T) {
	w := newWorld(t)
	w.options.tuning.housekeeping = 20 * time.Millisecond
	w.bundle(func(c *connector) { c.Records.MaxAge = bundle.Duration(time.Hour) })
	w.start()
	w.eventually("the index is open", func() bool {
		return w.do(http.MethodGet, w.url("local", "/signins"), nil).status == http.StatusOK
	})
	one := func(change func(*audit.SignIn)) []audit.SignIn {
		s := audit.SignIn{ID: strings.Repeat("0a", 16), At: time.Now(), Code: "OK"}
		if change != nil {
			change(&s)
		}
		return []audit.SignIn{s}
	}
	many := make([]audit.SignIn, audit.MaxBatch+1)
	for i := range many {
		many[i] = one(nil)[0]
	}
	for name, c := range map[string]struct {
		body  any
		token string
		want  int
	}{
		"another token": {one(nil), eventToken, http.StatusUnauthorized},
		"no list":       {one(nil)[0], peerToken, http.StatusBadRequest},
		"too many":      {many, peerToken, http.StatusBadRequest},
		"no id":         {one(func(s *audit.SignIn) { s.ID = "1" }), peerToken, http.StatusBadRequest},
		"no time":       {one(func(s *audit.SignIn) { s.At = time.Time{} }), peerToken, http.StatusBadRequest},
		"a long text":   {one(func(s *audit.SignIn) { s.UserAgent = strings.Repeat("x", audit.MaxText+1) }), peerToken, http.StatusBadRequest},
		"too large":     {one(func(s *audit.SignIn) { s.UserAgent = strings.Repeat("x", audit.MaxBody) }), peerToken, http.StatusRequestEntityTooLarge},
		"an old one":    {one(func(s *audit.SignIn) { s.At = time.Now().Add(-2 * time.Hour) }), peerToken, http.StatusNoContent},
		"a good one":    {one(func(s *audit.SignIn) { s.ID = strings.Repeat("0b", 16) }), peerToken, http.StatusNoContent},
	} {
		body, err := json.Marshal(c.body)
		if err != nil {
			t.Fatal(err)
		}
		if a := w.do(http.MethodPost, w.url("peer", "/"+audit.Path), body, "Authorization", "Bearer "+c.token); a.status != c.want {
			t.Errorf("%s: %d, want %d: %s", name, a.status, c.want, a.body)
		}
	}
	w.eventually("the old one is forgotten", func() bool {
		found := w.signIns(nil)
		return len(found) == 1 && found[0].ID == strings.Repeat("0b", 16)
	})
}
