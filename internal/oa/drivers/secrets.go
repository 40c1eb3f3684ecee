package drivers

import (
	"fmt"
	"path"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
)

// secrets is the directory with one folder for each Secret of the connector. Every method reads what is there now; the
// errors name the field and the key, never a value.
type secrets struct{ files *secretCache }

func newSecrets(dir string) secrets { return secrets{&secretCache{dir: dir, lookAgain: lookAgain}} }

// account returns the OA account.
func (s secrets) account() (username, password string, err error) {
	if username, err = s.credential(v1alpha1.KeyUsername); err != nil {
		return "", "", err
	}
	if password, err = s.credential(v1alpha1.KeyPassword); err != nil {
		return "", "", err
	}
	return username, password, nil
}

// app returns the secret of an application under the id that the connector gives it.
func (s secrets) app(id string) func() (tokens.Account, error) {
	return func() (tokens.Account, error) {
		secret, err := s.credential(v1alpha1.KeyAppSecret)
		return tokens.Account{Name: id, Secret: secret}, err
	}
}

// person returns the OA account in the form of an Auth.
func (s secrets) person() (tokens.Account, error) {
	username, password, err := s.account()
	return tokens.Account{Name: username, Secret: password}, err
}

// token returns the fixed token.
func (s secrets) token() (string, error) { return s.credential(v1alpha1.KeyToken) }

func (s secrets) credential(key string) (string, error) {
	v, err := s.files.read(bundle.SlotCredentials, key)
	if err != nil || v == "" {
		return "", fmt.Errorf("the key %s is missing: put it into the Secret in spec.credentialsSecretRef", key)
	}
	return v, nil
}

// ca returns the roots of the OA's certificate.
func (s secrets) ca() ([]byte, error) {
	v, err := s.files.read(bundle.SlotCA, v1alpha1.KeyCA)
	if err != nil {
		return nil, fmt.Errorf("the key %s is missing: put it into the Secret in spec.endpoint.caSecretRef", v1alpha1.KeyCA)
	}
	return []byte(v), nil
}

// headers fills in the values of the common headers.
func (s secrets) headers(list []bundle.Header) ([]exchange.Header, error) {
	out := make([]exchange.Header, 0, len(list))
	for _, h := range list {
		value, secret := h.Value, h.SecretFile != ""
		if secret {
			slot, key := path.Split(h.SecretFile)
			v, err := s.files.read(path.Clean(slot), key)
			if err != nil {
				return nil, fmt.Errorf("the value of the header %s is missing: put the key into the Secret in spec.headers[%s].valueFrom.secretKeyRef", h.Name, h.Name)
			}
			if strings.ContainsAny(v, "\r\n\x00") {
				return nil, fmt.Errorf("the value of the header %s holds a line break, which a header cannot carry: correct the Secret in spec.headers[%s].valueFrom.secretKeyRef", h.Name, h.Name)
			}
			value = v
		}
		out = append(out, exchange.Header{Name: h.Name, Value: value, Secret: secret})
	}
	return out, nil
}
