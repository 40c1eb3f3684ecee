package dispatch

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/oabridge/oabridge/internal/audit"
	"github.com/oabridge/oabridge/internal/profiling"
	"github.com/oabridge/oabridge/internal/report"
)

const (
	// readTimeout bounds the arrival of one request, header and body.
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	// writeTimeout bounds an answer; a report may be waited for as long as report.MaxWait.
	writeTimeout = report.MaxWait + 15*time.Second
	idleTimeout  = 2 * time.Minute
	// maxHeaderBytes bounds the header of a request.
	maxHeaderBytes = 64 << 10
)

func (d *Dispatcher) listen(ctx context.Context) error {
	public := http.NewServeMux()
	public.Handle("POST /events", d.intake)
	public.Handle("POST /callbacks/fxiaoke", newCallbacks(d.intake, d.callback))

	admin := http.NewServeMux()
	admin.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	admin.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := d.ready(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	admin.Handle("GET /metrics", promhttp.HandlerFor(d.metrics.registry, promhttp.HandlerOpts{}))
	admin.Handle("GET /report", d.publisher)
	admin.HandleFunc("GET "+report.PathLeftovers, d.leftovers)
	admin.Handle(profiling.Path, profiling.Protected(d.options.Secrets))

	peer := http.NewServeMux()
	proofs := proofs{d}
	peer.HandleFunc("PUT /proofs/{sha256}", d.serving("proof", proofs.put))
	peer.HandleFunc("DELETE /proofs/{sha256}", d.serving("proof", proofs.delete))
	peer.HandleFunc("PUT /grants/{sha256}", d.serving("grant", proofs.keep))
	peer.HandleFunc("DELETE /grants/{sha256}", d.serving("grant", proofs.take))
	peer.HandleFunc("POST /"+audit.Path, d.keepSignIns)

	for _, s := range []struct {
		name, address string
		handler       http.Handler
	}{
		{"public", d.options.ListenPublic, pendings{d}.before(public)},
		{"admin", d.options.ListenAdmin, admin},
		{"peer", d.options.ListenPeer, peer},
		{"local", d.options.ListenLocal, local{d}.handler()},
	} {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", s.address)
		if err != nil {
			for _, open := range d.servers {
				_ = open.listener.Close()
			}
			return fmt.Errorf("--listen-%s: %w", s.name, err)
		}
		d.servers = append(d.servers, server{name: s.name, listener: listener, http: &http.Server{
			Handler: s.handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
			IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		}})
	}
	return nil
}
