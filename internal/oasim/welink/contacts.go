package welink

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/org"
)

// The bounds of a page of a list (WL-DOC).
const (
	maxPage        = 50
	maxDepartments = 100
)

// routeContacts serves the contacts, as far as the app may see them (WL-DOC, WL-GO, WL-JAVA).
func (s *WeLink) routeContacts(mux *http.ServeMux) {
	for _, version := range []string{"v1", "v2"} {
		mux.HandleFunc("POST /api/contact/"+version+"/user/detail", s.asApp(Contacts, func(w http.ResponseWriter, r *http.Request, a App) {
			var in struct{ UserID, MobileNumber, CorpUserID string }
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				s.refuse(w, noData, "the body is not JSON with userId, mobileNumber or corpUserId")
				return
			}
			s.detail(w, a, in.UserID, in.MobileNumber, in.CorpUserID)
		}))
	}
	mux.HandleFunc("GET /api/contact/v1/users", s.asApp(Contacts, func(w http.ResponseWriter, r *http.Request, a App) {
		s.detail(w, a, r.FormValue("userId"), r.FormValue("mobileNumber"), r.FormValue("corpUserId"))
	}))
	for _, path := range []string{"/api/contact/v1/user/users", "/api/contact/v1/user/simplelist", "/api/contact/v2/user/list"} {
		mux.HandleFunc("GET "+path, s.asApp(Contacts, s.users))
	}
	mux.HandleFunc("GET /api/contact/v2/departments/list", s.asApp(Contacts, s.departments))
}

// detail tells about one person, named in one of three ways.
func (s *WeLink) detail(w http.ResponseWriter, a App, user, mobile, corpUser string) {
	p, ok := s.find(a.TenantID, func(p desk.Person) bool {
		return user != "" && userID(p) == user || mobile != "" && mobileOf(p) == mobileOf(desk.Person{Mobile: mobile}) ||
			corpUser != "" && corpUserID(p) == corpUser
	})
	if !ok || !sees(a, p) {
		s.refuse(w, noData, "no such user, or not in the visible scope of the app")
		return
	}
	succeed(w, "OK", s.person(a.TenantID, p))
}

func corpUserID(p desk.Person) string { return cmp.Or(p.IDs["corpUserId"], p.Code, p.ID) }

// mobileOf writes a number as WeLink does: +86-… (WL-DOC).
func mobileOf(p desk.Person) string {
	if p.Mobile == "" || strings.HasPrefix(p.Mobile, "+") {
		return p.Mobile
	}
	return "+86-" + p.Mobile
}

func (s *WeLink) person(tenant string, p desk.Person) fields {
	out := fields{
		"userId": userID(p), "corpUserId": corpUserID(p), "userNameCn": p.Name, "userNameEn": p.ID, "mobileNumber": mobileOf(p),
		"userEmail": p.Email, "userStatus": "3", "isActivated": 1,
	}
	if in := s.tree(tenant).Of(userID(p)); len(in) > 0 {
		out["deptCode"] = in[0]
	}
	for k, v := range out {
		if v == "" {
			delete(out, k)
		}
	}
	return out
}

// tree is the departments of a tenant; without any, everybody is in one.
func (s *WeLink) tree(tenant string) org.Tree {
	t, _ := s.tenant(tenant)
	if len(t.Departments) > 0 {
		return t.Departments
	}
	top := org.Department{ID: "1", ParentID: "0", Name: t.Name}
	for _, p := range s.people.All() {
		if s.tenantOf(p) == tenant {
			top.Members = append(top.Members, userID(p))
		}
	}
	return org.Tree{top}
}

// users lists the people of a department in pages.
func (s *WeLink) users(w http.ResponseWriter, r *http.Request, a App) {
	size := min(number(r, "pageSize", maxPage), maxPage)
	page := number(r, "pageNo", 1)
	d, ok := s.tree(a.TenantID).Get(r.FormValue("deptCode"))
	if !ok {
		s.refuse(w, noData, "no such department")
		return
	}
	all := []fields{}
	for _, user := range d.Members {
		if p, ok := s.user(a.TenantID, user); ok && sees(a, p) {
			all = append(all, s.person(a.TenantID, p))
		}
	}
	from := min((page-1)*size, len(all))
	succeed(w, "OK", fields{
		"pageNo": page, "pages": (len(all) + size - 1) / size, "pageSize": size, "total": len(all), "data": all[from:min(from+size, len(all))],
	})
}

// departments lists what is below a department ("0" is above all), one level or all.
func (s *WeLink) departments(w http.ResponseWriter, r *http.Request, a App) {
	tree, code := s.tree(a.TenantID), r.FormValue("deptCode")
	list := tree.Children(code)
	if r.FormValue("recursiveflag") == "1" {
		var deep []org.Department
		for _, d := range list {
			deep = append(deep, tree.Under(d.ID)...)
		}
		list = deep
	}
	offset, limit := number(r, "offset", 1), min(number(r, "limit", maxDepartments), maxDepartments)
	from := min((offset-1)*limit, len(list))
	out := []fields{}
	for i, d := range list[from:min(from+limit, len(list))] {
		out = append(out, fields{
			"deptCode": d.ID, "deptNameCn": d.Name, "deptNameEn": cmp.Or(d.NameEN, d.Name), "fatherCode": d.ParentID,
			"deptLevel": level(tree, d), "orderNo": i + 1,
		})
	}
	succeed(w, "OK", fields{"offset": offset, "limit": limit, "totalCount": len(list), "departmentInfo": out})
}

// level is how deep a department is; a top one is at 1.
func level(tree org.Tree, d org.Department) int {
	n := 1
	for up, ok := tree.Get(d.ParentID); ok && n <= len(tree); up, ok = tree.Get(up.ParentID) {
		n++
	}
	return n
}

// number reads a positive number from the query.
func number(r *http.Request, name string, otherwise int) int {
	n, err := strconv.Atoi(r.FormValue(name))
	if err != nil || n < 1 {
		return otherwise
	}
	return n
}
