package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// patience is how long anything may take before a run gives up: a busy machine is slow, not broken.
const patience = 20 * time.Minute

// lab is one cluster with a manager and a stand-in for all workloads.
type lab struct {
	options

	dir     string
	cluster *cluster
	pods    *standIn
	manager *operator
	values  []value
	load    *loadMeter
}

// value is one measured thing, in the unit of its measure. note says what else was seen.
type value struct {
	name  string
	value float64
	note  string
}

func newLab(ctx context.Context, o options) (*lab, error) {
	ctrl.SetLogger(logr.Discard())
	dir, err := os.MkdirTemp("", "oabridge-perf-")
	if err != nil {
		return nil, err
	}
	l := &lab{options: o, dir: dir, load: startLoadMeter()}
	l.say("building the manager, starting etcd and kube-apiserver")
	if l.bin == "" {
		if l.bin, err = buildManager(ctx, dir); err != nil {
			return l, err
		}
	}
	if l.cluster, err = startCluster(ctx, dir); err != nil {
		return l, err
	}
	if l.pods, err = startStandIn(ctx, l.cluster); err != nil {
		return l, err
	}
	l.manager, err = l.startManager(ctx)
	return l, err
}

func (l *lab) close() {
	if l.manager != nil {
		_ = l.manager.stop()
	}
	if l.pods != nil {
		l.pods.close()
	}
	if l.cluster != nil {
		l.cluster.close()
	}
	if l.keep {
		_, _ = fmt.Fprintln(os.Stderr, "logs:", l.dir)
		return
	}
	_ = os.RemoveAll(l.dir)
}

func (l *lab) has(section string) bool { return slices.Contains(l.only, section) }

func (l *lab) found(name string, v float64, note string, args ...any) {
	l.values = append(l.values, value{name: name, value: v, note: fmt.Sprintf(note, args...)})
	l.say("%s = %.3g (%s)", name, v, fmt.Sprintf(note, args...))
}

// say tells on stderr how far a run is.
func (l *lab) say(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// restart ends the manager, if there is one, and starts another one.
func (l *lab) restart(ctx context.Context) error {
	if l.manager != nil {
		if err := l.manager.stop(); err != nil {
			return err
		}
	}
	l.pods.forgetAsked()
	var err error
	l.manager, err = l.startManager(ctx)
	return err
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }
