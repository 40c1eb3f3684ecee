package main

import (
	"path/filepath"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch"
	"github.com/oabridge/oabridge/internal/tracing"
)

// newDispatcherCommand runs the dispatcher of one connector. It needs a bundle directory, its Secrets and a volume, no
// Kubernetes.
func newDispatcherCommand() *cobra.Command {
	o := dispatch.DefaultOptions()
	cmd := &cobra.Command{
		Use:   "dispatcher",
		Short: "Take events of the CRM and deliver them to the OA: durable, in order, retried, recorded",
		Long: `Take events of the CRM (CloudEvents over HTTP) and deliver them to the OA of one connector.

An event is answered with 202 only when it is synced to disk. Deliveries keep their order for each item and receiver;
they are retried as the bundle says, and each step leaves a record. The process may be killed at any time: nothing that
was accepted is lost.

New files in the bundle and secrets directories are used within seconds, without a restart. SIGTERM drains: no new
events are taken, calls in flight finish, and what is known is written down.`,
		Example: `  # try it on a laptop
  oabridge dispatcher --bundle ./bundle --secrets ./secrets --store ./store
  curl -s localhost:8081/report
  curl -s 'localhost:8083/records?outcome=Dead&since=1h'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logr.FromContext(cmd.Context())
			if err != nil {
				return err
			}
			o.Log = connectorLog(log.WithName("dispatcher"), o.Bundle)
			if err := forbidDumps(); err != nil {
				o.Log.Error(err, "goes on, but a core file would hold secrets")
			}
			o.Tracer, err = tracing.Start(cmd.Context(), v1alpha1.ComponentDispatcher, currentVersion(), filepath.Join(o.Secrets, bundle.SlotTracing, v1alpha1.KeyHeaders), o.Log)
			if err != nil {
				return err
			}
			defer o.Tracer.Close()
			return dispatch.Run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Bundle, "bundle", o.Bundle, "directory with "+bundle.FileName+" and the account shards")
	f.StringVar(&o.Secrets, "secrets", o.Secrets, "directory with one folder for each Secret")
	f.StringVar(&o.Store, "store", o.Store, "directory on a volume of its own; only one dispatcher may use it")
	f.StringVar(&o.ListenPublic, "listen-public", o.ListenPublic, "address for POST /events and /callbacks/fxiaoke")
	f.StringVar(&o.ListenAdmin, "listen-admin", o.ListenAdmin, "address for /healthz, /readyz, /metrics and /report")
	f.StringVar(&o.ListenPeer, "listen-peer", o.ListenPeer, "address for /proofs, which the gateway of the same connector uses")
	f.StringVar(&o.ListenLocal, "listen-local", o.ListenLocal, "address for /records and /dead; they are not protected, so keep it on the loopback interface")
	f.BoolVar(&o.Profile, "pprof", false, "serve profiles of this process at /debug/pprof/ of --listen-local, for go tool pprof")
	f.StringVar(&o.Replica, "replica", "", "name of this dispatcher among those that share a queue in NATS, for example that of its pod")
	f.Int64Var(&o.StoreMaxBytes, "store-max-bytes", 0, "most bytes that the store may use; 0 means 80 % of the volume")
	f.DurationVar(&o.ShutdownTimeout, "shutdown-timeout", o.ShutdownTimeout, "how long calls in flight may take to finish after a signal to stop")
	return cmd
}
