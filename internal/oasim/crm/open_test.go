package crm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Known answers, computed by two independent tools (vendor facts A4 to A7).
func TestCallbackVectors(t *testing.T) {
	seal := CallbackSeal{EncodingAESKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", EnterpriseAccount: "demo"}
	const plain = `{"tenantId":1,"eventType":"update","apiName":"AccountObj","dataId":"d1"}`
	const sealed = "MlKnXZvDqfHyUaB+1VwH1cqeL+br0ckLrN/h7qObSC0zGSpPUMFV3XD1AAu/wDcjSe72JlGJpjb01YFuidL2CSlXhOgD+nt2AysRmWKR6io="
	if got, err := seal.encrypt([]byte(plain)); err != nil || got != sealed {
		t.Errorf("A4: %s %v", got, err)
	}
	if got, err := seal.decrypt(sealed); err != nil || got != plain {
		t.Errorf("A4 back: %s %v", got, err)
	}
	if got := seal.signature("1700000000000" + "abc" + "M1" + "demo" + sealed); got != "a8a11e55c8181b7943058b4156c566bbee2d5a48" {
		t.Errorf("A5: %s", got)
	}
	if got := seal.signature("1700000000000" + "abc" + "M1" + "1" + "demo" + sealed); got != "f1ffd2ba43c65816197aad26de4d03d03c1df9e6" {
		t.Errorf("A6: %s", got)
	}
	reply := `{"signature":"7af5e48af2cabcc17493826c9cbfefa60b92f086","timestamp":1700000000001,"nonce":"42","encryptedResult":"ArsKAyhvk7QKghXe0zdCeQ=="}`
	if word, err := seal.Open([]byte(reply)); err != nil || word != "success" {
		t.Errorf("A7: %s %v", word, err)
	}
	if _, err := seal.Open([]byte(strings.Replace(reply, "42", "43", 1))); err == nil {
		t.Error("a reply with a changed nonce is believed")
	}
}

// openCRM is a simulator with a clock that is set by hand.
func openCRM(t *testing.T) (*CRM, *httptest.Server, *time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	c, err := New(Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	return c, srv, &now
}

func ask(t *testing.T, srv *httptest.Server, path string, body map[string]any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(srv.URL+path, "application/json", bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return out
}

func appOf(c *CRM) map[string]any {
	return map[string]any{"appId": c.App().AppID, "appSecret": c.App().AppSecret, "permanentCode": c.App().PermanentCode}
}

const tokenPath = "/cgi/corpAccessToken/get/V2"

func TestTokensOverlapInTheirLastTwelfth(t *testing.T) {
	c, srv, now := openCRM(t)
	first := ask(t, srv, tokenPath, appOf(c))
	if first["expiresIn"] != float64(7200) || first["corpId"] != "FSCID_714439" {
		t.Fatal(first)
	}
	*now = now.Add(6599 * time.Second)
	if again := ask(t, srv, tokenPath, appOf(c)); again["corpAccessToken"] != first["corpAccessToken"] || again["expiresIn"] != float64(601) {
		t.Error(again)
	}
	*now = now.Add(time.Second)
	next := ask(t, srv, tokenPath, appOf(c))
	if next["corpAccessToken"] == first["corpAccessToken"] || !c.tokens.valid(fmt.Sprint(first["corpAccessToken"])) {
		t.Error(next)
	}
	*now = now.Add(600 * time.Second)
	if c.tokens.valid(fmt.Sprint(first["corpAccessToken"])) || !c.tokens.valid(fmt.Sprint(next["corpAccessToken"])) {
		t.Error("the old token outlived its time, or the new one did not")
	}
}

// The codes are those that live probes got (FX-NEW).
func TestOpenInterfaceErrors(t *testing.T) { // F73 F77
	c, srv, _ := openCRM(t)
	bad := appOf(c)
	bad["appSecret"] = "x"
	token := ask(t, srv, tokenPath, appOf(c))["corpAccessToken"]
	call := func(more map[string]any) map[string]any {
		body := map[string]any{"corpAccessToken": token, "corpId": c.App().CorpID, "currentOpenUserId": "FSUID_1000"}
		for k, v := range more {
			body[k] = v
		}
		return body
	}
	text := map[string]any{"content": "x"}
	for name, test := range map[string]struct {
		path string
		body map[string]any
		code float64
	}{
		"wrong secret":     {tokenPath, bad, 10006},
		"no token":         {"/cgi/message/send", map[string]any{}, 20017},
		"made-up token":    {"/cgi/message/send", call(map[string]any{"corpAccessToken": "x"}), 20016},
		"other enterprise": {"/cgi/message/send", call(map[string]any{"corpId": "x"}), 20016},
		"unknown user":     {"/cgi/message/send", call(map[string]any{"currentOpenUserId": "x"}), 20012},
		"nobody":           {"/cgi/message/send", call(map[string]any{"msgType": "text", "text": text}), 10015},
		"unknown receiver": {"/cgi/message/send", call(map[string]any{"toUser": []string{"FSUID_9"}, "msgType": "text", "text": text}), 20012},
		"odd type":         {"/cgi/message/send", call(map[string]any{"toUser": []string{"FSUID_1001"}, "msgType": "fax"}), 12003},
		"nothing said":     {"/cgi/message/send", call(map[string]any{"toUser": []string{"FSUID_1001"}, "msgType": "text"}), 12005},
		"no such record":   {"/cgi/crm/v2/data/get", call(map[string]any{"data": map[string]any{"dataObjectApiName": "X", "objectDataId": "1"}}), 32000},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, srv, test.path, test.body); got["errorCode"] != test.code {
				t.Error(got)
			}
		})
	}
	if len(c.Messages("")) != 0 {
		t.Error("something was sent")
	}
	for range 20 {
		ask(t, srv, tokenPath, appOf(c))
	}
	if got := ask(t, srv, tokenPath, appOf(c)); got["errorCode"] != float64(14001) || c.OpenStats().Tokens != tokensPerMinute {
		t.Error(got, c.OpenStats())
	}
}

// A message is in the inbox of its receivers, as JSON and as a page; its text cannot break out of the page.
func TestMessageInbox(t *testing.T) {
	c, srv, _ := openCRM(t)
	token := ask(t, srv, tokenPath, appOf(c))["corpAccessToken"]
	got := ask(t, srv, "/cgi/message/send", map[string]any{"corpAccessToken": token, "corpId": c.App().CorpID, "currentOpenUserId": "FSUID_1000",
		"toUser": []string{"FSUID_1001"}, "msgType": "text", "text": map[string]any{"content": "3 <b>失败</b>"}})
	if got["errorCode"] != float64(0) {
		t.Fatal(got)
	}
	if list := c.Messages("FSUID_1001"); len(list) != 1 || list[0].Text != "3 <b>失败</b>" || len(c.Messages("FSUID_1002")) != 0 {
		t.Error(list)
	}
	for path, want := range map[string]string{
		"/messages": "3 &lt;b&gt;失败&lt;/b&gt;", "/messages?to=FSUID_1002": "没有消息", "/_sim/messages?to=FSUID_1001": `"to":["FSUID_1001"]`,
		"/_sim/open": `"crm-admins":["FSUID_1000"]`,
	} {
		rec := httptest.NewRecorder()
		c.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		if rec.Code != 200 || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
}

// In mode callback the object is published before the callback about it, and each is repeated until it is taken.
func TestCallbackMode(t *testing.T) {
	c, _, _ := openCRM(t)
	seal := CallbackSeal{EncodingAESKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
	versions, tries := map[string]any{}, map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in callback
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		tries[in.MessageID]++
		if (in.RetryTimes != nil) != (tries[in.MessageID] > 1) {
			t.Errorf("%s: try %d has retryTimes %v", in.MessageID, tries[in.MessageID], in.RetryTimes)
		}
		text, err := seal.decrypt(in.EncryptedContent)
		var content struct{ APIName, DataID, EventType, MessageID string }
		if err != nil || json.Unmarshal([]byte(text), &content) != nil || content.APIName != ToDoObject || content.MessageID != in.MessageID || in.EnterpriseAccount != "sim714439" {
			t.Errorf("%s %v", text, err)
		}
		fields, _ := c.objects.get(Object{ToDoObject, content.DataID})
		versions[in.MessageID] = fields["version"]
		word := "success"
		if tries[in.MessageID] == 1 {
			word = "busy"
		}
		sealed, _ := seal.encrypt([]byte(word))
		_ = json.NewEncoder(w).Encode(map[string]any{"signature": seal.signature("1" + "2" + sealed), "timestamp": 1, "nonce": "2", "encryptedResult": sealed})
	}))
	defer srv.Close()
	run, err := c.Emit(Emission{Target: Target{URL: srv.URL, Mode: Callback, Callback: seal}, Workload: Workload{Seed: 3, Events: 10, ToDos: 3}})
	if err != nil {
		t.Fatal(err)
	}
	run, err = c.WaitRun(t.Context(), run.ID)
	if err != nil || run.Counts.Accepted != 10 || run.Counts.Retried != 10 {
		t.Fatalf("%+v %v", run, err)
	}
	s, _ := Generate(Workload{Seed: 3, Events: 10, ToDos: 3})
	for _, e := range s.Events {
		if versions[e.ID] != fmt.Sprint(e.Data.Version) {
			t.Errorf("%s: version %v was there, want %d", e.ID, versions[e.ID], e.Data.Version)
		}
	}
	if _, err := c.Emit(Emission{Target: Target{URL: srv.URL, Mode: Callback}}); err == nil {
		t.Error("a run without a key began")
	}
}
