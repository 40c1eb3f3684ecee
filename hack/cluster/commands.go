package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/hack/cluster/build"
	"github.com/oabridge/oabridge/hack/cluster/image"
	"github.com/oabridge/oabridge/hack/cluster/machine"
	"github.com/oabridge/oabridge/hack/cluster/node"
)

// cluster finds the programs, building those that are missing.
func (s *settings) cluster(ctx context.Context, progress io.Writer) (c node.Cluster, err error) {
	if c.State, err = node.StateDir(s.state); err != nil {
		return c, err
	}
	source, err := build.Source(s.source)
	if err != nil {
		return c, err
	}
	if c.Kube, err = build.Kubernetes.Ensure(ctx, source, progress); err != nil {
		return c, err
	}
	c.Addons, err = build.Addons.Ensure(ctx, source, progress)
	return c, err
}

func buildCommand(s *settings) *cobra.Command {
	var only string
	var assets bool
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build all programs into the cache, once for every version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			source, err := build.Source(s.source)
			if err != nil {
				return err
			}
			bundles := []build.Bundle{build.Kubernetes, build.Addons}
			if assets || only == "envtest" {
				bundles = bundles[:1]
			} else if only != "" {
				return fmt.Errorf("--only knows envtest, not %q", only)
			}
			// On stdout is only what a script wants to read.
			t := newSteps(cmd.ErrOrStderr(), len(bundles))
			for _, b := range bundles {
				var dir string
				if err := t.step("build "+b.Name, func() (err error) {
					dir, err = b.Ensure(cmd.Context(), source, cmd.ErrOrStderr())
					return err
				}); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), dir)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&only, "only", "", "envtest: only what Kubernetes itself has (etcd, kube-apiserver, kubectl, …)")
	cmd.Flags().BoolVar(&assets, "print-assets", false, "build what envtest needs and print its directory, for KUBEBUILDER_ASSETS")
	return cmd
}

func upCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Start the cluster; returns when it is ready",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := machine.Supported(); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			t := newSteps(out, 2+node.Steps)
			if err := t.step("Debian packages", func() error { return machine.Install(out) }); err != nil {
				return err
			}
			var c node.Cluster
			if err := t.step("programs, from source or from the cache", func() (err error) {
				c, err = s.cluster(cmd.Context(), out)
				return err
			}); err != nil {
				return err
			}
			if c.Running(cmd.Context()) {
				fmt.Fprintf(out, "\nthe cluster is up already\n\n  export KUBECONFIG=%s\n", c.Kubeconfig())
				return nil
			}
			if err := c.Up(cmd.Context(), t.step); err != nil {
				return err
			}
			fmt.Fprintf(out, "\nthe cluster is up after %s\n\n  export KUBECONFIG=%s\n  kubectl is in %s\n",
				t.total(), c.Kubeconfig(), c.Kube)
			return nil
		},
	}
}

func downCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "End the cluster and remove everything it left on the machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := machine.Supported(); err != nil {
				return err
			}
			state, err := node.StateDir(s.state)
			if err != nil {
				return err
			}
			began := time.Now()
			left, err := node.Cluster{State: state}.Down()
			if err != nil {
				return err
			}
			if len(left) > 0 {
				return fmt.Errorf("left on the machine:\n  %s", strings.Join(left, "\n  "))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "nothing of the cluster is left (%s)\n", time.Since(began).Round(100*time.Millisecond))
			return nil
		},
	}
}

func statusCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show what runs; exit code 0 if the cluster is up, 3 if not",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := node.StateDir(s.state)
			if err != nil {
				return err
			}
			if !(node.Cluster{State: state}).Status(cmd.Context(), cmd.OutOrStdout()) {
				return exit(3)
			}
			return nil
		},
	}
}

func loadCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "load IMAGE.tar…",
		Short: "Give images to the cluster",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, tars []string) error {
			state, err := node.StateDir(s.state)
			if err != nil {
				return err
			}
			c := node.Cluster{State: state}
			for _, tar := range tars {
				names, err := c.Load(cmd.Context(), tar)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), strings.Join(names, "\n"))
			}
			return nil
		},
	}
}

func imageCommand() *cobra.Command {
	var o image.Options
	var out string
	cmd := &cobra.Command{
		Use:   "image --binary PATH --name NAME:TAG --out FILE.tar",
		Short: "Make an image tar from static programs, without a registry",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return image.Write(o, out) },
	}
	cmd.Flags().StringArrayVar(&o.Binaries, "binary", nil, "static program, becomes /BASENAME; repeatable")
	cmd.Flags().StringVar(&o.Name, "name", "", "name and tag, as pods write it")
	cmd.Flags().StringVar(&out, "out", "", "file to write")
	cmd.Flags().StringArrayVar(&o.Entrypoint, "entrypoint", nil, "entrypoint, one word each time (default: the first program)")
	for _, name := range []string{"binary", "name", "out"} {
		_ = cmd.MarkFlagRequired(name) // fails only for a flag that is not there
	}
	return cmd
}
