package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxReport bounds the size of a report, in bytes.
const maxReport = 64 << 10

// errTooLong is an answer that is no report.
var errTooLong = errors.New("the answer is too long")

// Get asks url for a report. With the etag of a known report it waits up to wait for another one; then ok is false when
// nothing changed. Who asks thousands of servers time and again has a Line for each of them.
func Get(ctx context.Context, client *http.Client, url, etag string, wait time.Duration) (r Report, newETag string, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, longest(wait))
	defer cancel()
	req, err := request(ctx, url, etag, wait)
	if err != nil {
		return r, "", false, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return r, "", false, err
	}
	defer func() { _ = resp.Body.Close() }()
	next, newETag, err := decode(resp, url, etag)
	if next == nil {
		return r, newETag, false, err
	}
	return *next, newETag, true, nil
}

// longest is how long an answer may take that waits up to wait.
func longest(wait time.Duration) time.Duration { return wait + 10*time.Second }

// request asks for a report: with the etag of a known one for another, for which the server may wait.
func request(ctx context.Context, url, etag string, wait time.Duration) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if etag != "" {
		q := req.URL.Query()
		q.Set("wait", wait.String())
		req.URL.RawQuery = q.Encode()
		req.Header.Set("If-None-Match", etag)
	}
	return req, nil
}

// decode reads the answer: next is nil when the report is still the one with the etag.
func decode(resp *http.Response, url, etag string) (next *Report, newETag string, err error) {
	switch resp.StatusCode {
	case http.StatusNotModified:
		return nil, etag, nil
	case http.StatusOK:
	default:
		return nil, "", fmt.Errorf("GET %s: status %d", url, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReport+1))
	if err != nil {
		return nil, "", fmt.Errorf("GET %s: %w", url, err)
	}
	if len(body) > maxReport {
		return nil, "", fmt.Errorf("GET %s: %w", url, errTooLong)
	}
	next = &Report{}
	if err := json.Unmarshal(body, next); err != nil {
		return nil, "", fmt.Errorf("GET %s: not a report: %w", url, err)
	}
	return next, resp.Header.Get("ETag"), nil
}
