package welink

import (
	"net/http"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

// routeControl adds what is WeLink's own to the control API.
func (s *WeLink) routeControl() {
	s.box.ServeOn(s.Desk)
	s.people.ServeOn(s.Desk)
	s.ServeOn(s.Desk)
	s.Get("应用 Apps", "/_sim/apps", func(*http.Request) any { return map[string]any{"tenants": s.tenants, "apps": s.Apps()} })
	desk.On(s.Desk, "PUT /_sim/apps", http.StatusOK, func(in App) (any, error) {
		return map[string]string{"clientId": in.ClientID}, s.SetApp(in)
	})
	s.Delete("/_sim/tokens", s.ForgetTokens)
	desk.On(s.Desk, "POST /_sim/codes", http.StatusOK, func(in struct {
		ClientID string `json:"clientId"`
		Person   string `json:"person"`
	}) (any, error) {
		code, err := s.IssueCode(in.ClientID, in.Person)
		return map[string]string{"code": code}, err
	})
}

// Apps returns the apps without their secrets.
func (s *WeLink) Apps() []App {
	out := s.apps.All()
	for i := range out {
		out[i].ClientSecret = ""
	}
	return out
}
