package machine

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
)

// Network is the cluster's part of the machine's network. Everything in Range stays on the machine: what is not an
// address of the bridge, a pod or a Service is unreachable, and pods reach nothing outside of it.
type Network struct {
	Bridge    string
	Range     netip.Prefix // holds all of the following
	Pods      netip.Prefix
	Services  netip.Prefix
	Addresses []netip.Addr // of the bridge
}

// Priorities of our routing rules: after the local table, before the main one.
const (
	insideRule  = "21300"
	outsideRule = "21301"
)

// Conflict tells what on the machine already uses the cluster's addresses or its packet filter tables.
func (n Network) Conflict() error {
	for _, line := range strings.Split(output("ip", "-4", "-o", "addr")+output("ip", "-4", "route", "show", "table", "all"), "\n") {
		for _, word := range strings.Fields(line) {
			if prefix, ok := parse(word); ok && prefix.Bits() > 0 && prefix.Overlaps(n.Range) {
				return fmt.Errorf("the address range %s is in use on this machine: %s", n.Range, strings.TrimSpace(line))
			}
		}
	}
	for _, table := range strings.Split(strings.TrimSpace(output("nft", "list", "tables")), "\n") {
		for _, ours := range tables {
			if table == "table "+ours {
				return fmt.Errorf("another cluster runs on this machine: packet filter table %s is there", ours)
			}
		}
	}
	return nil
}

func parse(word string) (netip.Prefix, bool) {
	if prefix, err := netip.ParsePrefix(word); err == nil {
		return prefix, true
	}
	if address, err := netip.ParseAddr(word); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), true
	}
	return netip.Prefix{}, false
}

// Up makes the bridge, the routes and the rules. Doing it again changes nothing.
func (n Network) Up() error {
	if !n.exists() {
		// A bridge without members: unlike a dummy interface it is in every kernel that has containers.
		if err := run("ip", "link", "add", n.Bridge, "type", "bridge"); err != nil {
			return err
		}
	}
	steps := [][]string{{"link", "set", n.Bridge, "addrgenmode", "none"}, {"link", "set", n.Bridge, "up"}}
	for _, address := range n.Addresses {
		steps = append(steps, []string{"addr", "replace", address.String() + "/32", "dev", n.Bridge})
	}
	steps = append(steps,
		[]string{"route", "replace", "unreachable", n.Range.String()},
		// Service addresses are rewritten on the way out; without a route there would be no way out to begin with.
		[]string{"route", "replace", n.Services.String(), "dev", n.Bridge, "src", n.Addresses[0].String()},
	)
	for _, step := range steps {
		if err := run("ip", step...); err != nil {
			return err
		}
	}
	n.dropRules()
	return errors.Join(
		run("ip", "rule", "add", "pref", insideRule, "from", n.Pods.String(), "to", n.Range.String(), "lookup", "main"),
		run("ip", "rule", "add", "pref", outsideRule, "from", n.Pods.String(), "prohibit"),
		n.openForwarding(),
	)
}

// openForwarding lets pods talk where another program (Docker, a firewall) forbids forwarding by default.
func (n Network) openForwarding() error {
	if _, err := exec.LookPath("iptables"); err != nil || !strings.Contains(output("iptables", "-S", "FORWARD"), "-P FORWARD DROP") {
		return nil
	}
	if run("iptables", n.forwarding("-C")...) == nil {
		return nil
	}
	return run("iptables", n.forwarding("-I")...)
}

func (n Network) forwarding(action string) []string {
	return []string{action, "FORWARD", "-s", n.Range.String(), "-d", n.Range.String(), "-j", "ACCEPT"}
}

func (n Network) exists() bool { return output("ip", "link", "show", n.Bridge) != "" }

func (n Network) dropRules() {
	for _, pref := range []string{insideRule, outsideRule} {
		for run("ip", "rule", "del", "pref", pref) == nil {
			continue // until there is none left
		}
	}
}

// tables of the packet filter: kube-proxy's and those of the portmap plugin.
var tables = []string{"ip kube-proxy", "ip6 kube-proxy", "inet cni_hostport", "ip cni_hostport"}

// Down removes everything Up made, and what kube-proxy and the CNI plugins made.
func (n Network) Down() {
	n.dropRules()
	_ = run("ip", "route", "del", "unreachable", n.Range.String())
	for _, link := range n.podLinks() {
		_ = run("ip", "link", "del", link)
	}
	_ = run("ip", "link", "del", n.Bridge)
	for _, table := range tables {
		_ = run("nft", append([]string{"delete", "table"}, strings.Fields(table)...)...)
	}
	if _, err := exec.LookPath("iptables"); err == nil {
		for run("iptables", n.forwarding("-D")...) == nil {
			continue
		}
	}
}

// podLinks are the machine's ends of the links to pods: they all have the first address of the pods' range.
func (n Network) podLinks() []string {
	var links []string
	gateway := n.Pods.Addr().Next().String() + "/"
	for _, line := range strings.Split(output("ip", "-4", "-o", "addr"), "\n") {
		fields := strings.Fields(line)
		if len(fields) > 3 && strings.HasPrefix(fields[3], gateway) && strings.HasPrefix(fields[1], "veth") {
			links = append(links, fields[1])
		}
	}
	return links
}

// Left lists what of the network is still there.
func (n Network) Left() []string {
	var left []string
	if n.exists() {
		left = append(left, "network interface "+n.Bridge)
	}
	for _, link := range n.podLinks() {
		left = append(left, "network interface "+link)
	}
	for _, line := range strings.Split(output("ip", "-4", "route"), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 {
			for _, word := range fields[:2] {
				if prefix, ok := parse(word); ok && prefix.Bits() > 0 && prefix.Overlaps(n.Range) {
					left = append(left, "route "+strings.TrimSpace(line))
				}
			}
		}
	}
	for _, line := range strings.Split(output("ip", "rule"), "\n") {
		if strings.HasPrefix(line, insideRule+":") || strings.HasPrefix(line, outsideRule+":") {
			left = append(left, "routing rule "+line)
		}
	}
	for _, table := range tables {
		if strings.Contains(output("nft", "list", "tables")+"\n", "table "+table+"\n") {
			left = append(left, "packet filter table "+table)
		}
	}
	return left
}
