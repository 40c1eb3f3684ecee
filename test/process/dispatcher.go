package process

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/oabridge/oabridge/internal/report"
)

// maxLine bounds a line of the records interface, in bytes: request and answer with up to 16 KiB each, escaped.
const maxLine = 1 << 20

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
type DeadLetter struct {
	EventID  string `json:"eventID"`
	ItemID   string `json:"itemID"`
	Receiver string `json:"receiver"`
	Reason   string `json:"reason"`
}

// Dead asks for dead letters, the newest last; an empty item means those of all.
func (d *Dispatcher) Dead(ctx context.Context, item string, limit int) ([]DeadLetter, error) {
	q := url.Values{"limit": {fmt.Sprint(limit)}}
	if item != "" {
		q.Set("item", item)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.Local+"/dead?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET /dead: status %d", resp.StatusCode)
	}
	var out []DeadLetter
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var line struct {
			Record DeadLetter `json:"record"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("GET /dead: %w", err)
		}
		out = append(out, line.Record)
	}
	return out, lines.Err()
}
