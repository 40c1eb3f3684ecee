package desk

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
)

type switches struct {
	Mode string `json:"mode"`
	Life int    `json:"life"`
}

func newTest(t *testing.T) (*Desk, func(method, path, body string) (int, string)) {
	t.Helper()
	d := New(Options{App: "模拟OA", English: "An OA for tests.", Now: func() time.Time { return time.Unix(0, 0).UTC() }})
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	t.Cleanup(d.Close)
	return d, func(method, path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		out, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(out)
	}
}

func TestMountedCallsAreJournaledAndFail(t *testing.T) {
	d, call := newTest(t)
	d.Mount("/api/", fault.Vendor{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("done")) }))
	if status, _ := call("PUT", "/_sim/faults", `{"rules":[{"times":1,"action":{"kind":"status","status":503}}]}`); status != 200 {
		t.Fatalf("faults: %d", status)
	}
	for _, want := range []int{503, 200} {
		if status, body := call("POST", "/api/x", "hello"); status != want {
			t.Errorf("status = %d %s, want %d", status, body, want)
		}
	}
	_, body := call("GET", "/_sim/journal", "")
	if strings.Count(body, `"path":"/api/x"`) != 2 || !strings.Contains(body, `"fault":"f1"`) {
		t.Errorf("journal = %s", body)
	}
}

func TestClockMoves(t *testing.T) {
	d, call := newTest(t)
	if status, body := call("POST", "/_sim/clock", `{"advance":"16m"}`); status != 200 || !strings.Contains(body, `"1970-01-01T00:16:00Z"`) {
		t.Fatalf("advance: %d %s", status, body)
	}
	if got := d.Now(); got.Unix() != 16*60 {
		t.Errorf("now = %s", got)
	}
	if status, _ := call("POST", "/_sim/clock", `{"advance":"soon"}`); status != 400 {
		t.Errorf("soon: %d", status)
	}
	if status, _ := call("DELETE", "/_sim/clock", ""); status != 204 || d.Now().Unix() != 0 {
		t.Errorf("reset: %d %s", status, d.Now())
	}
}

func TestSwitchesKeepWhatIsNotNamed(t *testing.T) {
	d, call := newTest(t)
	check := func(s switches) error {
		if s.Life <= 0 {
			return errors.New("settings.life must be positive")
		}
		return nil
	}
	if _, err := NewSwitches(switches{}, check); err == nil {
		t.Error("bad initial settings were taken")
	}
	s, err := NewSwitches(switches{"new", 5}, check)
	if err != nil {
		t.Fatal(err)
	}
	s.ServeOn(d)
	if status, body := call("PUT", "/_sim/settings", `{"life":7}`); status != 200 || s.Settings() != (switches{"new", 7}) {
		t.Errorf("life: %d %s %+v", status, body, s.Settings())
	}
	for _, bad := range []string{`{"life":0}`, `{"lives":7}`, `[`} {
		if status, body := call("PUT", "/_sim/settings", bad); status != 400 || !strings.Contains(body, `"error"`) || s.Settings().Life != 7 {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
}

func TestPeople(t *testing.T) {
	d, call := newTest(t)
	people, err := NewPeople([]Person{{ID: "lina", Name: "李娜", Mobile: "13800001001", Password: "pw"}})
	if err != nil {
		t.Fatal(err)
	}
	people.ServeOn(d)
	if status, body := call("POST", "/_sim/people", `{"people":[{"id":"wf","ids":{"unionId":"U2"}}]}`); status != 200 {
		t.Fatalf("add: %d %s", status, body)
	}
	if status, _ := call("POST", "/_sim/people", `{"people":[{"name":"nobody"}]}`); status != 400 {
		t.Errorf("a person without id: %d", status)
	}
	if _, body := call("GET", "/_sim/people", ""); strings.Contains(body, "pw") || !strings.Contains(body, "李娜") {
		t.Errorf("list = %s", body)
	}
	if p, ok := people.Find(func(p Person) bool { return p.IDs["unionId"] == "U2" }); !ok || p.Name != "wf" {
		t.Errorf("find = %+v %v", p, ok)
	}
	for _, c := range []struct {
		id, password string
		want         bool
	}{{"lina", "pw", true}, {"lina", "", false}, {"wf", "", false}, {"nobody", "pw", false}} {
		if _, ok := people.Check(c.id, c.password); ok != c.want {
			t.Errorf("%s/%s = %v", c.id, c.password, ok)
		}
	}
}

func TestIndexListsPagesFirst(t *testing.T) {
	d, call := newTest(t)
	d.Get("数目 Count", "/_sim/count", func(*http.Request) any { return 3 })
	d.Page("待办 Inbox", "/inbox")
	_, body := call("GET", "/", "")
	if i, j := strings.Index(body, `href="/inbox"`), strings.Index(body, `href="/_sim/count"`); i < 0 || j < i || !strings.Contains(body, "模拟OA") {
		t.Errorf("index = %s", body)
	}
	if _, body := call("GET", "/_sim/count", ""); strings.TrimSpace(body) != "3" {
		t.Errorf("count = %q", body)
	}
}
