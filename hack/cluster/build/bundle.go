// Package build makes the programs of the cluster from source, once for every version, and keeps them in a cache.
package build

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// A Bundle is what one Go module of this tool yields: programs in one directory.
type Bundle struct {
	Name     string   // directory in the cache
	module   string   // directory of the module, beside this tool's own
	packages []string // built in one go, each named after the last element of its path
	links    map[string][]string
}

// Kubernetes is one program with many names, so that it is linked once, and the CNI plugins. Its directory serves as
// KUBEBUILDER_ASSETS too.
var Kubernetes = Bundle{
	Name:   "kubernetes",
	module: "kube",
	packages: []string{
		".",
		"github.com/containernetworking/plugins/plugins/ipam/host-local",
		"github.com/containernetworking/plugins/plugins/main/loopback",
		"github.com/containernetworking/plugins/plugins/main/ptp",
		"github.com/containernetworking/plugins/plugins/meta/portmap",
	},
	links: map[string][]string{"kube": {
		"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl",
	}},
}

// Addons are cluster DNS, ingress, local volumes, and the first process of every pod.
var Addons = Bundle{
	Name:     "addons",
	module:   "addons",
	packages: []string{".", "./pause"},
	links:    map[string][]string{"addons": {"coredns", "ingress", "local-volumes"}},
}

var kubernetesVersion = regexp.MustCompile(`(?m)^\s*k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)\b`)

// Version is that of Kubernetes, read from where it is pinned.
func Version(source string) (full, major, minor string, err error) {
	path := filepath.Join(source, Kubernetes.module, "go.mod")
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", "", "", err
	}
	m := kubernetesVersion.FindStringSubmatch(string(raw))
	if m == nil {
		return "", "", "", fmt.Errorf("%s does not require k8s.io/kubernetes", path)
	}
	return m[1], m[2], m[3], nil
}

// ldflags drop what only a debugger reads, and tell Kubernetes its version: without one, clients cannot parse it.
func ldflags(source string) (string, error) {
	full, major, minor, err := Version(source)
	if err != nil {
		return "", err
	}
	flags := "-s -w"
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags += fmt.Sprintf(" -X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=%[3]s -X %[1]s.gitMinor=%[4]s", pkg, full, major, minor)
	}
	return flags, nil
}

// key names one exact state of everything that goes into the bundle.
func (b Bundle) key(source string) (string, error) {
	flags, err := ldflags(source)
	if err != nil {
		return "", err
	}
	toolchain, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		return "", fmt.Errorf("ask go for its version: %w", err)
	}
	sum := sha256.New()
	fmt.Fprintln(sum, strings.TrimSpace(string(toolchain)), runtime.GOOS, runtime.GOARCH, flags, b.packages, b.links)
	root := filepath.Join(source, b.module)
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isSource(entry.Name()) {
			return err
		}
		raw, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		fmt.Fprintf(sum, "%s %d\n%s", name, len(raw), raw)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil))[:16], err
}

func isSource(name string) bool {
	return name == "go.mod" || name == "go.sum" || strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
}

// Source finds the directory of this tool's modules: given, here, or in the checkout around the working directory.
func Source(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		for _, candidate := range []string{dir, filepath.Join(dir, "hack", "cluster")} {
			if _, err := os.Stat(filepath.Join(candidate, Kubernetes.module, "go.mod")); err == nil {
				return candidate, nil
			}
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("the sources to build from are not here: run this inside the checkout, or name its hack/cluster with --source")
		}
	}
}
