// Package ingress serves Ingresses and HTTPRoutes with Caddy: it watches them with their Gateways, Services, endpoints and
// certificates, writes the configuration that follows, and hands it to the proxy in this process.
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

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	gatewayclient "sigs.k8s.io/gateway-api/pkg/client/clientset/versioned"
	gatewayinformers "sigs.k8s.io/gateway-api/pkg/client/informers/externalversions"

	"github.com/oabridge/oabridge/hack/cluster/addons/changes"
)

// Class is the IngressClass that is served; Controller is the name in it.
const (
	Class      = "oabridge"
	Controller = "oabridge.dev/ingress"
	// GatewayController is the name in the GatewayClass, which is called as the IngressClass is.
	GatewayController = "oabridge.dev/gateway"
)

// tryFor is how long a request looks for an endpoint that answers.
const tryFor = 3 * time.Second

// Options of the controller.
type Options struct {
	Address     string // listens here on 80 and 443, and is what status says
	HostsFile   string // kept for cluster DNS: the host names of all Ingresses and HTTPRoutes
	NodeAddress string // goes into the hosts file as host.oabridge.internal
	Dir         string // for the proxy's own files
}

// grace is what open requests get when the configuration changes.
func (Options) grace() time.Duration { return 5 * time.Second }

// Run serves until ctx ends.
func Run(ctx context.Context, client kubernetes.Interface, gatewayAPI gatewayclient.Interface, o Options) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	gatewayFactory := gatewayinformers.NewSharedInformerFactory(gatewayAPI, 0)
	certificates := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTweakListOptions(func(l *meta.ListOptions) {
		l.FieldSelector = fields.OneTermEqualSelector("type", string(core.SecretTypeTLS)).String()
	}))
	ingresses := factory.Networking().V1().Ingresses()
	services := factory.Core().V1().Services()
	endpoints := factory.Discovery().V1().EndpointSlices()
	secrets := certificates.Core().V1().Secrets()
	namespaces := factory.Core().V1().Namespaces()
	gateways := gatewayFactory.Gateway().V1().Gateways()
	httpRoutes := gatewayFactory.Gateway().V1().HTTPRoutes()
	watched := []cache.SharedIndexInformer{
		ingresses.Informer(), services.Informer(), endpoints.Informer(), secrets.Informer(), namespaces.Informer(),
		gateways.Informer(), httpRoutes.Informer(),
	}
	factory.Start(ctx.Done())
	certificates.Start(ctx.Done())
	gatewayFactory.Start(ctx.Done())

	var served []byte
	var warned []string
	look := func(ctx context.Context) error {
		var s state
		var errs [7]error
		s.ingresses, errs[0] = ingresses.Lister().List(labels.Everything())
		s.services, errs[1] = services.Lister().List(labels.Everything())
		s.slices, errs[2] = endpoints.Lister().List(labels.Everything())
		s.secrets, errs[3] = secrets.Lister().List(labels.Everything())
		s.namespaces, errs[4] = namespaces.Lister().List(labels.Everything())
		s.gateways, errs[5] = gateways.Lister().List(labels.Everything())
		s.httpRoutes, errs[6] = httpRoutes.Lister().List(labels.Everything())
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
		s.ingresses = slices.DeleteFunc(s.ingresses, func(i *networking.Ingress) bool {
			return i.Spec.IngressClassName == nil || *i.Spec.IngressClassName != Class
		})
		s.gateways = slices.DeleteFunc(s.gateways, func(g *gateway.Gateway) bool { return g.Spec.GatewayClassName != Class })
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
			slog.Info("serving", "ingresses", len(s.ingresses), "gateways", len(s.gateways), "routes", len(t.routes), "certificates", len(t.certificates))
		}
		return errors.Join(
			writeHosts(o, t),
			writeStatus(ctx, client, s.ingresses, o.Address),
			writeGateways(ctx, gatewayAPI, s, t, o.Address),
		)
	}
	err := changes.Loop(ctx, look, watched...)
	return errors.Join(err, caddy.Stop())
}

// writeHosts makes the host names that are served known inside the cluster, where no other DNS is asked.
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
