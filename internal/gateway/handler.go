package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/tracing"
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
	// filesMaxAge is how long a domain file may be cached, in seconds.
	filesMaxAge = 60
)

// Handler answers OA users. There are links into the CRM with the steps on the way, what the login issuer offers to the
// CRM, and files that prove whose host this is. Nothing leads from the CRM into the OA (F2).
type Handler struct {
	live    atomic.Pointer[live]
	keys    *login.KeyRing
	slots   chan struct{}
	limits  *limiter
	origins *http.CrossOriginProtection
	metrics *metrics
	auditor *auditor
	log     logr.Logger
	now     func() time.Time
	tracer  *tracing.Tracer // nil tells nobody
}

func newHandler(keys *login.KeyRing, m *metrics, log logr.Logger, now func() time.Time) *Handler {
	h := &Handler{
		keys: keys, slots: make(chan struct{}, maxInFlight), limits: newLimiter(now), origins: http.NewCrossOriginProtection(),
		metrics: m, log: log, now: now,
	}
	h.auditor = newAuditor(auditQueue, &h.live, m, log)
	return h
}

// ServeHTTP implements http.Handler. The request target is judged as it came over the wire: a router that cleans paths
// would answer some of them with a redirect that repeats the ticket.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, span, trace := h.beginTrace(r)
	r = r.WithContext(ctx)
	c, target := h.live.Load(), r.RequestURI
	var framing []string
	if c != nil {
		c = c.at(r.Host)
		framing, target = c.framing, c.below(r.RequestURI)
	}
	protect(w.Header(), c != nil && c.https, framing)
	defer h.recover(w, r, c, trace, framing)

	if target == JWKSPath {
		h.serveKeys(w, r, trace)
		return
	}
	if c != nil && h.answerProbe(w, r, c, target) {
		return
	}
	if c != nil && h.serveOther(w, r, c, target, trace) {
		return
	}
	start := h.now()
	v, res := h.visit(r, c, target, trace)
	if res.code != "" && (strings.HasPrefix(target, prefixOA) || strings.HasPrefix(target, prefixOwn)) {
		// The rest is noise of scanners and browsers, and of pages that ask whether there is news.
		h.metrics.total.Observe(h.now().Sub(start).Seconds())
		h.metrics.logins.WithLabelValues(string(res.code)).Inc()
		h.audit(v, res)
		endTrace(span, v, res)
		h.auditor.note(v, res, h.now())
	}
	write(w, res, trace, framing)
}

// visit decides about one request. Everything that can be refused without touching a proof is refused first.
func (h *Handler) visit(r *http.Request, c *live, target, trace string) (*visit, result) {
	v := &visit{live: c, request: r, trace: trace}
	if c == nil {
		v.caller = callerOf(r, nil)
		return v, result{code: Unavailable, reason: "NoConfiguration", detail: "no bundle is live yet"}
	}
	v.caller = callerOf(r, c.trusted)
	known := false
	v.route, known = parseRoute(target)
	v.route.path = c.prefix + v.route.path
	switch {
	// HEAD as well: a link preview must not burn the ticket.
	case !allowed(v.route, known, r.Method):
		return v, result{code: WrongMethod}
	case !sameHost(r.Host, c.host):
		return v, result{code: WrongHost}
	case !known:
		return v, result{code: BadLink}
	case v.route.enterpriseID != c.enterpriseID && (v.route.kind == kindClick || v.route.kind == kindHandshake):
		return v, result{code: BadLink, reason: "OtherEnterprise", detail: "the link is for another enterprise than the connector"}
	case c.suspended: // no proof is touched: it may be good later
		return v, result{code: Suspended, reason: "Suspended", detail: "the connector is suspended (spec.suspend)"}
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		return v, result{code: Busy, reason: "TooManyInFlight"}
	}
	h.metrics.inFlight.Inc()
	defer h.metrics.inFlight.Dec()
	ctx, cancel := context.WithTimeout(r.Context(), clickTimeout)
	defer cancel()
	return v, h.answer(ctx, v)
}

func (h *Handler) answer(ctx context.Context, v *visit) result {
	switch v.route.kind {
	case kindHandshake:
		return h.handshake(ctx, v)
	case kindCallback:
		return h.finish(ctx, v)
	case kindScan:
		return h.scan(ctx, v)
	case kindConfirm:
		return h.confirm(ctx, v)
	case kindPoll:
		return h.poll(ctx, v)
	case kindAuthorize:
		return h.authorize(ctx, v)
	default:
		return h.click(ctx, v)
	}
}

// allowed methods: GET, but for the form that is sent, and the OA's server, which may use either [SY-SSO].
func allowed(r route, known bool, method string) bool {
	switch {
	case known && r.kind == kindConfirm:
		return method == http.MethodPost
	case known && r.kind == kindHandshake && method == http.MethodPost:
		return true
	}
	return method == http.MethodGet
}

// audit writes the one log line of a visit: who, when, where to, and how it ended. Never a proof or a token.
func (h *Handler) audit(v *visit, res result) {
	t := v.route.target
	if res.skew != 0 {
		h.metrics.skew.Observe(res.skew.Abs().Seconds())
	}
	h.log.Info("sign-in", "trace", v.trace, "code", string(res.code), "ei", v.route.enterpriseID, "page", t.Page,
		"apiName", t.APIName, "dataId", t.DataID, "client", t.Client, "remote", v.caller.address, "provider", v.providerName(),
		"oaAccount", res.oaAccount, "crmAccount", res.crmAccount, "reason", res.reason, "detail", res.detail)
}

// providerName of a callback, if it is one of ours.
func (v *visit) providerName() string {
	if v.live != nil && v.route.kind == kindCallback && v.provider(v.route.name) != nil {
		return v.route.name
	}
	return ""
}

// serveOther answers what has nothing to do with a click: the login issuer's own addresses, and domain files, which are at the
// root of the host whatever the prefix. It reports whether it did.
func (h *Handler) serveOther(w http.ResponseWriter, r *http.Request, c *live, target, trace string) bool {
	path := pathOf(target)
	if endpoints, ok := c.issuer.(login.Endpoints); ok && endpoints.Serves(path) && r.URL.Path == c.prefix+path {
		endpoints.ServeHTTP(w, c.inside(r))
		return true
	}
	file, ok := c.files[r.RequestURI]
	if !ok {
		return false
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		write(w, result{code: WrongMethod}, trace, c.framing)
		return true
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(filesMaxAge))
	_, _ = w.Write([]byte(file))
	return true
}

// pathOf is the path of a request target as it came over the wire.
func pathOf(requestURI string) string {
	path, _, _ := strings.Cut(requestURI, "?")
	return path
}

func (h *Handler) serveKeys(w http.ResponseWriter, r *http.Request, trace string) {
	if r.Method != http.MethodGet {
		write(w, result{code: WrongMethod}, trace, nil)
		return
	}
	set := h.keys.JWKS()
	if len(set.Keys) == 0 {
		write(w, result{code: Unavailable}, trace, nil)
		return
	}
	body, err := json.Marshal(set)
	if err != nil {
		h.log.Error(err, "public keys", "trace", trace)
		write(w, result{code: Broken}, trace, nil)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(jwksMaxAge))
	_, _ = w.Write(body)
}

// recover turns a panic into a page. Its value is not logged, because it may quote the request.
func (h *Handler) recover(w http.ResponseWriter, r *http.Request, c *live, trace string, framing []string) {
	if p := recover(); p != nil {
		h.log.Error(fmt.Errorf("panic with a %T", p), "sign-in failed", "trace", trace, "stack", string(debug.Stack()))
		h.metrics.logins.WithLabelValues(string(Broken)).Inc()
		v := &visit{live: c, request: r, trace: trace}
		if c != nil {
			v.caller = callerOf(r, c.trusted)
		}
		res := result{code: Broken, reason: "Panic"}
		h.auditor.note(v, res, h.now())
		write(w, res, trace, framing)
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
