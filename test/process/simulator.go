package process

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
)

// Simulator is a running simulator of a Seeyon OA, and its control interface.
type Simulator struct {
	*Process
	// URL of the OA.
	URL string
}

// StartSimulator runs an OA that knows people. Its configuration is written to configPath.
func StartSimulator(ctx context.Context, b Binaries, people []seeyon.Person, configPath, log string) (*Simulator, error) {
	at, err := FreeAddresses(1)
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(map[string]any{"seeyon": seeyon.Options{
		RESTUsers: map[string]string{User: Password}, People: people, Bindings: []seeyon.Binding{},
		Apps: []seeyon.App{{Code: RegisterCode, Name: "CRM"}},
	}})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(configPath, config, 0o600); err != nil {
		return nil, err
	}
	p, err := Start(ctx, "simulator", log, b.path(oasim), "serve", "seeyon", "--seeyon-addr", at[0], "--config", configPath)
	if err != nil {
		return nil, err
	}
	s := &Simulator{Process: p, URL: "http://" + at[0]}
	_, err = p.Answers(ctx, s.URL+"/healthz")
	return s, err
}

// Script replaces the faults; none means that the OA works again. What hangs is let go.
func (s *Simulator) Script(ctx context.Context, rules ...fault.Rule) error {
	if rules == nil {
		rules = []fault.Rule{}
	}
	return s.call(ctx, http.MethodPut, "/_sim/faults", map[string]any{"rules": rules}, nil)
}

// ForgetTokens ends every token, as a restart of the OA does.
func (s *Simulator) ForgetTokens(ctx context.Context) error {
	return s.call(ctx, http.MethodDelete, "/_sim/tokens", nil, nil)
}

// Items are all to-dos that the OA ever took, with every write to each.
func (s *Simulator) Items(ctx context.Context) ([]seeyon.Item, error) {
	var out struct {
		Items []seeyon.Item `json:"items"`
	}
	return out.Items, s.call(ctx, http.MethodGet, "/_sim/items", nil, &out)
}

// Journal returns the requests after a sequence number that the OA still remembers, oldest first.
func (s *Simulator) Journal(ctx context.Context, since int64) ([]journal.Entry, error) {
	var out struct {
		Entries []journal.Entry `json:"entries"`
	}
	return out.Entries, s.call(ctx, http.MethodGet, "/_sim/journal?since="+strconv.FormatInt(since, 10), nil, &out)
}

func (s *Simulator) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
		return fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
