package feishu

import (
	"net/http"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

// routeControl adds what is Feishu's own to the control API.
func (s *Feishu) routeControl() {
	s.box.ServeOn(s.Desk)
	s.people.ServeOn(s.Desk)
	s.ServeOn(s.Desk)
	s.Get("三方审批 Approvals", "/_sim/instances", func(*http.Request) any {
		list := []instance{}
		for _, a := range s.Apps() {
			list = append(list, s.instancesOf(a)...)
		}
		return map[string]any{"instances": list}
	})
	s.Get("应用 Apps", "/_sim/apps", func(*http.Request) any { return map[string]any{"apps": s.Apps()} })
	desk.On(s.Desk, "PUT /_sim/apps", http.StatusOK, func(in App) (any, error) {
		return map[string]string{"appId": in.AppID}, s.SetApp(in)
	})
	s.Delete("/_sim/tokens", s.ForgetTokens)
	desk.On(s.Desk, "POST /_sim/codes", http.StatusOK, func(in struct {
		AppID  string `json:"appId"`
		Person string `json:"person"`
	}) (any, error) {
		code, err := s.IssueCode(in.AppID, in.Person)
		return map[string]string{"code": code}, err
	})
}

// Apps returns the apps without their secrets.
func (s *Feishu) Apps() []App {
	out := s.apps.All()
	for i := range out {
		out[i].AppSecret = ""
	}
	return out
}
