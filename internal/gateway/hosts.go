package gateway

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// prefixPattern is what a path prefix may look like. No character in it can be spelled in another way.
var prefixPattern = regexp.MustCompile(`^(/[A-Za-z0-9_-]+)*$`)

// answerAt makes public the address of a configuration.
func (c *live) answerAt(public *url.URL) {
	c.url, c.prefix = public.Scheme+"://"+public.Host+public.Path, public.Path
	c.host, c.https = strings.ToLower(public.Hostname()), public.Scheme == "https"
}

// under returns the configuration under further addresses. All that is kept between two requests is shared with the main one;
// where people are sent back to, and what their browser keeps, is that of the host under which they came.
func (c *live) under(addresses []string) (map[string]*live, error) {
	others := map[string]*live{}
	for _, raw := range addresses {
		public, err := publicAddress(raw)
		if err != nil {
			return nil, err
		}
		other := *c
		other.answerAt(public)
		others[other.host] = &other
	}
	return others, nil
}

// at is the configuration under the host that a request names. A host that is none of ours gets the main one, which refuses it.
func (c *live) at(host string) *live {
	for name, other := range c.others {
		if sameHost(host, name) {
			return other
		}
	}
	return c
}

// below returns the request target below the path prefix; empty when it is elsewhere on the host.
func (c *live) below(requestURI string) string {
	target, ok := strings.CutPrefix(requestURI, c.prefix)
	if !ok || !strings.HasPrefix(target, "/") {
		return ""
	}
	return target
}

// inside is a request as it looks below the path prefix.
func (c *live) inside(r *http.Request) *http.Request {
	if c.prefix == "" {
		return r
	}
	inner, u := *r, *r.URL
	u.Path, u.RawPath = strings.TrimPrefix(u.Path, c.prefix), ""
	inner.URL, inner.RequestURI = &u, strings.TrimPrefix(r.RequestURI, c.prefix)
	return &inner
}
