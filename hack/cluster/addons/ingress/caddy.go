package ingress

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"github.com/caddyserver/caddy/v2/modules/caddytls"
	"github.com/caddyserver/caddy/v2/modules/filestorage"
)

// config is the whole proxy as Caddy's JSON document.
func config(t table, o Options) ([]byte, error) {
	document := caddy.Config{
		// Nobody but this program configures the proxy, and it starts from nothing every time.
		Admin:      &caddy.AdminConfig{Disabled: true, Config: &caddy.ConfigSettings{Persist: new(bool)}},
		StorageRaw: caddyconfig.JSONModuleObject(filestorage.FileStorage{Root: o.Dir}, "module", "file_system", nil),
		AppsRaw: caddy.ModuleMap{
			"http": caddyconfig.JSON(caddyhttp.App{
				GracePeriod: caddy.Duration(o.grace()),
				Servers: map[string]*caddyhttp.Server{
					"http":  server(o.Address+":80", plainRoutes(t), false),
					"https": server(o.Address+":443", routes(t.routes), true),
				},
			}, nil),
			"tls": caddyconfig.JSON(caddytls.TLS{
				CertificatesRaw: caddy.ModuleMap{"load_pem": caddyconfig.JSON(t.certificates, nil)},
				// Certificates come from Secrets only: no stapling, nothing that asks another host.
				DisableOCSPStapling: true,
				DisableStorageCheck: true,
				DisableStorageClean: true,
			}, nil),
		},
	}
	return caddyconfig.JSON(document, nil), nil
}

func server(address string, routes caddyhttp.RouteList, tls bool) *caddyhttp.Server {
	s := &caddyhttp.Server{
		Listen:    []string{address},
		Routes:    routes,
		Protocols: []string{"h1", "h2"},
		AutoHTTPS: &caddyhttp.AutoHTTPSConfig{Disabled: true},
		Errors: &caddyhttp.HTTPErrorConfig{Routes: caddyhttp.RouteList{{HandlersRaw: []json{
			answer("{http.error.status_code}", "no endpoint of the Service answered\n"),
		}}}},
	}
	if tls {
		s.TLSConnPolicies = caddytls.ConnectionPolicies{{}}
	}
	return s
}

// plainRoutes are those of port 80: a host that has a certificate is sent to https, as most controllers do.
func plainRoutes(t table) caddyhttp.RouteList {
	all := routes(t.routes)
	if len(t.secureHosts) == 0 {
		return all
	}
	redirect := caddyhttp.Route{
		MatcherSetsRaw: caddyhttp.RawMatcherSets{{"host": caddyconfig.JSON(t.secureHosts, nil)}},
		HandlersRaw: []json{caddyconfig.JSONModuleObject(caddyhttp.StaticResponse{
			StatusCode: "308",
			Headers:    map[string][]string{"Location": {"https://{http.request.host}{http.request.uri}"}},
		}, "handler", "static_response", nil)},
		Terminal: true,
	}
	return append(caddyhttp.RouteList{redirect}, all...)
}

// routes keeps the order of the table, and ends with a plain 404.
func routes(table []route) caddyhttp.RouteList {
	var list caddyhttp.RouteList
	for _, r := range table {
		match := caddy.ModuleMap{}
		if r.host != "" {
			match["host"] = caddyconfig.JSON(caddyhttp.MatchHost{r.host}, nil)
		}
		if r.pattern != "" {
			match["path_regexp"] = caddyconfig.JSON(caddyhttp.MatchPathRE{MatchRegexp: caddyhttp.MatchRegexp{Pattern: r.pattern}}, nil)
		}
		entry := caddyhttp.Route{HandlersRaw: []json{handler(r)}, Terminal: true}
		if len(match) > 0 {
			entry.MatcherSetsRaw = caddyhttp.RawMatcherSets{match}
		}
		list = append(list, entry)
	}
	return append(list, caddyhttp.Route{HandlersRaw: []json{answer("404", "no Ingress has this host and path\n")}})
}

func handler(r route) json {
	return caddyconfig.JSONModuleObject(reverseproxy.Handler{
		DynamicUpstreamsRaw: caddyconfig.JSONModuleObject(endpoints{Backend: r.backend}, "source", "endpoints", nil),
		LoadBalancing: &reverseproxy.LoadBalancing{
			SelectionPolicyRaw: caddyconfig.JSONModuleObject(reverseproxy.RoundRobinSelection{}, "policy", "round_robin", nil),
			// A pod that just ended is still listed for a moment, the next one may not be: another try meets the right one.
			TryDuration: caddy.Duration(tryFor),
		},
		HealthChecks: &reverseproxy.HealthChecks{Passive: &reverseproxy.PassiveHealthChecks{FailDuration: caddy.Duration(tryFor)}},
	}, "handler", "reverse_proxy", nil)
}

func answer(status, body string) json {
	return caddyconfig.JSONModuleObject(caddyhttp.StaticResponse{
		StatusCode: caddyhttp.WeakString(status),
		Headers:    map[string][]string{"Content-Type": {"text/plain; charset=utf-8"}},
		Body:       body,
	}, "handler", "static_response", nil)
}
