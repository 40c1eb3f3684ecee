package seeyon

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"
)

// endpoints are the parts of the control API that can be looked at in a browser.
var endpoints = []struct{ Title, Path string }{
	{"全部待办 Items", "/_sim/items"},
	{"消息 Messages", "/_sim/messages"},
	{"统计 Statistics", "/_sim/stats"},
	{"人员与绑定 People", "/_sim/people"},
	{"开关 Settings", "/_sim/settings"},
	{"故障 Faults", "/_sim/faults"},
	{"请求日志 Journal", "/_sim/journal"},
}

// routeControl serves the control API: JSON in and out, no authentication.
func (s *Seeyon) routeControl(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		show(w, http.StatusOK, "index.html", false, endpoints)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.Handle("/_sim/faults", &s.faults)
	mux.Handle("/_sim/journal", s.journal)
	mux.HandleFunc("GET /_sim/stats", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, s.Stats()) })
	mux.HandleFunc("GET /_sim/items", s.listItems)
	mux.HandleFunc("GET /_sim/messages", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"messages": s.Messages()})
	})
	mux.HandleFunc("DELETE /_sim/items", func(w http.ResponseWriter, _ *http.Request) {
		s.Reset()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /_sim/people", func(w http.ResponseWriter, _ *http.Request) {
		people := s.People()
		for i := range people {
			people[i].Password = ""
		}
		reply(w, http.StatusOK, map[string]any{"people": people, "bindings": s.bindings()})
	})
	mux.HandleFunc("POST /_sim/people", command(func(in struct {
		People   []Person  `json:"people"`
		Bindings []Binding `json:"bindings"`
	}) (any, error) {
		for _, p := range in.People {
			if err := s.AddPerson(p); err != nil {
				return nil, err
			}
		}
		for _, b := range in.Bindings {
			if err := s.Bind(b); err != nil {
				return nil, err
			}
		}
		return map[string]int{"people": len(in.People), "bindings": len(in.Bindings)}, nil
	}))
	mux.HandleFunc("GET /_sim/settings", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, s.Settings()) })
	mux.HandleFunc("PUT /_sim/settings", command(func(in json.RawMessage) (any, error) {
		next := s.Settings()
		if err := strict(in, &next); err != nil {
			return nil, err
		}
		return next, s.Configure(func(c *Settings) { *c = next })
	}))
	mux.HandleFunc("PUT /_sim/apps", command(func(in struct {
		Apps []App `json:"apps"`
	}) (any, error) {
		s.SetApps(in.Apps)
		return in, nil
	}))
	mux.HandleFunc("PUT /_sim/passwords", command(func(in struct {
		User     string `json:"user"`
		Password string `json:"password"`
	}) (any, error) {
		s.SetPassword(in.User, in.Password)
		return map[string]string{"user": in.User}, nil
	}))
	mux.HandleFunc("DELETE /_sim/tokens", func(w http.ResponseWriter, _ *http.Request) {
		s.ForgetTokens()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /_sim/tickets", command(func(in struct {
		Login        string `json:"login"`
		RegisterCode string `json:"registerCode"`
	}) (any, error) {
		id, err := s.issueTicket(in.Login, in.RegisterCode)
		return map[string]any{"ticket": id, "expiresAt": s.now().Add(s.Settings().ticketLife()).Format(time.RFC3339)}, err
	}))
}

// SetApps replaces the registered apps.
func (s *Seeyon) SetApps(apps []App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps = slices.Clone(apps)
}

// listItems filters by ?login=, ?taskId= and ?state=.
func (s *Seeyon) listItems(w http.ResponseWriter, r *http.Request) {
	login, task, state := r.FormValue("login"), r.FormValue("taskId"), r.FormValue("state")
	items := slices.DeleteFunc(s.Items(), func(i Item) bool {
		return login != "" && i.LoginName != login || task != "" && i.TaskID != task || state != "" && i.State != state
	})
	reply(w, http.StatusOK, map[string]any{"items": items})
}

func (s *Seeyon) bindings() []Binding {
	d := s.directory
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := []Binding{}
	for key, login := range d.bindings {
		out = append(out, Binding{key[0], key[1], login})
	}
	slices.SortFunc(out, func(a, b Binding) int {
		return cmp.Or(cmp.Compare(a.RegisterCode, b.RegisterCode), cmp.Compare(a.ThirdUserID, b.ThirdUserID))
	})
	return out
}

// command wraps a control call: strict JSON in, JSON or {"error"} out.
func command[T any](do func(T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in T
		var out any
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<20))
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
		reply(w, http.StatusOK, out)
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
