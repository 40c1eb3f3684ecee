package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
)

// traceparent is the W3C trace context header, version 00 and what later versions append.
var traceparent = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$`)

// traceShort is how many characters of a trace id a person sees: the last ones, which are random in every scheme.
const traceShort = 12

// traceOf takes over the caller's trace id if there is a valid one, or makes one: 32 hex digits.
func traceOf(r *http.Request) (id string, given bool) {
	if values := r.Header.Values("Traceparent"); len(values) == 1 {
		m := traceparent.FindStringSubmatch(values[0])
		if m != nil && m[1] != "ff" && (m[1] != "00" || m[4] == "") &&
			strings.Trim(m[2], "0") != "" && strings.Trim(m[3], "0") != "" {
			return m[2], true
		}
	}
	made := make([]byte, 16)
	_, _ = rand.Read(made) // never fails
	return hex.EncodeToString(made), false
}

func shortTrace(trace string) string { return trace[len(trace)-traceShort:] }
