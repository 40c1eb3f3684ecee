package dingtalk

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

const (
	todoPath = "/v1.0/todo/users/{unionId}/tasks"
	// pageSize is how many tasks a query returns at a time.
	pageSize = 20
)

// routeTodos serves the to-dos (DT-SDK). Every person in a path, query or body is a unionId (DT-GO).
func (s *DingTalk) routeTodos(mux *http.ServeMux) {
	mux.HandleFunc("POST "+todoPath, s.asApp(s.createTask))
	mux.HandleFunc("GET "+todoPath+"/{taskId}", s.asApp(s.getTask))
	mux.HandleFunc("GET "+todoPath+"/sources/{sourceId}", s.asApp(s.getTaskBySource))
	mux.HandleFunc("PUT "+todoPath+"/{taskId}", s.asApp(func(w http.ResponseWriter, r *http.Request, a App) {
		var in taskInput
		if readNew(w, r, &in) && valid(w, in.check(false)) && s.known(w, in.ExecutorIDs, in.ParticipantIDs) {
			s.change(w, r, a, func(t *task) { in.apply(t) })
		}
	}))
	mux.HandleFunc("PUT "+todoPath+"/{taskId}/executorStatus", s.asApp(s.executorStatus))
	mux.HandleFunc("DELETE "+todoPath+"/{taskId}", s.asApp(s.deleteTask))
	mux.HandleFunc("POST /v1.0/todo/users/{unionId}/org/tasks/query", s.asApp(s.query))
}

func valid(w http.ResponseWriter, wrong string) bool {
	if wrong != "" {
		refuseNew(w, http.StatusBadRequest, "InvalidParameter", wrong)
	}
	return wrong == ""
}

// known refuses lists with somebody who does not exist or is not in the visible scope of the app (the codes are derived).
func (s *DingTalk) known(w http.ResponseWriter, lists ...*[]string) bool {
	for _, list := range lists {
		if list == nil {
			continue
		}
		for _, id := range *list {
			p, ok := s.union(id)
			switch {
			case !ok:
				return valid(w, "unionId "+id+" does not exist")
			case p.OutOfScope:
				refuseNew(w, http.StatusForbidden, "Forbidden.AccessDenied.UserNotInScope", "unionId "+id+" is not in the visible scope of the app")
				return false
			}
		}
	}
	return true
}

// actor is the person of the path, on whose behalf an operator acts. A write needs the operator (from memory).
func (s *DingTalk) actor(w http.ResponseWriter, r *http.Request) (string, bool) {
	id := r.PathValue("unionId")
	if !s.known(w, &[]string{id}) {
		return "", false
	}
	if r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/query") {
		return id, true
	}
	operator := r.URL.Query().Get("operatorId")
	if operator == "" {
		refuseNew(w, http.StatusBadRequest, "MissingoperatorId", "operatorId is mandatory for this action.")
		return "", false
	}
	return id, s.known(w, &[]string{operator})
}

func (s *DingTalk) createTask(w http.ResponseWriter, r *http.Request, a App) {
	union, ok := s.actor(w, r)
	var in taskInput
	if !ok || !readNew(w, r, &in) || !valid(w, in.check(true)) || !s.known(w, in.ExecutorIDs, in.ParticipantIDs) {
		return
	}
	now := s.Now().UnixMilli()
	t := &task{
		Source: a.AppKey, SourceID: in.SourceID, CreatorID: cmp.Or(in.CreatorID, union), ModifierID: r.URL.Query().Get("operatorId"),
		BizTag: a.AppKey, CreatedTime: now, finished: map[string]bool{}, app: a.AppKey,
	}
	if !s.known(w, &[]string{t.CreatorID}) {
		return
	}
	in.apply(t)
	if len(t.ExecutorIDs) == 0 {
		t.ExecutorIDs = []string{t.CreatorID} // a task for nobody is one's own (derived)
	}
	t.settle(now)
	if fault.Swallows(r.Context()) {
		t.ID, t.RequestID = uuid.NewString(), uuid.NewString()
		desk.Reply(w, http.StatusOK, t)
		return
	}
	made, fresh, err := s.tasks.add(t, func(old *task) bool {
		return s.Settings().KnownSource == "same" && in.SourceID != "" && old.app == a.AppKey && old.SourceID == in.SourceID
	})
	if err == nil && fresh {
		err = s.show(r, task{}, made)
	}
	if err != nil {
		refuseNew(w, http.StatusInternalServerError, "systemError", err.Error())
		return
	}
	made.RequestID = uuid.NewString()
	desk.Reply(w, http.StatusOK, made)
}

// show brings the inboxes in line with a task.
func (s *DingTalk) show(r *http.Request, before, after task) error {
	for _, union := range before.ExecutorIDs {
		if p, ok := s.union(union); ok && !slices.Contains(after.ExecutorIDs, union) {
			s.box.Change(r.Method+" "+r.URL.Path, cmp.Or(after.ID, before.ID), p.ID, func(c *inbox.Content) { c.State = inbox.Gone })
		}
	}
	sender, _ := s.union(after.CreatorID)
	for _, union := range after.ExecutorIDs {
		p, ok := s.union(union)
		if !ok {
			continue
		}
		c := inbox.Content{
			TaskID: cmp.Or(after.SourceID, after.ID), Kind: inbox.ToDo, Title: after.Subject, Text: after.Description, Sender: sender.Name,
			URL: after.DetailURL.PCURL, MobileURL: after.DetailURL.AppURL, State: inbox.Open,
			Fields: map[string]any{"app": after.app, "dueTime": after.DueTime, "priority": after.Priority},
		}
		if after.finished[union] {
			c.State = inbox.Done
		}
		if err := s.box.Put(r.Method+" "+r.URL.Path, after.ID, p.ID, c); err != nil {
			return err
		}
	}
	return nil
}

// noTask is the answer about a task that does not exist, or does not concern the person.
func noTask(w http.ResponseWriter) {
	refuseNew(w, http.StatusBadRequest, "todoTaskNotExist", "待办任务不存在")
}

// change edits the task of the path and answers with result true.
func (s *DingTalk) change(w http.ResponseWriter, r *http.Request, a App, edit func(*task)) {
	union, ok := s.actor(w, r)
	if !ok {
		return
	}
	swallow := fault.Swallows(r.Context())
	before, after, ok := s.tasks.edit(r.PathValue("taskId"), a.AppKey, union, func(t *task) {
		if !swallow {
			edit(t)
			t.ModifierID = r.URL.Query().Get("operatorId")
			t.settle(s.Now().UnixMilli())
		}
	})
	if !ok {
		noTask(w)
		return
	}
	if err := s.show(r, before, after); err != nil {
		refuseNew(w, http.StatusInternalServerError, "systemError", err.Error())
		return
	}
	desk.Reply(w, http.StatusOK, fields{"result": true, "requestId": uuid.NewString()})
}

// executorStatus marks the parts of some executors as done or not; when all are done the task is.
func (s *DingTalk) executorStatus(w http.ResponseWriter, r *http.Request, a App) {
	var in struct {
		List []struct {
			ID     string `json:"id"`
			IsDone bool   `json:"isDone"`
		} `json:"executorStatusList"`
	}
	if !readNew(w, r, &in) {
		return
	}
	if len(in.List) == 0 {
		valid(w, "executorStatusList is empty")
		return
	}
	for _, t := range s.tasks.list(func(t *task) bool { return t.ID == r.PathValue("taskId") }) {
		for _, one := range in.List {
			if !slices.Contains(t.ExecutorIDs, one.ID) {
				valid(w, "unionId "+one.ID+" is no executor of the task")
				return
			}
		}
	}
	s.change(w, r, a, func(t *task) {
		for _, one := range in.List {
			t.finished[one.ID] = one.IsDone
		}
	})
}

func (s *DingTalk) deleteTask(w http.ResponseWriter, r *http.Request, a App) {
	union, ok := s.actor(w, r)
	if !ok {
		return
	}
	before, _, ok := s.tasks.edit(r.PathValue("taskId"), a.AppKey, union, func(*task) {})
	if !ok {
		noTask(w)
		return
	}
	if !fault.Swallows(r.Context()) {
		s.tasks.remove(before.ID)
		_ = s.show(r, before, task{}) // hiding items cannot fail
	}
	desk.Reply(w, http.StatusOK, fields{"result": true, "requestId": uuid.NewString()})
}

func (s *DingTalk) getTask(w http.ResponseWriter, r *http.Request, a App) {
	s.reply(w, r, func(t *task) bool { return t.app == a.AppKey && t.ID == r.PathValue("taskId") })
}

func (s *DingTalk) getTaskBySource(w http.ResponseWriter, r *http.Request, a App) {
	s.reply(w, r, func(t *task) bool { return t.app == a.AppKey && t.SourceID == r.PathValue("sourceId") })
}

// reply reads one task back.
func (s *DingTalk) reply(w http.ResponseWriter, r *http.Request, fits func(*task) bool) {
	union, ok := s.actor(w, r)
	if !ok {
		return
	}
	found := s.tasks.list(func(t *task) bool { return fits(t) && t.concerns(union) })
	if len(found) == 0 {
		noTask(w)
		return
	}
	found[0].RequestID = uuid.NewString()
	desk.Reply(w, http.StatusOK, found[0])
}

// query lists the tasks that a person has to do or has done, in pages.
func (s *DingTalk) query(w http.ResponseWriter, r *http.Request, _ App) {
	union, ok := s.actor(w, r)
	var in struct {
		NextToken string `json:"nextToken"`
		IsDone    *bool  `json:"isDone"`
	}
	if !ok || !readNew(w, r, &in) {
		return
	}
	all := s.tasks.list(func(t *task) bool {
		return slices.Contains(t.ExecutorIDs, union) && (in.IsDone == nil || t.finished[union] == *in.IsDone)
	})
	from := min(max(int(number(in.NextToken)), 0), len(all))
	to := min(from+pageSize, len(all))
	cards := []fields{}
	for _, t := range all[from:to] {
		cards = append(cards, fields{
			"taskId": t.ID, "subject": t.Subject, "dueTime": t.DueTime, "detailUrl": t.DetailURL, "priority": t.Priority, "sourceId": t.SourceID,
			"createdTime": t.CreatedTime, "modifiedTime": t.ModifiedTime, "creatorId": t.CreatorID, "bizTag": t.BizTag, "isDone": t.finished[union],
		})
	}
	next := ""
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	desk.Reply(w, http.StatusOK, fields{"todoCards": cards, "totalCount": len(all), "nextToken": next})
}
