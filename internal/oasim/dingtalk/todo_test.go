package dingtalk

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

const tasksOf = "/v1.0/todo/users/union-zhangwei/tasks"

func create(source string, executors ...string) string {
	return fmt.Sprintf(`{"sourceId":%q,"subject":"报价单待审批","creatorId":"union-zhangwei","description":"张三 提交","dueTime":1795000000000,`+
		`"executorIds":["%s"],"detailUrl":{"appUrl":"https://sso.crm.example/h5/1","pcUrl":"https://sso.crm.example/pc/1"},"isOnlyShowExecutor":true,`+
		`"priority":20,"notifyConfigs":{"dingNotify":"1"},"contentFieldList":[{"fieldKey":"客户","fieldValue":"甲"}]}`, source, strings.Join(executors, `","`))
}

func (w *world) create(source string, executors ...string) string {
	w.t.Helper()
	status, r := w.v1("POST", tasksOf+"?operatorId=union-zhangwei", create(source, executors...))
	if status != 200 || r.Text("id") == "" {
		w.t.Fatalf("create: %d %v", status, r)
	}
	return r.Text("id")
}

// A to-do of two people: it is done when both have done their part (DT-SDK).
func TestLifeOfATask(t *testing.T) {
	w := newWorld(t)
	id := w.create("T1", "uLina", "union-wangfang")
	for _, path := range []string{tasksOf + "/" + id, tasksOf + "/sources/T1", "/v1.0/todo/users/uLina/tasks/" + id} {
		status, r := w.v1("GET", path, "")
		if status != 200 || r.Text("subject") != "报价单待审批" || r.Text("sourceId") != "T1" || r["done"] != false || r["priority"] != 20.0 ||
			r["createdTime"] != float64(w.now.UnixMilli()) || r.In("detailUrl").Text("pcUrl") != "https://sso.crm.example/pc/1" {
			t.Errorf("%s: %d %v", path, status, r)
		}
	}
	if got := w.open("lina"); len(got) != 1 || got[0].TaskID != "T1" || got[0].Sender != "张伟" || got[0].MobileURL != "https://sso.crm.example/h5/1" {
		t.Errorf("lina sees %+v", got)
	}
	part := func(union string) (int, simtest.Object) {
		return w.v1("PUT", tasksOf+"/"+id+"/executorStatus?operatorId="+union, `{"executorStatusList":[{"id":"`+union+`","isDone":true}]}`)
	}
	if status, r := part("uLina"); status != 200 || r["result"] != true || len(w.done("lina")) != 1 || len(w.open("wangfang")) != 1 {
		t.Errorf("%d %v", status, r)
	}
	if _, r := w.v1("GET", tasksOf+"/"+id, ""); r["done"] != false {
		t.Errorf("half done: %v", r)
	}
	part("union-wangfang")
	if _, r := w.v1("GET", tasksOf+"/"+id, ""); r["done"] != true || r["finishTime"] != float64(w.now.UnixMilli()) {
		t.Errorf("all done: %v", r)
	}
	if status, r := w.v1("DELETE", tasksOf+"/"+id+"?operatorId=union-zhangwei", ""); status != 200 || r["result"] != true || len(w.done("lina")) != 0 {
		t.Errorf("delete: %d %v", status, r)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if status, r := w.v1(method, tasksOf+"/"+id+"?operatorId=union-zhangwei", ""); status != 400 || r.Text("code") != "todoTaskNotExist" {
			t.Errorf("%s after the deletion: %d %v", method, status, r)
		}
	}
}

func TestUpdate(t *testing.T) {
	w := newWorld(t)
	id := w.create("T1", "uLina")
	put := func(body string) (int, simtest.Object) {
		return w.v1("PUT", tasksOf+"/"+id+"?operatorId=union-zhangwei", body)
	}
	if status, r := put(`{"subject":"改过","executorIds":["union-wangfang"]}`); status != 200 || r["result"] != true {
		t.Fatalf("%d %v", status, r)
	}
	if got := w.open("wangfang"); len(got) != 1 || got[0].Title != "改过" || got[0].Text != "张三 提交" || len(w.open("lina")) != 0 {
		t.Errorf("wangfang sees %+v", got)
	}
	put(`{"done":true}`)
	if len(w.done("wangfang")) != 1 {
		t.Error("done for all")
	}
	put(`{"done":false}`)
	if got := w.open("wangfang"); len(got) != 1 || got[0].Revived != 1 {
		t.Errorf("open again: %+v", got)
	}
}

// A repeat of a creation does not make a second to-do, and does not change the first one.
func TestKnownSource(t *testing.T) {
	w := newWorld(t)
	first := w.create("T1", "uLina")
	if again := w.create("T1", "union-wangfang"); again != first || len(w.open("wangfang")) != 0 {
		t.Error("a known source made something")
	}
	if err := w.Configure(func(s *Settings) { s.KnownSource = "new" }); err != nil {
		t.Fatal(err)
	}
	if again := w.create("T1", "uLina"); again == first || w.Inbox().Stats().Duplicates != 1 {
		t.Error("the strict setting makes a duplicate")
	}
	w.Inbox().Reset()
	if _, r := w.v1("GET", tasksOf+"/"+first, ""); r.Text("code") != "todoTaskNotExist" {
		t.Errorf("the tasks go with the inbox: %v", r)
	}
}

func TestTasksThatAreRefused(t *testing.T) {
	w := newWorld(t)
	id := w.create("T1", "uLina")
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"a userid is no unionId", "POST", "/v1.0/todo/users/zhangwei/tasks?operatorId=union-zhangwei", create("T2", "uLina"), 400, "InvalidParameter"},
		{"executor by userid", "POST", tasksOf + "?operatorId=union-zhangwei", create("T2", "lina"), 400, "InvalidParameter"},
		{"out of scope", "POST", tasksOf + "?operatorId=union-zhangwei", create("T2", "union-hidden"), 403, "Forbidden.AccessDenied.UserNotInScope"}, // F118
		{"no operator", "POST", tasksOf, create("T2", "uLina"), 400, "MissingoperatorId"},
		{"no JSON", "POST", tasksOf + "?operatorId=union-zhangwei", "[", 400, "InvalidParameter"},
		{"no subject", "POST", tasksOf + "?operatorId=union-zhangwei", `{}`, 400, "InvalidParameter"},
		{"1025 characters", "POST", tasksOf + "?operatorId=union-zhangwei", `{"subject":"` + strings.Repeat("很", 1025) + `"}`, 400, "InvalidParameter"},
		{"4097 characters", "POST", tasksOf + "?operatorId=union-zhangwei", `{"subject":"a","description":"` + strings.Repeat("很", 4097) + `"}`, 400, "InvalidParameter"},
		{"priority", "POST", tasksOf + "?operatorId=union-zhangwei", `{"subject":"a","priority":5}`, 400, "InvalidParameter"},
		{"link", "POST", tasksOf + "?operatorId=union-zhangwei", `{"subject":"a","detailUrl":{"pcUrl":"sso.crm.example"}}`, 400, "InvalidParameter"},
		{"no such creator", "POST", tasksOf + "?operatorId=union-zhangwei", `{"subject":"a","creatorId":"x"}`, 400, "InvalidParameter"},
		{"somebody it does not concern", "GET", "/v1.0/todo/users/union-wangfang/tasks/" + id, "", 400, "todoTaskNotExist"},
		{"no executors named", "PUT", tasksOf + "/" + id + "/executorStatus?operatorId=uLina", `{}`, 400, "InvalidParameter"},
		{"somebody who is no executor", "PUT", tasksOf + "/" + id + "/executorStatus?operatorId=uLina", `{"executorStatusList":[{"id":"union-wangfang","isDone":true}]}`, 400, "InvalidParameter"},
		{"update of nothing", "PUT", tasksOf + "/task99?operatorId=uLina", `{"done":true}`, 400, "todoTaskNotExist"},
	} {
		if status, r := w.v1(tc.method, tc.path, tc.body); status != tc.status || r.Text("code") != tc.code || r.Text("message") == "" {
			t.Errorf("%s: %d %v", tc.name, status, r)
		}
	}
	if n := len(w.Inbox().Where(func(*inbox.Item) bool { return true })); n != 1 {
		t.Errorf("%d items", n)
	}
}

func TestQuery(t *testing.T) {
	w := newWorld(t)
	for i := range 25 {
		w.create(fmt.Sprint("T", i), "uLina")
	}
	status, r := w.v1("POST", "/v1.0/todo/users/uLina/org/tasks/query", `{"isDone":false}`)
	cards, _ := r["todoCards"].([]any)
	if status != 200 || r["totalCount"] != 25.0 || len(cards) != 20 || r.Text("nextToken") != "20" {
		t.Fatalf("%d %v", status, r)
	}
	_, r = w.v1("POST", "/v1.0/todo/users/uLina/org/tasks/query", `{"isDone":false,"nextToken":"20"}`)
	if cards, _ := r["todoCards"].([]any); len(cards) != 5 || r.Text("nextToken") != "" {
		t.Errorf("the second page: %v", r)
	}
	if _, r := w.v1("POST", "/v1.0/todo/users/uLina/org/tasks/query", `{"isDone":true}`); r["totalCount"] != 0.0 {
		t.Errorf("nothing is done: %v", r)
	}
}

// A success that is none shows only when the task is read back.
func TestSwallowed(t *testing.T) {
	w := newWorld(t)
	id := w.create("T1", "uLina")
	token := w.token()
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{TaskID: "T1", Method: "PUT"}, Action: fault.Action{Kind: fault.Swallow}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Faults().Add(fault.Rule{Match: fault.Match{TaskID: "T2", Receiver: "uLina", Title: "报价"}, Action: fault.Action{Kind: fault.Swallow}}); err != nil {
		t.Fatal(err)
	}
	status, r := w.JSON("PUT", tasksOf+"/"+id+"?operatorId=uLina", `{"done":true}`, tokenHeader, token)
	if status != 200 || r["result"] != true || len(w.open("lina")) != 1 {
		t.Errorf("update: %d %v", status, r)
	}
	status, r = w.JSON("POST", tasksOf+"?operatorId=uLina", create("T2", "uLina"), tokenHeader, token)
	if status != 200 || r.Text("id") == "" || len(w.open("lina")) != 1 {
		t.Errorf("create: %d %v", status, r)
	}
	if _, r := w.v1("GET", tasksOf+"/sources/T2", ""); r.Text("code") != "todoTaskNotExist" {
		t.Errorf("read back: %v", r)
	}
}
