package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// component is a program of the node.
type component struct {
	name   string
	argv   []string
	env    []string
	health string // URL that answers 200, or tcp://ADDRESS that accepts; empty: being there is all that can be asked
}

func (c Cluster) pki(file string) string { return c.path("pki", file) }

func (c Cluster) kubeconfigOf(user string) string { return c.path("pki", user+".kubeconfig") }

func (c Cluster) etcd() component {
	const clients, peers = "https://" + NodeIP + ":2379", "https://" + NodeIP + ":2380"
	return component{name: "etcd", health: "tcp://" + NodeIP + ":2379", argv: []string{
		filepath.Join(c.Kube, "etcd"), "--name=" + Name, "--data-dir=" + c.path("etcd"),
		"--listen-client-urls=" + clients, "--advertise-client-urls=" + clients,
		"--listen-peer-urls=" + peers, "--initial-advertise-peer-urls=" + peers, "--initial-cluster=" + Name + "=" + peers,
		"--cert-file=" + c.pki("server.crt"), "--key-file=" + c.pki("server.key"),
		"--trusted-ca-file=" + c.pki("ca.crt"), "--client-cert-auth",
		"--peer-cert-file=" + c.pki("server.crt"), "--peer-key-file=" + c.pki("server.key"),
		"--peer-trusted-ca-file=" + c.pki("ca.crt"), "--peer-client-cert-auth",
		// The data lives as long as this cluster: a crash of the machine may take it along.
		"--unsafe-no-fsync", "--logger=zap", "--log-level=warn",
	}}
}

func (c Cluster) apiserver() component {
	return component{name: "kube-apiserver", health: Server + "/readyz", argv: []string{
		filepath.Join(c.Kube, "kube-apiserver"),
		"--bind-address=" + NodeIP, "--advertise-address=" + NodeIP, "--secure-port=6443",
		"--etcd-servers=https://" + NodeIP + ":2379", "--etcd-cafile=" + c.pki("ca.crt"),
		"--etcd-certfile=" + c.pki("etcd-client.crt"), "--etcd-keyfile=" + c.pki("etcd-client.key"),
		"--tls-cert-file=" + c.pki("server.crt"), "--tls-private-key-file=" + c.pki("server.key"),
		"--client-ca-file=" + c.pki("ca.crt"),
		"--kubelet-certificate-authority=" + c.pki("ca.crt"), "--kubelet-client-certificate=" + c.pki("apiserver.crt"),
		"--kubelet-client-key=" + c.pki("apiserver.key"), "--kubelet-preferred-address-types=InternalIP",
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged",
		"--service-cluster-ip-range=" + services,
		"--service-account-issuer=https://kubernetes.default.svc." + domain,
		"--service-account-key-file=" + c.pki("tokens.key"), "--service-account-signing-key-file=" + c.pki("tokens.key"),
		// Who wrote what, without contents: tests count what an operator does.
		"--audit-policy-file=" + c.path("etc", "audit.yaml"), "--audit-log-path=" + c.log("audit"),
		"--audit-log-maxsize=100", "--audit-log-maxbackup=1",
		"--profiling=false",
	}}
}

func (c Cluster) controllerManager() component {
	return component{name: "kube-controller-manager", health: "https://" + NodeIP + ":10257/healthz", argv: []string{
		filepath.Join(c.Kube, "kube-controller-manager"),
		"--kubeconfig=" + c.kubeconfigOf("controller-manager"), "--bind-address=" + NodeIP,
		"--tls-cert-file=" + c.pki("server.crt"), "--tls-private-key-file=" + c.pki("server.key"),
		"--root-ca-file=" + c.pki("ca.crt"), "--service-account-private-key-file=" + c.pki("tokens.key"),
		"--cluster-signing-cert-file=" + c.pki("ca.crt"), "--cluster-signing-key-file=" + c.pki("ca.key"),
		"--use-service-account-credentials", "--leader-elect=false", "--profiling=false",
	}}
}

func (c Cluster) scheduler() component {
	return component{name: "kube-scheduler", health: "https://" + NodeIP + ":10259/healthz", argv: []string{
		filepath.Join(c.Kube, "kube-scheduler"),
		"--kubeconfig=" + c.kubeconfigOf("scheduler"), "--bind-address=" + NodeIP,
		"--tls-cert-file=" + c.pki("server.crt"), "--tls-private-key-file=" + c.pki("server.key"),
		"--leader-elect=false", "--profiling=false",
	}}
}

// containerd starts in a mount namespace of its own: every mount of every container is in there, unseen by the rest of
// the machine, and gone with the last process.
func (c Cluster) containerd() component {
	script := []string{"set -e", "mount --make-rshared /"}
	for _, dir := range hidden {
		script = append(script, fmt.Sprintf("mount --bind '%s' '%s'", c.path("hidden", dir), dir))
	}
	script = append(script, `exec "$@"`)
	return component{name: "containerd", argv: []string{
		"unshare", "--mount", "--propagation", "private", "sh", "-c", strings.Join(script, "\n"), "sh",
		"containerd", "--config", c.path("etc", "containerd.toml"),
	}}
}

// kubelet joins the mount namespace of containerd, since both must see the same mounts.
func (c Cluster) kubelet(containerd int) component {
	argv := []string{
		"nsenter", fmt.Sprintf("--mount=/proc/%d/ns/mnt", containerd), "--",
		filepath.Join(c.Kube, "kubelet"), "--config=" + c.path("etc", "kubelet.yaml"),
		"--kubeconfig=" + c.kubeconfigOf("kubelet"), "--node-ip=" + NodeIP, "--hostname-override=" + Name,
	}
	if _, err := os.Stat("/dev/kmsg"); err != nil {
		// Without the kernel's messages the kubelet cannot see who ran out of memory; this gate lets it do without.
		argv = append(argv, "--feature-gates=KubeletInUserNamespace=true")
	}
	return component{name: "kubelet", argv: argv, health: "http://" + NodeIP + ":10248/healthz"}
}

func (c Cluster) proxy() component {
	return component{name: "kube-proxy", health: "http://" + NodeIP + ":10256/healthz", argv: []string{
		filepath.Join(c.Kube, "kube-proxy"), "--config=" + c.path("etc", "kube-proxy.yaml"), "--hostname-override=" + Name,
	}}
}

func (c Cluster) dns() component {
	return component{name: "coredns", health: "http://" + DNSIP + ":18181/ready", argv: []string{
		filepath.Join(c.Addons, "coredns"), "-conf", c.path("etc", "Corefile"),
	}}
}

func (c Cluster) ingress() component {
	return component{
		name: "ingress", health: "tcp://" + IngressIP + ":443", env: []string{"HOME=" + c.path("ingress")},
		argv: []string{
			filepath.Join(c.Addons, "ingress"), "-kubeconfig", c.kubeconfigOf("addons"),
			"-address", IngressIP, "-node", NodeIP, "-hosts", c.path("etc", "hosts"), "-dir", c.path("ingress"),
		},
	}
}

func (c Cluster) volumes() component {
	return component{name: "local-volumes", argv: []string{
		filepath.Join(c.Addons, "local-volumes"), "-kubeconfig", c.kubeconfigOf("addons"), "-node", Name, "-dir", c.path("volumes"),
	}}
}

// all are the components as status asks them.
func (c Cluster) all() []component {
	return []component{
		c.etcd(), c.apiserver(), c.controllerManager(), c.scheduler(), c.containerd(), c.kubelet(0), c.proxy(),
		c.dns(), c.ingress(), c.volumes(),
	}
}
