package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/gateway"
	"github.com/oabridge/oabridge/internal/tracing"
)

// newGatewayCommand runs the SSO gateway of one connector. It needs a bundle directory and its Secrets, no Kubernetes.
func newGatewayCommand() *cobra.Command {
	var o gateway.Options
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Let OA users into the CRM: verify the ticket of a click, map the account, redirect with a login token",
		Long: `Let OA users into the CRM: verify the ticket, link or code of a click, map the OA account to the CRM account that it is bound
to, and vouch for the person at the CRM. Nobody is let in unverified, and a proof is good once, over all replicas: the dispatcher of the
connector remembers it.

New files in the bundle and secrets directories are used within seconds, without a restart. TLS ends in front of it.`,
		Example: `  # try it on a laptop, beside a dispatcher
  oabridge gateway --bundle ./bundle --secrets ./secrets --listen-public :8180 --listen-admin :8181
  curl -s localhost:8181/report`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logr.FromContext(cmd.Context())
			if err != nil {
				return err
			}
			o.Log = connectorLog(log.WithName("gateway"), o.BundleDir)
			if err := forbidDumps(); err != nil {
				o.Log.Error(err, "goes on, but a core file would hold secrets")
			}
			o.Tracer, err = tracing.Start(cmd.Context(), v1alpha1.ComponentGateway, currentVersion(), filepath.Join(o.SecretsDir, bundle.SlotTracing, v1alpha1.KeyHeaders), o.Log)
			if err != nil {
				return err
			}
			defer o.Tracer.Close()
			return gateway.Run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.BundleDir, "bundle", bundle.DirBundle, "directory with "+bundle.FileName+" and the account shards")
	f.StringVar(&o.SecretsDir, "secrets", bundle.DirSecrets, "directory with one folder for each Secret")
	f.StringVar(&o.ListenPublic, "listen-public", fmt.Sprintf(":%d", bundle.PortPublic), "address for OA users and /.well-known/jwks.json")
	f.StringVar(&o.ListenAdmin, "listen-admin", fmt.Sprintf(":%d", bundle.PortAdmin), "address for /healthz, /readyz, /metrics and /report")
	f.DurationVar(&o.ShutdownDelay, "shutdown-delay", 5*time.Second, "how long to go on answering, not ready any more, after a signal to stop")
	f.DurationVar(&o.ShutdownTimeout, "shutdown-timeout", 20*time.Second, "how long to wait for clicks that are being answered, after the delay")
	return cmd
}
