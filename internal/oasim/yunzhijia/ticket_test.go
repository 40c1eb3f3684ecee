package yunzhijia

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// Somebody opens the app, and the to-do, with a ticket; the app asks whose it is (F54, YZJ-CTX).
func TestTicketToUser(t *testing.T) {
	w := newWorld(t)
	w.create()
	c := w.Browser()
	w.Do(c, "POST", "/login", "choose=OPENID1", "Content-Type", "application/x-www-form-urlencoded")
	for path, want := range map[string]string{
		"/app?code=" + appID: "https://sso.example/erp/syncdata/open/oa/authorizePortalWebhook/webhook/89161?ticket=",
		"/open?id=i1":        "https://www.sxgtbz.com/erp/syncdata/open/oa/authorizeWeb/webhook/QuoteObj/d1/714439?ticket=",
	} {
		a := w.Do(c, "GET", path, "")
		link, err := url.Parse(a.Header.Get("Location"))
		if err != nil || !strings.HasPrefix(link.String(), want) {
			t.Fatalf("%s: %d %s", path, a.Status, link)
		}
		ask := `{"appid":"500723908","ticket":"` + link.Query().Get("ticket") + `"}`
		var out struct {
			Data      struct{ Appid, Openid, Eid, Userid, Username string }
			Success   bool
			ErrorCode int
		}
		got := w.call(contextPath, ask)
		if err := json.Unmarshal([]byte(got), &out); err != nil || !out.Success || out.Data.Openid != "OPENID1" || out.Data.Eid != "10001" || out.Data.Username != "李娜" || out.Data.Userid != "u1" {
			t.Errorf("context: %s", got)
		}
		if got := w.call(contextPath, ask); !strings.Contains(got, `"success":false`) {
			t.Errorf("asked twice: %s", got)
		}
	}
}

func TestTicketsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	if err := w.SetApps([]App{{ID: appID, Secret: "s3cret"}, {ID: "other", Secret: "x"}}); err != nil {
		t.Fatal(err)
	}
	ticket := func(app string) string {
		id, err := w.Ticket("OPENID1", app)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	old := ticket(appID)
	w.Clock().Advance(301 * time.Second)
	for name, body := range map[string]string{
		"old": `{"appid":"500723908","ticket":"` + old + `"}`, "another app's": `{"appid":"500723908","ticket":"` + ticket("other") + `"}`,
		"asked for another app": `{"appid":"other","ticket":"` + ticket(appID) + `"}`, "made up": `{"appid":"500723908","ticket":"x"}`, "none": `{"appid":"500723908"}`,
	} {
		if got := w.call(contextPath, body); !strings.Contains(got, `"success":false`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	_ = w.Configure(func(s *Settings) { s.ReusableTickets = true })
	again := ticket(appID)
	for i, disposable := range []string{"", "", `,"disposable":true`, ""} {
		got := w.call(contextPath, `{"appid":"500723908","ticket":"`+again+`"`+disposable+`}`)
		if ok := strings.Contains(got, `"success":true`); ok != (i < 3) {
			t.Errorf("use %d: %s", i, got)
		}
	}
	for _, bad := range [][2]string{{"NOBODY", appID}, {"OPENID1", "nobody"}} {
		if _, err := w.Ticket(bad[0], bad[1]); err == nil {
			t.Errorf("%v got a ticket", bad)
		}
	}
	if a := w.post("/_sim/tickets", `{"person":"OPENID1","app":"500723908"}`); a.Status != 200 || !strings.Contains(a.Body, "APPURLWITHTICKET") {
		t.Errorf("control: %d %s", a.Status, a.Body)
	}
}

// The older interface: a signed authorization header, a token for a week, and the same context (YZJ-OLD).
func TestOldInterface(t *testing.T) {
	w := newWorld(t)
	header := func(secret string) string {
		return fmt.Sprintf("OpenAuth2 version=1.1, appid=%s, timestamp=1700000000000, nonce=n1, sign=%s", appID, oldSign("1.1", appID, "1700000000000", "n1", secret))
	}
	a := w.Do(http.DefaultClient, "GET", oldAuthPath, "", "Authorization", header("s3cret"))
	var out struct {
		Data struct {
			AccessToken string `json:"access_token"`
			ExpiresIn   int    `json:"expires_in"`
		}
		Success bool
	}
	if err := json.Unmarshal([]byte(a.Body), &out); err != nil || !out.Success || out.Data.ExpiresIn != 604800 {
		t.Fatalf("%s", a.Body)
	}
	id, _ := w.Ticket("OPENID1", appID)
	if a := w.Do(http.DefaultClient, "GET", oldContextPath+"?access_token="+out.Data.AccessToken+"&ticket="+id, ""); !strings.Contains(a.Body, `"openid":"OPENID1"`) {
		t.Errorf("context: %s", a.Body)
	}
	if a := w.Do(http.DefaultClient, "GET", oldContextPath+"?access_token=x&ticket="+id, ""); !strings.Contains(a.Body, `"success":false`) {
		t.Errorf("wrong token: %s", a.Body)
	}
	for _, h := range []string{header("wrong"), "", "Bearer x"} {
		if a := w.Do(http.DefaultClient, "GET", oldAuthPath, "", "Authorization", h); !strings.Contains(a.Body, `"success":false`) {
			t.Errorf("%q: %s", h, a.Body)
		}
	}
}

func TestPassSign(t *testing.T) { // appendix A8
	if got := passSign("signkey", "OPENID1", "APP1", []string{"S2", "S1"}); got != "1PjIL4TZ/fr+wn4Et8PQVkjLCEo=" {
		t.Errorf("sign = %s", got)
	}
}

// A person approves two to-dos at once; the app does one of them (YZJ-TODO).
func TestBatchApproval(t *testing.T) {
	w := newWorld(t)
	answer := `{"data":{"successIds":["S1"]},"error":null,"errorCode":0,"success":true}`
	app := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var in struct {
			Param struct {
				EID, SourceType, OpenID string
				SourceIDs               []string
			}
			Sign string
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Sign != passSign("signkey", "OPENID1", appID, []string{"S1", "S2"}) || in.Param.EID != "10001" ||
			!slices.Equal(in.Param.SourceIDs, []string{"S1", "S2"}) {
			_, _ = io.WriteString(rw, `{"error":"check sign error.","errorCode":5001,"success":false}`)
			return
		}
		_, _ = io.WriteString(rw, answer)
	}))
	t.Cleanup(app.Close)
	for _, id := range []string{`"S1"`, `"S2"`} {
		w.create("sourceId", id, "passUrl", `"`+app.URL+`"`)
	}
	w.create("sourceId", `"S3"`)
	if a := w.post("/_sim/approvals", `{"person":"OPENID1","app":"500723908","sourceIds":["S1","S2"]}`); a.Body != `{"successIds":["S1"]}` {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if done := w.Inbox().Of("OPENID1", inbox.Done); len(done) != 1 || done[0].TaskID != "S1" {
		t.Errorf("%+v", done)
	}
	for name, ids := range map[string][]string{"done already": {"S1"}, "no passUrl": {"S3"}, "unknown": {"S9"}, "the signature does not fit": {"S2"}} {
		if _, err := w.Approve("OPENID1", appID, ids); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
