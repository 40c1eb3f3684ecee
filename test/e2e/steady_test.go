package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/test/stage"
)

// calm is how long the operator has to be silent before it counts as steady: longer than the pause between two statuses.
const calm = 15 * time.Second

// steadyFor is how long nothing may be written; OABRIDGE_STEADY=5m makes it longer.
func steadyFor(t *testing.T) time.Duration {
	t.Helper()
	given := os.Getenv("OABRIDGE_STEADY")
	if given == "" {
		return time.Minute
	}
	d, err := time.ParseDuration(given)
	must(t, err)
	return d
}

// Nothing happens to fourteen connectors, and the operator writes nothing, as the API server counts it. Its lease is the
// exception: somebody has to say that there is a leader.
func TestSteadyClusterIsNotWrittenTo(t *testing.T) {
	path := os.Getenv("AUDIT_LOG")
	if path == "" {
		t.Skip("AUDIT_LOG is not set: it names the audit log of the API server, which this machine's own cluster has")
	}
	window := steadyFor(t)
	ctx := within(t, window+5*time.Minute)
	theFleet(ctx, t)
	must(t, ready(ctx))
	must(t, stage.Until(ctx, func() error { return scene.FleetReady(ctx) }))

	log := follow(t, path)
	quiet(ctx, t, log, calm, func(write) bool { return true }) // what went before has settled
	log.leases = 0
	quiet(ctx, t, log, window, func(w write) bool {
		t.Errorf("%s %s", w.Verb, w.RequestURI)
		return true
	})
	t.Logf("no write for %s, but for %d of the lease", window, log.leases)
	if log.leases == 0 {
		t.Error("the audit log does not even have the operator's lease: nothing was counted")
	}
}

// quiet waits until nothing was written for a time. What is written meanwhile is told; where that says so, the time starts
// anew.
func quiet(ctx context.Context, t *testing.T, log *audit, d time.Duration, counts func(write) bool) {
	t.Helper()
	since := time.Now()
	must(t, stage.Until(ctx, func() error {
		writes, err := log.next()
		if err != nil {
			return err
		}
		for _, w := range writes {
			if counts(w) {
				since = time.Now()
			}
		}
		if is := time.Since(since); is < d {
			return fmt.Errorf("nothing was written for %s", is.Round(time.Second))
		}
		return nil
	}))
}

// write is one line of the audit log.
type write struct {
	Verb       string `json:"verb"`
	RequestURI string `json:"requestURI"`
	User       struct {
		Username string `json:"username"`
	} `json:"user"`
}

// audit reads what the API server writes down, from now on.
type audit struct {
	file   *bufio.Reader
	rest   string
	leases int
}

func follow(t *testing.T, path string) *audit {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() })
	_, err = f.Seek(0, io.SeekEnd)
	must(t, err)
	return &audit{file: bufio.NewReader(f)}
}

// next returns the operator's writes since the last call; its lease is only counted.
func (a *audit) next() ([]write, error) {
	var writes []write
	for {
		part, err := a.file.ReadString('\n')
		a.rest += part
		if errors.Is(err, io.EOF) {
			return writes, nil // a line may be half written
		}
		if err != nil {
			return nil, err
		}
		var w write
		err = json.Unmarshal([]byte(a.rest), &w)
		a.rest = ""
		switch {
		case err != nil:
			return nil, err
		case w.User.Username != "system:serviceaccount:"+stage.OperatorNamespace+":oabridge-manager":
		case strings.Contains(w.RequestURI, "/leases/"):
			a.leases++
		default:
			writes = append(writes, w)
		}
	}
}
