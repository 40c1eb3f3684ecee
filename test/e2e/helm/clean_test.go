package helm

import (
	"fmt"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/test/stage"
)

// clean removes OA Bridge, however it was installed: the connectors first, while the operator runs.
func (p *play) clean() {
	p.Helper()
	p.step("take the OA Bridge away that was there", func() {
		if len(p.named("crds")) > 0 {
			p.must(p.Clear(p.ctx))
			p.kubectl("delete", "oac", "--all", "-A", "--timeout=180s")
		}
		p.run("uninstall", release, "--ignore-not-found", "--wait", patience)
		p.kubectl("delete", "--ignore-not-found", "--timeout=180s", "-k", "config/default")
	})
}

// takeAway is what charts/oabridge/README.md says.
func (p *play) takeAway() {
	p.Helper()
	p.must(p.Clear(p.ctx)) // with the policy Abandon: items are held
	p.kubectl("delete", "oac", "--all", "-A", "--timeout=120s")
	p.run("uninstall", release, "--wait", patience)
	p.kubectl(append([]string{"delete", "--timeout=60s"}, p.named("crds")...)...)
	p.kubectl("delete", "namespace", stage.OperatorNamespace, "--timeout=120s")
}

// nothingLeft waits until nothing in the cluster has the name of OA Bridge, and nothing in the connector's namespace was
// made by it.
func (p *play) nothingLeft() {
	p.Helper()
	p.until(func() error {
		left := p.named("crds,clusterroles,clusterrolebindings,namespaces,pv,priorityclasses,validatingwebhookconfigurations,mutatingwebhookconfigurations")
		for _, selector := range []string{v1alpha1.LabelConnector, "app.kubernetes.io/name=oabridge"} {
			out, err := p.Kubectl(p.ctx, "-n", stage.Namespace, "get", "--ignore-not-found", "-o", "name", "-l", selector,
				"deployment,replicaset,pod,service,endpointslice,ingress,configmap,secret,serviceaccount,role,rolebinding,pvc,pdb,lease")
			if err != nil {
				return err
			}
			left = append(left, strings.Fields(out)...)
		}
		if len(left) > 0 {
			return fmt.Errorf("these are left: %v", left)
		}
		return nil
	})
}

func (p *play) kubectl(args ...string) {
	p.Helper()
	_, err := p.Kubectl(p.ctx, args...)
	p.must(err)
}

// none fails when one of these kinds in a namespace carries the name of the release.
func (p *play) none(kinds, namespace string) {
	p.Helper()
	if left := p.named(kinds, "-n", namespace); len(left) > 0 {
		p.Errorf("these are left: %v", left)
	}
}

// named returns the objects of these kinds that carry the name of OA Bridge. The node and the cluster of the tests are
// named so, too, and are not asked for.
func (p *play) named(kinds string, more ...string) []string {
	p.Helper()
	out, err := p.Kubectl(p.ctx, append([]string{"get", kinds, "-o", "name"}, more...)...)
	p.must(err)
	var found []string
	for _, name := range strings.Fields(out) {
		if strings.Contains(name, "oabridge") {
			found = append(found, name)
		}
	}
	return found
}
