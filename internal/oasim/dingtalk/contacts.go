package dingtalk

import (
	"net/http"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/org"
)

// maxUserPage bounds a page of user/list (from memory).
const maxUserPage = 100

// contactCall is the body of the calls about people and departments.
type contactCall struct {
	UserID  string `json:"userid"`
	UnionID string `json:"unionid"`
	Mobile  string `json:"mobile"`
	DeptID  int64  `json:"dept_id"`
	Cursor  int    `json:"cursor"`
	Size    int    `json:"size"`
}

// routeContacts serves people and departments on the old gateway, as far as the app may see them (DT-GO).
func (s *DingTalk) routeContacts(mux *http.ServeMux) {
	for path, serve := range map[string]func(w http.ResponseWriter, in contactCall){
		"/topapi/v2/user/getbymobile":     s.byMobile,
		"/topapi/v2/user/get":             s.byUserID,
		"/topapi/user/getbyunionid":       s.byUnionID,
		"/topapi/v2/user/list":            s.list,
		"/topapi/user/listid":             s.listIDs,
		"/topapi/v2/department/listsub":   s.listSub,
		"/topapi/v2/department/listsubid": s.listSubIDs,
	} {
		mux.HandleFunc("POST "+path, s.asApp(func(w http.ResponseWriter, r *http.Request, _ App) {
			var in contactCall
			if s.read(w, r, &in) {
				serve(w, in)
			}
		}))
	}
}

func (s *DingTalk) byMobile(w http.ResponseWriter, in contactCall) {
	p, ok := s.people.Find(func(p desk.Person) bool { return in.Mobile != "" && p.Mobile == in.Mobile })
	if !ok || p.OutOfScope {
		s.refuse(w, noSuchUser, "")
		return
	}
	succeed(w, fields{"result": fields{"userid": userID(p)}})
}

func (s *DingTalk) byUserID(w http.ResponseWriter, in contactCall) {
	p, ok := s.user(in.UserID)
	switch {
	case in.UserID == "":
		s.refuse(w, badUserID, "")
	case !ok:
		s.refuse(w, noSuchUser, "")
	case p.OutOfScope:
		s.refuse(w, outOfScope, "")
	default:
		succeed(w, fields{"result": s.person(p)})
	}
}

func (s *DingTalk) byUnionID(w http.ResponseWriter, in contactCall) {
	p, ok := s.union(in.UnionID)
	if !ok {
		s.refuse(w, noSuchUser, "")
		return
	}
	succeed(w, fields{"result": fields{"userid": userID(p), "contact_type": 0}})
}

func (s *DingTalk) person(p desk.Person) fields {
	in := []int64{}
	for _, id := range s.tree().Of(userID(p)) {
		in = append(in, number(id))
	}
	return fields{
		"userid": userID(p), "unionid": unionID(p), "name": p.Name, "mobile": p.Mobile, "email": p.Email, "job_number": p.Code,
		"dept_id_list": in, "active": true,
	}
}

// tree is the departments; without any, everybody is in one.
func (s *DingTalk) tree() org.Tree {
	if len(s.departments) > 0 {
		return s.departments
	}
	top := org.Department{ID: "1", Name: s.corpID}
	for _, p := range s.people.All() {
		top.Members = append(top.Members, userID(p))
	}
	return org.Tree{top}
}

func (s *DingTalk) department(w http.ResponseWriter, in contactCall) (org.Department, bool) {
	for _, d := range s.tree() {
		if number(d.ID) == max(in.DeptID, 1) {
			return d, true
		}
	}
	s.refuse(w, noDepartment, "")
	return org.Department{}, false
}

func (s *DingTalk) list(w http.ResponseWriter, in contactCall) {
	d, ok := s.department(w, in)
	if !ok {
		return
	}
	all := []fields{}
	for _, p := range s.visible(d.Members) {
		all = append(all, s.person(p))
	}
	size := min(in.Size, maxUserPage)
	if size <= 0 {
		s.refuse(w, badParameter, "size")
		return
	}
	from := min(max(in.Cursor, 0), len(all))
	to := min(from+size, len(all))
	result := fields{"has_more": to < len(all), "list": all[from:to]}
	if to < len(all) {
		result["next_cursor"] = to
	}
	succeed(w, fields{"result": result})
}

func (s *DingTalk) listIDs(w http.ResponseWriter, in contactCall) {
	if d, ok := s.department(w, in); ok {
		ids := []string{}
		for _, p := range s.visible(d.Members) {
			ids = append(ids, userID(p))
		}
		succeed(w, fields{"result": fields{"userid_list": ids}})
	}
}

func (s *DingTalk) listSub(w http.ResponseWriter, in contactCall) {
	if d, ok := s.department(w, in); ok {
		out := []fields{}
		for _, sub := range s.tree().Children(d.ID) {
			out = append(out, fields{"dept_id": number(sub.ID), "name": sub.Name, "parent_id": number(sub.ParentID)})
		}
		succeed(w, fields{"result": out})
	}
}

func (s *DingTalk) listSubIDs(w http.ResponseWriter, in contactCall) {
	if d, ok := s.department(w, in); ok {
		ids := []int64{}
		for _, sub := range s.tree().Children(d.ID) {
			ids = append(ids, number(sub.ID))
		}
		succeed(w, fields{"result": fields{"dept_id_list": ids}})
	}
}
