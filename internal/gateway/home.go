package gateway

import "github.com/oabridge/oabridge/internal/crm/login"

// home is the CRM's page for people who open the app and no record (F115). It comes from the bundle alone: nothing in a
// request chooses it, and it travels inside of what the login issuer vouches for.
type home struct{ pc, h5 string }

// lead completes a target that is the home page.
func (p home) lead(t login.Target) login.Target {
	t.Path = ""
	if t.Page == login.PageHome {
		if t.Path = p.pc; t.Client == login.ClientH5 {
			t.Path = p.h5
		}
	}
	return t
}
