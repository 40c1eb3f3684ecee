package gateway

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/go-jose/go-jose/v4"

	"github.com/oabridge/oabridge/internal/crm/login"
)

// Whoever opens the app and no record lands on the page that the connector names, on a phone on its own one; a record stays a
// record, and nothing in the link chooses a page. // F115
func TestTheHomeEntryLeadsToAPage(t *testing.T) {
	w := newWorld(t)
	w.change(func(c *live) { c.home = home{pc: "/crm/board?tab=quotes", h5: "/h5/board"} })
	for _, c := range []struct {
		link string
		want login.Target
	}{
		{homePC, login.Target{Page: login.PageHome, Path: "/crm/board?tab=quotes", Client: login.ClientPC}},
		{PathPrefix + "login/714439/true", login.Target{Page: login.PageHome, Path: "/h5/board", Client: login.ClientH5}},
		{recordPC, login.Target{Page: login.PageRecord, APIName: "QuoteObj", DataID: "5f3c2ab1", Client: login.ClientPC}},
	} {
		a := w.visit(http.MethodGet, c.link+"?v5ticket="+w.ticket("lina")+"&path=//evil.example&target=/admin")
		w.wantSignedIn(a)
		if got := targetOf(t, a); got != c.want {
			t.Errorf("%s: %+v", c.link, got)
		}
	}
	w.change(func(c *live) { c.home = home{} })
	a := w.visit(http.MethodGet, homePC+"?v5ticket="+w.ticket("lina"))
	if got := targetOf(t, a); got != (login.Target{Page: login.PageHome, Client: login.ClientPC}) {
		t.Errorf("without a page: %+v", got)
	}
}

// The CRM opens the page on its own host. // F115
func TestFromTheAppToAPage(t *testing.T) {
	w := newWorld(t)
	w.change(func(c *live) { c.home = home{pc: "/home?tab=quotes"} })
	browser := w.browser()
	submit(t, browser.PostForm, w.oaURL+"/seeyon/login", url.Values{"choose": {"wangfang"}})
	resp, body := follow(t, browser, w.oaURL+"/seeyon/app?code=3004")
	if resp.StatusCode != http.StatusOK || resp.Request.URL.String() != "https://crm.example/home?tab=quotes" || !strings.Contains(body, "王芳") {
		t.Errorf("landed on %s with %d:\n%s", resp.Request.URL, resp.StatusCode, body)
	}
}

// targetOf reads the token of a sign-in; that it is signed is the matter of other tests.
func targetOf(t *testing.T, a answer) (target login.Target) {
	t.Helper()
	location, err := a.Location()
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.ParseSigned(location.Query().Get("token"), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Target json.RawMessage `json:"target"`
	}
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(claims.Target, &target); err != nil {
		t.Fatal(err)
	}
	return target
}
