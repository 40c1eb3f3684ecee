package process

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/report"
)

// Dispatcher is the place of one dispatcher process: it can be started there again and again.
type Dispatcher struct {
	// Replica names it among several; empty when it is the only one.
	Replica string
	// Public, Admin and Local are its addresses, host:port. They stay the same over restarts.
	Public, Admin, Local string
	// Log is the file that its output goes to.
	Log string

	bin  string
	args []string
}

// NewDispatcher prepares a dispatcher of a connector with its store in a folder.
func NewDispatcher(b Binaries, c Connector, store, log, replica string) (*Dispatcher, error) {
	at, err := FreeAddresses(4)
	if err != nil {
		return nil, err
	}
	d := &Dispatcher{Replica: replica, Public: at[0], Admin: at[1], Local: at[3], Log: log, bin: b.path(oabridge)}
	d.args = []string{
		"dispatcher", "--bundle", filepath.Join(c.Dir, "bundle"), "--secrets", filepath.Join(c.Dir, "secrets"), "--store", store,
		"--listen-public", at[0], "--listen-admin", at[1], "--listen-peer", at[2], "--listen-local", at[3],
	}
	if replica != "" {
		d.args = append(d.args, "--replica", replica)
	}
	return d, nil
}

// Flag adds an argument for the next start.
func (d *Dispatcher) Flag(args ...string) { d.args = append(d.args, args...) }

// Start runs the dispatcher. It is not ready yet.
func (d *Dispatcher) Start(ctx context.Context) (*Process, error) {
	return Start(ctx, "dispatcher "+d.Replica, d.Log, d.bin, d.args...)
}

// Ready waits until the process takes events, and says when that was.
func (d *Dispatcher) Ready(ctx context.Context, p *Process) (time.Time, error) {
	return p.Answers(ctx, "http://"+d.Admin+"/readyz")
}

// Events is the address for events.
func (d *Dispatcher) Events() string { return "http://" + d.Public + "/events" }

// Report asks for the report; with the etag of a known one it waits up to wait for news.
func (d *Dispatcher) Report(ctx context.Context, etag string, wait time.Duration) (r report.Report, tag string, fresh bool, err error) {
	return report.Get(ctx, http.DefaultClient, "http://"+d.Admin+"/report", etag, wait)
}

// DeadLetter is what is known of a delivery that was given up.
type DeadLetter struct{ EventID, ItemID, Receiver, Reason string }

// Dead asks for dead letters, the newest last; an empty item means those of all.
func (d *Dispatcher) Dead(ctx context.Context, item string, limit int) ([]DeadLetter, error) {
	q := url.Values{lookup.ParamLimit: {fmt.Sprint(limit)}}
	if item != "" {
		q.Set(lookup.ParamItem, item)
	}
	letters, _, err := (&lookup.Client{URL: "http://" + d.Local, HTTP: http.DefaultClient}).Dead(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", lookup.PathDead, err)
	}
	out := make([]DeadLetter, len(letters))
	for i, l := range letters {
		out[i] = DeadLetter{EventID: l.Record.EventID, ItemID: l.Record.ItemID, Receiver: l.Record.Receiver, Reason: l.Record.Reason}
	}
	return out, nil
}
