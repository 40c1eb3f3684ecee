package main

import (
	"html"
	"net/url"
	"regexp"
	"strings"
)

// lab is a running gateway in one mode.
type lab struct {
	*world
	mode
	tally *tally
}

func (l *lab) newBrowser() *browser {
	b := l.browser()
	b.agent = l.agent
	return b
}

// page that the mode opens: the portal's handshake is for the main page.
func (l *lab) path() string {
	if l.announces {
		return home
	}
	return record
}

// proof is a fresh address which lets a person in when a browser that is ready for it opens it: a link with its proof, or
// the return from the provider.
func (l *lab) proof(b *browser, person string) string {
	if l.link != nil {
		target := l.link(l.world, person, l.path(), 0)
		if l.announces {
			l.announce(target)
		}
		return target
	}
	return l.comeBack(person, l.begin(b))
}

// announce is the OA's server.
func (l *lab) announce(target string) page {
	_, query, _ := strings.Cut(target, "?")
	return l.browser().get(0, prefixSeeyon+"handshake/"+ei+"?"+query)
}

var (
	dataState  = regexp.MustCompile(`data-state="([^"]+)"`)
	dataReturn = regexp.MustCompile(`data-return="([^"]+)"`)
)

// begin clicks a link of a mode that sends the browser to the provider, and returns where to: the provider's address, or
// for a page that asks the app, what the page knows.
func (l *lab) begin(b *browser) page {
	target := l.path()
	if l.company != "" {
		target += "?company=" + l.company
	}
	return b.get(0, target)
}

// comeBack is the provider that sends the browser back, or the app that gives a code.
func (l *lab) comeBack(person string, begun page) string {
	if begun.location != "" {
		return l.provider.approve(person, begun.location)
	}
	state, back := dataState.FindStringSubmatch(begun.body), dataReturn.FindStringSubmatch(begun.body)
	if state == nil || back == nil {
		panic(l.name + ": the sign-in did not begin: " + begun.body)
	}
	query := url.Values{"code": {l.provider.issue("", grant{person: person})}, "state": {html.UnescapeString(state[1])}}
	return html.UnescapeString(back[1]) + "?" + query.Encode()
}

// query returns an address with one parameter changed.
func query(target, name, value string) string {
	u, err := url.Parse(target)
	must(err)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func param(target, name string) string {
	u, err := url.Parse(target)
	must(err)
	return u.Query().Get(name)
}

// proofName is the parameter that holds the proof.
func (l *lab) proofName() string {
	switch {
	case l.link == nil && l.name == "CAS":
		return "ticket"
	case l.link == nil:
		return "code"
	}
	_, q, _ := strings.Cut(l.link(l.world, "lina", l.path(), 0), "?")
	values, err := url.ParseQuery(q)
	must(err)
	for _, name := range []string{"token", "v5ticket", "ticket", "pass"} {
		if values.Get(name) != "" {
			return name
		}
	}
	panic(l.name)
}
