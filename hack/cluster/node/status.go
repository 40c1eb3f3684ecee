package node

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
)

// Status writes what runs, and tells whether the cluster is up.
func (c Cluster) Status(ctx context.Context, out io.Writer) bool {
	r, err := c.load()
	if err != nil {
		fmt.Fprintln(out, "no cluster runs here; `up` starts one")
		return false
	}
	up := true
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COMPONENT\tPID\tHEALTH")
	for _, component := range c.all() {
		pid, health := "-", "not running"
		if p, ok := r.find(component.name); ok && p.Alive() {
			pid, health = fmt.Sprint(p.PID), "ok"
			if err := c.healthy(ctx, component); err != nil {
				health = err.Error()
			}
		}
		up = up && health == "ok"
		fmt.Fprintf(table, "%s\t%s\t%s\n", component.name, pid, health)
	}
	nodeHealth := "Ready"
	if err := c.nodeReady(ctx); err != nil {
		nodeHealth, up = err.Error(), false
	}
	var version struct{ GitVersion string }
	if err := c.get(ctx, Server+"/version", &version); err != nil {
		version.GitVersion, up = "unknown", false
	}
	fmt.Fprintf(table, "\nnode\t%s\t%s\n", Name, nodeHealth)
	fmt.Fprintf(table, "Kubernetes\t%s\n", version.GitVersion)
	fmt.Fprintf(table, "API server\t%s\n", Server)
	fmt.Fprintf(table, "ingress\t%s\tclass %s, ports 80 and 443\n", IngressIP, IngressName)
	fmt.Fprintf(table, "DNS\t%s\tdomain %s\n", DNSIP, domain)
	fmt.Fprintf(table, "machine, seen from pods\t%s\thost.oabridge.internal\n", NodeIP)
	fmt.Fprintf(table, "storage class\t%s\n", Class)
	fmt.Fprintf(table, "pods, Services\t%s, %s\n", pods, services)
	fmt.Fprintf(table, "kubeconfig\t%s\n", c.Kubeconfig())
	fmt.Fprintf(table, "logs\t%s\n", c.path("logs"))
	table.Flush()
	return up
}

// Running tells whether everything is up, without a word.
func (c Cluster) Running(ctx context.Context) bool { return c.Status(ctx, io.Discard) }
