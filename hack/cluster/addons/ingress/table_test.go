package ingress

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	stdjson "encoding/json"
	"encoding/pem"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files anew")

// objects as a user applies them.
func objects(t *testing.T) state {
	t.Helper()
	var list struct {
		Ingresses      []*networking.Ingress
		Services       []*core.Service
		EndpointSlices []*discovery.EndpointSlice
		Namespaces     []*core.Namespace
		Gateways       []*gateway.Gateway
		HTTPRoutes     []*gateway.HTTPRoute
	}
	raw, err := os.ReadFile(filepath.Join("testdata", "objects.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(raw, &list); err != nil {
		t.Fatal(err)
	}
	certificate, key := pair(t)
	return state{
		ingresses: list.Ingresses, services: list.Services, slices: list.EndpointSlices,
		namespaces: list.Namespaces, gateways: list.Gateways, httpRoutes: list.HTTPRoutes,
		secrets: []*core.Secret{
			secret("crm", "good", certificate, key),
			secret("crm", "broken", []byte("x"), []byte("y")),
			secret("infra", "edge", certificate, key),
		},
	}
}

// TestConfig turns objects as a user applies them into the proxy's document, and lets Caddy itself judge it.
func TestConfig(t *testing.T) {
	table := newTable(objects(t))
	if len(table.warnings) != 2 {
		t.Errorf("want a warning for the broken and for the missing Secret, got %q", table.warnings)
	}
	document, err := config(table, Options{Address: "192.0.2.80", Dir: "/nonexistent"})
	if err != nil {
		t.Fatal(err)
	}
	var parsed caddy.Config
	if err := stdjson.Unmarshal(document, &parsed); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&parsed); err != nil {
		t.Errorf("the proxy refuses the configuration: %v", err)
	}
	golden(t, "config.json", hideSecrets(document))
	found, err := stdjson.Marshal(table.endpoints)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "endpoints.json", found)
}

func TestEmptyConfigIsValid(t *testing.T) {
	document, err := config(newTable(state{}), Options{Address: "192.0.2.80", Dir: "/nonexistent"})
	if err != nil {
		t.Fatal(err)
	}
	var parsed caddy.Config
	if err := stdjson.Unmarshal(document, &parsed); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&parsed); err != nil {
		t.Errorf("the proxy refuses the configuration of a cluster without Ingresses: %v", err)
	}
}

// The table in the documentation of Ingress, for the types that mean the same everywhere.
func TestPathTypes(t *testing.T) {
	cases := []struct {
		kind       networking.PathType
		path, ask  string
		wantsMatch bool
	}{
		{networking.PathTypePrefix, "/", "/any/path", true},
		{networking.PathTypeExact, "/foo", "/foo", true},
		{networking.PathTypeExact, "/foo", "/bar", false},
		{networking.PathTypeExact, "/foo", "/foo/", false},
		{networking.PathTypeExact, "/foo/", "/foo", false},
		{networking.PathTypePrefix, "/foo", "/foo", true},
		{networking.PathTypePrefix, "/foo", "/foo/", true},
		{networking.PathTypePrefix, "/foo/", "/foo", true},
		{networking.PathTypePrefix, "/foo/", "/foo/", true},
		{networking.PathTypePrefix, "/aaa/bb", "/aaa/bbb", false},
		{networking.PathTypePrefix, "/aaa/bbb", "/aaa/bbb/ccc", true},
		{networking.PathTypePrefix, "/aaa/bbb", "/aaa/bbbxyz", false},
		{networking.PathTypePrefix, "/foo", "/FOO", false},
		{networking.PathTypePrefix, "/a.b", "/aXb", false},
		{networking.PathTypeImplementationSpecific, "/foo", "/foo/bar", true},
	}
	for _, c := range cases {
		pattern := matching("", networking.HTTPIngressPath{Path: c.path, PathType: &c.kind}).pattern
		if got := regexp.MustCompile(pattern).MatchString(c.ask); got != c.wantsMatch {
			t.Errorf("%s %s asked for %s: got %v", c.kind, c.path, c.ask, got)
		}
	}
}

// Who asks for a route at a Gateway is told what became of it, in the words of the Gateway API.
func TestVerdicts(t *testing.T) {
	want := map[string][2]gateway.RouteConditionReason{
		"sso":       {gateway.RouteReasonAccepted, gateway.RouteReasonResolvedRefs},
		"stranger":  {gateway.RouteReasonNotAllowedByListeners, gateway.RouteReasonBackendNotFound},
		"elsewhere": {gateway.RouteReasonNoMatchingListenerHostname, gateway.RouteReasonResolvedRefs},
		"clever":    {gateway.RouteReasonUnsupportedValue, gateway.RouteReasonResolvedRefs},
		"lost":      {gateway.RouteReasonNoMatchingParent, gateway.RouteReasonResolvedRefs},
		"empty":     {gateway.RouteReasonAccepted, gateway.RouteReasonBackendNotFound},
	}
	verdicts := newTable(objects(t)).verdicts
	if len(verdicts) != len(want) {
		t.Errorf("%d verdicts, want %d", len(verdicts), len(want))
	}
	for _, v := range verdicts {
		if got := [2]gateway.RouteConditionReason{v.accepted, v.resolved}; got != want[v.route.Name] {
			t.Errorf("%s: %s (%s), want %s", v.route.Name, got, v.message, want[v.route.Name])
		}
		var status gateway.HTTPRouteStatus
		if !v.write(&status) || v.write(&status) || len(status.Parents) != 1 {
			t.Errorf("%s: a verdict is written once: %+v", v.route.Name, status)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var indented bytes.Buffer
	if err := stdjson.Indent(&indented, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	indented.WriteByte('\n')
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, indented.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, indented.Bytes()) {
		t.Errorf("differs from %s (go test ./ingress -update writes it anew):\n%s", path, indented.Bytes())
	}
}

var secrets = regexp.MustCompile(`-----BEGIN ([A-Z ]+)-----[^-]*-----END [A-Z ]+-----(\\n)?`)

// hideSecrets makes the document the same for every key.
func hideSecrets(document []byte) []byte { return secrets.ReplaceAll(document, []byte("($1)")) }

func secret(namespace, name string, certificate, key []byte) *core.Secret {
	return &core.Secret{
		ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: name},
		Data:       map[string][]byte{core.TLSCertKey: certificate, core.TLSPrivateKeyKey: key},
	}
}

func pair(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"sso.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw})
}
