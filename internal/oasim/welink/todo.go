package welink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

const todoBase = "/api/todo/"

// required are the fields that addtask must have, by version (WL-TODO, WL-DOC).
var required = map[string][]string{
	"v1": {"taskId", "taskTitle", "userId", "detailsUrl", "appName"},
	"v2": {"taskId", "taskTitle", "userId", "userNameCn", "userNameEn", "detailsUrl", "appName", "applicantUserId",
		"applicantUserNameCn", "applicantUserNameEn", "applicantId"},
}

// routeTodos serves the to-dos. The vendor's pages say PUT and DELETE, a client in use says POST (WL-TODO, WL-JAVA): both
// are taken.
func (s *WeLink) routeTodos(mux *http.ServeMux) {
	for _, version := range []string{"v1", "v2", "v3"} {
		fieldsOf := required["v2"]
		if version == "v1" {
			fieldsOf = required["v1"]
		}
		mux.HandleFunc("POST "+todoBase+version+"/addtask", s.asApp(Todo, func(w http.ResponseWriter, r *http.Request, a App) {
			s.addTask(w, r, a, fieldsOf)
		}))
		if version == "v3" {
			continue
		}
		for _, method := range []string{"PUT ", "POST "} {
			mux.HandleFunc(method+todoBase+version+"/updatetask", s.asApp(Todo, s.updateTask))
		}
	}
	for _, method := range []string{"DELETE ", "POST "} {
		mux.HandleFunc(method+todoBase+"v1/deltask", s.asApp(Todo, s.deleteTask))
	}
}

// texts reads a JSON object whose values are texts or numbers.
func texts(body []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var raw map[string]any
	if err := d.Decode(&raw); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for k, v := range raw {
		if v != nil {
			out[k] = fmt.Sprint(v)
		}
	}
	return out, nil
}

// key names a task of an app in the inbox.
func key(a App, task string) string { return a.ClientID + "/" + task }

// refused is a code and why.
type refused struct{ code, message string }

func (e refused) Error() string { return e.message }

func (s *WeLink) addTask(w http.ResponseWriter, r *http.Request, a App, need []string) {
	var body bytes.Buffer
	_, err := body.ReadFrom(r.Body)
	in, decodeErr := texts(body.Bytes())
	if err = errors.Join(err, decodeErr); err != nil {
		s.refuse(w, invalid, "the body is not a JSON object")
		return
	}
	for _, name := range need {
		if in[name] == "" {
			s.refuse(w, missing, name+" is missing")
			return
		}
	}
	person, err := s.receiver(a, in["userId"])
	if err == nil {
		err = checkTask(in)
	}
	if err == nil && !s.ignores(r, in["taskId"]) {
		err = s.store(r.URL.Path, a, in, person)
	}
	if err != nil {
		s.refuseWith(w, err, createFailed)
		return
	}
	s.done(w, r, "新增待办任务成功!", in["taskId"], fields{"taskId": in["taskId"], "uuid": uuidOf(a, in["taskId"]), "taskTitle": in["taskTitle"], "userId": in["userId"]})
}

// checkTask judges the values (55006).
func checkTask(in map[string]string) error {
	for _, name := range []string{"detailsUrl", "detailsUrlPc"} {
		if u, err := url.Parse(in[name]); err != nil || in[name] != "" && !strings.HasPrefix(u.Scheme, "http") {
			return refused{invalid, name + " is not an http(s) address"}
		}
	}
	for _, name := range []string{"isMsg", "isShowApplicantUserName"} {
		if v := in[name]; v != "" && v != "0" && v != "1" && v != "true" && v != "false" {
			return refused{invalid, name + " must be 0 or 1"}
		}
	}
	return nil
}

// receiver finds who a task is for. Somebody outside the visible scope does not get it (SEED2, F118); the code is derived.
func (s *WeLink) receiver(a App, user string) (string, error) {
	p, ok := s.user(a.TenantID, user)
	if !ok {
		return "", refused{invalid, "userId " + user + " does not exist"}
	}
	if !sees(a, p) {
		return "", refused{createFailed, "userId " + user + " is not in the visible scope of the app"}
	}
	return p.ID, nil
}

// store puts a task into the inbox of its receiver. A task has one receiver: written again for somebody else, it leaves
// the first one (derived).
func (s *WeLink) store(path string, a App, in map[string]string, person string) error {
	k := key(a, in["taskId"])
	open := s.box.Where(func(i *inbox.Item) bool { return i.Key == k && i.State == inbox.Open })
	if len(open) > 0 && s.Settings().KnownTask == "error" {
		return refused{createFailed, "taskId " + in["taskId"] + " exists"}
	}
	for _, item := range open {
		if item.Person != person {
			s.box.Change(path, k, item.Person, func(c *inbox.Content) { c.State = inbox.Gone })
		}
	}
	more := map[string]any{}
	for _, name := range []string{"appName", "applicantUserId", "applicantId", "businessCode", "userNameCn", "userNameEn", "isMsg"} {
		if in[name] != "" {
			more[name] = in[name]
		}
	}
	sender := in["applicantUserNameCn"]
	if sender == "" {
		sender = in["applicant"]
	}
	pc := in["detailsUrlPc"]
	if pc == "" {
		pc = in["detailsUrl"]
	}
	return s.box.Put(path, k, person, inbox.Content{
		TaskID: in["taskId"], Kind: inbox.ToDo, Title: in["taskTitle"], Text: in["taskDesc"], Sender: sender,
		URL: pc, MobileURL: in["detailsUrl"], State: inbox.Open, Fields: more,
	})
}

// updateTask moves a task to its next approver (WL-TODO); the parameters are in the query.
func (s *WeLink) updateTask(w http.ResponseWriter, r *http.Request, a App) {
	q := r.URL.Query()
	need := []string{"taskId", "userId", "userNameCn", "userNameEn"}
	if strings.HasPrefix(r.URL.Path, todoBase+"v1/") {
		need = need[:2]
	}
	for _, name := range need {
		if q.Get(name) == "" {
			s.refuse(w, missing, name+" is missing")
			return
		}
	}
	task, k := q.Get("taskId"), key(a, q.Get("taskId"))
	held := s.box.Where(func(i *inbox.Item) bool { return i.Key == k })
	person, err := s.receiver(a, q.Get("userId"))
	switch {
	case err != nil:
	case len(held) == 0:
		err = refused{updateFailed, "taskId " + task + " does not exist"}
	default:
		err = refused{illegalUpdate, "taskId " + task + " was deleted"}
		for _, item := range held {
			if item.State == inbox.Open {
				err = s.move(r, item, person)
			}
		}
	}
	if err != nil {
		s.refuseWith(w, err, updateFailed)
		return
	}
	s.done(w, r, "更新待办任务成功!", task, fields{"taskId": task, "uuid": uuidOf(a, task), "userId": q.Get("userId")})
}

func (s *WeLink) move(r *http.Request, item inbox.Item, person string) error {
	if s.ignores(r, item.TaskID) {
		return nil
	}
	if item.Person != person {
		s.box.Change(r.URL.Path, item.Key, item.Person, func(c *inbox.Content) { c.State = inbox.Gone })
	}
	return s.box.Put(r.URL.Path, item.Key, person, item.Content)
}

// deleteTask takes a task away; WeLink has no other way to finish one (WL-TODO).
func (s *WeLink) deleteTask(w http.ResponseWriter, r *http.Request, a App) {
	task := r.URL.Query().Get("taskId")
	if task == "" {
		s.refuse(w, missing, "taskId is missing")
		return
	}
	k := key(a, task)
	open := s.box.Where(func(i *inbox.Item) bool { return i.Key == k && i.State == inbox.Open })
	if len(open) == 0 {
		s.refuse(w, deleteFailed, "taskId "+task+" does not exist")
		return
	}
	if !s.ignores(r, task) {
		s.box.Change(r.URL.Path, k, "", func(c *inbox.Content) { c.State = inbox.Gone })
	}
	s.done(w, r, "删除待办任务成功!", task, fields{"taskId": task, "uuid": uuidOf(a, task), "tenantId": a.TenantID})
}

// ignores says whether a call is answered as a success and has no effect.
func (s *WeLink) ignores(r *http.Request, task string) bool {
	return fault.Swallows(r.Context()) || s.Settings().drops(task)
}

// done answers a to-do call. One that had no effect still has code "0", and only its data is false.
func (s *WeLink) done(w http.ResponseWriter, r *http.Request, message, task string, data fields) {
	if s.ignores(r, task) {
		succeed(w, message, fields{"data": false})
		return
	}
	succeed(w, message, fields{"data": data})
}

func (s *WeLink) refuseWith(w http.ResponseWriter, err error, code string) {
	var e refused
	if errors.As(err, &e) {
		code = e.code
	}
	s.refuse(w, code, err.Error())
}

// uuidOf is WeLink's own id of a task.
func uuidOf(a App, task string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(key(a, task))).String()
}

// sweep removes to-dos that were not touched for three months (WL-TODO). It looks once an hour.
func (s *WeLink) sweep() {
	now := s.Now()
	s.mu.Lock()
	due := now.Sub(s.swept) >= time.Hour
	if due {
		s.swept = now
	}
	s.mu.Unlock()
	if !due {
		return
	}
	oldest := now.AddDate(0, 0, -s.Settings().KeepDays)
	old := s.box.Where(func(i *inbox.Item) bool {
		return i.Kind == inbox.ToDo && i.State == inbox.Open && !i.Updated.After(oldest)
	})
	for _, item := range old {
		s.box.Change("sweep", item.Key, item.Person, func(c *inbox.Content) { c.State = inbox.Gone })
	}
}

// describe says what a request is about, for the script of faults.
func describe(r *http.Request, body []byte) []fault.Subject {
	q := r.URL.Query()
	about := fault.Subject{TaskID: q.Get("taskId"), Receiver: q.Get("userId")}
	if in, err := texts(body); err == nil && about.TaskID == "" {
		about = fault.Subject{TaskID: in["taskId"], Receiver: in["userId"], Title: in["taskTitle"] + in["msgTitle"]}
	}
	var list struct{ ToUserList []string }
	if json.Unmarshal(body, &list) != nil || len(list.ToUserList) == 0 {
		return []fault.Subject{about}
	}
	var out []fault.Subject
	for _, user := range list.ToUserList {
		out = append(out, fault.Subject{Receiver: user, Title: about.Title})
	}
	return out
}
