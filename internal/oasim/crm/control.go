package crm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// endpoints are the parts of the control API that can be looked at in a browser.
var endpoints = []struct{ Title, Path string }{
	{"发送任务 Runs", "/_sim/runs"},
	{"示例数据 Scenario", "/_sim/scenario?seed=1&count=20"},
	{"登录记录 Logins", "/_sim/logins"},
	{"人员 People", "/_sim/people"},
	{"服务号消息 Messages", "/_sim/messages"},
	{"开放接口 Open interface", "/_sim/open"},
	{"登录设置 Settings", "/_sim/settings"},
	{"故障 Faults", "/_sim/faults"},
	{"请求日志 Journal", "/_sim/journal"},
}

// routeControl serves the control API: JSON in and out, no authentication.
func (c *CRM) routeControl(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		show(w, http.StatusOK, "index.html", false, endpoints)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.Handle("/_sim/faults", &c.faults)
	mux.Handle("/_sim/journal", c.journal)
	get := func(path string, read func() any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, read()) })
	}
	get("/_sim/logins", func() any { return map[string]any{"logins": c.Logins()} })
	get("/_sim/people", func() any { return map[string]any{"people": c.People()} })
	get("/_sim/settings", func() any { return c.Login() })
	get("/_sim/open", func() any {
		return map[string]any{"enterpriseAccount": c.app.EnterpriseAccount, "corpId": c.app.CorpID, "roles": c.app.OpenUserIDs(), "stats": c.OpenStats()}
	})
	mux.HandleFunc("GET /messages", c.messagePage)
	mux.HandleFunc("GET /_sim/messages", func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusOK, map[string]any{"messages": c.Messages(r.FormValue("to"))})
	})
	mux.HandleFunc("DELETE /_sim/messages", func(w http.ResponseWriter, _ *http.Request) {
		c.ClearMessages()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("PUT /_sim/objects", command(http.StatusOK, func(in struct {
		Object
		Fields map[string]any `json:"fields"`
	}) (any, error) {
		return in.Object, c.SetObject(in.Object, in.Fields)
	}))
	get("/_sim/runs", func() any { return map[string]any{"runs": c.Runs()} })
	mux.HandleFunc("GET /_sim/scenario", scenarioOf)
	mux.HandleFunc("GET /_sim/runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		if run, ok := c.Run(r.PathValue("id")); ok {
			reply(w, http.StatusOK, run)
			return
		}
		http.NotFound(w, r)
	})
	mux.HandleFunc("DELETE /_sim/runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !c.CancelRun(r.PathValue("id")) {
			http.NotFound(w, r)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /_sim/emit", command(http.StatusAccepted, func(in Emission) (any, error) { return c.Emit(in) }))
	mux.HandleFunc("POST /_sim/people", command(http.StatusOK, func(in struct {
		People []Person `json:"people"`
	}) (any, error) {
		for _, p := range in.People {
			if err := c.AddPerson(p); err != nil {
				return nil, err
			}
		}
		return map[string]int{"people": len(in.People)}, nil
	}))
	mux.HandleFunc("PUT /_sim/settings", command(http.StatusOK, func(in json.RawMessage) (any, error) {
		next := c.Login()
		if err := strict(in, &next); err != nil {
			return nil, err
		}
		c.SetLogin(next)
		return next, nil
	}))
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
		reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	reply(w, http.StatusOK, s)
}

// command wraps a control call: strict JSON in, JSON or {"error"} out.
func command[T any](status int, do func(T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in T
		var out any
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<20))
		if err == nil {
			err = strict(raw, &in)
		}
		if err == nil {
			out, err = do(in)
		}
		if err != nil {
			reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		reply(w, status, out)
	}
}

func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
