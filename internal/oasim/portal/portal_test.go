package portal

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// office is an OA with two people, an app, and a web sign-in at /qr.
type office struct {
	*desk.Desk
	t   *testing.T
	box *inbox.Box
	url string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	d := desk.New(desk.Options{App: "模拟OA", Theme: "generic"})
	people, err := desk.NewPeople([]desk.Person{{ID: "lina", Name: "李娜", Password: "pw"}, {ID: "wangfang", Name: "王芳"}})
	if err != nil {
		t.Fatal(err)
	}
	box := inbox.New(d.Now)
	p := New(Options{
		Desk: d, People: people, Box: box, Prefix: "/oa",
		Tiles: func() []Tile {
			return []Tile{{Code: "crm", Name: "CRM", URL: "https://crm.example/pc", H5URL: "https://crm.example/h5"}}
		},
		Leave: func(_ *http.Request, t Trip) (string, error) { return t.Link + "?who=" + t.Person.ID, nil },
	})
	mux := http.NewServeMux()
	p.Route(mux)
	p.RouteScan(mux, Scan{
		Path: "/qr",
		Check: func(w http.ResponseWriter, r *http.Request) bool {
			ok := r.FormValue("app") == "crm"
			if !ok {
				p.Problem(w, http.StatusBadRequest, "应用不存在", "There is no such app")
			}
			return ok
		},
		App: func(url.Values) string { return "纷享 CRM" },
		Approved: func(w http.ResponseWriter, r *http.Request, q url.Values, person desk.Person) {
			http.Redirect(w, r, "https://sso.example/back?code=for-"+person.ID+"&state="+q.Get("state"), http.StatusFound)
		},
	})
	d.Mount("/", fault.Vendor{}, mux)
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	return &office{d, t, box, srv.URL}
}

type answer struct {
	status         int
	body, location string
}

func (o *office) browser() func(method, path string, form ...string) answer {
	jar, err := cookiejar.New(nil)
	if err != nil {
		o.t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(method, path string, form ...string) answer {
		o.t.Helper()
		values := url.Values{}
		for i := 0; i+1 < len(form); i += 2 {
			values.Set(form[i], form[i+1])
		}
		req, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, strings.NewReader(values.Encode()))
		if err != nil {
			o.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := client.Do(req)
		if err != nil {
			o.t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			o.t.Fatal(err)
		}
		return answer{resp.StatusCode, string(body), resp.Header.Get("Location")}
	}
}

// Somebody comes to the inbox, is asked to sign in, comes back, sees their to-do and opens it with the proof of who they
// are.
func TestOpenAnItem(t *testing.T) {
	o := newOffice(t)
	_ = o.box.Put("/x", "k1", "lina", inbox.Content{TaskID: "T1", Kind: inbox.ToDo, Title: "<审批>", Sender: "张伟", State: inbox.Open, URL: "https://crm.example/T1"})
	_ = o.box.Put("/x", "k2", "wangfang", inbox.Content{TaskID: "T2", Kind: inbox.ToDo, Title: "不是给李娜的", State: inbox.Open, URL: "https://crm.example/T2"})
	visit := o.browser()
	a := visit("GET", "/oa/inbox?client=pc")
	if a.status != 303 || a.location != "/oa/login?next=%2Foa%2Finbox%3Fclient%3Dpc" {
		t.Fatalf("not signed in: %+v", a)
	}
	if a := visit("GET", a.location); !strings.Contains(a.body, `name="next" value="/oa/inbox?client=pc"`) || !strings.Contains(a.body, "李娜") {
		t.Fatalf("login page: %s", a.body)
	}
	if a := visit("POST", "/oa/login", "login", "lina", "password", "wrong"); a.status != 401 {
		t.Errorf("wrong password: %d", a.status)
	}
	if a := visit("POST", "/oa/login", "login", "lina", "password", "pw", "next", "/oa/inbox?client=pc"); a.location != "/oa/inbox?client=pc" {
		t.Errorf("after the login: %+v", a)
	}
	a = visit("GET", "/oa/inbox")
	if !strings.Contains(a.body, "&lt;审批&gt;") || !strings.Contains(a.body, "待办 1") || strings.Contains(a.body, "不是给李娜的") {
		t.Fatalf("inbox: %s", a.body)
	}
	for path, want := range map[string]string{
		"/oa/open?id=i1": "https://crm.example/T1?who=lina", "/oa/app?code=crm": "https://crm.example/pc?who=lina",
		"/oa/app?code=crm&client=h5": "https://crm.example/h5?who=lina",
	} {
		if a := visit("GET", path); a.status != 302 || a.location != want {
			t.Errorf("%s: %+v", path, a)
		}
	}
	for _, path := range []string{"/oa/open?id=i2", "/oa/open?id=i9", "/oa/app?code=x"} {
		if a := visit("GET", path); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := visit("POST", "/oa/logout"); a.location != "/oa/login" {
		t.Errorf("logout: %+v", a)
	}
	if a := visit("GET", "/oa/inbox"); a.status != 303 {
		t.Errorf("after the logout: %d", a.status)
	}
}

func TestLoginGoesNowhereElse(t *testing.T) {
	o := newOffice(t)
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, ""} {
		if a := o.browser()("POST", "/oa/login", "choose", "lina", "next", next); a.location != "/oa/inbox" {
			t.Errorf("%q: %+v", next, a)
		}
	}
}

var scanID = regexp.MustCompile(`name="id" value="([A-Z0-9]+)"`)

// The browser shows a code, a phone scans and confirms it, and the browser goes back to the app with the proof.
func TestScan(t *testing.T) { // F161
	o := newOffice(t)
	visit := o.browser()
	if a := visit("GET", "/qr?app=other"); a.status != 400 {
		t.Errorf("unknown app: %d", a.status)
	}
	start := func() string {
		a := visit("GET", "/qr?app=crm&state=S1")
		if !strings.Contains(a.body, "<svg") || !strings.Contains(a.body, "李娜") {
			t.Fatalf("page: %s", a.body)
		}
		return scanID.FindStringSubmatch(a.body)[1]
	}
	id := start()
	if a := visit("POST", "/qr/confirm", "id", id, "answer", "yes"); a.status != 410 {
		t.Errorf("confirmed without a scan: %d", a.status)
	}
	id = start()
	if a := visit("POST", "/qr/scan", "id", id, "choose", "lina"); !strings.Contains(a.body, "纷享 CRM") {
		t.Errorf("phone: %s", a.body)
	}
	if a := visit("POST", "/qr/confirm", "id", id, "answer", "yes"); a.status != 302 || a.location != "https://sso.example/back?code=for-lina&state=S1" {
		t.Errorf("confirmed: %+v", a)
	}
	if a := visit("POST", "/qr/confirm", "id", id, "answer", "yes"); a.status != 410 {
		t.Errorf("confirmed twice: %d", a.status)
	}
	id = start()
	visit("POST", "/qr/scan", "id", id, "choose", "lina")
	if a := visit("POST", "/qr/confirm", "id", id, "answer", "no"); !strings.Contains(a.body, "取消") || a.location != "" {
		t.Errorf("cancelled: %+v", a)
	}
	id = start()
	o.Clock().Advance(scanLife + time.Second)
	if a := visit("POST", "/qr/scan", "id", id, "choose", "lina"); a.status != 410 {
		t.Errorf("expired: %d", a.status)
	}
}

func TestPictureHasThreeCorners(t *testing.T) {
	dark := map[square]bool{}
	for _, s := range picture("X") {
		dark[s] = true
	}
	for _, at := range []square{{0, 0}, {qrSize - 1, 0}, {0, qrSize - 1}, {3, 3}} {
		if !dark[at] {
			t.Errorf("%v is light", at)
		}
	}
	for _, at := range []square{{1, 1}, {7, 7}, {7, 0}} {
		if dark[at] {
			t.Errorf("%v is dark", at)
		}
	}
	if len(dark) < 100 {
		t.Errorf("%d dark squares", len(dark))
	}
}
