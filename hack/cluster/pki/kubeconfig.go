package pki

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"text/template"
)

var kubeconfig = template.Must(template.New("kubeconfig").Parse(`apiVersion: v1
kind: Config
clusters:
- name: oabridge
  cluster:
    server: {{.Server}}
    certificate-authority-data: {{.Authority}}
users:
- name: {{.User}}
  user:
    client-certificate-data: {{.Certificate}}
    client-key-data: {{.Key}}
contexts:
- name: oabridge
  context: {cluster: oabridge, user: {{.User}}}
current-context: oabridge
`))

// Kubeconfig writes a kubeconfig file that holds everything it needs, for the client certificate NAME in dir.
func Kubeconfig(path, server, dir, name string) error {
	values := map[string]string{"Server": server, "User": name}
	for field, file := range map[string]string{"Authority": "ca.crt", "Certificate": name + ".crt", "Key": name + ".key"} {
		raw, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		values[field] = base64.StdEncoding.EncodeToString(raw)
	}
	var out bytes.Buffer
	if err := kubeconfig.Execute(&out, values); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o600)
}
