// Package dns is CoreDNS with the few plugins a closed cluster needs. There is no forward plugin on purpose: a name
// that is not in the cluster does not exist, so no query ever leaves the machine.
package dns

import (
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/file" // an empty root zone answers NXDOMAIN for everything else
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
)

// Main runs CoreDNS with the process's own arguments.
func Main() { coremain.Run() }
