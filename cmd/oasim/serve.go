package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
)

const (
	headerTimeout = 10 * time.Second
	// closeTimeout is how long requests may take to end after a signal.
	closeTimeout = 10 * time.Second
)

func newServe() *cobra.Command {
	var seeyonAddr, crmAddr, path string
	cmd := &cobra.Command{
		Use:       "serve [seeyon | crm]",
		Short:     "Serve both simulators, or only one",
		Example:   "  oasim serve --seeyon-addr :8080 --crm-addr :8081 --config oasim.yaml\n  oasim serve seeyon",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"seeyon", "crm"},
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := loadConfig(path)
			if err != nil {
				return err
			}
			addresses := map[string]string{"seeyon": seeyonAddr, "crm": crmAddr}
			if len(args) == 0 {
				args = []string{"seeyon", "crm"}
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return serve(cmd.Context(), conf, args, addresses, func(name string, addr net.Addr) {
				log.Info("simulator is listening", "simulator", name, "address", addr.String())
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&seeyonAddr, "seeyon-addr", ":8080", "listen address of the Seeyon OA")
	f.StringVar(&crmAddr, "crm-addr", ":8081", "listen address of the CRM")
	f.StringVar(&path, "config", "", "YAML or JSON file with people, REST users, apps and login settings (see oasim config)")
	return cmd
}

// serve runs the named simulators until ctx is done. ready is told where each one listens.
func serve(ctx context.Context, conf config, names []string, addresses map[string]string, ready func(string, net.Addr)) error {
	group, ctx := errgroup.WithContext(ctx)
	if slices.Contains(names, "seeyon") {
		oa, err := seeyon.New(conf.Seeyon)
		if err != nil {
			return fmt.Errorf("seeyon: %w", err)
		}
		group.Go(func() error { return listen(ctx, "seeyon", addresses["seeyon"], oa, oa.Close, ready) })
	}
	if slices.Contains(names, "crm") {
		c, err := crm.New(conf.CRM)
		if err != nil {
			return fmt.Errorf("crm: %w", err)
		}
		group.Go(func() error {
			return listen(ctx, "crm", addresses["crm"], c, c.Close, ready)
		})
	}
	return group.Wait()
}

// listen serves until ctx is done, then lets go of what would hold requests back and waits for the rest.
func listen(ctx context.Context, name, addr string, h http.Handler, release func(), ready func(string, net.Addr)) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout}
	ready(name, listener.Addr())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("%s: %w", name, err)
	case <-ctx.Done():
	}
	release()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := server.Shutdown(closing); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return server.Close()
}
