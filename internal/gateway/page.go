package gateway

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string

	page = template.Must(template.New("page").Parse(pageHTML))

	// contentPolicy allows nothing but the one style sheet inside the page: no script, no image, no frame around it.
	contentPolicy = "default-src 'none'; style-src 'sha256-" + styleHash() +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// retryAfterSeconds is what a 503 tells machines.
const retryAfterSeconds = 5

func styleHash() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// writePage answers with the page of a code: both languages, no script, nothing from the request but the trace id.
func writePage(w http.ResponseWriter, code Code, trace string) {
	e := explanations[code]
	var body bytes.Buffer
	err := page.Execute(&body, map[string]any{
		"CSS": template.CSS(pageCSS), "Code": code, "ZH": e.zh, "EN": e.en, "Trace": shortTrace(trace),
	})
	if err != nil {
		panic("gateway: the page is a constant: " + err.Error())
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	switch e.status {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(retryAfterSeconds))
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodGet)
	}
	w.WriteHeader(e.status)
	_, _ = w.Write(body.Bytes())
}

// protect sets the headers of every answer. The address of a click holds a ticket, so nothing may be stored and no
// referrer may be sent. There are no cookies: nothing could be fixated.
func protect(h http.Header, https bool) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if https {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
