package crm

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// headerTraceParent is the header of W3C Trace Context.
const headerTraceParent = "Traceparent"

// firstTraceParent returns the first of the trace contexts that is valid, or a new one: a broken one is dropped, as W3C
// Trace Context asks for, and every event has one, so that its whole story can be found under one trace id.
func firstTraceParent(given ...string) (traceParent string, untraced bool) {
	for _, s := range given {
		if validTraceParent(s) {
			return s, false
		}
	}
	return NewTraceParent(), true
}

// NewTraceParent begins a trace: version 00, random ids, sampled. The ids are unique, they are no secret.
func NewTraceParent() string {
	// A zero id is invalid; "or 1" costs one bit of 128 and 64.
	return fmt.Sprintf("00-%016x%016x-%016x-01", rand.Uint64(), rand.Uint64()|1, rand.Uint64()|1) //nolint:gosec // see above
}

// validTraceParent reports whether s is a W3C Trace Context traceparent: version-traceid-parentid-flags in lower-case
// hex, where version ff and all-zero ids are invalid.
func validTraceParent(s string) bool {
	const v00 = len("00-") + 32 + len("-") + 16 + len("-00")
	if len(s) != v00 || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return false
	}
	version, trace, parent, flags := s[:2], s[3:35], s[36:52], s[53:]
	return isHex(version) && isHex(trace) && isHex(parent) && isHex(flags) &&
		version != "ff" && strings.Trim(trace, "0") != "" && strings.Trim(parent, "0") != ""
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
