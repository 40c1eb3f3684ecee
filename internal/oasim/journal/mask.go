package journal

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	jsonSecret = regexp.MustCompile(`("(?:password|appSecret|secret|signingKey|token)"\s*:\s*")(?:[^"\\]|\\.)*"`)
	formSecret = regexp.MustCompile(`(^|&)((?:password|token|ticket)=)[^&]*`)
)

// maskBody hides secrets in JSON and form bodies and cuts the rest to a bounded length.
func maskBody(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	s := string(body[:min(len(body), keptBody)])
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "")
	}
	if strings.HasPrefix(strings.TrimSpace(s), "{") || strings.HasPrefix(strings.TrimSpace(s), "[") {
		return jsonSecret.ReplaceAllString(s, `${1}***"`)
	}
	return formSecret.ReplaceAllString(s, `${1}${2}***`)
}
