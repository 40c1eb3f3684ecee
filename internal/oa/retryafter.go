package oa

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what an OA may ask for, so that nothing downstream overflows; the dispatcher caps it further
// (delivery.retryAfterMax).
const maxRetryAfter = 24 * time.Hour

// RetryAfter reads the header Retry-After in both of its forms: seconds and HTTP date. Where it is missing, own is read
// alike: the header of one OA that means the same, if it is not "". It returns 0 when there is neither, or it is malformed
// or in the past.
func RetryAfter(header http.Header, own string, now time.Time) time.Duration {
	v := strings.TrimSpace(cmp.Or(header.Get("Retry-After"), header.Get(own)))
	if v == "" {
		return 0
	}
	if strings.Trim(v, "0123456789") == "" {
		seconds, err := strconv.ParseInt(v, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	t, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(t.Sub(now), 0), maxRetryAfter)
}
