package journal

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// secretNames are the fields and parameters that carry a secret, over all vendors.
const secretNames = `password|passwd|(?:app_?|client_?|corp)?secret|signingKey|(?:corp_?)?(?:access_?|refresh_?|user_?|sso)?token|` +
	`(?:x-)?api[_-]?key|permanentCode|(?:auth_?|tmp_auth_)?code|(?:v5)?ticket`

var (
	secretName = regexp.MustCompile(`(?i)^(?:` + secretNames + `)$`)
	// A body may be cut short inside a value: the end of the value is optional.
	jsonSecret = regexp.MustCompile(`(?i)("(?:` + secretNames + `)"\s*:\s*")(?:[^"\\]|\\.)*"?`)
	formSecret = regexp.MustCompile(`(?i)(^|&)((?:` + secretNames + `)=)[^&]*`)
	xmlSecret  = regexp.MustCompile(`(?i)(<(?:[\w.-]+:)?(?:` + secretNames + `)(?:\s[^>]*)?>)[^<]*`)
)

// maskBody hides secrets in JSON, XML and form bodies and cuts the rest to a bounded length.
func maskBody(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	s := string(body[:min(len(body), keptBody)])
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "")
	}
	switch start := strings.TrimSpace(s); {
	case strings.HasPrefix(start, "{"), strings.HasPrefix(start, "["):
		return jsonSecret.ReplaceAllString(s, `${1}***"`)
	case strings.HasPrefix(start, "<"):
		return xmlSecret.ReplaceAllString(s, `${1}***`)
	default:
		return formSecret.ReplaceAllString(s, `${1}${2}***`)
	}
}

// maskQuery cuts the secrets of a query short, so that two can still be told apart.
func maskQuery(raw string) string {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return ""
	}
	for name := range q {
		if secretName.MatchString(name) {
			for i, v := range q[name] {
				q[name][i] = fingerprint(v)
			}
		}
	}
	s, _ := url.QueryUnescape(q.Encode())
	return s
}

// fingerprint keeps enough of a secret to tell two apart, and no more.
func fingerprint(secret string) string {
	if len(secret) > 12 {
		return secret[:8] + "…"
	}
	if secret != "" {
		return "…"
	}
	return ""
}
