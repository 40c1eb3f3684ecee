package generic

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
	"github.com/oabridge/oabridge/internal/oasim/soap"
)

const success = `{"code":0,"data":null,"message":""}`

// The seed's example: POST …/rest/transmit/fxiaoke/create, and code 0 is success (SEED0 §2.1 and §2.2; F8, F19–F22).
func TestLifeOverREST(t *testing.T) {
	w := newWorld(t)
	step := func(action, body string, want inbox.State) {
		t.Helper()
		if a := w.rest(action, body); a.Status != 200 || a.Body != success {
			t.Fatalf("%s: %d %s", action, a.Status, a.Body)
		}
		if i, _ := w.Inbox().Get("T1", "lina"); i.State != want {
			t.Errorf("%s: %+v", action, i)
		}
	}
	step("create", todo("receiver", []string{"E1001", "wangfang"}), inbox.Open)
	step("update", `{"taskId":"T1","receiver":"13800001001","title":"<b>\"😀","content":""}`, inbox.Open)
	if i, _ := w.Inbox().Get("T1", "lina"); i.Title != `<b>"😀` || i.Text != "" || i.URL != "https://sso.example/T1" {
		t.Errorf("only what is given changes: %+v", i)
	}
	if a := w.rest("read", `{"taskId":"T1","receiver":"lina"}`); a.Body != `{"code":0,"data":{"state":"open"},"message":""}` {
		t.Errorf("read: %s", a.Body)
	}
	step("complete", `{"taskId":"T1","receiver":"lina@CORP.example"}`, inbox.Done)
	if i, _ := w.Inbox().Get("T1", "wangfang"); i.State != inbox.Open {
		t.Errorf("the other receiver: %+v", i)
	}
	step("delete", `{"taskId":"T1"}`, inbox.Gone)
	if s := w.Inbox().Stats(); s.Gone != 2 {
		t.Errorf("everybody's: %+v", s)
	}
	if a := w.rest("notice", todo()); a.Body != success || len(w.Inbox().Of("lina", inbox.Open)) != 1 {
		t.Errorf("notice: %s", a.Body)
	}
	if a := w.rest("read", `{"taskId":"T9","receiver":"lina"}`); !strings.Contains(a.Body, `"state":"none"`) {
		t.Errorf("read: %s", a.Body)
	}
}

// The same as a web service: elements, or JSON inside one element; the result is JSON inside out (F15, F25).
func TestLifeOverSOAP(t *testing.T) {
	w := newWorld(t)
	a := w.soap("createTodo", `<taskId>T1</taskId><receiver>lina</receiver><receiver>wangfang</receiver><title>a&lt;b</title><url>https://sso.example/T1</url>`)
	if got := w.out(a); got != success || !strings.Contains(a.Body, "<ns1:out>{&quot;code&quot;:0") {
		t.Fatalf("%s", a.Body)
	}
	if i, _ := w.Inbox().Get("T1", "wangfang"); i.Title != "a<b" {
		t.Errorf("%+v", i)
	}
	for _, form := range []soap.Form{soap.CDATA, soap.Plain, asElements} {
		w.shape.Result.XMLForm = form
		a := w.soap("completeTodoByJson", `<t:in0><![CDATA[{"taskId":"T1","receiver":"lina"}]]></t:in0>`)
		if form == asElements {
			if !strings.Contains(a.Body, "<ns1:out><ns1:code>0</ns1:code><ns1:data></ns1:data><ns1:message></ns1:message></ns1:out>") {
				t.Errorf("elements: %s", a.Body)
			}
		} else if got := w.out(a); got != success {
			t.Errorf("%s: %s", form, a.Body)
		}
	}
	w.shape.Result.XMLForm = asElements
	if a := w.soap("readTodo", "<taskId>T1</taskId><receiver>lina</receiver>"); !strings.Contains(a.Body, "<ns1:data><ns1:state>done</ns1:state></ns1:data>") {
		t.Errorf("read: %s", a.Body)
	}
	for name, a := range map[string]simtest.Reply{
		"no such operation": w.soap("explodeTodo", ""), "JSON that is none": w.soap("createTodoByJson", "<in0>{</in0>"),
		"not XML": w.Do(http.DefaultClient, "POST", "/services/TodoService", "{}"),
	} {
		if a.Status != 500 || !strings.Contains(a.Body, "faultstring") {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
}

func TestFailures(t *testing.T) {
	w := newWorld(t)
	for name, a := range map[string]simtest.Reply{
		"nobody": w.rest("create", todo("receiver", "nobody")), "out of scope": w.rest("create", todo("receiver", "gone")), "no receiver": w.rest("create", todo("receiver", nil)),
		"no title": w.rest("create", todo("title", "")), "no task": w.rest("create", todo("taskId", nil)), "title is a list": w.rest("create", todo("title", []string{"x"})),
		"version": w.rest("create", todo("version", "soon")), "a list": w.rest("create", "[]"), "not JSON": w.rest("create", "{"), "two documents": w.rest("create", "{} {}"),
		"unknown item": w.rest("complete", todo()), "unknown receiver of a change": w.rest("complete", todo("receiver", "nobody")), "two receivers to read": w.rest("read", todo("receiver", []string{"lina", "wangfang"})),
	} {
		if a.Status != 200 || !strings.Contains(a.Body, `"code":1`) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	_ = w.Configure(func(s *Settings) { s.UnknownFails = false })
	if a := w.rest("delete", todo()); a.Body != success {
		t.Errorf("unknown item, ignored: %s", a.Body)
	}
	if n := w.Inbox().Stats().Distinct; n != 0 {
		t.Errorf("%d items", n)
	}
}

func TestOlderVersionsLose(t *testing.T) {
	w := newWorld(t)
	w.rest("create", todo("version", 7))
	for _, action := range []string{"create", "update", "complete", "delete"} {
		if a := w.rest(action, todo("version", 6, "title", "alt")); a.Body != success {
			t.Errorf("%s: %s", action, a.Body)
		}
	}
	_ = w.Configure(func(s *Settings) { s.StaleFails = true })
	for _, action := range []string{"create", "complete"} {
		if a := w.rest(action, todo("version", "6")); !strings.Contains(a.Body, `"code":1`) {
			t.Errorf("%s, told: %s", action, a.Body)
		}
	}
	if i, _ := w.Inbox().Get("T1", "lina"); i.Title != "张伟 的 报价单" || i.State != inbox.Open || i.Version != 7 || w.Inbox().Stats().Stale != 6 {
		t.Errorf("%+v %+v", i, w.Inbox().Stats())
	}
}

// A bad item takes no good one down.
func TestBatches(t *testing.T) {
	w := newWorld(t)
	if a := w.rest("batch/create", `{"items":[`+todo()+`,`+todo("taskId", "T2")+`]}`); a.Body != success {
		t.Fatalf("%s", a.Body)
	}
	a := w.rest("batch/create", `{"items":[`+todo("taskId", "T3")+`,`+todo("taskId", "T4", "receiver", "nobody")+`]}`)
	if a.Body != `{"code":1,"data":[{"code":1,"data":null,"index":1,"message":"there is no receiver \"nobody\"","taskId":"T4"}],"message":"1 of 2 items failed"}` {
		t.Errorf("%s", a.Body)
	}
	if n := len(w.Inbox().Of("lina", inbox.Open)); n != 3 {
		t.Errorf("%d open", n)
	}
	for _, bad := range []string{`{"items":[]}`, `{}`, `[]`} {
		if a := w.rest("batch/create", bad); !strings.Contains(a.Body, `"code":1`) {
			t.Errorf("%s: %s", bad, a.Body)
		}
	}
}

// A customer's own document: other names, other paths, GET, a nested result with texts as codes (F10–F14, F20–F22).
func TestAnotherShape(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Shape = &Shape{
			Operations: []Operation{{Action: actionCreate, Path: "/oa/push"}, {Action: actionDelete, Method: "GET", Path: "/oa/revoke"}},
			Fields:     Fields{TaskID: "id", Receiver: "to", Title: "todo.subject", URL: "todo.link"},
			Result:     Result{Code: "head.status", Success: "true", Failure: "false", Message: "head.msg", Numeric: true},
		}
	})
	a := w.Do(http.DefaultClient, "POST", "/oa/push", `{"id":7,"to":"lina","todo":{"subject":"审批","link":"https://x.example"}}`)
	if a.Body != `{"head":{"msg":"","status":true}}` {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if a := w.Do(http.DefaultClient, "GET", "/oa/revoke?id=7&to=lina", ""); a.Body != `{"head":{"msg":"","status":true}}` {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if i, _ := w.Inbox().Get("7", "lina"); i.State != inbox.Gone || i.Title != "审批" {
		t.Errorf("%+v", i)
	}
	w.shape.Result.Numeric = false
	if a := w.Do(http.DefaultClient, "GET", "/oa/revoke?id=7&to=lina", ""); !strings.Contains(a.Body, `"status":"false"`) {
		t.Errorf("%s", a.Body)
	}
}

func TestGBK(t *testing.T) {
	w := newWorld(t)
	_ = w.Configure(func(s *Settings) { s.GBK = true })
	a := w.rest("create", todo("receiver", "无此人😀"))
	if a.Header.Get("Content-Type") != "application/json;charset=GBK" || !strings.Contains(a.Body, "\xce\xde\xb4\xcb\xc8\xcb") || !strings.Contains(a.Body, `\ud83d\ude00`) {
		t.Errorf("%s %q", a.Header.Get("Content-Type"), a.Body)
	}
	if got := w.out(w.soap("createTodo", "<taskId>T1</taskId><title>x</title><receiver>无此人</receiver>")); !strings.Contains(got, "无此人") {
		t.Errorf("SOAP: %s", got)
	}
}

func TestRateLimit(t *testing.T) {
	w := newWorld(t)
	_ = w.Configure(func(s *Settings) { s.PerSecond = 2 })
	for i, want := range []int{200, 200, 429} {
		if a := w.rest("create", todo()); a.Status != want || want == 429 && a.Header.Get("Retry-After") != "1" {
			t.Errorf("call %d: %d", i, a.Status)
		}
	}
	w.Clock().Advance(time.Second)
	if a := w.rest("create", todo()); a.Status != 200 {
		t.Errorf("a second later: %d", a.Status)
	}
}

func TestScriptedFaults(t *testing.T) {
	w := newWorld(t)
	script := func(a fault.Action) {
		t.Helper()
		if err := w.Faults().Replace([]fault.Rule{{Match: fault.Match{TaskID: "T1", Receiver: "lina"}, Action: a}}); err != nil {
			t.Fatal(err)
		}
	}
	const elements = "<taskId>T1</taskId><title>x</title><receiver>lina</receiver>"
	script(fault.Action{Kind: fault.Business, Code: "60020", ErrorMsgs: []string{"not allow"}})
	const want = `{"code":60020,"data":null,"message":"not allow"}`
	if a := w.rest("create", todo()); a.Body != want {
		t.Errorf("REST: %s", a.Body)
	}
	if got := w.out(w.soap("createTodo", elements)); got != want {
		t.Errorf("SOAP: %s", got)
	}
	if a := w.rest("batch/create", `{"items":[`+todo("taskId", "T0")+`,`+todo()+`]}`); a.Body != want {
		t.Errorf("batch: %s", a.Body)
	}
	if a := w.rest("create", todo("taskId", "T2")); a.Body != success {
		t.Errorf("another item: %s", a.Body)
	}
	script(fault.Action{Kind: fault.Business, Code: "Server"})
	if a := w.soap("createTodo", elements); a.Status != 500 || !strings.Contains(a.Body, "soap:Server") {
		t.Errorf("fault: %d %s", a.Status, a.Body)
	}
	script(fault.Action{Kind: fault.Swallow})
	if a := w.rest("create", todo()); a.Body != success {
		t.Errorf("swallow: %s", a.Body)
	}
	script(fault.Action{Kind: fault.ExpireToken})
	if a := w.rest("create", todo()); a.Status != 401 {
		t.Errorf("expired: %d", a.Status)
	}
	if n := w.Inbox().Stats().Distinct; n != 1 {
		t.Errorf("%d items", n)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	shape := func(change func(*Shape)) func(*Options) {
		return func(o *Options) {
			s := DefaultShape()
			change(&s)
			o.Shape = &s
		}
	}
	settings := func(change func(*Settings)) func(*Options) {
		return func(o *Options) {
			s := DefaultSettings()
			change(&s)
			o.Settings = &s
		}
	}
	for name, change := range map[string]func(*Options){
		"action": shape(func(s *Shape) { s.Operations[0].Action = "x" }), "path": shape(func(s *Shape) { s.Operations[0].Path = "x" }),
		"control path": shape(func(s *Shape) { s.Operations[0].Path = "/_sim/x" }), "twice": shape(func(s *Shape) { s.Operations = append(s.Operations, s.Operations[0]) }),
		"jsonIn": shape(func(s *Shape) { s.Operations[0].JSONIn = "x" }), "items": shape(func(s *Shape) { s.Operations[1].Items = "x" }),
		"fields": shape(func(s *Shape) { s.Fields.TaskID = "" }), "form": shape(func(s *Shape) { s.Result.XMLForm = "x" }),
		"auth type": func(o *Options) { o.Auth.Type = "x" }, "auth password": func(o *Options) { o.Auth.Type = "basic" },
		"auth place": func(o *Options) { o.Auth = Auth{Type: "static", Password: "x"} }, "auth name": func(o *Options) { o.Auth = Auth{Type: "static", Password: "x", Place: "query"} },
		"token path": func(o *Options) { o.Auth = Auth{Type: "token", Password: "x", Place: "bearer"} },
		"link":       settings(func(s *Settings) { s.Link = "x" }), "life": settings(func(s *Settings) { s.LinkSeconds = 0 }), "provider": settings(func(s *Settings) { s.Provider.IDToken = "x" }),
	} {
		var o Options
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
