package controllers

import (
	"net/http"

	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/oabridge/oabridge/internal/profiling"
)

// MetricsOptions are those of the server of a manager's metrics. With protected, it speaks TLS and asks the API server about
// each request: who has the bearer token, and whether they may get the path. Profiles, which are only there when asked for,
// are behind the same door.
func MetricsOptions(address string, protected, profiles bool) server.Options {
	o := server.Options{BindAddress: address}
	if protected {
		o.SecureServing, o.FilterProvider = true, filters.WithAuthenticationAndAuthorization
	}
	if profiles {
		mux := http.NewServeMux()
		profiling.Mux(mux)
		o.ExtraHandlers = map[string]http.Handler{profiling.Path: mux}
	}
	return o
}
