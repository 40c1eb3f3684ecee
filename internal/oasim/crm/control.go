package crm

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

// routeControl adds what the CRM has to the control API.
func (c *CRM) routeControl() {
	c.Page("CRM 主页 Home page of whoever is logged in", "/home")
	c.Page("服务号消息 Messages of the service account", "/messages")
	c.Get("发送任务 Runs", "/_sim/runs", func(*http.Request) any { return map[string]any{"runs": c.Runs()} })
	c.Link("示例数据 Scenario", "/_sim/scenario?seed=1&count=20")
	c.Get("登录记录 Logins", "/_sim/logins", func(*http.Request) any { return map[string]any{"logins": c.Logins()} })
	c.Get("人员 People", "/_sim/people", func(*http.Request) any { return map[string]any{"people": c.People()} })
	c.Get("服务号消息 Messages", "/_sim/messages", func(r *http.Request) any {
		return map[string]any{"messages": c.Messages(r.FormValue("to"))}
	})
	c.Get("开放接口 Open interface", "/_sim/open", func(*http.Request) any {
		return map[string]any{"enterpriseAccount": c.app.EnterpriseAccount, "corpId": c.app.CorpID, "roles": c.app.OpenUserIDs(), "stats": c.OpenStats()}
	})
	c.Handle("GET /messages", c.messagePage)
	c.Delete("/_sim/messages", c.ClearMessages)
	desk.On(c.Desk, "PUT /_sim/objects", http.StatusOK, func(in struct {
		Object
		Fields map[string]any `json:"fields"`
	}) (any, error) {
		return in.Object, c.SetObject(in.Object, in.Fields)
	})
	c.Handle("GET /_sim/scenario", scenarioOf)
	c.Handle("GET /_sim/runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		if run, ok := c.Run(r.PathValue("id")); ok {
			desk.Reply(w, http.StatusOK, run)
			return
		}
		http.NotFound(w, r)
	})
	c.Handle("DELETE /_sim/runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !c.CancelRun(r.PathValue("id")) {
			http.NotFound(w, r)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	desk.On(c.Desk, "POST /_sim/emit", http.StatusAccepted, func(in Emission) (any, error) { return c.Emit(in) })
	desk.On(c.Desk, "POST /_sim/people", http.StatusOK, func(in struct {
		People []Person `json:"people"`
	}) (any, error) {
		for _, p := range in.People {
			if err := c.AddPerson(p); err != nil {
				return nil, err
			}
		}
		return map[string]int{"people": len(in.People)}, nil
	})
	c.login.ServeOn(c.Desk)
}

// scenarioOf shows a workload without sending it.
func scenarioOf(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	seed, err := strconv.ParseUint("0"+q.Get("seed"), 10, 64)
	load := Workload{Seed: seed, Prefix: q.Get("prefix"), EnterpriseID: q.Get("enterpriseID"), DataCenterID: q.Get("dataCenterID")}
	for name, field := range map[string]*int{"count": &load.Events, "todos": &load.ToDos, "people": &load.People, "receivers": &load.Receivers} {
		if v := q.Get(name); v != "" && err == nil {
			if *field, err = strconv.Atoi(v); err != nil {
				err = fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	var s Scenario
	if err == nil {
		s, err = Generate(load)
	}
	if err != nil {
		desk.Reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	desk.Reply(w, http.StatusOK, s)
}
