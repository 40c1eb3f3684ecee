// Package pki makes the cluster's certificates and kubeconfig files.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// valid is the life of everything issued: a demo or a test cluster is younger.
const valid = 90 * 24 * time.Hour

// Authority signs the certificates of one cluster.
type Authority struct {
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes a certificate authority and keeps it in dir as ca.crt and ca.key.
func NewAuthority(dir string) (*Authority, error) {
	template := newTemplate("oabridge-cluster")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	a := &Authority{dir: dir}
	certificate, key, err := sign(template, template, nil)
	if err != nil {
		return nil, err
	}
	a.certificate, a.key = certificate, key
	return a, write(dir, "ca", certificate, key)
}

// Client issues a certificate for a user of the API server and keeps it as NAME.crt and NAME.key.
func (a *Authority) Client(name, user string, groups ...string) error {
	template := newTemplate(user)
	template.Subject.Organization = groups
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.issue(name, template)
}

// Server issues a certificate for a listener. It may also be shown as a client's, as members of etcd do to themselves.
func (a *Authority) Server(name string, addresses []string, names []string) error {
	template := newTemplate("oabridge-server")
	template.DNSNames = names
	for _, address := range addresses {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	return a.issue(name, template)
}

func (a *Authority) issue(name string, template *x509.Certificate) error {
	certificate, key, err := sign(template, a.certificate, a.key)
	if err != nil {
		return err
	}
	return write(a.dir, name, certificate, key)
}

func newTemplate(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // never fails: the reader does not
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-5 * time.Minute),
		NotAfter:     now.Add(valid),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

// sign makes a key pair and its certificate; without a parent key the certificate signs itself.
func sign(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if parentKey == nil {
		parentKey = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return certificate, key, err
}

func write(dir, name string, certificate *x509.Certificate, key *ecdsa.PrivateKey) error {
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	if err := os.WriteFile(filepath.Join(dir, name+".crt"), public, 0o644); err != nil {
		return err
	}
	return writeKey(dir, name, key)
}

func writeKey(dir, name string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	return os.WriteFile(filepath.Join(dir, name+".key"), private, 0o600)
}

// TokenKey makes the key that signs service account tokens and keeps it as NAME.key.
func TokenKey(dir, name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return writeKey(dir, name, key)
}
