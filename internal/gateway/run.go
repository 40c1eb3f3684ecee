// Package gateway lets OA users into the CRM: a click in the OA arrives as a link with a one-time ticket, the gateway
// asks the OA whose ticket it is, finds the CRM account that the OA account is bound to, and redirects to the CRM with a
// signed login token.
package gateway

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/mounted"
	"github.com/oabridge/oabridge/internal/oa/drivers"
	"github.com/oabridge/oabridge/internal/profiling"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/tracing"
)

// Limits of the servers.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	// writeTimeout is longer than a click may take.
	writeTimeout = clickTimeout + 5*time.Second
	// adminWriteTimeout is longer than a request for a report may wait.
	adminWriteTimeout = report.MaxWait + 10*time.Second
	idleTimeout       = 75 * time.Second
	maxHeaderBytes    = 16 << 10
)

// Options of Run.
type Options struct {
	// BundleDir holds bundle.json, SecretsDir one folder for each Secret (bundle.Slot…).
	BundleDir, SecretsDir string
	// ListenPublic and ListenAdmin are addresses such as ":8080".
	ListenPublic, ListenAdmin string
	Log                       logr.Logger
	// ShutdownDelay is how long a gateway that was asked to stop goes on answering, not ready any more, so that it is
	// taken out of the load balancers first.
	ShutdownDelay time.Duration
	// ShutdownTimeout bounds the wait for clicks that are being answered, after the delay.
	ShutdownTimeout time.Duration
	// Listening, if set, is called once with the addresses that are being listened on.
	Listening func(public, admin net.Addr)
	// Tracer tells a collector of sign-ins; nil tells nobody.
	Tracer *tracing.Tracer
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Run serves until ctx ends, and then shuts down gracefully. It returns nil after a complete shutdown.
func Run(ctx context.Context, o Options) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	var listener net.ListenConfig
	public, err := listener.Listen(ctx, "tcp", o.ListenPublic)
	if err != nil {
		return fmt.Errorf("listen for OA users: %w", err)
	}
	admin, err := listener.Listen(ctx, "tcp", o.ListenAdmin)
	if err != nil {
		_ = public.Close()
		return fmt.Errorf("listen for the operator: %w", err)
	}

	m := newMetrics()
	handler := newHandler(login.NewKeyRing(o.Now), m, o.Log, o.Now)
	handler.tracer = o.Tracer
	config := &configurator{
		handler: handler, secretsDir: o.SecretsDir, peers: newPeerClient(), newSignIn: drivers.NewSignIn, log: o.Log,
		publisher: report.NewPublisher(report.Report{Component: v1alpha1.ComponentGateway}),
	}
	config.token = rotation.NewSecret(config.peerToken, nil)
	config.credentials = rotation.NewKeeper(config.rotators, config.accepted, config.credentialsChanged)
	config.prober = newProber(handler, config.exposed)
	var draining atomic.Bool
	ready := func() bool { return handler.live.Load() != nil && !draining.Load() }

	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	publicServer := newServer(handler, writeTimeout, context.WithoutCancel(ctx), o.Log)
	adminServer := newServer(adminHandler(ready, m, config.publisher, o.SecretsDir), adminWriteTimeout, serving, o.Log)
	if o.Listening != nil {
		o.Listening(public.Addr(), admin.Addr())
	}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { config.credentials.Run(serving); return nil })
	group.Go(func() error { handler.auditor.run(serving); return nil })
	group.Go(func() error { config.prober.run(ctx); return nil })
	group.Go(func() error { return serve(publicServer, public) })
	group.Go(func() error { return serve(adminServer, admin) })
	group.Go(func() error { return bundle.Watch(ctx, o.BundleDir, config.bundleLoaded, config.bundleFailed) })
	group.Go(func() error { return mounted.Watch(ctx, o.SecretsDir, config.secretsChanged) })
	group.Go(func() error {
		<-ctx.Done()
		draining.Store(true)
		publicServer.SetKeepAlivesEnabled(false)
		time.Sleep(o.ShutdownDelay)
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.ShutdownTimeout)
		defer cancel()
		err := publicServer.Shutdown(bounded)
		stop() // ends those who wait for a report, and tells of the last sign-ins
		return errors.Join(err, adminServer.Shutdown(bounded))
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func newServer(h http.Handler, writeTimeout time.Duration, base context.Context, log logr.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, DisableGeneralOptionsHandler: true,
		BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog:    stdlog.New(serverLog{log}, "", 0),
	}
}

// serverLog takes what net/http has to say about connections.
type serverLog struct{ logr.Logger }

func (l serverLog) Write(line []byte) (int, error) {
	l.Info("http server", "message", strings.TrimSpace(string(line)))
	return len(line), nil
}

func serve(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// adminHandler serves what the operator and Kubernetes ask for, inside the cluster only.
func adminHandler(ready func() bool, m *metrics, publisher *report.Publisher, secrets string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			http.Error(w, "not ready: no configuration is live, or the gateway is shutting down", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.Handle("GET /report", publisher)
	mux.Handle(profiling.Path, profiling.Protected(secrets))
	return mux
}
