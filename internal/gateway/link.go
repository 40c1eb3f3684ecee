package gateway

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/scenario"
)

// PathPrefix of every link that an OA user clicks [SEED0, F41, F43].
const PathPrefix = "/erp/syncdata/open/oa/authorizeWeb/SeeYon/"

const (
	// maxRequestURI bounds path and query together, in bytes.
	maxRequestURI = 4 << 10
	// maxTicket bounds a ticket, in bytes.
	maxTicket = 512

	// paramV5Ticket is appended to the link of a to-do [SEED3, F105], paramTicket to that of the app [SY-SSO].
	paramV5Ticket = "v5ticket"
	paramTicket   = "ticket"
)

// The only spellings of a path that exist. No character in them can be percent-encoded, repeated or normalised into
// another path, so nothing is decoded or cleaned before the match.
var (
	recordPath = regexp.MustCompile(`^([A-Za-z0-9._-]+)/([A-Za-z0-9._-]+)/([A-Za-z0-9_-]{1,64})/(true|false)$`)
	homePath   = regexp.MustCompile(`^login/([A-Za-z0-9_-]{1,64})/(true|false)$`)
)

// link is a click: where to, and who says so.
type link struct {
	enterpriseID string
	target       login.Target
	ticket       string
}

// parseLink reads a request target as it came over the wire. The code is empty when everything is there. NoTicket and
// TicketSpent (no OA makes such a ticket) come with a link that is valid otherwise, BadLink comes with none.
//
//	…/SeeYon/{apiName}/{dataId}/{ei}/{isApp}?v5ticket=…   a record (F43)
//	…/SeeYon/login/{ei}/{isApp}?ticket=…                  the main page (F41); v5ticket is accepted, too
func parseLink(requestURI string) (link, Code) {
	if len(requestURI) > maxRequestURI {
		return link{}, BadLink
	}
	path, query, _ := strings.Cut(requestURI, "?")
	rest, ours := strings.CutPrefix(path, PathPrefix)
	if !ours {
		return link{}, BadLink
	}
	var l link
	names := []string{paramV5Ticket}
	// What the intake takes, a click can open: the same rule for the two parts (not only dots, bounded).
	if m := recordPath.FindStringSubmatch(rest); m != nil && scenario.ValidObjectPart(m[1]) && scenario.ValidObjectPart(m[2]) {
		l.enterpriseID = m[3]
		l.target = login.Target{Page: login.PageRecord, APIName: m[1], DataID: m[2], Client: client(m[4])}
	} else if m := homePath.FindStringSubmatch(rest); m != nil {
		l.enterpriseID = m[1]
		l.target = login.Target{Page: login.PageHome, Client: client(m[2])}
		names = append(names, paramTicket)
	} else {
		return link{}, BadLink
	}
	var code Code
	if l.ticket, code = ticketOf(query, names); code == BadLink {
		return link{}, BadLink
	}
	return l, code
}

// ticketOf finds the one ticket of a query. Two of them could be understood differently by two readers, so they are
// refused even if they are equal. Other parameters mean nothing.
func ticketOf(query string, names []string) (string, Code) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", BadLink
	}
	var found []string
	for _, name := range names {
		found = append(found, values[name]...)
	}
	switch {
	case len(found) > 1:
		return "", BadLink
	case len(found) == 0 || found[0] == "":
		return "", NoTicket
	case !validTicket(found[0]):
		return "", TicketSpent
	}
	return found[0], ""
}

// validTicket reports whether s may be a ticket of any OA: visible ASCII of a bounded length.
func validTicket(s string) bool {
	return len(s) <= maxTicket && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// client is chosen by the link alone, never by the browser's user agent (F44).
func client(isApp string) string {
	if isApp == "true" {
		return login.ClientH5
	}
	return login.ClientPC
}
