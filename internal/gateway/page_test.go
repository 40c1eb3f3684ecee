package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// Every code has a page: both languages, its code and the trace id, a style sheet that the policy allows, and nothing
// that a browser would have to fetch or run.
func TestPages(t *testing.T) { // TM-17
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	for code, e := range explanations {
		rec := httptest.NewRecorder()
		protect(rec.Header(), true, nil)
		write(rec, result{code: code}, trace, nil)
		body := rec.Body.String()
		for _, text := range []string{e.zh.Problem, e.zh.Next, e.en.Problem, e.en.Next, string(code), "a3ce929d0e0e4736"[4:]} {
			if text == "" || !strings.Contains(body, text) {
				t.Errorf("%s: the page lacks %q", code, text)
			}
		}
		if rec.Code != e.status || e.status < 400 || http.StatusText(e.status) == "" {
			t.Errorf("%s: status %d", code, rec.Code)
		}
		if !strings.ContainsFunc(e.zh.Problem, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || strings.Count(e.en.Problem, ".") != 1 {
			t.Errorf("%s: one plain sentence in each language, please", code)
		}
		style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(body)
		sum := sha256.Sum256([]byte(style[1]))
		if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(rec.Header().Get("Content-Security-Policy"), want) {
			t.Errorf("%s: the policy does not allow the page's own style", code)
		}
		page := strings.Replace(body, "<script>"+tidyJS+"</script>", "", 1)
		if allowed := strings.Contains(rec.Header().Get("Content-Security-Policy"), "script-src "+hashSource(tidyJS)); allowed != (page != body) || allowed == code.again() {
			t.Errorf("%s: a proof that is used up is taken out of the address, and no other", code)
		}
		if m := regexp.MustCompile(`(?i)<script|<link|<img|<iframe|<form|<a |src=|url\(|@import|style="|\son\w+=|https?:`).FindString(page); m != "" {
			t.Errorf("%s: the page holds %q", code, m)
		}
	}
}

// The reference explains exactly the codes that exist, with their statuses and sentences.
func TestTheReferenceIsComplete(t *testing.T) {
	doc, err := os.ReadFile("../../docs/reference/sso-errors.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[Code]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(SSO-\\d+)` \\|.*$").FindAllStringSubmatch(string(doc), -1) {
		if _, twice := rows[Code(m[1])]; twice {
			t.Errorf("%s is explained twice", m[1])
		}
		rows[Code(m[1])] = m[0]
	}
	for code, e := range explanations {
		want := fmt.Sprintf("| `%s` | %d | %s<br>%s |", code, e.status, e.zh.Problem, e.en.Problem)
		if !strings.HasPrefix(rows[code], want) {
			t.Errorf("docs/reference/sso-errors.md: want a row that starts with\n%s\ngot\n%s", want, rows[code])
		}
		delete(rows, code)
	}
	for code := range rows {
		t.Errorf("docs/reference/sso-errors.md explains %s, which does not exist", code)
	}
}
