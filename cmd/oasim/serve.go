package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/dingtalk"
	"github.com/oabridge/oabridge/internal/oasim/feishu"
	"github.com/oabridge/oabridge/internal/oasim/generic"
	"github.com/oabridge/oabridge/internal/oasim/landray"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/internal/oasim/weaver"
	"github.com/oabridge/oabridge/internal/oasim/wecom"
	"github.com/oabridge/oabridge/internal/oasim/welink"
	"github.com/oabridge/oabridge/internal/oasim/yunzhijia"
)

const (
	headerTimeout = 10 * time.Second
	// closeTimeout is how long requests may take to end after a signal.
	closeTimeout = 10 * time.Second
)

// system is a simulator that serves. Close lets go of what would hold requests back.
type system interface {
	http.Handler
	Close()
}

// simulator is one kind of system, and where it listens unless told otherwise.
type simulator struct {
	name, title, address string
	build                func(config) (system, error)
}

var simulators = []simulator{
	{"seeyon", "致远 A8 Seeyon", ":8080", func(c config) (system, error) { return seeyon.New(c.Seeyon) }},
	{"crm", "纷享销客 Fxiaoke CRM", ":8081", func(c config) (system, error) { return crm.New(c.CRM) }},
	{"weaver", "泛微 Weaver e-cology", ":8082", func(c config) (system, error) { return weaver.New(c.Weaver) }},
	{"landray", "蓝凌 Landray EKP", ":8083", func(c config) (system, error) { return landray.New(c.Landray) }},
	{"yunzhijia", "云之家 Yunzhijia", ":8084", func(c config) (system, error) { return yunzhijia.New(c.Yunzhijia) }},
	{"welink", "华为 WeLink", ":8085", func(c config) (system, error) { return welink.New(c.WeLink) }},
	{"wecom", "企业微信 WeCom", ":8086", func(c config) (system, error) { return wecom.New(c.WeCom) }},
	{"dingtalk", "钉钉 DingTalk", ":8087", func(c config) (system, error) { return dingtalk.New(c.DingTalk) }},
	{"feishu", "飞书 Feishu", ":8088", func(c config) (system, error) { return feishu.New(c.Feishu) }},
	{"generic", "通用 OA, REST and SOAP", ":8089", func(c config) (system, error) { return generic.New(c.Generic) }},
}

// indexName is the page that lists the simulators, served like one of them.
const indexName = "index"

func names() []string {
	out := []string{indexName}
	for _, s := range simulators {
		out = append(out, s.name)
	}
	return out
}

func newServe() *cobra.Command {
	var path string
	addresses := map[string]*string{}
	cmd := &cobra.Command{
		Use:       "serve [name …]",
		Short:     "Serve all simulators and an index page, or only those that are named",
		Long:      "Serve all simulators and an index page, or only those that are named: " + strings.Join(names(), ", ") + ".",
		Example:   "  oasim serve --config oasim.yaml\n  oasim serve seeyon crm --seeyon-addr 127.0.0.1:9000",
		Args:      cobra.OnlyValidArgs,
		ValidArgs: names(),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := loadConfig(path)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = names()
			}
			at := map[string]string{}
			for name, address := range addresses {
				at[name] = *address
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return serve(cmd.Context(), conf, args, at, func(name string, addr net.Addr) {
				log.Info("simulator is listening", "simulator", name, "address", addr.String())
			})
		},
	}
	f := cmd.Flags()
	for _, s := range simulators {
		addresses[s.name] = f.String(s.name+"-addr", s.address, "listen address of "+s.title)
	}
	addresses[indexName] = f.String(indexName+"-addr", ":8090", "listen address of the page that lists the simulators")
	f.StringVar(&path, "config", "", "YAML or JSON file with people, users, apps and settings (see oasim config)")
	return cmd
}

// serve runs the named simulators until ctx is done. ready is told where each one listens.
func serve(ctx context.Context, conf config, names []string, addresses map[string]string, ready func(string, net.Addr)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	list := index{urls: conf.URLs}
	for _, s := range simulators {
		if !slices.Contains(names, s.name) {
			continue
		}
		served, err := s.build(conf)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		listener, err := listen(ctx, s.name, addresses[s.name])
		if err != nil {
			return err
		}
		list.entries = append(list.entries, entry{s.name, s.title, listener.Addr()})
		ready(s.name, listener.Addr())
		group.Go(func() error { return run(ctx, s.name, listener, served, served.Close) })
	}
	if slices.Contains(names, indexName) {
		listener, err := listen(ctx, indexName, addresses[indexName])
		if err != nil {
			return err
		}
		ready(indexName, listener.Addr())
		group.Go(func() error { return run(ctx, indexName, listener, list, func() {}) })
	}
	return group.Wait()
}

func listen(ctx context.Context, name, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return listener, nil
}

// run serves until ctx is done, then lets go of what would hold requests back and waits for the rest.
func run(ctx context.Context, name string, listener net.Listener, h http.Handler, release func()) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout}
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
