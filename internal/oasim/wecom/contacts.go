package wecom

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/org"
)

// routeContacts serves the contact book (WC-GO, WC-WX). Members outside the visible scope of the app are not readable.
func (s *WeCom) routeContacts(mux *http.ServeMux) {
	mux.HandleFunc("GET /cgi-bin/department/list", s.asApp(func(w http.ResponseWriter, r *http.Request, a account) {
		s.departments(w, r, a, "department", func(d org.Department, order int) map[string]any {
			return map[string]any{"id": number(d.ID), "name": d.Name, "parentid": number(d.ParentID), "order": order}
		})
	}))
	mux.HandleFunc("GET /cgi-bin/department/simplelist", s.asApp(func(w http.ResponseWriter, r *http.Request, a account) {
		s.departments(w, r, a, "department_id", func(d org.Department, order int) map[string]any {
			return map[string]any{"id": number(d.ID), "parentid": number(d.ParentID), "order": order}
		})
	}))
	mux.HandleFunc("GET /cgi-bin/user/simplelist", s.asApp(s.userList))
	mux.HandleFunc("GET /cgi-bin/user/get", s.asApp(s.userGet))
	mux.HandleFunc("POST /cgi-bin/user/getuserid", s.asApp(func(w http.ResponseWriter, r *http.Request, a account) {
		var in struct{ Mobile string }
		if s.read(w, r, &in) {
			s.findUser(w, r, a, func(p desk.Person) bool { return in.Mobile != "" && p.Mobile == in.Mobile })
		}
	}))
	mux.HandleFunc("POST /cgi-bin/user/get_userid_by_email", s.asApp(func(w http.ResponseWriter, r *http.Request, a account) {
		var in struct{ Email string }
		if s.read(w, r, &in) {
			s.findUser(w, r, a, func(p desk.Person) bool { return in.Email != "" && strings.EqualFold(p.Email, in.Email) })
		}
	}))
}

// departments lists a department and everything below it, or all of them.
func (s *WeCom) departments(w http.ResponseWriter, r *http.Request, a account, field string, show func(org.Department, int) map[string]any) {
	id, tree := r.FormValue("id"), s.tree(a.corp)
	list := []org.Department(tree)
	if id != "" {
		list = tree.Under(id)
	}
	switch {
	case id != "" && number(id) <= 0:
		s.refuse(w, r, badDepartment, "")
		return
	case len(list) == 0:
		s.refuse(w, r, noDepartment, "")
		return
	}
	out := []map[string]any{}
	for i, d := range list {
		out = append(out, show(d, i+1))
	}
	succeed(w, map[string]any{field: out})
}

// number is the number in an id, or 0.
func number(id string) int {
	n, err := strconv.Atoi(id)
	if err != nil {
		return 0
	}
	return n
}

// members are the people of a department and everything below it.
func (s *WeCom) members(c Corp, id string) ([]desk.Person, bool) {
	list := s.tree(c).Under(id)
	var out []desk.Person
	for _, d := range list {
		for _, user := range d.Members {
			if p, ok := s.user(c.CorpID, user); ok {
				out = append(out, p)
			}
		}
	}
	return out, len(list) > 0
}

// tree is the departments of a company; without any, everybody is in one.
func (s *WeCom) tree(c Corp) org.Tree {
	if len(c.Departments) > 0 {
		return c.Departments
	}
	top := org.Department{ID: "1", Name: c.Name}
	for _, p := range s.people.All() {
		if s.corpOf(p) == c.CorpID {
			top.Members = append(top.Members, userID(p))
		}
	}
	return org.Tree{top}
}

// corpOf names the company of a person.
func (s *WeCom) corpOf(p desk.Person) string {
	if corp := p.IDs["corp"]; corp != "" {
		return corp
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.corps) == 0 {
		return ""
	}
	return s.corps[0].CorpID
}

// userID is the ID of a person in the contact book of their company.
func userID(p desk.Person) string { return cmp.Or(p.IDs["userid"], p.ID) }

// user finds the member of a company by the ID in its contact book.
func (s *WeCom) user(corpID, id string) (desk.Person, bool) {
	return s.find(corpID, func(p desk.Person) bool { return userID(p) == id })
}

func (s *WeCom) find(corpID string, fits func(desk.Person) bool) (desk.Person, bool) {
	return s.people.Find(func(p desk.Person) bool { return fits(p) && s.corpOf(p) == corpID })
}

// userList names the members of one department.
func (s *WeCom) userList(w http.ResponseWriter, r *http.Request, a account) {
	d, ok := s.tree(a.corp).Get(r.FormValue("department_id"))
	if !ok {
		s.refuse(w, r, noDepartment, "")
		return
	}
	out := []map[string]any{}
	for _, user := range d.Members {
		if p, ok := s.user(a.corp.CorpID, user); ok && !p.OutOfScope {
			out = append(out, map[string]any{"userid": user, "name": p.Name, "department": []int{number(d.ID)}})
		}
	}
	succeed(w, map[string]any{"userlist": out})
}

func (s *WeCom) userGet(w http.ResponseWriter, r *http.Request, a account) {
	p, ok := s.user(a.corp.CorpID, r.FormValue("userid"))
	switch {
	case !ok:
		s.refuse(w, r, userMissing, "")
	case p.OutOfScope:
		s.refuse(w, r, noRights, "")
	default:
		in := []int{}
		for _, id := range s.tree(a.corp).Of(userID(p)) {
			in = append(in, number(id))
		}
		succeed(w, map[string]any{
			"userid": userID(p), "name": p.Name, "mobile": p.Mobile, "email": p.Email, "department": in, "status": 1,
		})
	}
}

func (s *WeCom) findUser(w http.ResponseWriter, r *http.Request, a account, fits func(desk.Person) bool) {
	p, ok := s.find(a.corp.CorpID, fits)
	if !ok || p.OutOfScope {
		s.refuse(w, r, noSuchUser, "")
		return
	}
	succeed(w, map[string]any{"userid": userID(p)})
}
