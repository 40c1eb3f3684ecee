// Package ingress serves Ingress objects with Caddy: it watches them with their Services, endpoints and certificates,
// writes the configuration that follows, and hands it to the proxy in this process.
package ingress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/oabridge/oabridge/hack/cluster/addons/changes"
)

// Class is the IngressClass that is served; Controller is the name in it.
const (
	Class      = "oabridge"
	Controller = "oabridge.dev/ingress"
)

// tryFor is how long a request looks for an endpoint that answers.
const tryFor = 3 * time.Second

// Options of the controller.
type Options struct {
	Address     string // listens here on 80 and 443, and is what status says
	HostsFile   string // kept for cluster DNS: the host names of all Ingresses
	NodeAddress string // goes into the hosts file as host.oabridge.internal
	Dir         string // for the proxy's own files
}

// grace is what open requests get when the configuration changes.
func (Options) grace() time.Duration { return 5 * time.Second }

// Run serves until ctx ends.
func Run(ctx context.Context, client kubernetes.Interface, o Options) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	certificates := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTweakListOptions(func(l *meta.ListOptions) {
		l.FieldSelector = fields.OneTermEqualSelector("type", string(core.SecretTypeTLS)).String()
	}))
	ingresses := factory.Networking().V1().Ingresses()
	services := factory.Core().V1().Services()
	endpoints := factory.Discovery().V1().EndpointSlices()
	secrets := certificates.Core().V1().Secrets()
	watched := []cache.SharedIndexInformer{ingresses.Informer(), services.Informer(), endpoints.Informer(), secrets.Informer()}
	factory.Start(ctx.Done())
	certificates.Start(ctx.Done())

	var served []byte
	var warned []string
	look := func(ctx context.Context) error {
		var s state
		var errs [4]error
		s.ingresses, errs[0] = ingresses.Lister().List(labels.Everything())
		s.services, errs[1] = services.Lister().List(labels.Everything())
		s.slices, errs[2] = endpoints.Lister().List(labels.Everything())
		s.secrets, errs[3] = secrets.Lister().List(labels.Everything())
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
		s.ingresses = slices.DeleteFunc(s.ingresses, func(i *networking.Ingress) bool {
			return i.Spec.IngressClassName == nil || *i.Spec.IngressClassName != Class
		})
		t := newTable(s)
		if !slices.Equal(t.warnings, warned) {
			for _, warning := range t.warnings {
				slog.Warn(warning)
			}
			warned = t.warnings
		}
		publish(t.endpoints)
		document, err := config(t, o)
		if err != nil {
			return err
		}
		if !bytes.Equal(document, served) {
			if err := caddy.Load(document, false); err != nil {
				return fmt.Errorf("proxy: %w", err)
			}
			served = document
			slog.Info("serving", "ingresses", len(s.ingresses), "routes", len(t.routes), "certificates", len(t.certificates))
		}
		return errors.Join(writeHosts(o, t), writeStatus(ctx, client, s.ingresses, o.Address))
	}
	err := changes.Loop(ctx, look, watched...)
	return errors.Join(err, caddy.Stop())
}

// writeHosts makes the host names of Ingresses known inside the cluster, where no other DNS is asked.
func writeHosts(o Options, t table) error {
	if o.HostsFile == "" {
		return nil
	}
	lines := []string{o.NodeAddress + " host.oabridge.internal"}
	for _, r := range t.routes {
		if r.host != "" && !strings.HasPrefix(r.host, "*.") { // a hosts file has no wildcards
			lines = append(lines, o.Address+" "+r.host)
		}
	}
	slices.Sort(lines)
	content := []byte(strings.Join(slices.Compact(lines), "\n") + "\n")
	if old, err := os.ReadFile(o.HostsFile); err == nil && bytes.Equal(old, content) {
		return nil
	}
	temporary := filepath.Join(filepath.Dir(o.HostsFile), ".hosts.new")
	if err := os.WriteFile(temporary, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, o.HostsFile)
}

// writeStatus tells where each Ingress is served.
func writeStatus(ctx context.Context, client kubernetes.Interface, ingresses []*networking.Ingress, address string) error {
	want := []networking.IngressLoadBalancerIngress{{IP: address}}
	var failed []error
	for _, ingress := range ingresses {
		has := ingress.Status.LoadBalancer.Ingress
		if len(has) == 1 && has[0].IP == address {
			continue
		}
		changed := ingress.DeepCopy()
		changed.Status.LoadBalancer.Ingress = want
		_, err := client.NetworkingV1().Ingresses(ingress.Namespace).UpdateStatus(ctx, changed, meta.UpdateOptions{})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
