package process

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// The proofs of origin and the account that a connector is made with.
const (
	SigningKey = "whsec_cnVucy1mcm9tLW91dHNpZGUtb2Ytb2EtYnJpZGdl"
	User       = "fxiaoke"
	Password   = "a-password-of-the-simulated-oa"
	peerToken  = "a-peer-token-for-runs-from-outside"
)

// Token of this run alone: what is sent to an address that a program of another run has taken is refused there.
var Token = "a-token-for-runs-from-outside-" + rand.Text()

// EnterpriseID and RegisterCode of the connector.
const (
	EnterpriseID = "714439"
	RegisterCode = "3004"
)

// connectorYAML is the connector as a person would write it, with the OA's address left open.
const connectorYAML = `
apiVersion: oabridge.dev/v1alpha1
kind: OAConnector
metadata: {name: hq, namespace: crm}
spec:
  type: Seeyon
  enterpriseID: "` + EnterpriseID + `"
  endpoint: {url: %q, allowedCIDRs: [127.0.0.0/8]}
  credentialsSecretRef: {name: hq-seeyon}
  seeyon: {registerCode: "` + RegisterCode + `"}
  scenarios:
  - templateRef: {name: seeyon-todo}
  - templateRef: {name: seeyon-reminder}
  accounts: {unbound: Hold}
  source: {signingSecretRef: {name: hq-events}, tokenSecretRef: {name: hq-token}}
  sso: {mode: None, host: sso.oabridge.test}
`

// Connector is what a dispatcher is given: the bundle that the operator would compile from the presets, and Secrets.
type Connector struct {
	// Dir gets the folders bundle and secrets.
	Dir string
	// OA is the address of the OA.
	OA string
	// Accounts are the pairs, CRM account to OA account.
	Accounts []v1alpha1.AccountPair
	// Change, if set, changes the compiled bundle.
	Change func(*bundle.Bundle)
}

// Write makes the folders. root is the checkout, which has the presets.
func (c Connector) Write(root string) error {
	in := bundle.Input{
		Connector: &v1alpha1.OAConnector{}, Templates: map[string]*v1alpha1.ScenarioTemplate{},
		Sets: []bundle.AccountSet{{Namespace: "crm", Name: "everybody", Pairs: c.Accounts}},
	}
	if err := yaml.UnmarshalStrict(fmt.Appendf(nil, connectorYAML, c.OA), in.Connector); err != nil {
		return err
	}
	for _, name := range []string{"seeyon-todo", "seeyon-reminder"} {
		text, err := os.ReadFile(filepath.Join(root, "config", "presets", name+".yaml"))
		if err != nil {
			return err
		}
		t := &v1alpha1.ScenarioTemplate{}
		if err := yaml.UnmarshalStrict(text, t); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		in.Templates[name] = t
	}
	out, problems := bundle.Compile(in)
	if out == nil || len(problems) > 0 {
		return fmt.Errorf("the connector does not compile: %v", problems)
	}
	if c.Change != nil {
		c.Change(out.Bundle)
	}
	document, err := json.MarshalIndent(out.Bundle, "", "  ")
	if err != nil {
		return err
	}
	out.Files[bundle.FileName] = document
	if err := writeFiles(filepath.Join(c.Dir, "bundle"), out.Files); err != nil {
		return err
	}
	for slot, keys := range map[string]map[string]string{
		bundle.SlotCredentials: {"username": User, "password": Password},
		bundle.SlotSigning:     {"signing-key": SigningKey},
		bundle.SlotToken:       {"token": Token},
		bundle.SlotPeer:        {"token": peerToken},
	} {
		files := map[string][]byte{}
		for key, value := range keys {
			files[key] = []byte(value)
		}
		if err := writeFiles(filepath.Join(c.Dir, "secrets", slot), files); err != nil {
			return err
		}
	}
	return nil
}

func writeFiles(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
