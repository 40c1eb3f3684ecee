package seeyon

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oasim/fault"
)

// seedItem is the template of the seed with its placeholders filled in (F45).
const seedItem = `{ "registerCode": "3004", "taskId": "T-1", "title": "张三 提交 QT-2026-0001 \"华东\" <加急>", "senderName": "张三",
 "state": "0", "thirdSenderId": "zhangsan", "thirdReceiverId": "lisi", "creationDate": "2026-11-22 09:30", "content": "",
 "h5url": "//www.sxgtbz.com/erp/syncdata/open/oa/authorizeWeb/SeeYon/QuoteObj/5f3c2ab1/714439/true",
 "url": "//www.sxgtbz.com/erp/syncdata/open/oa/authorizeWeb/SeeYon/QuoteObj/5f3c2ab1/714439/false",
 "noneBindingSender":"", "noneBindingReceiver":"lisi" }`

// with returns seedItem with some fields changed; nil takes a field away.
func with(changes map[string]any) string {
	var m map[string]any
	if err := json.Unmarshal([]byte(seedItem), &m); err != nil {
		panic(err)
	}
	maps.Copy(m, changes)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

type f = map[string]any

func TestReceive(t *testing.T) {
	for _, tc := range []struct {
		name, body, wrong string // wrong: part of the complaint; empty: accepted
	}{
		{"the seed's template", seedItem, ""}, // F45
		{"every documented field", with(f{"classify": "审批", "contentType": "1", "content": "https://corp.example/app.apk"}), ""}, // F95, F97
		{"with seconds", with(f{"creationDate": "2026-11-22 09:30:15"}), ""},
		{"already done", with(f{"state": "1"}), ""}, // F100
		{"bound receiver", with(f{"thirdReceiverId": "1002", "noneBindingReceiver": ""}), ""},
		{"by staff code", with(f{"thirdReceiverId": "x", "noneBindingReceiver": "E1002"}), ""}, // F99
		{"by mobile", with(f{"thirdReceiverId": "x", "noneBindingReceiver": "13800001002"}), ""},
		{"by e-mail", with(f{"thirdReceiverId": "", "noneBindingReceiver": "lisi@corp.example"}), ""},
		{"no links", with(f{"url": "", "h5url": nil}), ""},

		{"no title", with(f{"title": nil}), "title: required"},
		{"blank sender", with(f{"senderName": "  "}), "senderName: required"},
		{"no receiver at all", with(f{"thirdReceiverId": nil, "noneBindingReceiver": nil}), "thirdReceiverId: required"},
		{"a number", with(f{"state": 0}), "state: must be a string"},
		{"null", `{"registerCode":null}`, "registerCode: must be a string"},
		{"revoked is for updates only", with(f{"state": "2"}), "state:"},                    // F101
		{"ISO date", with(f{"creationDate": "2026-11-22T09:30:00+08:00"}), "creationDate:"}, // F96
		{"impossible date", with(f{"creationDate": "2026-02-30 09:30"}), "creationDate:"},
		{"short hour", with(f{"creationDate": "2026-11-22 9:30"}), "creationDate:"},
		{"relative link", with(f{"url": "/SeeYon/x"}), "url:"},
		{"other scheme", with(f{"h5url": "javascript://x/%0aalert(1)"}), "h5url:"},
		{"misspelt field", with(f{"h5Url": "https://a.example"}), "h5Url: unknown field"},
		{"unregistered app", with(f{"registerCode": "9999"}), "registerCode:"},
		{"unknown person", with(f{"thirdReceiverId": "x", "noneBindingReceiver": "y"}), "no OA person"},
		{"two persons of that mobile", with(f{"thirdReceiverId": "x", "noneBindingReceiver": "13900000000"}), "names 2 OA persons"},
		{"not an object", `[]`, "must be a JSON object"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			ok, msgs := w.push(receivePath, tc.body)
			if ok != (tc.wrong == "") || !strings.Contains(strings.Join(msgs, ";"), tc.wrong) {
				t.Fatalf("success %v %v", ok, msgs)
			}
			if n := len(w.Items()); (n == 1) != ok {
				t.Errorf("%d items", n)
			}
		})
	}
}

func TestAnswerShape(t *testing.T) {
	w := newWorld(t)
	a := w.do("POST", receivePath, seedItem, "token", w.token(), "Content-Type", "application/json")
	if strings.TrimSpace(a.Body) != `{"success":true,"errorMsgs":[]}` {
		t.Errorf("body = %s", a.Body)
	}
	for _, tc := range []struct {
		contentType, body string
		want              int
	}{{"text/xml", "<a/>", 415}, {"application/json", "{", 400}} {
		if a := w.do("POST", receivePath, tc.body, "token", w.token(), "Content-Type", tc.contentType); a.Status != tc.want {
			t.Errorf("%s: %d", tc.contentType, a.Status)
		}
	}
	if a := w.do("GET", receivePath, "", "token", w.token()); a.Status != 405 {
		t.Errorf("GET: %d", a.Status)
	}
}

func TestLifeOfAnItem(t *testing.T) {
	w := newWorld(t)
	w.mustPush(receivePath, seedItem)
	w.mustPush(receivePath, with(f{"title": "改过的标题"})) // upsert in place
	if in := w.Inbox("lisi"); len(in) != 1 || in[0].Title != "改过的标题" {
		t.Fatalf("inbox = %+v", in)
	}
	w.mustPush(updatePath, `{"registerCode":"3004","taskId":"T-1","thirdReceiverId":"lisi","state":"1"}`) // F94, F100
	if in, done := w.Inbox("lisi"), w.Done("lisi"); len(in) != 0 || len(done) != 1 || done[0].Title != "改过的标题" {
		t.Fatalf("inbox %d done %+v", len(in), done)
	}
	w.mustPush(receivePath, seedItem)             // a zombie
	w.mustPush(updatePath, with(f{"state": "2"})) // F101
	w.mustPush(updatePath, with(f{"state": "2"})) // sent again
	if in, done := w.Inbox("lisi"), w.Done("lisi"); len(in)+len(done) != 0 {
		t.Fatalf("a revoked item is still there: %v %v", in, done)
	}
	want := Stats{Distinct: 1, Deleted: 1, Revived: 1, writeCounts: writeCounts{Creates: 3, Recreates: 2, Updates: 3, Repeats: 1}}
	if got := w.Stats(); got != want {
		t.Errorf("stats = %+v, want %+v", got, want)
	}
	var states []string
	var last int64
	for _, h := range w.Items()[0].History {
		states = append(states, h.State)
		if h.Seq <= last {
			t.Errorf("writes out of order: %+v", h)
		}
		last = h.Seq
	}
	if !slices.Equal(states, []string{"0", "0", "1", "0", "2", "2"}) {
		t.Errorf("history = %v", states)
	}
}

func TestUpdateOfTheUnknown(t *testing.T) {
	const unknown = `{"registerCode":"3004","taskId":"T-9","state":"1"}`
	w := newWorld(t)
	if ok, msgs := w.push(updatePath, unknown); ok || !strings.Contains(msgs[0], "T-9: the item does not exist") {
		t.Fatalf("%v %v", ok, msgs)
	}
	_ = w.Configure(func(s *Settings) { s.UnknownUpdate = "ignore" })
	if ok, _ := w.push(updatePath, unknown); !ok || len(w.Items()) != 0 {
		t.Fatal("ignore must succeed and store nothing")
	}
	_ = w.Configure(func(s *Settings) { s.UnknownUpdate, s.ForgetDeleted = "error", true })
	w.mustPush(receivePath, seedItem)
	w.mustPush(updatePath, with(f{"state": "2"}))
	if ok, _ := w.push(updatePath, with(f{"state": "2"})); ok {
		t.Fatal("a forgotten item was changed")
	}
}

func TestUpdateReachesOneReceiverOrAll(t *testing.T) {
	w := newWorld(t)
	for _, who := range []string{"lisi", "wangwu", "zhaoliu"} {
		w.mustPush(receivePath, with(f{"thirdReceiverId": who, "noneBindingReceiver": who}))
	}
	w.mustPush(updatePath, with(f{"state": "1"}))
	if len(w.Inbox("lisi")) != 0 || len(w.Inbox("wangwu")) != 1 {
		t.Fatal("an update with a receiver must reach that one only")
	}
	w.mustPush(updatePath, `{"registerCode":"3004","taskId":"T-1","state":"1"}`)
	if st := w.Stats(); st.Done != 3 || st.Distinct != 3 || st.Duplicates != 0 {
		t.Fatalf("stats = %+v", st)
	}
	// The same person under another third id sees the task twice.
	w.mustPush(receivePath, with(f{"thirdReceiverId": "1002"}))
	if st := w.Stats(); st.Duplicates != 1 {
		t.Fatalf("stats = %+v", st)
	}
}

func TestLists(t *testing.T) { // F93
	list := func(items ...string) string { return fmt.Sprintf(`{"pendingList":[%s]}`, strings.Join(items, ",")) }
	bad := with(f{"taskId": "T-2", "title": ""})
	w := newWorld(t)
	ok, msgs := w.push(listPath, list(seedItem, bad, with(f{"taskId": "T-3"})))
	if ok || len(msgs) != 1 || !strings.HasPrefix(msgs[0], "taskId T-2: title") || len(w.Items()) != 2 {
		t.Fatalf("%v %v, %d items", ok, msgs, len(w.Items()))
	}
	w.Reset()
	_ = w.Configure(func(s *Settings) { s.AtomicBatches = true })
	if ok, _ := w.push(listPath, list(seedItem, bad)); ok || len(w.Items()) != 0 {
		t.Fatal("an atomic list was stored in part")
	}
	w.mustPush(listPath, list(seedItem))
	for _, body := range []string{list(), `{}`, `{"pendingList":{}}`, `[]`} {
		if ok, _ := w.push(listPath, body); ok {
			t.Errorf("%s was accepted", body)
		}
	}
}

func TestFaultsByItem(t *testing.T) {
	w := newWorld(t)
	for _, r := range []fault.Rule{
		{Match: fault.Match{Path: pendingPath, Title: "永久失败"}, Action: fault.Action{Kind: fault.Business, ErrorMsgs: []string{"拒绝"}}},
		{Match: fault.Match{Path: pendingPath, TaskID: "T-2"}, Times: 1, Action: fault.Action{Kind: fault.Swallow}},
		{Match: fault.Match{Path: pendingPath, Receiver: "wangwu"}, Times: 1, Action: fault.Action{Kind: fault.ExpireToken}},
	} {
		if _, err := w.Faults().Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if ok, msgs := w.push(receivePath, with(f{"title": "「永久失败」"})); ok || msgs[0] != "拒绝" {
		t.Errorf("business: %v %v", ok, msgs)
	}
	if ok, _ := w.push(receivePath, with(f{"taskId": "T-2"})); !ok || len(w.Items()) != 0 {
		t.Error("swallow: it must say success and store nothing")
	}
	token := w.token()
	item := with(f{"thirdReceiverId": "wangwu", "noneBindingReceiver": "wangwu"})
	for range 2 { // the second one fails because the token is really gone
		a := w.do("POST", receivePath, item, "token", token, "Content-Type", "application/json")
		if a.Status != 401 || a.Body != invalidToken {
			t.Errorf("expired: %d %s", a.Status, a.Body)
		}
	}
	w.mustPush(receivePath, item)
	if e := w.Journal().Entries(receivePath); e[0].Fault != "f1" || e[0].Status != 200 {
		t.Errorf("journal = %+v", e[0])
	}
}
