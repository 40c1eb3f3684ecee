package report

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxReport bounds the size of a report, in bytes.
const maxReport = 64 << 10

// Client makes the requests: an *http.Client, or a Line.
type Client interface {
	Do(req *http.Request) (*http.Response, error)
}

// Get asks url for a report. With the etag of a known report it waits up to wait for another one; then ok is false when
// nothing changed.
func Get(ctx context.Context, client Client, url, etag string, wait time.Duration) (r Report, newETag string, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, wait+10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return r, "", false, err
	}
	if etag != "" {
		q := req.URL.Query()
		q.Set("wait", wait.String())
		req.URL.RawQuery = q.Encode()
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := client.Do(req)
	if err != nil {
		return r, "", false, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusNotModified:
		return r, etag, false, nil
	case http.StatusOK:
	default:
		return r, "", false, fmt.Errorf("GET %s: status %d", url, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReport))
	if err != nil {
		return r, "", false, err
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return r, "", false, fmt.Errorf("GET %s: not a report: %w", url, err)
	}
	return r, resp.Header.Get("ETag"), true, nil
}
