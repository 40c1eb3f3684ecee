package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/crm/login"
)

const (
	// maxInFlight bounds the clicks that are being answered at once; further ones get Busy.
	maxInFlight = 256
	// clickTimeout bounds one click as a whole: reserve, verify and release.
	clickTimeout = 12 * time.Second
	// JWKSPath is where the CRM finds the public keys.
	JWKSPath = "/.well-known/jwks.json"
	// jwksMaxAge is how long the CRM may cache them, in seconds.
	jwksMaxAge = 300
)

// Handler answers OA users. There are exactly two kinds of address: links into the CRM, and the public keys. Nothing
// leads from the CRM into the OA (F2).
type Handler struct {
	live    atomic.Pointer[live]
	keys    *login.KeyRing
	slots   chan struct{}
	metrics *metrics
	log     logr.Logger
	now     func() time.Time
}

func newHandler(keys *login.KeyRing, m *metrics, log logr.Logger, now func() time.Time) *Handler {
	return &Handler{keys: keys, slots: make(chan struct{}, maxInFlight), metrics: m, log: log, now: now}
}

// ServeHTTP implements http.Handler. The request target is judged as it came over the wire: a router that cleans paths
// would answer some of them with a redirect that repeats the ticket.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	trace := traceOf(r)
	c := h.live.Load()
	protect(w.Header(), c != nil && c.https)
	defer h.recover(w, trace)

	if r.RequestURI == JWKSPath {
		h.serveKeys(w, r, trace)
		return
	}
	start := h.now()
	l, res := h.click(r, c, trace)
	if strings.HasPrefix(r.RequestURI, PathPrefix) { // the rest is noise of scanners and browsers
		h.metrics.total.Observe(h.now().Sub(start).Seconds())
		h.metrics.logins.WithLabelValues(string(res.code)).Inc()
		h.audit(r, trace, l, res)
	}
	if res.code != SignedIn {
		writePage(w, res.code, trace)
		return
	}
	w.Header().Set("Location", res.location)
	w.WriteHeader(http.StatusSeeOther)
}

// click decides about one request. Everything that can be refused without touching the ticket is refused first.
func (h *Handler) click(r *http.Request, c *live, trace string) (link, result) {
	if c == nil {
		return link{}, result{code: Unavailable, reason: "NoConfiguration", detail: "no bundle is live yet"}
	}
	// HEAD as well: a link preview must not burn the ticket.
	if r.Method != http.MethodGet {
		return link{}, result{code: WrongMethod}
	}
	if !sameHost(r.Host, c.host) {
		return link{}, result{code: WrongHost}
	}
	l, code := parseLink(r.RequestURI)
	if code == BadLink {
		return link{}, result{code: BadLink}
	}
	if l.enterpriseID != c.enterpriseID {
		return l, result{code: BadLink, reason: "OtherEnterprise", detail: "the link is for another enterprise than the connector"}
	}
	if code != "" {
		return l, result{code: code}
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		return l, result{code: Busy, reason: "TooManyInFlight"}
	}
	h.metrics.inFlight.Inc()
	defer h.metrics.inFlight.Dec()
	ctx, cancel := context.WithTimeout(r.Context(), clickTimeout)
	defer cancel()
	return l, h.signIn(ctx, c, l, trace)
}

// audit writes the one log line of a click: who, when, where to, and how it ended. Never the ticket or the token.
func (h *Handler) audit(r *http.Request, trace string, l link, res result) {
	remote, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		remote = r.RemoteAddr
	}
	h.log.Info("sign-in", "trace", trace, "code", string(res.code), "ei", l.enterpriseID, "page", l.target.Page,
		"apiName", l.target.APIName, "dataId", l.target.DataID, "client", l.target.Client, "remote", remote,
		"oaAccount", res.oaAccount, "crmAccount", res.crmAccount, "reason", res.reason, "detail", res.detail)
}

func (h *Handler) serveKeys(w http.ResponseWriter, r *http.Request, trace string) {
	if r.Method != http.MethodGet {
		writePage(w, WrongMethod, trace)
		return
	}
	set := h.keys.JWKS()
	if len(set.Keys) == 0 {
		writePage(w, Unavailable, trace)
		return
	}
	body, err := json.Marshal(set)
	if err != nil {
		h.log.Error(err, "public keys", "trace", trace)
		writePage(w, Broken, trace)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(jwksMaxAge))
	_, _ = w.Write(body)
}

// recover turns a panic into a page. Its value is not logged, because it may quote the request.
func (h *Handler) recover(w http.ResponseWriter, trace string) {
	if p := recover(); p != nil {
		h.log.Error(fmt.Errorf("panic with a %T", p), "sign-in failed", "trace", trace, "stack", string(debug.Stack()))
		h.metrics.logins.WithLabelValues(string(Broken)).Inc()
		writePage(w, Broken, trace)
	}
}

// sameHost compares a Host header with the configured host. The port is ignored, but it must be one: "host:80@evil" is
// not.
func sameHost(header, host string) bool {
	name, port, hasPort := strings.Cut(header, ":")
	if hasPort && (port == "" || strings.Trim(port, "0123456789") != "") {
		return false
	}
	return strings.EqualFold(name, host)
}
