package signin

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/rotation"
)

// Showing returns a client for libraries that make a protocol's calls themselves: it shows headers as a Channel does, to the origin
// of an address. An address that a provider's document names elsewhere is not shown them: nobody wrote it into the connector. Without
// headers it is the client itself.
func Showing(client *http.Client, headers *rotation.Rotation[exchange.Headers], address string) *http.Client {
	u, err := url.Parse(address)
	if headers == nil || err != nil {
		return client
	}
	with := *client
	with.Transport = showing{headers: headers, origin: origin(u), next: cmp.Or(client.Transport, http.DefaultTransport)}
	return &with
}

type showing struct {
	headers *rotation.Rotation[exchange.Headers]
	origin  string
	next    http.RoundTripper
}

func origin(u *url.URL) string { return strings.ToLower(u.Scheme + "://" + u.Host) }

// RoundTrip implements http.RoundTripper.
func (s showing) RoundTrip(r *http.Request) (*http.Response, error) {
	if origin(r.URL) != s.origin {
		return s.next.RoundTrip(r)
	}
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		if err = errors.Join(err, r.Body.Close()); err != nil {
			return nil, err
		}
	}
	resp, err := rotation.Try(r.Context(), s.headers, func(h exchange.Headers) (*http.Response, error) {
		with := r.Clone(r.Context())
		with.Header = http.Header{}
		h.On(with)
		maps.Copy(with.Header, r.Header) // the call's own win
		if r.Body != nil {
			with.Body = io.NopCloser(bytes.NewReader(body))
		}
		resp, err := s.next.RoundTrip(with)
		if err != nil || resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden {
			return resp, err
		}
		return kept(resp)
	}, doubt)
	if _, missing := errors.AsType[*rotation.MissingError](err); missing {
		return nil, headersMissing()
	}
	if _, refused := errors.AsType[refusal](err); refused {
		return resp, nil // what that means the caller knows
	}
	return resp, err
}

// kept reads a refusal to its end, so that it can be put aside for a better answer.
func kept(resp *http.Response) (*http.Response, error) {
	data, err := outbound.ReadBody(resp, maxAnswer)
	_ = resp.Body.Close()
	if err != nil && !errors.Is(err, outbound.ErrTooLarge) { // the end of a long page does not matter
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp, refusal(resp.StatusCode)
}

// doubt is what a refusal says of the headers: it may as well be about the client or the code.
func doubt(err error) rotation.Verdict {
	if _, refused := errors.AsType[refusal](err); refused {
		return rotation.Unknown
	}
	return rotation.Accepted
}

func headersMissing() error {
	return Unasked(v1alpha1.ReasonKeyMissing, "a header of spec.headers cannot be read; check the Secrets that it refers to")
}
