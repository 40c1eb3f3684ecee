// Package node runs one real Kubernetes node, control plane included, as plain processes of this machine.
package node

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/oabridge/oabridge/hack/cluster/machine"
)

// Name of the node, and the addresses of what runs on it. They are from a corner of the private ranges that is rarely
// used; up refuses to start where it is.
const (
	Name        = "oabridge"
	NodeIP      = "10.213.0.1"
	DNSIP       = "10.213.0.53"
	IngressIP   = "10.213.0.80"
	Server      = "https://" + NodeIP + ":6443"
	pods        = "10.213.64.0/18"
	services    = "10.213.32.0/20"
	firstIP     = "10.213.32.1" // of the Service "kubernetes"
	domain      = "cluster.local"
	Class       = "local"
	IngressName = "oabridge"
	pauseImage  = "oabridge.dev/pause:1"
)

var network = machine.Network{
	Bridge:   "oabridge0",
	Range:    netip.MustParsePrefix("10.213.0.0/16"),
	Pods:     netip.MustParsePrefix(pods),
	Services: netip.MustParsePrefix(services),
	Addresses: []netip.Addr{
		netip.MustParseAddr(NodeIP), netip.MustParseAddr(DNSIP), netip.MustParseAddr(IngressIP),
	},
}

// Cluster is one cluster: its state directory and where its programs are.
type Cluster struct {
	State  string // everything it writes
	Kube   string // directory of the Kubernetes programs
	Addons string // directory of the addons
}

// StateDir is the directory given, or ${XDG_STATE_HOME:-~/.local/state}/oabridge/cluster.
func StateDir(given string) (string, error) {
	if given == "" {
		base := os.Getenv("XDG_STATE_HOME")
		if base == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", err
			}
			base = filepath.Join(home, ".local", "state")
		}
		given = filepath.Join(base, "oabridge", "cluster")
	}
	dir, err := filepath.Abs(given)
	if err != nil {
		return "", err
	}
	// A socket's path has 107 bytes at most, and ours are in here.
	if len(dir) > 70 {
		return "", fmt.Errorf("the state directory %s is too long for the sockets in it: choose a shorter one with --state", dir)
	}
	return dir, nil
}

func (c Cluster) path(parts ...string) string {
	return filepath.Join(append([]string{c.State}, parts...)...)
}

// Kubeconfig is for the administrator.
func (c Cluster) Kubeconfig() string { return c.path("kubeconfig") }

func (c Cluster) log(name string) string { return c.path("logs", name+".log") }

// socket of containerd.
func (c Cluster) socket() string { return c.path("run", "containerd.sock") }

// hidden are directories that containerd, the CNI plugins and the kubelet insist on. In the node's own mount namespace
// each is a directory of the state directory; the machine's own are never written to.
var hidden = []string{"/run/containerd", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers"}
