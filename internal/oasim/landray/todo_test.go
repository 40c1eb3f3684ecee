package landray

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// The life of a to-do through all operations (F50, LR-DOC), over SOAP 1.1, SOAP 1.2 and REST.
func TestLife(t *testing.T) {
	for name, call := range map[string]func(*world, string, map[string]any) result{
		"REST": func(w *world, op string, c map[string]any) result { return w.rest(op, c) },
		"SOAP 1.1": func(w *world, op string, c map[string]any) result {
			return w.returned(w.soap(soap11, rightHeader, op, c))
		},
		"SOAP 1.2": func(w *world, op string, c map[string]any) result {
			return w.returned(w.soap(soap12, rightHeader, op, c))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			must := func(operation string, c map[string]any) {
				t.Helper()
				if r := call(w, operation, c); r != (result{succeeded, ""}) {
					t.Fatalf("%s: %+v", operation, r)
				}
			}
			state := func(person string) inbox.State {
				i, _ := w.Inbox().Get("fxiaoke.todo/T1", person)
				return i.State
			}
			must("sendTodo", sending("subject", "<b>&\"'😀", "targets", `[{"PersonNo":"001"},{"LoginName":"wangfang"}]`))
			got := w.Inbox().Of("lina", inbox.Open)
			if len(got) != 1 || got[0].Title != "<b>&\"'😀" || got[0].Sender != "张伟" || got[0].MobileURL != "https://sso.example/h5/T1" || got[0].Kind != inbox.ToDo {
				t.Fatalf("inbox = %+v", got)
			}
			c := sending("subject", "改了")
			for _, name := range []string{"targets", "createTime", "docCreator"} {
				delete(c, name)
			}
			must("updateTodo", c)
			if i, _ := w.Inbox().Get("fxiaoke.todo/T1", "wangfang"); i.Title != "改了" || i.Sender != "张伟" {
				t.Errorf("updated: %+v", i)
			}
			must("setTodoDone", remove("optType", 2, "targets", `{"LoginName":"lina"}`))
			if state("lina") != inbox.Done || state("wangfang") != inbox.Open {
				t.Errorf("done for one: %s %s", state("lina"), state("wangfang"))
			}
			must("setTodoDone", remove())
			if state("wangfang") != inbox.Done {
				t.Errorf("done for all: %s", state("wangfang"))
			}
			must("deleteTodo", remove())
			if state("lina") != inbox.Gone || state("wangfang") != inbox.Gone {
				t.Error("deleted for all")
			}
			must("sendTodo", sending("type", 2, "modelId", "T2"))
			must("deleteTodo", remove("modelId", "T2", "optType", 2, "targets", `{"Id":"fd1"}`)) // the named owners are treated as done
			if i, _ := w.Inbox().Get("fxiaoke.todo/T2", "lina"); i.State != inbox.Done || i.Kind != inbox.Notice {
				t.Errorf("removed for one: %+v", i)
			}
		})
	}
}

// returnState 2 is success; 0 and 1 are not (LR-DOC).
func TestReturnStates(t *testing.T) {
	w := newWorld(t)
	if r := w.rest("setTodoDone", remove()); r != (result{notOperated, ""}) {
		t.Errorf("unknown: %+v", r)
	}
	for want, state := range map[result]int{{failed, "待办不存在"}: 1, {succeeded, ""}: 2} {
		_ = w.Configure(func(s *Settings) { s.UnknownState = state })
		if r := w.rest("deleteTodo", remove()); r != want {
			t.Errorf("unknown, %d: %+v", state, r)
		}
	}
	for name, c := range map[string]map[string]any{
		"no title": sending("subject", ""), "no link": sending("link", "-"), "no mobile link": sending("mobileLink", "-"), "no creation time": sending("createTime", "-"),
		"date": sending("createTime", "2026-11-26"), "type": sending("type", 3), "level": sending("level", 9), "unknown field": sending("title", "x"),
		"targets as an object": sending("targets", map[string]string{"LoginName": "lina"}), "targets are no JSON": sending("targets", "lina"),
		"targets with an unknown key": sending("targets", `{"loginName":"lina"}`), "a broken list of targets": sending("targets", `[{"LoginName":`),
		"nobody": sending("targets", `{"LoginName":"nobody"}`), "out of scope": sending("targets", `{"PersonNo":"009"}`),
		"one of two is nobody": sending("targets", `[{"LoginName":"lina"},{"LoginName":"nobody"}]`),
	} {
		if r := w.rest("sendTodo", c); r.ReturnState != failed || r.Message == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if n := w.Inbox().Stats().Distinct; n != 0 {
		t.Errorf("%d items were stored", n)
	}
	_ = w.Configure(func(s *Settings) { s.SkipUnknownTargets, s.RequireMobileLinks = true, false })
	r := w.rest("sendTodo", sending("mobileLink", "-", "padLink", "-", "targets", `[{"DeptNo":"D1"},{"LoginName":"nobody"}]`))
	if r.ReturnState != succeeded || w.Inbox().Stats().Open != 2 {
		t.Errorf("a department, unknown targets left out: %+v %+v", r, w.Inbox().Stats())
	}
}

// key and the two parameters tell several to-dos of one model apart (LR-DOC).
func TestDiscriminators(t *testing.T) {
	w := newWorld(t)
	w.rest("sendTodo", sending("key", "a"))
	w.rest("sendTodo", sending("key", "b", "type", 2))
	w.rest("sendTodo", sending("key", "a"))
	if s := w.Inbox().Stats(); s.Distinct != 2 || s.Repeats != 1 {
		t.Fatalf("%+v", s)
	}
	w.rest("setTodoDone", remove("key", "b"))
	if i, _ := w.Inbox().Get("fxiaoke.todo/T1/a", "lina"); i.State != inbox.Open {
		t.Errorf("another key: %+v", i)
	}
	w.rest("deleteTodo", remove("type", 2))
	w.rest("setTodoDone", remove())
	for key, want := range map[string]inbox.State{"a": inbox.Done, "b": inbox.Gone} {
		if i, _ := w.Inbox().Get("fxiaoke.todo/T1/"+key, "lina"); i.State != want {
			t.Errorf("%s: %s", key, i.State)
		}
	}
}

func TestReadBack(t *testing.T) { // LR-DOC §3.3
	w := newWorld(t)
	if r := w.rest("getTodo", map[string]any{"targets": `{"LoginName":"lina"}`}); r.ReturnState != succeeded || r.Message != `{"errorPage":"true","message":"没有符合条件的记录"}` {
		t.Errorf("nothing: %+v", r)
	}
	for _, id := range []string{"T1", "T2", "T3"} {
		w.rest("sendTodo", sending("modelId", id))
	}
	w.rest("setTodoDone", remove("modelId", "T3"))
	w.rest("sendTodo", sending("modelId", "N1", "type", 2))
	r := w.rest("getTodo", map[string]any{"targets": `{"LoginName":"lina"}`, "type": 1, "rowSize": 1, "pageNo": 2})
	want := `{"count":2,"docs":[{"id":"i2","subject":"张伟 的 报价单 待审批","type":"1","key":"","param1":"","param2":"","appName":"纷享销客","modelName":"fxiaoke.todo","moduleName":"纷享销客",` +
		`"modelId":"T2","createTime":"2026-11-26 09:30:00","creator":"{\"LoginName\":\"zhangwei\"}","creatorName":"张伟","level":"3","link":"https://sso.example/pc/T1",` +
		`"mobileLink":"https://sso.example/h5/T1","padLink":"https://sso.example/h5/T1"}],"pageCount":2,"pageno":2}`
	if r.Message != want {
		t.Errorf("page 2: %s", r.Message)
	}
	for kind, count := range map[string]string{"-1": `"count":1`, "0": `"count":3`, "2": `"count":1`, "4": `"count":1`, "5": "errorPage", "13": `"count":2`} {
		if r := w.rest("getTodo", map[string]any{"targets": `{"LoginName":"lina"}`, "type": kind}); !strings.Contains(r.Message, count) {
			t.Errorf("type %s: %s", kind, r.Message)
		}
	}
	if r := w.rest("getTodo", map[string]any{"targets": `{"LoginName":"lina"}`, "otherCond": `[{"modelId":"T2"}]`}); !strings.Contains(r.Message, `"count":1`) {
		t.Errorf("condition: %+v", r)
	}
	if r := w.rest("getTodo", map[string]any{"targets": `{"LoginName":"lina"}`, "otherCond": `x`}); r.ReturnState != failed {
		t.Errorf("bad condition: %+v", r)
	}
	if r := w.rest("getTodoCount", map[string]any{"target": `{"LoginName":"lina"}`, "types": `[{"type":0},{"type":1}]`}); r != (result{succeeded, `[{"0":3},{"1":2}]`}) {
		t.Errorf("count: %+v", r)
	}
	for _, c := range []map[string]any{{"target": `{"DeptNo":"D1"}`}, {"target": `{"LoginName":"lina"}`, "types": "x"}} {
		if r := w.rest("getTodoCount", c); r.ReturnState != failed {
			t.Errorf("%v: %+v", c, r)
		}
	}
}

func TestForms(t *testing.T) { // from memory: some callers post the fields as a form
	w := newWorld(t)
	form := url.Values{}
	for name, value := range sending() {
		if text, ok := value.(string); ok {
			form.Set(name, text)
		}
	}
	form.Set("type", "1")
	a := w.Do(http.DefaultClient, "POST", restPath+"sendTodo", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Authorization", simtest.Basic("crm:s3cret"))
	if a.Body != `{"returnState":2,"message":""}`+"\n" {
		t.Errorf("%d %s", a.Status, a.Body)
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
	for _, c := range []struct {
		action fault.Action
		want   result
	}{
		{fault.Action{Kind: fault.Business, ErrorMsgs: []string{"数据库异常"}}, result{failed, "数据库异常"}},
		{fault.Action{Kind: fault.Business, Code: "0"}, result{notOperated, ""}},
		{fault.Action{Kind: fault.Swallow}, result{succeeded, ""}},
	} {
		script(c.action)
		if r := w.rest("sendTodo", sending()); r != c.want {
			t.Errorf("%+v: %+v", c.action, r)
		}
		if r := w.returned(w.soap(soap11, rightHeader, "sendTodo", sending())); r != c.want {
			t.Errorf("SOAP, %+v: %+v", c.action, r)
		}
	}
	if n := w.Inbox().Stats().Distinct; n != 0 {
		t.Errorf("%d items were stored", n)
	}
	script(fault.Action{Kind: fault.Business, Code: "Server", ErrorMsgs: []string{"空指针"}})
	if a := w.soap(soap11, rightHeader, "sendTodo", sending()); a.Status != 500 || !strings.Contains(a.Body, "<faultcode>soap:Server</faultcode><faultstring>空指针") {
		t.Errorf("fault: %d %s", a.Status, a.Body)
	}
	script(fault.Action{Kind: fault.ExpireToken})
	if a := w.soap(soap12, rightHeader, "sendTodo", sending()); a.Status != 500 || !strings.Contains(a.Body, "soap:Sender") {
		t.Errorf("auth lost over SOAP: %d %s", a.Status, a.Body)
	}
	if a := w.Do(http.DefaultClient, "POST", restPath+"sendTodo", text(sending()), "Authorization", simtest.Basic("crm:s3cret")); a.Status != 401 {
		t.Errorf("auth lost over REST: %d", a.Status)
	}
}
