package node

import (
	"bytes"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"

	"github.com/oabridge/oabridge/hack/cluster/machine"
	"github.com/oabridge/oabridge/hack/cluster/pki"
)

//go:embed files
var files embed.FS

// places are where each template goes, under etc.
var places = map[string]string{
	"containerd.toml":  "containerd.toml",
	"registry.toml":    "registries/_default/hosts.toml",
	"cni.conflist":     "cni/10-oabridge.conflist",
	"audit.yaml":       "audit.yaml",
	"gateway-api.yaml": "gateway-api.yaml",
	"kubelet.yaml":     "kubelet.yaml",
	"kube-proxy.yaml":  "kube-proxy.yaml",
	"Corefile":         "Corefile",
	"root.zone":        "root.zone",
	"resolv.conf":      "resolv.conf",
	"hosts":            "hosts",
	"defaults.yaml":    "defaults.yaml",
}

// configure writes every configuration file that is not there as it should be.
func (c Cluster) configure() error {
	snapshotter := "overlayfs"
	if !machine.HasOverlay(c.path("overlay-trial")) {
		snapshotter = "native"
	}
	values := map[string]string{
		"State": c.State, "Kube": c.Kube, "Domain": domain, "Pods": pods, "Snapshotter": snapshotter,
		"NodeIP": NodeIP, "DNSIP": DNSIP, "PauseImage": pauseImage, "Cgroup": machine.Cgroup,
		"Class": Class, "IngressName": IngressName,
	}
	templates, err := template.ParseFS(files, "files/*")
	if err != nil {
		return err
	}
	for name, place := range places {
		path := c.path("etc", place)
		if _, err := os.Stat(path); err == nil && name == "hosts" {
			continue // the ingress controller keeps it
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		var out bytes.Buffer
		if err := templates.ExecuteTemplate(&out, name, values); err != nil {
			return err
		}
		// Not even the same again: kube-proxy ends when its file is written to.
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, out.Bytes()) {
			continue
		}
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// identities makes the certificates and kubeconfig files, once.
func (c Cluster) identities() error {
	if _, err := os.Stat(c.Kubeconfig()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := c.path("pki")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	authority, err := pki.NewAuthority(dir)
	if err != nil {
		return err
	}
	err = errors.Join(
		pki.TokenKey(dir, "tokens"),
		authority.Server("server", []string{NodeIP, firstIP, "127.0.0.1"}, []string{
			Name, "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + domain,
		}),
		authority.Client("etcd-client", "etcd-client"),
		authority.Client("apiserver", "kube-apiserver", "system:masters"), // asks kubelets
	)
	users := []struct{ name, user, group string }{
		{"controller-manager", "system:kube-controller-manager", ""},
		{"scheduler", "system:kube-scheduler", ""},
		{"proxy", "system:kube-proxy", ""},
		{"kubelet", "system:node:" + Name, "system:nodes"},
		{"addons", "oabridge-addons", "system:masters"},
		{"admin", "oabridge-admin", "system:masters"},
	}
	for _, u := range users {
		var groups []string
		if u.group != "" {
			groups = []string{u.group}
		}
		err = errors.Join(err, authority.Client(u.name, u.user, groups...))
		if err == nil && u.name != "admin" {
			err = pki.Kubeconfig(c.kubeconfigOf(u.name), Server, dir, u.name)
		}
	}
	if err != nil {
		return err
	}
	// The administrator's is last: it says that all are there.
	return pki.Kubeconfig(c.Kubeconfig(), Server, dir, "admin")
}
