package tracing

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// headers adds what a file says to each request to the collector. The file has the form of OTEL_EXPORTER_OTLP_HEADERS,
// "name=value,name=value" with percent-encoded values, and is read each time: a replaced Secret counts at once. A file that is
// not there asks for no headers.
type headers struct {
	file string
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (h headers) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := os.ReadFile(h.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the headers for the collector cannot be read: %w", err)
	}
	added, err := ParseHeaders(string(text))
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	for name, values := range added {
		r.Header[name] = values
	}
	return h.next.RoundTrip(r)
}

// ParseHeaders reads "name=value,name=value". Errors name no value: it is a secret.
func ParseHeaders(text string) (http.Header, error) {
	out := http.Header{}
	for i, pair := range strings.Split(strings.TrimSpace(text), ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		name, value, found := strings.Cut(pair, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !found || err != nil || name == "" || strings.ContainsAny(name, "\r\n\x00 :") || strings.ContainsAny(decoded, "\r\n\x00") {
			return nil, fmt.Errorf("header %d is not name=value with a percent-encoded value", i+1)
		}
		out.Add(name, decoded)
	}
	return out, nil
}
