package dispatch

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

const pullToken = "canary-pull-token-0123456789"

// pullWorld is a connector whose Seeyon asks for items and cannot be reached from here.
func pullWorld(t *testing.T, change func(*bundle.Seeyon)) *world {
	t.Helper()
	w, _ := seeyonWorld(t)
	base := w.base
	w.base = func(c *connector) {
		base(c)
		closed := httptest.NewServer(http.NotFoundHandler())
		closed.Close()
		c.OA.URL = closed.URL
		c.OA.Seeyon.PullOnly, c.OA.Seeyon.Pull = true, &bundle.Pull{Accounts: "OA"}
		c.pairs["1003"] = "wangwu"
		if change != nil {
			change(c.OA.Seeyon)
		}
	}
	w.secret(bundle.SlotPull, "token", pullToken)
	w.bundle(nil)
	return w
}

// pending asks as Seeyon does and returns the taskIds of a page.
func (w *world) pending(query url.Values) (ids []string, page pendingsAnswer) {
	w.t.Helper()
	a := w.do(http.MethodGet, w.url("public", bundle.PathPendings)+"?"+query.Encode(), nil, "Authorization", "Bearer "+pullToken)
	if a.status != http.StatusOK {
		w.t.Fatalf("status %d: %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &page); err != nil {
		w.t.Fatal(err)
	}
	for _, item := range page.PendingList {
		var p struct{ TaskID string }
		if err := json.Unmarshal(item, &p); err != nil {
			w.t.Fatal(err)
		}
		ids = append(ids, p.TaskID)
	}
	return ids, page
}

func asking(accounts ...string) url.Values {
	return url.Values{"registerCode": {"3004"}, "account": accounts}
}

// Seeyon reads what is open, in the form of the vendor's page, although it cannot be called; what is finished is gone, and a
// restart or the loss of the index changes nothing. // F86 F87 F95 F100 F103
func TestSeeyonAsksForOpenItems(t *testing.T) {
	w := pullWorld(t, nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created").version(1), todo("e2", "T-2", "created").version(1), todo("e3", "T-3", "created", "1003").version(1),
		todo("e4", "T-2", "completed").version(2), todo("e5", "T-4", "created").version(1), todo("e6", "T-4", "deleted").version(2))
	w.drained(6)
	check := func(when string) {
		t.Helper()
		ids, page := w.pending(asking("lisi", "wangwu"))
		if slices.Sort(ids); !slices.Equal(ids, []string{"T-1", "T-3"}) || page.Total != 2 || page.Next != "" {
			t.Errorf("%s: %v of %d, then %q", when, ids, page.Total, page.Next)
		}
	}
	check("at first")
	_, page := w.pending(asking("lisi"))
	const seed = `{"registerCode":"3004","taskId":"T-1","title":"张三 提交 QT-2026-0001 <加急>","senderName":"张三","state":"0","thirdSenderId":"zhangsan",` +
		`"thirdReceiverId":"lisi","creationDate":"2026-11-22 09:30","content":"",` +
		`"h5url":"https://sso.crm.example/erp/syncdata/open/oa/authorizeWeb/SeeYon/QuoteObj/5f3c2ab1/714439/true",` +
		`"url":"https://sso.crm.example/erp/syncdata/open/oa/authorizeWeb/SeeYon/QuoteObj/5f3c2ab1/714439/false","noneBindingSender":"","noneBindingReceiver":"lisi"}`
	if len(page.PendingList) != 1 || string(page.PendingList[0]) != seed {
		t.Errorf("the item is\n%s\nnot\n%s", page.PendingList, seed)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	check("after a restart")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.RemoveAll(filepath.Join(w.options.Store, indexFile+suffix)); err != nil {
			t.Fatal(err)
		}
	}
	w.start()
	check("after the index was lost")
	w.mustSend(todo("e7", "T-1", "updated").version(2), todo("e8", "T-3", "completed", "1003").version(2))
	w.drained(8)
	if ids, _ := w.pending(asking("lisi", "wangwu")); !slices.Equal(ids, []string{"T-1"}) {
		t.Errorf("after an update and an end: %v", ids)
	}
}

// Only bound people's items are shown, and only under the account that they have now. // F103
func TestUnboundPeopleNeverLeak(t *testing.T) { // TM-06
	w := pullWorld(t, nil)
	base := w.base
	w.base = func(c *connector) { base(c); c.Accounts.Unbound = "Fallback" }
	w.bundle(nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created", "1002"), todo("e2", "T-2", "created", "1003"), todo("e3", "T-3", "created", "9999"))
	w.drained(3)
	for _, c := range []struct {
		name     string
		accounts []string
		want     []string
	}{
		{"bound", []string{"lisi", "wangwu"}, []string{"T-1", "T-2"}},
		{"unbound, by the account that stands in the item", []string{"9999"}, nil},
		{"CRM accounts", []string{"1002"}, nil},
		{"nobody", nil, nil},
		{"twice the same", []string{"lisi", "lisi"}, []string{"T-1"}},
	} {
		ids, page := w.pending(asking(c.accounts...))
		if slices.Sort(ids); !slices.Equal(ids, c.want) || page.Total != int64(len(c.want)) {
			t.Errorf("%s: %v of %d", c.name, ids, page.Total)
		}
	}
	before := w.d.live.Load().hash
	w.bundle(func(c *connector) { c.pairs = map[string]string{"1002": "wangwu"} })
	w.until("the other pairs are live", func(r report.Report) bool { return r.Config.Hash != before })
	if ids, _ := w.pending(asking("lisi", "wangwu")); ids != nil {
		t.Errorf("after the accounts changed hands: %v", ids)
	}
}

// A long list comes in pages; what ends meanwhile makes no other item vanish. // F103
func TestALongListComesInPages(t *testing.T) {
	w := pullWorld(t, func(s *bundle.Seeyon) { s.Pull.Accounts = "CRM" })
	w.start()
	var want []string
	for i := range 25 {
		id := "T-" + strconv.Itoa(i)
		want = append(want, id)
		w.mustSend(todo("e"+id, id, "created", "1002"))
	}
	w.drained(25)
	var got []string
	q := asking("1002")
	q.Set("limit", "10")
	for {
		ids, page := w.pending(q)
		got = append(got, ids...)
		if page.Next == "" {
			break
		}
		if len(got) == 10 {
			w.mustSend(todo("end", "T-3", "completed", "1002"))
			w.drained(26)
		}
		q.Set("after", page.Next)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestWhoMayAskForOpenItems(t *testing.T) { // F102
	w := pullWorld(t, func(s *bundle.Seeyon) { s.Pull.AllowedCIDRs = []string{"127.0.0.0/8"} })
	w.secret(bundle.SlotPull, "token.next", pullToken+"-next")
	w.start()
	for _, c := range []struct {
		name, query, token string
		status             int
		says               string
	}{
		{"the token", "registerCode=3004&account=lisi", pullToken, 200, `"total":0`},
		{"the token to come", "registerCode=3004", pullToken + "-next", 200, `"pendingList":[]`},
		{"another token", "registerCode=3004", eventToken, 401, "spec.seeyon.pull.tokenSecretRef"},
		{"no token", "registerCode=3004", "", 401, "spec.seeyon.pull.tokenSecretRef"},
		{"another application's code", "registerCode=3005", pullToken, 403, "registerCode"},
		{"too much", "registerCode=3004&limit=1001", pullToken, 400, "limit"},
		{"no number", "registerCode=3004&limit=many", pullToken, 400, "limit"},
		{"a place of nowhere", "registerCode=3004&account=lisi&after=x", pullToken, 400, "after"},
		{"too many people", "registerCode=3004" + strings.Repeat("&account=lisi", 1001), pullToken, 400, "accounts"},
	} {
		a := w.do(http.MethodGet, w.url("public", bundle.PathPendings)+"?"+c.query, nil, "Authorization", "Bearer "+c.token)
		if a.status != c.status || !strings.Contains(a.body, c.says) {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
	post := func(body string) answer {
		return w.do(http.MethodPost, w.url("public", bundle.PathPendings), []byte(body), "Authorization", "Bearer "+pullToken)
	}
	if a := post(`{"registerCode":"3004","accounts":["lisi"],"limit":5}`); a.status != http.StatusOK {
		t.Errorf("POST: %d %s", a.status, a.body)
	}
	if a := post(`registerCode=3004`); a.status != http.StatusBadRequest {
		t.Errorf("POST of a form: %d %s", a.status, a.body)
	}
	change := func(what string, f func(*bundle.Seeyon), status int) {
		before := w.d.live.Load().hash
		w.bundle(func(c *connector) { f(c.OA.Seeyon) })
		w.until(what, func(r report.Report) bool { return r.Config.Hash != before })
		if a := post(`{"registerCode":"3004"}`); a.status != status {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	change("only others may ask", func(s *bundle.Seeyon) { s.Pull.AllowedCIDRs = []string{"10.0.0.0/8"} }, http.StatusForbidden)
	change("items are pushed", func(s *bundle.Seeyon) { s.Pull, s.PullOnly = nil, false }, http.StatusNotFound)
	if strings.Contains(w.logs.String(), pullToken) {
		t.Error("a log holds the token")
	}
}

// In mode Both an item is in the inbox and in the list. // F86
func TestSeeyonIsPushedAndAsks(t *testing.T) {
	w, sim := seeyonWorld(t)
	base := w.base
	w.base = func(c *connector) { base(c); c.OA.Seeyon.Pull = &bundle.Pull{Accounts: "OA"} }
	w.secret(bundle.SlotPull, "token", pullToken)
	w.bundle(nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created").version(1), todo("e2", "T-2", "created").version(1), todo("e3", "T-1", "completed").version(2))
	w.drained(3)
	if ids, _ := w.pending(asking("lisi")); !slices.Equal(ids, []string{"T-2"}) {
		t.Errorf("the list has %v", ids)
	}
	if open := titles(sim.Inbox("lisi")); !slices.Equal(open, []string{"T-2"}) {
		t.Errorf("the inbox has %v", open)
	}
}
