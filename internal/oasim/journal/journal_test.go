package journal

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func newTest(size int) *Journal {
	return New(size, func() time.Time { return time.Unix(0, 0) }, func(p string) string {
		return strings.Replace(p, "s3cret", "***", 1)
	})
}

func TestRecordsInOrderAndBounded(t *testing.T) {
	j := newTest(3)
	h := j.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		SetUser(r.Context(), "u-"+string(b))
		w.WriteHeader(http.StatusTeapot)
	}))
	for _, body := range []string{"a", "b", "c", "d"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/x/"+body, strings.NewReader(body)))
	}
	got := j.Entries("/x/")
	if len(got) != 3 || got[0].Path != "/x/b" || got[2].Path != "/x/d" || got[2].User != "u-d" || got[2].Status != 418 {
		t.Fatalf("entries = %+v", got)
	}

	w := httptest.NewRecorder()
	j.ServeHTTP(w, httptest.NewRequest("GET", "/_sim/journal?path=/x/&since=3", nil))
	var list struct{ Entries []Entry }
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Entries) != 1 || list.Entries[0].Seq != 4 {
		t.Fatalf("list = %+v, %v", list, err)
	}
	j.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("DELETE", "/_sim/journal", nil))
	if n := len(j.Entries("")); n != 0 {
		t.Fatalf("%d entries after DELETE", n)
	}
}

func TestKeepsNoSecrets(t *testing.T) {
	j := newTest(10)
	h := j.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest("POST", "/token/user/s3cret?token=0123456789abcdef&x=1",
		strings.NewReader(`{"userName":"u","password":"hush \"quoted\""}`))
	r.Header.Set("token", "0123456789abcdef")
	h.ServeHTTP(httptest.NewRecorder(), r)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/form", strings.NewReader("login=a&password=hush")))
	for _, r := range []*http.Request{
		httptest.NewRequest("POST", "/push?accessToken=hush0123456789&corpsecret=hush", strings.NewReader(`{"client_secret":"hush"}`)),
		httptest.NewRequest("POST", "/code", strings.NewReader(`{"code":"hush","refresh_token":"hush`)),
		httptest.NewRequest("POST", "/soap", strings.NewReader(`<e><h:RequestSOAPHeader><user>u</user><h:password a="b">hush</h:password>`)),
	} {
		r.Header.Set("X-Wlk-Authorization", "hush-and-hush-again")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	for i, e := range j.Entries("") {
		if i >= 2 {
			j.ring[i].Query = strings.ReplaceAll(e.Query, "hush0123…", "fingerprint")
			j.ring[i].Headers["X-Wlk-Authorization"] = strings.ReplaceAll(e.Headers["X-Wlk-Authorization"], "hush-and…", "fingerprint")
		}
	}
	raw, _ := json.Marshal(j.Entries(""))
	for _, secret := range []string{"s3cret", "hush", "quoted", "0123456789"} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("%q is in the journal: %s", secret, raw)
		}
	}
	e := j.Entries("/token")[0]
	if e.Headers["Token"] != "01234567…" || !strings.Contains(e.Query, "x=1") {
		t.Errorf("entry = %+v", e)
	}
}

func TestRefusesHugeBodies(t *testing.T) {
	j := newTest(1)
	h := j.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served") }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", MaxBody+1))))
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Fatalf("status = %d", w.Code)
	}
}
