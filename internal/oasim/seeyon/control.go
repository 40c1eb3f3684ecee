package seeyon

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

// routeControl adds what the OA has to the control API.
func (s *Seeyon) routeControl() {
	d := s.Desk
	d.Get("全部待办 Items", "/_sim/items", s.listItems)
	d.Get("消息 Messages", "/_sim/messages", func(*http.Request) any { return map[string]any{"messages": s.Messages()} })
	d.Get("统计 Statistics", "/_sim/stats", func(*http.Request) any { return s.Stats() })
	d.Get("人员与绑定 People", "/_sim/people", func(*http.Request) any {
		people := s.People()
		for i := range people {
			people[i].Password = ""
		}
		return map[string]any{"people": people, "bindings": s.bindings()}
	})
	s.ServeOn(d)
	d.Delete("/_sim/items", s.Reset)
	d.Delete("/_sim/tokens", s.ForgetTokens)
	desk.On(d, "POST /_sim/people", http.StatusOK, func(in struct {
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
	})
	desk.On(d, "PUT /_sim/apps", http.StatusOK, func(in struct {
		Apps []App `json:"apps"`
	}) (any, error) {
		s.SetApps(in.Apps)
		return in, nil
	})
	desk.On(d, "PUT /_sim/passwords", http.StatusOK, func(in struct {
		User     string `json:"user"`
		Password string `json:"password"`
	}) (any, error) {
		s.SetPassword(in.User, in.Password)
		return map[string]string{"user": in.User}, nil
	})
	desk.On(d, "POST /_sim/tickets", http.StatusOK, func(in struct {
		Login        string `json:"login"`
		RegisterCode string `json:"registerCode"`
	}) (any, error) {
		id, err := s.issueTicket(in.Login, in.RegisterCode)
		return map[string]any{"ticket": id, "expiresAt": s.Now().Add(s.Settings().ticketLife()).Format(time.RFC3339)}, err
	})
}

// SetApps replaces the registered apps.
func (s *Seeyon) SetApps(apps []App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps = slices.Clone(apps)
}

// listItems filters by ?login=, ?taskId= and ?state=.
func (s *Seeyon) listItems(r *http.Request) any {
	login, task, state := r.FormValue("login"), r.FormValue("taskId"), r.FormValue("state")
	items := slices.DeleteFunc(s.Items(), func(i Item) bool {
		return login != "" && i.LoginName != login || task != "" && i.TaskID != task || state != "" && i.State != state
	})
	return map[string]any{"items": items}
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
