package drivers

import (
	"fmt"
	"path"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/rotation"
)

// secrets is the directory with one folder for each Secret of the connector. Every method reads what is there now; the
// errors name the field and the key, never a value.
type secrets struct{ files *secretCache }

func newSecrets(dir string) secrets { return secrets{&secretCache{dir: dir, lookAgain: lookAgain}} }

// app returns the secret of an application under the id that the connector gives it.
func (s secrets) app(id string) tokens.Source {
	return func(v rotation.Version) (tokens.Account, error) {
		secret, err := s.credential(v1alpha1.KeyAppSecret, v)
		return tokens.Account{Name: id, Secret: secret}, err
	}
}

// person returns the OA account.
func (s secrets) person(v rotation.Version) (a tokens.Account, err error) {
	if a.Name, err = s.credential(v1alpha1.KeyUsername, v); err == nil {
		a.Secret, err = s.credential(v1alpha1.KeyPassword, v)
	}
	return a, err
}

// token returns the fixed token.
func (s secrets) token(v rotation.Version) (string, error) {
	return s.credential(v1alpha1.KeyToken, v)
}

func (s secrets) credential(key string, version rotation.Version) (string, error) {
	v, err := s.versioned(bundle.SlotCredentials, key, version)
	if err != nil || v == "" {
		return "", fmt.Errorf("the key %s is missing: put it into the Secret in spec.credentialsSecretRef", key)
	}
	return v, nil
}

// versioned returns the value of a key, or of the one that is to follow it where there is one.
func (s secrets) versioned(slot, key string, version rotation.Version) (string, error) {
	if version == rotation.Next {
		if v, err := s.files.read(slot, key+v1alpha1.SuffixNext); err == nil && v != "" {
			return v, nil
		}
	}
	return s.files.read(slot, key)
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
func (s secrets) headers(list []bundle.Header, version rotation.Version) ([]exchange.Header, error) {
	out := make([]exchange.Header, 0, len(list))
	for _, h := range list {
		value, secret := h.Value, h.SecretFile != ""
		if secret {
			slot, key := path.Split(h.SecretFile)
			v, err := s.versioned(path.Clean(slot), key, version)
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
