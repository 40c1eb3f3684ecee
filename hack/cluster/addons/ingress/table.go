package ingress

import (
	"cmp"
	"crypto/tls"
	stdjson "encoding/json"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddytls"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	networking "k8s.io/api/networking/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

type json = stdjson.RawMessage

// state is what the cluster says.
type state struct {
	ingresses  []*networking.Ingress // those of our class
	gateways   []*gateway.Gateway    // those of our class
	httpRoutes []*gateway.HTTPRoute
	services   []*core.Service
	slices     []*discovery.EndpointSlice
	secrets    []*core.Secret
	namespaces []*core.Namespace
}

// table is the same as a proxy needs it: in the order of matching, with addresses instead of names.
type table struct {
	routes       []route
	certificates []caddytls.CertKeyPEMPair
	secureHosts  []string            // have a certificate
	endpoints    map[string][]string // addresses of each backend
	verdicts     []verdict           // on HTTPRoutes
	warnings     []string
}

type route struct {
	host    string // "" is any
	pattern string // of the path, "" is any
	exact   bool
	length  int    // of the path in the Ingress: the longest wins
	backend string // NAMESPACE/NAME:PORT
}

func newTable(s state) table {
	// An empty list of certificates: the proxy refuses null.
	t := table{certificates: []caddytls.CertKeyPEMPair{}, endpoints: map[string][]string{}}
	ingresses := slices.Clone(s.ingresses)
	// Oldest first: where two claim the same path, who came first keeps it.
	slices.SortFunc(ingresses, func(a, b *networking.Ingress) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	for _, ingress := range ingresses {
		if backend := ingress.Spec.DefaultBackend; backend != nil {
			t.add(s, ingress.Namespace, *backend, route{})
		}
		for _, rule := range ingress.Spec.Rules {
			if rule.HTTP == nil {
				continue
			}
			for _, path := range rule.HTTP.Paths {
				t.add(s, ingress.Namespace, path.Backend, matching(rule.Host, path))
			}
		}
		t.addCertificates(s, ingress)
	}
	t.addGateways(s)
	slices.SortStableFunc(t.routes, compare)
	slices.Sort(t.secureHosts)
	t.secureHosts = slices.Compact(t.secureHosts)
	return t
}

// compare puts first what the Ingress specification lets win: a full host name before a wildcard before any host,
// then the longer path, then Exact before Prefix.
func compare(a, b route) int {
	rank := func(host string) int {
		switch {
		case host == "":
			return 2
		case strings.HasPrefix(host, "*."):
			return 1
		}
		return 0
	}
	exact := func(r route) int {
		if r.exact {
			return 0
		}
		return 1
	}
	return cmp.Or(rank(a.host)-rank(b.host), cmp.Compare(a.host, b.host), b.length-a.length, exact(a)-exact(b))
}

// matching writes a path as an expression, since Caddy's path matcher ignores upper and lower case and Ingress does not.
func matching(host string, path networking.HTTPIngressPath) route {
	r := route{host: host, length: len(path.Path)}
	if path.PathType != nil && *path.PathType == networking.PathTypeExact {
		r.exact = true
		r.pattern = "^" + regexp.QuoteMeta(path.Path) + "$"
		return r
	}
	// Prefix goes by whole elements: /a matches /a and /a/b, not /ab. A slash at the end means nothing.
	if prefix := strings.TrimRight(path.Path, "/"); prefix != "" {
		r.pattern = "^" + regexp.QuoteMeta(prefix) + "(/|$)"
	}
	return r
}

// add appends the route with its backend. One that does not exist stays a backend without addresses.
func (t *table) add(s state, namespace string, backend networking.IngressBackend, r route) {
	if backend.Service == nil {
		return // a backend that is no Service is another controller's
	}
	wanted := backend.Service.Port
	r.backend = namespace + "/" + backend.Service.Name + ":" + cmp.Or(wanted.Name, strconv.Itoa(int(wanted.Number)))
	t.routes = append(t.routes, r)
	for _, service := range s.services {
		if service.Namespace != namespace || service.Name != backend.Service.Name {
			continue
		}
		for _, port := range service.Spec.Ports {
			if (wanted.Name != "" && port.Name == wanted.Name) || (wanted.Number != 0 && port.Port == wanted.Number) {
				t.endpoints[r.backend] = s.endpoints(namespace, service.Name, port.Name)
			}
		}
	}
}

// endpoints are the addresses of the ready pods, in a fixed order. When none is ready, those that are ending and still serve are better than nothing; kube-proxy does the same.
func (s state) endpoints(namespace, service, port string) []string {
	var ready, ending []string
	for _, slice := range s.slices {
		if slice.Namespace != namespace || slice.Labels[discovery.LabelServiceName] != service {
			continue
		}
		for _, p := range slice.Ports {
			if p.Port == nil || (p.Name != nil && *p.Name != port) {
				continue
			}
			for _, endpoint := range slice.Endpoints {
				addresses := withPort(endpoint.Addresses, *p.Port)
				switch conditions := endpoint.Conditions; {
				case conditions.Ready == nil || *conditions.Ready:
					ready = append(ready, addresses...)
				case conditions.Serving != nil && *conditions.Serving:
					ending = append(ending, addresses...)
				}
			}
		}
	}
	if len(ready) == 0 {
		ready = ending
	}
	slices.Sort(ready)
	return slices.Compact(ready)
}

func withPort(addresses []string, port int32) []string {
	with := make([]string, len(addresses))
	for i, address := range addresses {
		with[i] = net.JoinHostPort(address, strconv.Itoa(int(port)))
	}
	return with
}

func (t *table) addCertificates(s state, ingress *networking.Ingress) {
	for _, entry := range ingress.Spec.TLS {
		if entry.SecretName == "" {
			continue
		}
		t.addCertificate(s, "Ingress "+ingress.Namespace+"/"+ingress.Name, ingress.Namespace, entry.SecretName, entry.Hosts)
	}
}

// addCertificate adds a Secret's certificate, which who refers to for some hosts.
func (t *table) addCertificate(s state, who, namespace, name string, hosts []string) {
	where := who + ": Secret " + name
	at := slices.IndexFunc(s.secrets, func(v *core.Secret) bool {
		return v.Namespace == namespace && v.Name == name
	})
	if at < 0 {
		t.warnings = append(t.warnings, where+" of type kubernetes.io/tls does not exist")
		return
	}
	certificate, key := s.secrets[at].Data[core.TLSCertKey], s.secrets[at].Data[core.TLSPrivateKeyKey]
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		t.warnings = append(t.warnings, where+": "+err.Error())
		return
	}
	pair := caddytls.CertKeyPEMPair{CertificatePEM: string(certificate), KeyPEM: string(key)}
	if !slices.ContainsFunc(t.certificates, func(c caddytls.CertKeyPEMPair) bool { return c.CertificatePEM == pair.CertificatePEM }) {
		t.certificates = append(t.certificates, pair)
	}
	t.secureHosts = append(t.secureHosts, hosts...)
}
