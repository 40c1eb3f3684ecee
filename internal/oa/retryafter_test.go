package oa

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"120":                           2 * time.Minute,
		" 7 ":                           7 * time.Second,
		"-5":                            0,
		"1.5":                           0,
		"soon":                          0,
		"99999999999999999999":          24 * time.Hour,
		"9999999999":                    24 * time.Hour,
		"Sun, 22 Nov 2026 09:31:30 GMT": 90 * time.Second,
		"Sun, 22 Nov 2026 09:29:00 GMT": 0,
		"Tue, 01 Jan 2036 00:00:00 GMT": 24 * time.Hour,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {in}}, "", now); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

// An OA's own header counts where the standard one is missing, and only for that OA.
func TestRetryAfterOfOneOA(t *testing.T) {
	const own = "x-ogw-ratelimit-reset"
	header := http.Header{}
	header.Set(own, "7")
	for name, want := range map[string]time.Duration{own: 7 * time.Second, "": 0} {
		if got := RetryAfter(header, name, time.Now()); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
	header.Set("Retry-After", "9")
	if got := RetryAfter(header, own, time.Now()); got != 9*time.Second {
		t.Errorf("got %s, want what the standard header says", got)
	}
}
