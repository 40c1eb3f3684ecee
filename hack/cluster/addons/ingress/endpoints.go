package ingress

import (
	"net/http"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// endpoints tells the proxy, for each request and each try, where a Service is answered right now. Pods come and go
// without a new configuration, so a rollout disturbs no connection.
type endpoints struct {
	Backend string `json:"backend"` // NAMESPACE/NAME:PORT
}

func init() { caddy.RegisterModule(endpoints{}) }

// CaddyModule names it for the configuration.
func (endpoints) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.reverse_proxy.upstreams.endpoints", New: func() caddy.Module { return new(endpoints) }}
}

// addresses of every backend, as of the last look at the cluster.
var addresses struct {
	sync.RWMutex
	of map[string][]string
}

// publish replaces all addresses.
func publish(of map[string][]string) {
	addresses.Lock()
	defer addresses.Unlock()
	addresses.of = of
}

// GetUpstreams is what the proxy asks.
func (e endpoints) GetUpstreams(*http.Request) ([]*reverseproxy.Upstream, error) {
	addresses.RLock()
	defer addresses.RUnlock()
	var upstreams []*reverseproxy.Upstream
	for _, address := range addresses.of[e.Backend] {
		upstreams = append(upstreams, &reverseproxy.Upstream{Dial: address})
	}
	return upstreams, nil
}

var _ reverseproxy.UpstreamSource = endpoints{}
