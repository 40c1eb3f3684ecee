package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/oabridge/oabridge/hack/cluster/machine"
	"github.com/oabridge/oabridge/hack/cluster/process"
)

// Step runs one step of several and tells the person at the terminal about it.
type Step func(name string, do func() error) error

// Steps is how many steps Up has.
const Steps = 5

// patience is how long anything may take to come up; a slow machine needs a part of it.
const patience = 3 * time.Minute

// Up starts what does not run yet. It returns when the node takes pods, DNS answers and the defaults are there.
func (c Cluster) Up(ctx context.Context, step Step) error {
	var r *record
	return errors.Join(firstError(
		func() error {
			return step("network, certificates, configuration", func() (err error) {
				r, err = c.prepare()
				return err
			})
		},
		func() error {
			return step("etcd, API server, containerd", func() error {
				if err := c.ensure(r, c.containerd(), c.etcd(), c.apiserver()); err != nil {
					return err
				}
				return errors.Join(
					c.wait(ctx, r, "containerd", func(ctx context.Context) error { return c.loadPause(ctx) }),
					c.wait(ctx, r, "kube-apiserver", func(ctx context.Context) error { return c.healthy(ctx, c.apiserver()) }),
				)
			})
		},
		func() error {
			return step("controllers, scheduler, kubelet, proxy", func() error {
				runtime, _ := r.find("containerd")
				return c.ensure(r, c.controllerManager(), c.scheduler(), c.kubelet(runtime.PID), c.proxy())
			})
		},
		func() error {
			return step("DNS, ingress, local volumes", func() error {
				// The ingress controller watches the kinds of the Gateway API, and one of the defaults is of such a kind.
				for _, file := range []string{"gateway-api.yaml", "defaults.yaml"} {
					if err := c.wait(ctx, r, "kube-apiserver", func(ctx context.Context) error {
						return c.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-f", c.path("etc", file))
					}); err != nil {
						return err
					}
				}
				return c.ensure(r, c.dns(), c.ingress(), c.volumes())
			})
		},
		func() error {
			return step("wait until the node is ready", func() error { return c.ready(ctx, r) })
		},
	))
}

func firstError(acts ...func() error) error {
	for _, act := range acts {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// prepare changes the machine, after writing down how it was.
func (c Cluster) prepare() (*record, error) {
	r, err := c.load()
	switch {
	case err == nil && r.Boot != boot():
		return nil, errors.New("this cluster is from before the machine's last boot: run `down`, then `up`")
	case err == nil:
		if p, started := r.find("containerd"); started && !p.Alive() {
			return nil, errors.New("the node's container runtime has ended and its pods with it: run `down`, then `up`")
		}
		// What ended is started again, and until then not missed.
		r.Processes = slices.DeleteFunc(r.Processes, func(p process.Process) bool { return !p.Alive() })
	case errors.Is(err, os.ErrNotExist):
		if err := network.Conflict(); err != nil {
			return nil, err
		}
		r = &record{Boot: boot(), Sysctls: machine.Sysctls(), Made: missing(filepath.Dir(c.State))}
	default:
		return nil, err
	}
	for _, dir := range []string{"logs", "run", "etc", "volumes", "ingress"} {
		if err := os.MkdirAll(c.path(dir), 0o755); err != nil {
			return nil, err
		}
	}
	if err := c.hide(r); err != nil {
		return nil, err
	}
	return r, firstError(network.Up, machine.Forward, machine.MakeCgroups, c.identities, c.configure)
}

// hide makes the directories that are covered in the node's mount namespace, where the machine lacks them.
func (c Cluster) hide(r *record) error {
	for _, dir := range hidden {
		r.Made = append(r.Made, missing(dir)...)
	}
	if err := c.save(r); err != nil {
		return err
	}
	for _, dir := range hidden {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.MkdirAll(c.path("hidden", dir), 0o755)); err != nil {
			return err
		}
	}
	return nil
}

// missing are the directories on the way to dir that are not there, the outermost first.
func missing(dir string) []string {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	return append(missing(filepath.Dir(dir)), dir)
}

// ensure starts those that do not run.
func (c Cluster) ensure(r *record, components ...component) error {
	for _, component := range components {
		if p, ok := r.find(component.name); ok && p.Alive() {
			continue
		}
		p, err := process.Start(component.name, c.log(component.name), component.env, component.argv...)
		if err != nil {
			return err
		}
		r.put(p)
		if err := c.save(r); err != nil {
			return errors.Join(err, p.Kill()) // what is not written down would never be ended
		}
	}
	return nil
}

// wait tries until it works. It gives up early when one of our programs has ended.
func (c Cluster) wait(ctx context.Context, r *record, name string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		for _, p := range r.Processes {
			if !p.Alive() {
				return c.failure(p.Name, errors.New("it ended"))
			}
		}
		select {
		case <-ctx.Done():
			return c.failure(name, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// failure says what failed, what the program said last, and what to do.
func (c Cluster) failure(name string, err error) error {
	return fmt.Errorf("%s did not come up: %w\nthe end of %s:\n%s\nwhen the cause is gone, run `up` again; `down` removes everything",
		name, err, c.log(name), process.Tail(c.log(name), 15))
}

func (c Cluster) ready(ctx context.Context, r *record) error {
	for _, component := range c.all() {
		if err := c.wait(ctx, r, component.name, func(ctx context.Context) error { return c.healthy(ctx, component) }); err != nil {
			return err
		}
	}
	for _, check := range []struct {
		by  string
		try func(context.Context) error
	}{
		{"kubelet", c.nodeReady}, {"coredns", c.resolves}, {"kube-apiserver", c.hasClass}, {"kube-controller-manager", c.hasAccount},
	} {
		if err := c.wait(ctx, r, check.by, check.try); err != nil {
			return err
		}
	}
	return nil
}
