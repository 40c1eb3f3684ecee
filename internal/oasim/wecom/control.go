package wecom

import (
	"context"
	"net/http"
	"strconv"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// tiles are the apps with a home page, of all companies.
func (s *WeCom) tiles() []portal.Tile {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []portal.Tile
	for _, c := range s.corps {
		for _, a := range c.Apps {
			if a.HomeURL != "" {
				out = append(out, portal.Tile{Code: account{c, a}.key(), Name: a.Name + " · " + c.Name, URL: a.HomeURL})
			}
		}
	}
	return out
}

// routeControl adds what is WeCom's own to the control API.
func (s *WeCom) routeControl() {
	s.box.ServeOn(s.Desk)
	s.people.ServeOn(s.Desk)
	s.ServeOn(s.Desk)
	s.Get("企业 Companies", "/_sim/corps", func(*http.Request) any { return map[string]any{"corps": s.Corps()} })
	s.Delete("/_sim/tokens", s.ForgetTokens)
	s.Delete("/_sim/calls", s.calls.Reset)
	desk.On(s.Desk, "PUT /_sim/apps", http.StatusOK, func(in struct {
		CorpID string `json:"corpId"`
		App    App    `json:"app"`
	}) (any, error) {
		return map[string]string{"agentId": strconv.Itoa(in.App.AgentID)}, s.SetApp(in.CorpID, in.App)
	})
	desk.On(s.Desk, "POST /_sim/codes", http.StatusOK, func(in struct {
		CorpID  string `json:"corpId"`
		AgentID int    `json:"agentId"`
		User    string `json:"user"`
	}) (any, error) {
		code, err := s.IssueCode(in.CorpID, in.AgentID, in.User)
		return map[string]string{"code": code}, err
	})
	desk.On(s.Desk, "POST /_sim/domains", http.StatusOK, func(in struct {
		CorpID  string `json:"corpId"`
		AgentID int    `json:"agentId"`
		File    string `json:"file"`
		Content string `json:"content"`
	}) (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), domainTimeout)
		defer cancel()
		return map[string]bool{"verified": true}, s.VerifyDomain(ctx, in.CorpID, in.AgentID, in.File, in.Content)
	})
	desk.On(s.Desk, "POST /_sim/todos", http.StatusOK, func(in struct {
		CorpID string   `json:"corpId"`
		ID     string   `json:"todo_id"`
		Title  string   `json:"title"`
		URL    string   `json:"url"`
		Users  []string `json:"users"`
	}) (any, error) {
		return map[string]int{"todos": len(in.Users)}, s.AddTodo(in.CorpID, in.ID, in.Title, in.URL, in.Users...)
	})
}

// Corps returns the companies as the admin console shows them, without secrets.
func (s *WeCom) Corps() []Corp {
	s.mu.RLock()
	corps := append([]Corp{}, s.corps...)
	s.mu.RUnlock()
	for i, c := range corps {
		apps := append([]App{}, c.Apps...)
		for j := range apps {
			apps[j].Secret = ""
		}
		corps[i].Apps, corps[i].Departments = apps, s.tree(c)
	}
	return corps
}
