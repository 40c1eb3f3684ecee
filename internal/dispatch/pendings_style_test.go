package dispatch

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/bundle"
)

// The styles in which Seeyon's console lets it read: by a URL, by an interface, and built-in, which has the names and the list of
// the vendor's own provider at the path of that Seeyon. What is not the declared style is refused with words. // F88
func TestStylesInWhichSeeyonAsks(t *testing.T) {
	const path = "/seeyon/rest/thirdparty/pendings"
	for _, c := range []struct {
		name        string
		style, path string
		method, at  string
		query, body string
		status      int
		says        string // the answer, or a part of it
	}{
		{"left out, GET", "", "", "GET", bundle.PathPendings, "registerCode=3004&account=lisi", "", 200, `"total":1`},
		{"left out, POST", "", "", "POST", bundle.PathPendings, "", `{"registerCode":"3004","accounts":["lisi"]}`, 200, `"total":1`},
		{"URL", "URL", "", "GET", bundle.PathPendings, "registerCode=3004&account=lisi", "", 200, `"total":1`},
		{"URL is not posted", "URL", "", "POST", bundle.PathPendings, "", `{}`, 405, "style is URL: ask with GET"},
		{"interface", "Interface", "", "POST", bundle.PathPendings, "", `{"registerCode":"3004","accounts":["lisi"]}`, 200, `"total":1`},
		{"an interface posts", "Interface", "", "GET", bundle.PathPendings, "registerCode=3004&account=lisi", "", 405, "ask with POST"},
		{"built-in, GET", "BuiltIn", path, "GET", path, "registerCode=3004&thirdAccountList=lisi,wangwu", "", 200, "[{"},
		{"built-in, GET, repeated", "BuiltIn", path, "GET", path, "registerCode=3004&thirdAccountList=wangwu&thirdAccountList=lisi", "", 200, "[{"},
		{"built-in, POST", "BuiltIn", path, "POST", path, "", `{"registerCode":"3004","thirdAccountList":["lisi"]}`, 200, "[{"},
		{"built-in, nobody", "BuiltIn", path, "POST", path, "", `{"registerCode":"3004"}`, 200, "[]"},
		{"built-in, no JSON", "BuiltIn", path, "POST", path, "", `registerCode=3004`, 400, "thirdAccountList"},
		{"built-in, another code", "BuiltIn", path, "GET", path, "registerCode=3005&thirdAccountList=lisi", "", 403, "registerCode"},
		{"built-in, at the usual path", "BuiltIn", path, "GET", bundle.PathPendings, "registerCode=3004", "", 404, ""},
		{"built-in, put", "BuiltIn", path, "PUT", path, "", "{}", 405, "GET or POST"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := pullWorld(t, func(s *bundle.Seeyon) { s.Pull.Style, s.Pull.Path = c.style, c.path })
			w.start()
			w.mustSend(todo("e1", "T-1", "created"))
			w.drained(1)
			a := w.do(c.method, w.url("public", c.at)+"?"+c.query, []byte(c.body), "Authorization", "Bearer "+pullToken)
			if a.status != c.status || !lists(a.body, c.says) {
				t.Errorf("%d %s; want %d with %s", a.status, a.body, c.status, c.says)
			}
		})
	}
}

// lists reports whether a body is the bare list with the one open item, or has a part.
func lists(body, part string) bool {
	if part != "[{" {
		return strings.Contains(body, part)
	}
	var list []struct{ TaskID string }
	return json.Unmarshal([]byte(body), &list) == nil && len(list) == 1 && list[0].TaskID == "T-1"
}

// A bare list has no pages: one that would not be whole is no answer, because what it lacks would vanish at the OA. // F88
func TestABuiltInListIsWhole(t *testing.T) {
	w := pullWorld(t, func(s *bundle.Seeyon) { s.Pull.Style, s.Pull.Path = "BuiltIn", "/pending/list" })
	w.start()
	var events []event
	for i := range maxPendings + 1 {
		events = append(events, todo("e"+strconv.Itoa(i), "T-"+strconv.Itoa(i), "created"))
	}
	w.mustSend(events[:maxPendings]...)
	w.mustSend(events[maxPendings])
	w.drained(maxPendings + 1)
	a := w.do(http.MethodGet, w.url("public", "/pending/list")+"?registerCode=3004&thirdAccountList=lisi", nil, "Authorization", "Bearer "+pullToken)
	if a.status != http.StatusRequestEntityTooLarge || !strings.Contains(a.body, "ask for fewer accounts") {
		t.Errorf("%d %.200s", a.status, a.body)
	}
}
