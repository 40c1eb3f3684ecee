package gateway

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

var (
	//go:embed pages
	pageFiles embed.FS

	pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

	pageCSS   = readPage("pages/page.css")
	codeJS    = readPage("pages/code.js")
	scriptJS  = readPage("pages/script.js")
	tidyJS    = readPage("pages/tidy.js")
	styleHash = hashSource(pageCSS)
)

func readPage(name string) string {
	data, err := pageFiles.ReadFile(name)
	if err != nil {
		panic("gateway: " + err.Error())
	}
	return string(data)
}

// hashSource is a text as a content policy allows it.
func hashSource(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// retryAfterSeconds is what a 503 tells machines, and lockOut a 429.
const retryAfterSeconds = 5

// view is one page. What it allows beside the style sheet inside it, its content policy says.
type view struct {
	name  string // of the template of its body
	title string
	data  any
	// script is inside the page, library at another host; both empty on most pages.
	script, library string
	connect, form   bool // the script may ask, or a form may be sent to, the gateway itself
	// plain is text for a machine in the place of a page; json an object for the page's script.
	plain string
	json  any
}

// policy allows nothing but what the page is made of.
func (p *view) policy(framing []string) string {
	parts := []string{"default-src 'none'", "style-src " + styleHash, "base-uri 'none'"}
	if p.script != "" {
		source := "script-src " + hashSource(p.script)
		if u, err := url.Parse(p.library); err == nil && u.Host != "" {
			source += " " + u.Scheme + "://" + u.Host
		}
		parts = append(parts, source)
	}
	if p.connect {
		parts = append(parts, "connect-src 'self'")
	}
	action := "'none'"
	if p.form {
		action = "'self'"
	}
	frames := "'none'"
	if len(framing) > 0 {
		frames = strings.Join(framing, " ")
	}
	return strings.Join(append(parts, "form-action "+action, "frame-ancestors "+frames), "; ")
}

func (p *view) render() []byte {
	if p.plain != "" {
		return []byte(p.plain)
	}
	if p.json != nil {
		data, err := json.Marshal(p.json)
		if err != nil {
			panic("gateway: an answer is always JSON: " + err.Error())
		}
		return data
	}
	var inner, out bytes.Buffer
	err := pages.ExecuteTemplate(&inner, p.name, p.data)
	if err == nil {
		err = pages.ExecuteTemplate(&out, "layout", map[string]any{
			"Title": p.title, "CSS": template.CSS(pageCSS), "Body": template.HTML(inner.String()),
			"Script": template.JS(p.script), "Library": p.library,
		})
	}
	if err != nil {
		panic("gateway: the pages are constants: " + err.Error())
	}
	return out.Bytes()
}

// refusedPage is the page of a code: both languages, nothing from the request but the trace id. Its script only tidies the
// address; where the same click may work in a moment, the address stays, so that the page can be reloaded.
func refusedPage(code Code, trace string) *view {
	e := explanations[code]
	page := &view{name: "refused.html", title: string(code) + " · 登录未完成 · Sign-in not completed",
		data: map[string]any{"Code": code, "ZH": e.zh, "EN": e.en, "Trace": shortTrace(trace)}}
	if !code.again() {
		page.script = tidyJS
	}
	return page
}

// write answers a visit.
func write(w http.ResponseWriter, res result, trace string, framing []string) {
	for _, c := range res.cookies {
		http.SetCookie(w, c)
	}
	h := w.Header()
	if res.location != "" {
		h.Set("Location", res.location)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	page, status := res.page, http.StatusOK
	if page == nil {
		page = refusedPage(res.code, trace)
		status = explanations[res.code].status
	}
	body := page.render()
	switch {
	case page.plain != "":
		h.Set("Content-Type", "text/plain; charset=utf-8")
	case page.json != nil:
		h.Set("Content-Type", "application/json")
	default:
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", page.policy(framing))
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	switch status {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(retryAfterSeconds))
	case http.StatusTooManyRequests:
		h.Set("Retry-After", strconv.Itoa(int(lockOut.Seconds())))
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodGet)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// contentPolicy is that of an answer without a page.
const contentPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// protect sets the headers of every answer. The address of a click holds a proof, so nothing may be stored and no referrer
// may be sent.
func protect(h http.Header, https bool, framing []string) {
	h.Set("Content-Security-Policy", contentPolicy)
	if len(framing) == 0 { // the old header has no list of origins
		h.Set("X-Frame-Options", "DENY")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if https {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
