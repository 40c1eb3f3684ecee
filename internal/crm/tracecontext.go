package crm

import "strings"

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
