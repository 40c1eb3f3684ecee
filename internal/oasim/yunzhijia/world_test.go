package yunzhijia

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// world is a team with three people and one light app, on a clock that only the test moves.
type world struct {
	*Yunzhijia
	*simtest.Client
	t *testing.T
}

const appID = "500723908" // SEED0

func newWorld(t *testing.T) *world {
	t.Helper()
	oa, err := New(Options{
		EID: "10001", ResGroupSecret: "res",
		Apps: []App{{ID: appID, Secret: "s3cret", Name: "纷享销客", HomeURL: "https://sso.example/erp/syncdata/open/oa/authorizePortalWebhook/webhook/89161", SignKey: "signkey"}},
		People: []desk.Person{
			{ID: "OPENID1", Name: "李娜", IDs: map[string]string{"userid": "u1"}}, {ID: "OPENID2", Name: "王芳"}, {ID: "GONE", Name: "离职", OutOfScope: true},
		},
		Now: func() time.Time { return time.Date(2026, 11, 26, 9, 30, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &world{oa, simtest.Serve(t, oa), t}
}

func (w *world) post(path, body string) simtest.Reply {
	w.t.Helper()
	a := w.Do(http.DefaultClient, "POST", path, body, "Content-Type", "application/json")
	a.Body = strings.TrimSpace(a.Body)
	return a
}

type tokenReply struct {
	Data struct {
		AccessToken  string `json:"accessToken"`
		RefreshToken string `json:"refreshToken"`
		ExpireIn     int    `json:"expireIn"`
	} `json:"data"`
	ErrorCode int  `json:"errorCode"`
	Success   bool `json:"success"`
}

func (w *world) fetch(path, body string) tokenReply {
	w.t.Helper()
	a := w.post(path, strings.ReplaceAll(body, "NOW", fmt.Sprint(w.Now().UnixMilli())))
	var out tokenReply
	if err := json.Unmarshal([]byte(a.Body), &out); err != nil {
		w.t.Fatalf("%d %s", a.Status, a.Body)
	}
	return out
}

// token is a living one of scope app.
func (w *world) token() string {
	w.t.Helper()
	t := w.fetch(tokenPath, `{"appId":"500723908","secret":"s3cret","timestamp":NOW,"scope":"app"}`)
	if !t.Success {
		w.t.Fatalf("%+v", t)
	}
	return t.Data.AccessToken
}

// call posts with a living token.
func (w *world) call(path, body string) string {
	w.t.Helper()
	a := w.post(path+"?accessToken="+w.token(), body)
	if a.Status != 200 {
		w.t.Fatalf("%s: %d %s", path, a.Status, a.Body)
	}
	return a.Body
}

// create posts a to-do with changes: field, JSON value. "-" takes the field away.
func (w *world) create(change ...string) string {
	w.t.Helper()
	var body map[string]json.RawMessage
	if err := json.Unmarshal([]byte(seedBody), &body); err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(change); i += 2 {
		if change[i+1] == "-" {
			delete(body, change[i])
			continue
		}
		body[change[i]] = json.RawMessage(change[i+1])
	}
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.call(createPath, string(raw))
}

func (w *world) act(action, openIDs string) string {
	w.t.Helper()
	return w.call(actionPath, `{"sourceitemid":"T1","sourcetype":"500723908","actiontype":{`+action+`}`+openIDs+`,"sync":true}`)
}

// seedBody is the seed's template (SEED0 §4.4) with its placeholders filled; the rest is byte for byte.
var seedBody = strings.NewReplacer("#F054", "张伟", "#F055", "报价单", "#F056", "报价单 Q-1 待审批", "#F049", "OPENID2", "#F001", "OPENID1",
	"#F037", "QuoteObj", "#F015", "d1", "#F028", "714439", "#F012", "T1").Replace(
	`{ "content": "提交人:#F054", "title": "#F055", "itemtitle":"#F056", "headImg": "https://yunzhijia.com/space/c/photo/load?id=5a2f7ad750f8dd7810e79981", ` +
		`"appId": "500723908", "senderId": "#F049", "params":[ { "openId":"#F001" } ], "url": "//www.sxgtbz.com/erp/syncdata/open/oa/authorizeWeb/webhook/#F037/#F015/#F028", ` +
		`"sourceId": "#F012", "sync": true }`)
