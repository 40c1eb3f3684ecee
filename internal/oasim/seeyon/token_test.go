package seeyon

import (
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

func TestTokenForms(t *testing.T) {
	const get, post = "/seeyon/rest/token/fxiaoke/p%40ss%2Fword", `{"userName":"fxiaoke","password":"p@ss/word"}`
	for _, tc := range []struct {
		name, method, path, body string
		header                   []string
		want                     string // prefix of the body
	}{
		{"POST", "POST", "/seeyon/rest/token", post, nil, `{"bindingUser":null,"id":"`},
		{"POST with a trailing slash", "POST", "/seeyon/rest/token/", post, nil, `{"bindingUser":null,"id":"`},
		{"GET as the seed's script sends it", "GET", get, "", []string{"Content-Type", "text/xml; charset=UTF-8"}, `{"bindingUser":null,"id":"`}, // F36
		{"GET as Java sends it", "GET", get, "", []string{"Accept", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}, `{"bindingUser":null,"id":"`},
		{"XML", "GET", get, "", []string{"Accept", "application/xml"}, `<UserToken><bindingUser></bindingUser><id>`},
		{"by quality", "GET", get, "", []string{"Accept", "application/xml;q=0.5, application/json"}, `{"bindingUser":null,"id":"`},
		{"bound to a person", "POST", "/seeyon/rest/token", `{"userName":"fxiaoke","password":"p@ss/word","loginName":"lisi"}`, nil, `{"bindingUser":{"loginName":"lisi","name":"李四"},"id":"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			a := w.do(tc.method, tc.path, tc.body, tc.header...)
			if a.Status != 200 || !strings.HasPrefix(a.Body, tc.want) {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	w := newWorld(t)
	if a := w.do("GET", get, "", "Accept", "text/plain"); len(a.Body) != 36 {
		t.Errorf("plain text: %q", a.Body)
	}
	_ = w.Configure(func(s *Settings) { s.PlainToken = true })
	if a := w.do("GET", get, ""); len(a.Body) != 36 {
		t.Errorf("no Accept, plain: %q", a.Body)
	}
}

func TestWrongPassword(t *testing.T) {
	for _, status := range []int{200, 401, 404} { // F40
		w := newWorld(t)
		if err := w.Configure(func(s *Settings) { s.WrongPassword = status }); err != nil {
			t.Fatal(err)
		}
		for _, a := range []simtest.Reply{
			w.do("GET", "/seeyon/rest/token/fxiaoke/wrong", ""),
			w.do("POST", "/seeyon/rest/token", `{"userName":"nobody","password":""}`),
		} {
			if a.Status != status || strings.TrimSpace(a.Body) != `{"bindingUser":null,"id":"-1"}` {
				t.Errorf("%d: got %d %s", status, a.Status, a.Body)
			}
		}
	}
	w := newWorld(t)
	w.SetPassword("fxiaoke", "rotated")
	if a := w.do("GET", "/seeyon/rest/token/fxiaoke/rotated", ""); a.Status != 200 {
		t.Errorf("after a rotation: %d", a.Status)
	}
	for _, e := range w.Journal().Entries("/seeyon/rest/token") {
		if strings.Contains(e.Path, "rotated") || e.User != "fxiaoke" {
			t.Errorf("journal: %+v", e)
		}
	}
}

// The token travels in the header or the query (F37) and dies after 15 minutes without a call.
func TestTokenLife(t *testing.T) {
	w := newWorld(t)
	token := w.token()
	call := func(header bool) simtest.Reply {
		if header {
			return w.do("POST", receivePath, seedItem, "Content-Type", "application/json", "token", token)
		}
		return w.do("POST", receivePath+"?token="+token, seedItem, "Content-Type", "application/json")
	}
	for i := range 4 {
		if a := call(i%2 == 0); a.Status != 200 {
			t.Fatalf("call %d: %d %s", i, a.Status, a.Body)
		}
		w.now = w.now.Add(14 * time.Minute)
	}
	w.now = w.now.Add(time.Minute)
	if a := call(true); a.Status != 401 || a.Body != "Invalid token,please authenticate again" {
		t.Fatalf("idle for 15 minutes: %d %q", a.Status, a.Body)
	}
	token = "made-up"
	if a := call(false); a.Status != 401 {
		t.Fatalf("made up: %d", a.Status)
	}
	token = w.token()
	w.ForgetTokens()
	if a := call(true); a.Status != 401 {
		t.Fatalf("after a restart: %d", a.Status)
	}
}
