package dingtalk

import (
	"net/http"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

// routeControl adds what is DingTalk's own to the control API.
func (s *DingTalk) routeControl() {
	s.box.ServeOn(s.Desk)
	s.people.ServeOn(s.Desk)
	s.ServeOn(s.Desk)
	s.Get("待办任务 Tasks", "/_sim/tasks", func(*http.Request) any {
		return map[string]any{"tasks": s.tasks.list(func(*task) bool { return true })}
	})
	s.Get("应用 Apps", "/_sim/apps", func(*http.Request) any { return map[string]any{"apps": s.Apps()} })
	desk.On(s.Desk, "PUT /_sim/apps", http.StatusOK, func(in App) (any, error) {
		return map[string]string{"appKey": in.AppKey}, s.SetApp(in)
	})
	s.Delete("/_sim/tokens", s.ForgetTokens)
	desk.On(s.Desk, "POST /_sim/codes", http.StatusOK, func(in struct {
		AppKey string `json:"appKey"`
		Person string `json:"person"`
	}) (any, error) {
		code, err := s.IssueCode(in.AppKey, in.Person)
		return map[string]string{"code": code}, err
	})
}

// Apps returns the apps without their secrets.
func (s *DingTalk) Apps() []App {
	out := s.apps.All()
	for i := range out {
		out[i].AppSecret = ""
	}
	return out
}
