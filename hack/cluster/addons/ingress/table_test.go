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
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestConfig turns objects as a user applies them into the proxy's document, and lets Caddy itself judge it.
func TestConfig(t *testing.T) {
	var objects struct {
		Ingresses      []*networking.Ingress
		Services       []*core.Service
		EndpointSlices []*discovery.EndpointSlice
	}
	raw, err := os.ReadFile(filepath.Join("testdata", "objects.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(raw, &objects); err != nil {
		t.Fatal(err)
	}
	certificate, key := pair(t)
	s := state{
		ingresses: objects.Ingresses, services: objects.Services, slices: objects.EndpointSlices,
		secrets: []*core.Secret{
			secret("good", certificate, key),
			secret("broken", []byte("x"), []byte("y")),
		},
	}
	table := newTable(s)
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

func secret(name string, certificate, key []byte) *core.Secret {
	return &core.Secret{
		ObjectMeta: meta.ObjectMeta{Namespace: "crm", Name: name},
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
