package feishu

import (
	"net/http"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

// maxLookUp bounds the e-mails and the mobiles of a look-up (FS-SDK).
const maxLookUp = 50

// routeContacts serves the look-up of people by e-mail and mobile (FS-SDK). Whoever is not found, or does not see the app,
// comes back without an id.
func (s *Feishu) routeContacts(mux *http.ServeMux) {
	mux.HandleFunc("POST /open-apis/contact/v3/users/batch_get_id", s.asTenant(Contacts, func(w http.ResponseWriter, r *http.Request, _ App) {
		var in struct {
			Emails  []string `json:"emails"`
			Mobiles []string `json:"mobiles"`
		}
		if !s.read(w, r, badBody, &in) {
			return
		}
		if len(in.Emails) > maxLookUp || len(in.Mobiles) > maxLookUp || len(in.Emails)+len(in.Mobiles) == 0 {
			s.refuse(w, badBody, "emails and mobiles take 50 each, and at least one")
			return
		}
		kind := r.URL.Query().Get("user_id_type")
		list := []fields{}
		add := func(field, value string, fits func(desk.Person) bool) {
			one := fields{field: value}
			if p, ok := s.people.Find(fits); ok && value != "" && !p.OutOfScope {
				one["user_id"] = idOf(p, kind)
				one["status"] = fields{"is_activated": true, "is_frozen": false, "is_resigned": false}
			}
			list = append(list, one)
		}
		for _, e := range in.Emails {
			add("email", e, func(p desk.Person) bool { return strings.EqualFold(p.Email, e) })
		}
		for _, m := range in.Mobiles {
			add("mobile", m, func(p desk.Person) bool { return p.Mobile == strings.TrimPrefix(m, "+86") })
		}
		succeed(w, fields{"user_list": list})
	}))
}
