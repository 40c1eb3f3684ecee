package report

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// PathLeftovers of a dispatcher's admin port answers what it did not deliver, one Leftover a line, to who bears the peer
// token.
const PathLeftovers = "/leftovers"

// States of a Leftover.
const (
	LeftoverWaiting = "Waiting"
	LeftoverDead    = "Dead"
)

// Leftover is a delivery that a connector did not make.
type Leftover struct {
	State string `json:"state"`
	// Reason and Message say why it died.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Delivery as it was stored: the event for one receiver.
	Delivery json.RawMessage `json:"delivery"`
}

// LeftoversEnd is the last line.
type LeftoversEnd struct {
	End   bool `json:"end"`
	Count int  `json:"count"`
}

// maxLeftover bounds one line, in bytes: an event has at most 256 KiB.
const maxLeftover = 1 << 20

// ErrNotWhole is that an answer ended before its last line.
var ErrNotWhole = errors.New("the dispatcher's answer is not whole")

// Leftovers asks a dispatcher at url for its leftovers and hands on each line as it came.
func Leftovers(ctx context.Context, client *http.Client, url, token string, each func(line []byte) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the dispatcher answers %d when it is asked for what is left", resp.StatusCode)
	}
	return eachLine(resp.Body, each)
}

// eachLine hands on lines until the last one, which must fit their number.
func eachLine(r io.Reader, each func([]byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLeftover)
	n := 0
	for lines.Scan() {
		var end LeftoversEnd
		if err := json.Unmarshal(lines.Bytes(), &end); err != nil {
			return fmt.Errorf("a line of the dispatcher's answer is no JSON: %w", err)
		}
		if end.End {
			if end.Count != n {
				return ErrNotWhole
			}
			return nil
		}
		n++
		if err := each(lines.Bytes()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return ErrNotWhole
}
