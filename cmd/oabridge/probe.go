package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Limits of a probe.
const (
	probeTimeout = 10 * time.Second
	maxAnswer    = 256 // bytes of an answer that are shown
)

// newProbeCommand asks an address whether it is well, for images that have no other program to do it with.
func newProbeCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "probe URL",
		Short:   "Ask a health address and fail unless it answers 2xx",
		Example: "  oabridge probe http://oabridge-manager.oabridge-system.svc:8081/readyz",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, args[0], nil)
			if err != nil {
				return usage(err)
			}
			// No proxy of the environment, no redirect: what answers is what was asked.
			client := &http.Client{
				Timeout:       probeTimeout,
				Transport:     &http.Transport{DisableKeepAlives: true},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
			if err = errors.Join(err, resp.Body.Close()); err != nil {
				return err
			}
			text := strings.TrimSpace(string(answer))
			if resp.StatusCode/100 != 2 {
				return fmt.Errorf("%s answers %s: %s", req.URL.Redacted(), resp.Status, text)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
}
