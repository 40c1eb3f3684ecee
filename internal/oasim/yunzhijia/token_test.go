package yunzhijia

import (
	"strings"
	"testing"
	"time"
)

// YZJ-TOK: three scopes, 32 characters, 6400 seconds, the same token while it lives, a timestamp of at most three minutes.
func TestTokens(t *testing.T) { // F51, F80
	w := newWorld(t)
	const app = `{"appId":"500723908","secret":"s3cret","timestamp":NOW,"scope":"app"}`
	first := w.fetch(tokenPath, app)
	if !first.Success || len(first.Data.AccessToken) != 32 || first.Data.ExpireIn != 6400 {
		t.Fatalf("%+v", first)
	}
	w.Clock().Advance(time.Hour)
	again := w.fetch(tokenPath, app)
	if again.Data.AccessToken != first.Data.AccessToken || again.Data.ExpireIn != 2800 {
		t.Errorf("again: %+v", again)
	}
	w.Clock().Advance(time.Hour)
	if late := w.fetch(tokenPath, app); late.Data.AccessToken == first.Data.AccessToken {
		t.Errorf("after its death: %+v", late)
	}
	for _, body := range []string{
		`{"appId":"500723908","eid":"10001","secret":"s3cret","timestamp":"NOW","scope":"team"}`, `{"eid":"10001","secret":"res","timestamp":NOW,"scope":"resGroupSecret"}`,
	} {
		if got := w.fetch(tokenPath, body); !got.Success {
			t.Errorf("%s: %+v", body, got)
		}
	}
	for _, body := range []string{
		`{"appId":"500723908","secret":"wrong","timestamp":NOW,"scope":"app"}`, `{"appId":"nobody","secret":"s3cret","timestamp":NOW,"scope":"app"}`,
		`{"appId":"500723908","eid":"1","secret":"s3cret","timestamp":NOW,"scope":"team"}`, `{"eid":"1","secret":"res","timestamp":NOW,"scope":"resGroupSecret"}`,
		`{"appId":"500723908","secret":"s3cret","timestamp":NOW,"scope":"all"}`, `{"appId":"500723908","secret":"s3cret","timestamp":1,"scope":"app"}`,
		`{"appId":"500723908","secret":"s3cret","scope":"app"}`, `[]`,
	} {
		if got := w.fetch(tokenPath, body); got.Success || got.ErrorCode == 0 || got.Data.AccessToken != "" {
			t.Errorf("%s: %+v", body, got)
		}
	}
	for _, e := range w.Journal().Entries(tokenPath) {
		if strings.Contains(e.Body, "s3cret") {
			t.Errorf("journal: %s", e.Body)
		}
	}
}

func TestRefresh(t *testing.T) {
	w := newWorld(t)
	first := w.fetch(tokenPath, `{"appId":"500723908","secret":"s3cret","timestamp":NOW,"scope":"app"}`)
	renewed := w.fetch(refreshPath, `{"appId":"500723908","refreshToken":"`+first.Data.RefreshToken+`","timestamp":NOW,"scope":"app"}`)
	if !renewed.Success || renewed.Data.AccessToken == first.Data.AccessToken {
		t.Errorf("%+v", renewed)
	}
	if got := w.fetch(refreshPath, `{"appId":"500723908","refreshToken":"`+first.Data.RefreshToken+`","timestamp":NOW,"scope":"app"}`); got.Success {
		t.Errorf("refreshed twice: %+v", got)
	}
	if a := w.post(createPath+"?accessToken="+first.Data.AccessToken, seedBody); !strings.Contains(a.Body, `"success":false`) {
		t.Errorf("the old token: %s", a.Body)
	}
}

// The token travels in the query (F52); without a living one of the right scope nothing is done.
func TestTokenDeath(t *testing.T) {
	w := newWorld(t)
	token := w.token()
	team := w.fetch(tokenPath, `{"appId":"500723908","eid":"10001","secret":"s3cret","timestamp":NOW,"scope":"team"}`).Data.AccessToken
	for _, given := range []string{"", "made-up", team} {
		if a := w.post(createPath+"?accessToken="+given, seedBody); a.Status != 200 || a.Body != `{"data":null,"error":"accessToken无效或已过期","errorCode":1101,"success":false}` {
			t.Errorf("%q: %d %s", given, a.Status, a.Body)
		}
	}
	w.Clock().Advance(6401 * time.Second)
	_ = w.Configure(func(s *Settings) { s.TokenErrorStatus, s.TokenErrorCode = 401, 7 })
	if a := w.post(createPath+"?accessToken="+token, seedBody); a.Status != 401 || !strings.Contains(a.Body, `"errorCode":7`) {
		t.Errorf("dead: %d %s", a.Status, a.Body)
	}
	token = w.token()
	w.ForgetTokens()
	if a := w.post(createPath+"?accessToken="+token, seedBody); a.Status != 401 {
		t.Errorf("forgotten: %d", a.Status)
	}
	for _, e := range w.Journal().Entries(createPath) {
		if strings.Contains(e.Query, token) {
			t.Errorf("journal: %s", e.Query)
		}
	}
	if n := w.Inbox().Stats().Distinct; n != 0 {
		t.Errorf("%d items", n)
	}
}
