package workload

import (
	"crypto/rand"
	"encoding/base64"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// peerTokenBytes is the entropy of the token between gateway and dispatcher.
const peerTokenBytes = 32

// Config returns the ConfigMaps of a bundle, the shards before the document that names their hashes: a workload that
// sees a document without its shards keeps what it has.
func Config(c *v1alpha1.OAConnector, b *bundle.Bundle, files map[string][]byte) []Object {
	var objects []Object
	for i, shard := range b.Accounts.Shards {
		objects = append(objects, configMap(c, AccountsName(c.Name, i)).
			WithBinaryData(map[string][]byte{shard.File: files[shard.File]}))
	}
	return append(objects, RootConfig(c, files[bundle.FileName]))
}

// RootConfig returns the ConfigMap with the root document alone.
func RootConfig(c *v1alpha1.OAConnector, document []byte) Object {
	return configMap(c, BundleName(c.Name)).WithData(map[string]string{bundle.FileName: string(document)})
}

func configMap(c *v1alpha1.OAConnector, name string) *corev1ac.ConfigMapApplyConfiguration {
	return corev1ac.ConfigMap(name, c.Namespace).
		WithLabels(labels(c, v1alpha1.ComponentBundle)).
		WithLabels(map[string]string{v1alpha1.LabelAccounts: AccountsCompiled}).
		WithOwnerReferences(owner(c))
}

// NewPeerSecret returns the Secret with a fresh random token with which the gateway proves itself to the dispatcher. It
// is to be created when there is none, and never to be overwritten.
func NewPeerSecret(c *v1alpha1.OAConnector) *corev1.Secret {
	token := make([]byte, peerTokenBytes)
	_, _ = rand.Read(token) // never fails: crypto/rand ends the program instead
	l := labels(c, v1alpha1.ComponentBundle)
	l[v1alpha1.LabelCredentials] = "true"
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: PeerName(c.Name), Namespace: c.Namespace, Labels: l,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(c, v1alpha1.GroupVersion.WithKind("OAConnector"))},
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{v1alpha1.KeyToken: []byte(base64.RawURLEncoding.EncodeToString(token))},
	}
}
