package gateway

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Addresses that the seeds fix: they are in links that were pushed, and in the consoles of the OAs.
const (
	prefixOA = "/erp/syncdata/open/oa/"
	// PathPrefix of Seeyon's links [SEED0, F41, F43].
	PathPrefix = prefixOA + "authorizeWeb/SeeYon/"
	// prefixWebhook of the other OAs' links to a record [SEED0, F54].
	prefixWebhook = prefixOA + "authorizeWeb/webhook/"
	// prefixPortal of the other OAs' links to the main page [SEED0, F54].
	prefixPortal = prefixOA + "authorizePortalWebhook/webhook/"
)

// Addresses of the gateway's own.
const (
	prefixOwn      = "/sso/"
	prefixCallback = prefixOwn + "callback/"
	prefixScan     = prefixOwn + "scan/"
	pathConfirm    = prefixOwn + "confirm"
	pathPoll       = prefixOwn + "qr"
	// PathAuthorize is where the gateway as an OpenID Provider sends the browser to be recognised.
	PathAuthorize = prefixOwn + "authorize"
)

// maxRequestURI bounds path and query together, in bytes.
const maxRequestURI = 4 << 10

// paramCompany chooses one of several companies.
const paramCompany = "company"

// The only spellings of a path that exist. No character in them can be percent-encoded, repeated or normalised into
// another path, so nothing is decoded or cleaned before the match.
const (
	segment    = `([A-Za-z0-9._-]+)`
	enterprise = `([A-Za-z0-9_-]{1,64})`
	isApp      = `(true|false)`
)

var (
	recordPath    = regexp.MustCompile(`^` + PathPrefix + segment + `/` + segment + `/` + enterprise + `/` + isApp + `$`)
	homePath      = regexp.MustCompile(`^` + PathPrefix + `login/` + enterprise + `/` + isApp + `$`)
	handshakePath = regexp.MustCompile(`^` + PathPrefix + `handshake/` + enterprise + `$`)
	webhookPath   = regexp.MustCompile(`^` + prefixWebhook + segment + `/` + segment + `/` + enterprise + `$`)
	portalPath    = regexp.MustCompile(`^` + prefixPortal + enterprise + `$`)
	callbackPath  = regexp.MustCompile(`^` + prefixCallback + `([a-z0-9-]{1,63})$`)
	scanPath      = regexp.MustCompile(`^` + prefixScan + `([A-Za-z0-9_-]{16,512})$`)
)

// kind of a route.
type kind int

const (
	kindClick     kind = iota // a link of the OA
	kindHandshake             // the OA's server announces a ticket
	kindCallback              // the browser comes back from the OA
	kindScan                  // a phone opens the QR code's address
	kindConfirm               // the person on the phone confirms
	kindPoll                  // the QR page asks what became of its code
	kindAuthorize             // the CRM sends the browser to be recognised
)

// route is what a request target says.
type route struct {
	kind kind
	path string
	// enterpriseID and target of a click.
	enterpriseID string
	target       login.Target
	// name is the provider of a callback, or the sealed code of a scan.
	name  string
	query url.Values
}

// parseRoute reads a request target as it came over the wire. ok is false when it is none of ours.
//
//	…/authorizeWeb/SeeYon/{apiName}/{dataId}/{ei}/{isApp}   a record (F43)
//	…/authorizeWeb/SeeYon/login/{ei}/{isApp}                the main page (F41)
//	…/authorizeWeb/SeeYon/handshake/{ei}                    the portal's handshake [SY-SSO]
//	…/authorizeWeb/webhook/{apiName}/{dataId}/{ei}          a record (F54)
//	…/authorizePortalWebhook/webhook/{ei}                   the main page (F54)
func parseRoute(requestURI string) (r route, ok bool) {
	if len(requestURI) > maxRequestURI {
		return route{}, false
	}
	path, query, _ := strings.Cut(requestURI, "?")
	if r, ok = parsePath(path); !ok {
		return route{}, false
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return route{}, false
	}
	r.path, r.query = path, values
	return r, true
}

func parsePath(path string) (route, bool) {
	switch path {
	case pathConfirm:
		return route{kind: kindConfirm}, true
	case pathPoll:
		return route{kind: kindPoll}, true
	case PathAuthorize:
		return route{kind: kindAuthorize}, true
	}
	if m := recordPath.FindStringSubmatch(path); m != nil {
		return record(m[1], m[2], m[3], client(m[4]))
	}
	if m := webhookPath.FindStringSubmatch(path); m != nil {
		return record(m[1], m[2], m[3], "")
	}
	if m := homePath.FindStringSubmatch(path); m != nil {
		return route{enterpriseID: m[1], target: login.Target{Page: login.PageHome, Client: client(m[2])}}, true
	}
	if m := portalPath.FindStringSubmatch(path); m != nil {
		return route{enterpriseID: m[1], target: login.Target{Page: login.PageHome}}, true
	}
	if m := handshakePath.FindStringSubmatch(path); m != nil {
		return route{kind: kindHandshake, enterpriseID: m[1], target: login.Target{Page: login.PageHome}}, true
	}
	if m := callbackPath.FindStringSubmatch(path); m != nil {
		return route{kind: kindCallback, name: m[1]}, true
	}
	if m := scanPath.FindStringSubmatch(path); m != nil {
		return route{kind: kindScan, name: m[1]}, true
	}
	return route{}, false
}

// record of a link. What the intake takes, a click can open: the same rule for the two parts (not only dots, bounded).
func record(apiName, dataID, enterpriseID, client string) (route, bool) {
	if !scenario.ValidObjectPart(apiName) || !scenario.ValidObjectPart(dataID) {
		return route{}, false
	}
	target := login.Target{Page: login.PageRecord, APIName: apiName, DataID: dataID, Client: client}
	return route{enterpriseID: enterpriseID, target: target}, true
}

// client is chosen by the link alone, never by the browser's user agent (F44).
func client(isApp string) string {
	if isApp == "true" {
		return login.ClientH5
	}
	return login.ClientPC
}

var (
	phone    = regexp.MustCompile(`(?i)\b(Mobile|Android|iPhone|iPad)\b`)
	appAgent = regexp.MustCompile(`(?i)\b(wxwork|DingTalk|Lark|Feishu|WeLink|HuaWei-AnyOffice|Qing|yunzhijia)\b`)
)

// clientOf decides by the user agent where the link leaves it open.
func clientOf(userAgent string) string {
	if phone.MatchString(userAgent) {
		return login.ClientH5
	}
	return login.ClientPC
}

// inApp reports whether a page is shown inside of an OA's own app, where nobody has to scan anything. It is a matter of
// comfort only: whoever lies here has to prove who they are all the same.
func inApp(userAgent string) bool { return appAgent.MatchString(userAgent) }
