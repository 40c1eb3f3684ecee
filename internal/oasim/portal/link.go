package portal

import (
	"net/url"
	"strings"
)

// WithParam appends a parameter to a link the way an OA does: to the text, leaving the rest of it untouched (SEED3).
func WithParam(link, name, value string) string {
	link, fragment, hasFragment := strings.Cut(link, "#")
	separator := "?"
	if strings.Contains(link, "?") {
		separator = "&"
	}
	link += separator + name + "=" + url.QueryEscape(value)
	if hasFragment {
		link += "#" + fragment
	}
	return link
}
