package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/test/process"
)

// lab is the sink, the binaries and the place for stores of a measurement.
type lab struct {
	options
	bin     process.Binaries
	self    string
	scratch string
	sink    *process.Process
	sinkURL string
	started int
}

func newLab(ctx context.Context, o options) (*lab, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := os.Setenv("GOMEMLIMIT", o.memLimit); err != nil { // of the processes that are started
		return nil, err
	}
	if o.store, err = filepath.Abs(o.store); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.store, 0o755); err != nil {
		return nil, err
	}
	l := &lab{options: o, self: self}
	if l.scratch, err = os.MkdirTemp(o.store, "bench-"); err != nil {
		return nil, err
	}
	if l.bin, err = process.Build(ctx, l.scratch, o.bin, false); err != nil {
		return l, err
	}
	at, err := process.FreeAddresses(1)
	if err != nil {
		return l, err
	}
	l.sinkURL = "http://" + at[0]
	if l.sink, err = process.Start(ctx, "sink", l.scratch+"/sink.log", self, "sink", "-listen", at[0]); err != nil {
		return l, err
	}
	_, err = l.sink.Answers(ctx, l.sinkURL+"/bench/state")
	return l, err
}

func (l *lab) close() {
	if l.sink != nil {
		l.sink.Kill()
	}
	_ = os.RemoveAll(l.scratch)
}

// ask calls the sink's own interface.
func (l *lab) ask(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.sinkURL+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", path, resp.StatusCode)
	}
	return body, err
}

func (l *lab) state(ctx context.Context) (s sinkState, err error) {
	text, err := l.ask(ctx, "/bench/state")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}

// prepare lets the sink forget everything and answer after a delay, or not at all.
func (l *lab) prepare(ctx context.Context, delay time.Duration, down bool) error {
	_, err := l.ask(ctx, "/bench/reset")
	return errors.Join(err, l.answer(ctx, delay, down))
}

func (l *lab) answer(ctx context.Context, delay time.Duration, down bool) error {
	_, err := l.ask(ctx, "/bench/set?"+url.Values{"delay": {delay.String()}, "down": {strconv.FormatBool(down)}}.Encode())
	return err
}

// load runs the generator in a process of its own. times, if asked for, are those of acceptance by event.
func (l *lab) load(ctx context.Context, c loadFlags) (r loadResult, times []int64, err error) {
	c.times, c.result = l.scratch+"/times", l.scratch+"/result"
	p, err := process.Start(ctx, "load generator", l.scratch+"/load.log", l.self, "load", "-url", c.url, "-want", strconv.Itoa(c.want),
		"-clients", strconv.Itoa(c.clients), "-batch", strconv.Itoa(c.batch), "-first", strconv.Itoa(c.first), "-events", strconv.Itoa(c.events),
		"-items", strconv.Itoa(c.items), "-receivers", strconv.Itoa(c.people), fmt.Sprintf("-reminders=%t", c.reminders),
		fmt.Sprintf("-signed=%t", l.signed), "-token", process.Token, "-times", c.times, "-result", c.result)
	if err != nil {
		return r, nil, err
	}
	if err := p.Wait(); err != nil {
		text, _ := os.ReadFile(l.scratch + "/load.log")
		return r, nil, fmt.Errorf("%w\n%s", err, text)
	}
	text, err := os.ReadFile(c.result)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, nil, err
	}
	raw, err := os.ReadFile(c.times)
	return r, numbers(raw), err
}

func numbers(raw []byte) []int64 {
	out := make([]int64, len(raw)/8)
	for i := range out {
		out[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return out
}

// subject is a dispatcher that is measured.
type subject struct {
	*process.Dispatcher
	*process.Process
	lab *lab
	dir string
}

// accounts of all receivers that a measurement may name.
func accounts() []v1alpha1.AccountPair {
	out := []v1alpha1.AccountPair{{CRM: "1000", OA: "zhangwei"}}
	for i := range manyReceivers {
		account := strconv.Itoa(firstReceiver + i)
		out = append(out, v1alpha1.AccountPair{CRM: account, OA: "oa" + account})
	}
	return out
}

// begin starts a dispatcher with an empty store below base.
func (l *lab) begin(ctx context.Context, base string) (*subject, error) {
	l.started++
	dir := filepath.Join(base, fmt.Sprintf("run-%d-%d", os.Getpid(), l.started))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &subject{lab: l, dir: dir}
	c := process.Connector{Dir: dir, OA: l.sinkURL, Accounts: accounts(), Change: func(b *bundle.Bundle) {
		b.Delivery.Concurrency = l.concurrency
	}}
	err := c.Write(l.bin.Root)
	if err == nil {
		err = age(dir + "/secrets")
	}
	if err == nil {
		s.Dispatcher, err = process.NewDispatcher(l.bin, c, dir+"/store", l.scratch+"/dispatcher.log", "")
	}
	if err == nil {
		if l.profiles != "" {
			s.Flag("--pprof")
		}
		_, err = s.start(ctx)
	}
	return s, err
}

// age makes files look as old as those of a Secret in a pod mostly are: one that was changed just now is read for each call.
func age(dir string) error {
	hourAgo := time.Now().Add(-time.Hour)
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, hourAgo, hourAgo))
	})
}

// start runs the process and returns how long it took until it was ready.
func (s *subject) start(ctx context.Context) (time.Duration, error) {
	p, err := s.Start(ctx)
	if err != nil {
		return 0, err
	}
	s.Process = p
	ready, err := s.Ready(ctx, p)
	return ready.Sub(p.Started), err
}

// end kills the process and removes its store.
func (s *subject) end() {
	if s.Process != nil {
		s.Kill()
	}
	_ = os.RemoveAll(s.dir)
}

// disk is how many bytes the store takes, in all and by stream or other part.
func (s *subject) disk() (total int64, parts map[string]int64, err error) {
	parts = map[string]int64{}
	store := filepath.Join(s.dir, "store")
	err = filepath.WalkDir(store, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // files come and go while the dispatcher works
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		rel, err := filepath.Rel(store, path)
		if err != nil {
			return err
		}
		total += info.Size()
		parts[part(rel)] += info.Size()
		return nil
	})
	return total, parts, err
}

// part names the stream that a file belongs to, or the file itself.
func part(path string) string {
	names := strings.Split(filepath.ToSlash(path), "/")
	for i, name := range names[:len(names)-1] {
		if name == "streams" {
			return names[i+1]
		}
	}
	return names[len(names)-1]
}
