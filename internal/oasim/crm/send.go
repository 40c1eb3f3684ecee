package crm

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// Target says where events go and how.
type Target struct {
	URL           string  `json:"target"`
	SigningKey    string  `json:"signingKey,omitempty"` // whsec_…
	Token         string  `json:"token,omitempty"`      // bearer
	Mode          string  `json:"mode,omitempty"`       // structured (default), binary, batch, callback
	BatchSize     int     `json:"batchSize,omitempty"`  // default 50
	Concurrency   int     `json:"concurrency,omitempty"`
	RatePerSecond float64 `json:"ratePerSecond,omitempty"` // events; 0: as fast as they are taken
	Repeat        int     `json:"repeat,omitempty"`        // send everything this many further times
	// Callback seals the requests of mode callback.
	Callback CallbackSeal `json:"callback,omitzero"`
	// InsecureSkipVerify accepts any TLS certificate.
	InsecureSkipVerify bool `json:"insecureSkipVerify,omitempty"`

	Client *http.Client                                     `json:"-"`
	Now    func() time.Time                                 `json:"-"`
	Wait   func(ctx context.Context, d time.Duration) error `json:"-"`

	// publish makes the state after an event known before a callback tells of it.
	publish func(Event) error
}

// Counts is how far a run has got. An event is accepted only when it was answered with 202.
type Counts struct {
	Sent       int64 `json:"sent"`
	Accepted   int64 `json:"accepted"`
	Duplicates int64 `json:"duplicates"`
	Refused    int64 `json:"refused"`
	Retried    int64 `json:"retried"` // requests sent again
}

// Progress counts while events are being sent.
type Progress struct {
	sent, accepted, duplicates, refused, retried atomic.Int64
	trouble                                      atomic.Pointer[string]
}

// Counts returns the numbers so far.
func (p *Progress) Counts() Counts {
	return Counts{p.sent.Load(), p.accepted.Load(), p.duplicates.Load(), p.refused.Load(), p.retried.Load()}
}

// Trouble is the last thing that went wrong.
func (p *Progress) Trouble() string {
	if s := p.trouble.Load(); s != nil {
		return *s
	}
	return ""
}

const (
	maxConcurrency = 256
	firstPause     = 100 * time.Millisecond
	lastPause      = 5 * time.Second
	longestPause   = 30 * time.Second // however long Retry-After says
)

func (t Target) withDefaults() (Target, error) {
	if u, err := url.Parse(t.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return t, fmt.Errorf("target: %q is not an http(s) address", t.URL)
	}
	if t.SigningKey != "" && t.Token != "" {
		return t, fmt.Errorf("give either signingKey or token")
	}
	if t.Mode == "" {
		t.Mode = Structured
	}
	if t.BatchSize == 0 {
		t.BatchSize = 50
	}
	if t.Mode != Batch {
		t.BatchSize = 1
	}
	t.Concurrency = max(1, t.Concurrency)
	if t.BatchSize < 1 || t.BatchSize > 1000 || t.Concurrency > maxConcurrency || t.Repeat < 0 || t.Repeat > 100 || t.RatePerSecond < 0 {
		return t, fmt.Errorf("batchSize is 1 to 1000, concurrency 1 to %d, repeat 0 to 100, ratePerSecond not negative", maxConcurrency)
	}
	if t.Now == nil {
		t.Now = time.Now
	}
	if t.Wait == nil {
		t.Wait = wait
	}
	if t.Client == nil {
		tr := http.DefaultTransport.(*http.Transport).Clone()
		tr.MaxIdleConnsPerHost = t.Concurrency
		tr.TLSClientConfig = &tls.Config{InsecureSkipVerify: t.InsecureSkipVerify, MinVersion: tls.VersionTLS12} //nolint:gosec // asked for
		t.Client = &http.Client{Timeout: 60 * time.Second, Transport: tr}
	}
	if t.Mode == Callback {
		_, err := t.Callback.key()
		return t, err
	}
	_, err := pack(t.Mode, []Event{{}})
	return t, err
}

type sender struct {
	Target
	key      []byte
	limit    *rate.Limiter
	progress *Progress
}

// Send delivers events until each is accepted or refused, or ctx is done. The events of one to-do go in order, one
// after the other; different to-dos may go at the same time.
func Send(ctx context.Context, t Target, events []Event, p *Progress) error {
	t, err := t.withDefaults()
	if err != nil {
		return err
	}
	s := sender{Target: t, progress: p, limit: rate.NewLimiter(rate.Inf, 0)}
	if t.SigningKey != "" {
		if s.key, err = signingKey(t.SigningKey); err != nil {
			return err
		}
	}
	if t.RatePerSecond > 0 {
		s.limit = rate.NewLimiter(rate.Limit(t.RatePerSecond), t.BatchSize)
	}
	lanes := make([][]Event, t.Concurrency)
	for _, e := range events {
		h := fnv.New32a()
		_, _ = io.WriteString(h, e.Data.ID)
		lane := int(h.Sum32() % uint32(t.Concurrency))
		lanes[lane] = append(lanes[lane], e)
	}
	for range 1 + t.Repeat {
		group, ctx := errgroup.WithContext(ctx)
		for _, lane := range lanes {
			group.Go(func() error { return s.lane(ctx, lane) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

func (s *sender) lane(ctx context.Context, events []Event) error {
	for len(events) > 0 {
		n := min(len(events), s.BatchSize)
		if err := s.limit.WaitN(ctx, n); err != nil {
			return err
		}
		p := parcel{events: events[:n]}
		var err error
		switch {
		case s.Mode != Callback:
			p, err = pack(s.Mode, p.events)
		case s.publish != nil:
			err = s.publish(events[0])
		}
		if err != nil {
			return err
		}
		if err := s.deliver(ctx, p); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// deliver repeats one request until the answer is final.
func (s *sender) deliver(ctx context.Context, p parcel) error {
	n := int64(len(p.events))
	s.progress.sent.Add(n)
	pause := firstPause
	for attempt := 0; ; attempt++ {
		if attempt > 0 {
			s.progress.retried.Add(1)
		}
		status, after, err := s.try(ctx, p, attempt)
		switch {
		case err == nil && status == http.StatusAccepted:
			s.progress.accepted.Add(n)
			return nil
		case err == nil && status != http.StatusTooManyRequests && status < 500:
			s.progress.refused.Add(n)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if after == 0 {
			after = pause/2 + rand.N(pause/2)
			pause = min(2*pause, lastPause)
		}
		if err := s.Wait(ctx, min(after, longestPause)); err != nil {
			return err
		}
	}
}

// try sends a request once; after is what Retry-After asks for.
func (s *sender) try(ctx context.Context, p parcel, attempt int) (status int, after time.Duration, err error) {
	if s.Mode == Callback {
		return s.tryCallback(ctx, p.events[0], attempt)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(p.body))
	if err != nil {
		return 0, 0, err
	}
	for name, values := range p.header {
		req.Header[name] = values
	}
	if s.key != nil {
		p.sign(req.Header, s.key, s.Now())
	}
	if s.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.Token)
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		s.complain(err.Error())
		return 0, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode == http.StatusAccepted {
		var counts struct{ Duplicates int64 }
		if json.Unmarshal(body, &counts) == nil {
			s.progress.duplicates.Add(counts.Duplicates)
		}
		return resp.StatusCode, 0, nil // the status line is the promise, whatever becomes of the body
	}
	s.complain(fmt.Sprintf("HTTP %d: %.300s", resp.StatusCode, body))
	return resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"), s.Now()), err
}

func (s *sender) complain(text string) { s.progress.trouble.Store(&text) }

func retryAfter(value string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(value); err == nil && n > 0 {
		return min(time.Duration(min(n, 3600))*time.Second, longestPause)
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
