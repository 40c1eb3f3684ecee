// Command addons holds what a bare Kubernetes lacks before an application can live in it: cluster DNS, an ingress
// controller and local volumes. They run as programs of the machine, so no image has to be there before the first pod.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	gatewayclient "sigs.k8s.io/gateway-api/pkg/client/clientset/versioned"

	"github.com/oabridge/oabridge/hack/cluster/addons/dns"
	"github.com/oabridge/oabridge/hack/cluster/addons/ingress"
	"github.com/oabridge/oabridge/hack/cluster/addons/volumes"
)

func main() {
	name := filepath.Base(os.Args[0])
	if name == "coredns" { // has its own flags and its own signal handling
		dns.Main()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, name, os.Args[1:]); err != nil {
		slog.Error("stopped", "program", name, "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, args []string) error {
	flags := flag.NewFlagSet(name, flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig of the cluster")
	address := flags.String("address", "127.0.0.1", "ingress: address to listen on and to write into status")
	hosts := flags.String("hosts", "", "ingress: hosts file to keep for cluster DNS, so that pods find the ingress by name")
	node := flags.String("node", "", "ingress: address of the node, written into the hosts file; local-volumes: node name")
	dir := flags.String("dir", "", "directory for own data")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	switch name {
	case "ingress":
		gatewayAPI, err := gatewayclient.NewForConfig(config)
		if err != nil {
			return err
		}
		return ingress.Run(ctx, client, gatewayAPI, ingress.Options{Address: *address, HostsFile: *hosts, NodeAddress: *node, Dir: *dir})
	case "local-volumes":
		return volumes.Run(ctx, client, *node, *dir)
	}
	return fmt.Errorf("called as %q: expected coredns, ingress or local-volumes", name)
}
