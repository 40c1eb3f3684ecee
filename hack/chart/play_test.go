package chart

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/chart/loader"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// play is OA Bridge at work without pods: the programs of a connector run beside the test.
type play struct {
	*cluster
	bin, dir string
	// addresses of what runs, and where the metrics are, by the labels that the PodMonitors give.
	events, click string
	metrics       map[string]string
}

const (
	eventToken = "a-token-for-events-of-this-test"
	linkSecret = "a-secret-for-links-of-this-test"
	ssoHost    = "sso.crm.example"
)

const connectorOfPlay = `
apiVersion: v1
kind: Secret
metadata: {name: hq-keys, namespace: crm, labels: {oabridge.dev/credentials: "true"}}
stringData: {token: ` + eventToken + `, link-secret: ` + linkSecret + `, shared-key: a-key-of-more-than-thirty-two-bytes}
---
apiVersion: oabridge.dev/v1alpha1
kind: OAConnector
metadata: {name: hq, namespace: crm}
spec:
  type: Weaver
  enterpriseID: "714439"
  endpoint: {url: "http://%s", allowedCIDRs: [127.0.0.0/8]}
  weaver: {sysCode: fxiaoke}
  scenarios: [{templateRef: {name: weaver-todo}}]
  accounts: {selector: {matchLabels: {oa: hq}}}
  source: {tokenSecretRef: {name: hq-keys}}
  sso:
    mode: SignedLink
    host: ` + ssoHost + `
    secretRef: {name: hq-keys}
    crmLogin: {type: SignedURL, url: "https://crm.example/login", keySecretRef: {name: hq-keys}}
---
apiVersion: oabridge.dev/v1alpha1
kind: AccountBinding
metadata: {name: hq, namespace: crm, labels: {oa: hq}}
spec:
  accounts: [{crm: "1000", oa: zhangsan}, {crm: "1002", oa: lisi}]
`

const simulated = `{"weaver": {"systems": [{"code": "fxiaoke", "name": "CRM", "secret": "x"}],
  "people": [{"id": "zhangsan", "name": "张三"}, {"id": "lisi", "name": "李四"}]}}`

func newPlay(t *testing.T) *play {
	t.Helper()
	p := &play{cluster: newCluster(t), bin: t.TempDir(), dir: t.TempDir()}
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", p.bin+"/", "./cmd/oabridge", "./cmd/oasim")
	build.Dir, build.Env = Root, append(os.Environ(), "CGO_ENABLED=0") // as make build does: what that compiled is in the cache
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	chart, err := loader.Load(chartDir)
	p.must(err)
	p.install(chart, nil)

	at := addresses(t, 10)
	p.write("oasim.json", simulated)
	p.start("oasim", "serve", "weaver", "--weaver-addr", at[0], "--config", p.dir+"/oasim.json")
	p.start("oabridge", "manager", "--leader-elect", "--install-presets", "--metrics-bind-address", at[1], "--health-probe-bind-address", at[2])
	p.must(p.api.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "crm"}}))
	objects, err := Objects(fmt.Sprintf(connectorOfPlay, at[0]))
	p.must(err)
	for _, o := range objects {
		p.must(p.api.Create(t.Context(), o))
	}
	p.until("the configuration is there", p.configuration(at[6]))
	p.start("oabridge", "dispatcher", "--bundle", p.dir+"/bundle", "--secrets", p.dir+"/secrets", "--store", p.dir+"/store", "--store-max-bytes", "100000000",
		"--listen-public", at[3], "--listen-admin", at[4], "--listen-local", at[5], "--listen-peer", at[6])
	p.start("oabridge", "gateway", "--bundle", p.dir+"/bundle", "--secrets", p.dir+"/secrets", "--listen-public", at[7], "--listen-admin", at[8])
	p.events, p.click = "http://"+at[3]+"/events", "http://"+at[7]
	p.metrics = map[string]string{
		`namespace="oabridge-system",component="manager",pod="oabridge-manager-1"`:    at[1],
		`namespace="crm",connector="hq",component="dispatcher",pod="hq-dispatcher-1"`: at[4],
		`namespace="crm",connector="hq",component="gateway",pod="hq-gateway-1"`:       at[8],
	}
	for _, admin := range []string{at[2], at[4], at[8]} {
		p.until(admin+" is ready", func() error {
			_, _, err := p.get("http://" + admin + "/readyz")
			return err
		})
	}
	return p
}

// start runs a program until the test ends.
func (p *play) start(name string, args ...string) {
	p.Helper()
	var said bytes.Buffer
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Env = append(os.Environ(), "KUBECONFIG="+p.kubeconfig, "POD_NAMESPACE="+Namespace, "OABRIDGE_IMAGE=oabridge/oabridge:latest")
	p.must(cmd.Start())
	p.Cleanup(func() {
		stop()
		_ = cmd.Wait()
		if p.Failed() {
			p.Logf("%s %s said\n%s", name, args[0], &said)
		}
	})
}

// configuration writes what the pods of the connector would find: its ConfigMaps, and the Secrets under the names of their
// places. The dispatcher is not where its Service would be.
func (p *play) configuration(peer string) func() error {
	return func() error {
		var maps corev1.ConfigMapList
		if err := p.api.List(p.Context(), &maps, client.InNamespace("crm"), client.HasLabels{"oabridge.dev/connector"}); err != nil {
			return err
		}
		if len(maps.Items) < 2 {
			return fmt.Errorf("%d ConfigMaps", len(maps.Items))
		}
		for _, cm := range maps.Items {
			for name, text := range cm.Data {
				p.write("bundle/"+name, regexp.MustCompile(`("proofsURL": *")[^"]+`).ReplaceAllString(text, "${1}http://"+peer+"/proofs/"))
			}
			for name, text := range cm.BinaryData {
				p.write("bundle/"+name, string(text))
			}
		}
		var secret corev1.Secret
		if err := p.api.Get(p.Context(), client.ObjectKey{Namespace: "crm", Name: "hq-peer"}, &secret); err != nil {
			return err
		}
		p.write("secrets/peer/token", string(secret.Data["token"]))
		p.write("secrets/token/token", eventToken)
		p.write("secrets/sso/link-secret", linkSecret)
		p.write("secrets/login/shared-key", "a-key-of-more-than-thirty-two-bytes")
		_, err := os.Stat(p.dir + "/bundle/bundle.json")
		return err
	}
}

func (p *play) write(name, text string) {
	p.Helper()
	path := filepath.Join(p.dir, name)
	p.must(os.MkdirAll(filepath.Dir(path), 0o700))
	p.must(os.WriteFile(path, []byte(text), 0o600))
}

// until waits for what is to come.
func (p *play) until(what string, check func() error) {
	p.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	ctx, stop := context.WithTimeout(p.Context(), 2*time.Minute)
	defer stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			p.Fatalf("waited in vain until %s: %v", what, err)
		case <-tick.C:
		}
	}
}

// addresses on this machine that are free now.
func addresses(t *testing.T, n int) (found []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		found = append(found, l.Addr().String())
	}
	return found
}
