package stage

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Keys are the demo's own: a certificate authority with one certificate for all hosts, and the login issuer's key.
type Keys struct {
	CA, Cert, Key []byte // PEM
	Login         []byte // PEM
	// Public is the certificate's public key in DER, by which a browser is told to trust it.
	Public []byte
}

const keysSecret = "demo-keys"

// ensureKeys makes keys once and keeps them in the cluster, so that a second run finds the certificates it knows.
func (s *Stage) ensureKeys(ctx context.Context) error {
	var kept corev1.Secret
	err := s.Get(ctx, client.ObjectKey{Namespace: SimulatorNamespace, Name: keysSecret}, &kept)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err == nil {
		s.keys = &Keys{CA: kept.Data["ca"], Cert: kept.Data["cert"], Key: kept.Data["key"], Login: kept.Data["login"]}
	} else if s.keys, err = newKeys(); err != nil {
		return err
	}
	block, _ := pem.Decode(s.keys.Cert)
	if block == nil {
		return errors.New("the kept certificate is not PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	s.keys.Public = cert.RawSubjectPublicKeyInfo

	for _, secret := range []*corev1.Secret{
		{ObjectMeta: metav1.ObjectMeta{Namespace: SimulatorNamespace, Name: keysSecret}, Data: map[string][]byte{
			"ca": s.keys.CA, "cert": s.keys.Cert, "key": s.keys.Key, "login": s.keys.Login}},
		tlsSecret(SimulatorNamespace, "oasim-tls", s.keys),
		tlsSecret(Namespace, "hq-tls", s.keys),
		{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: "hq-login",
			Labels: map[string]string{v1alpha1.LabelCredentials: "true"}},
			Data: map[string][]byte{v1alpha1.KeyPrivate: s.keys.Login}},
	} {
		err := s.Create(ctx, secret)
		if apierrors.IsAlreadyExists(err) {
			err = s.Update(ctx, secret) // an earlier version may have known fewer keys
		}
		if err != nil {
			return fmt.Errorf("secret %s/%s: %w", secret.Namespace, secret.Name, err)
		}
	}
	return nil
}

func tlsSecret(namespace, name string, k *Keys) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: k.Cert, corev1.TLSPrivateKeyKey: k.Key, v1alpha1.KeyCA: k.CA},
	}
}

func newKeys() (*Keys, error) {
	k := &Keys{}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now().Add(-time.Hour)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "OA Bridge demo"},
		NotBefore: now, NotAfter: now.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: HostSSO},
		DNSNames: []string{HostSSO, "*." + Domain}, NotBefore: now, NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, ca, key.Public(), caKey)
	if err != nil {
		return nil, err
	}
	if k.Key, err = privatePEM(key); err != nil {
		return nil, err
	}
	if k.Login, err = NewLoginKey(); err != nil {
		return nil, err
	}
	k.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	k.Cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return k, nil
}

// NewLoginKey is a key for login tokens, in PEM.
func NewLoginKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return privatePEM(key)
}

func privatePEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}
