package feishu

import (
	"cmp"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

const (
	taskPath  = "/open-apis/task/v2/tasks"
	maxMember = 50 // members of a task (from memory)
)

// member is somebody of a task.
type member struct {
	ID   string `json:"id"`
	Type string `json:"type,omitempty"`
	Role string `json:"role"`
}

type due struct {
	Timestamp string `json:"timestamp"`
	IsAllDay  bool   `json:"is_all_day"`
}

type origin struct {
	PlatformI18nName map[string]string `json:"platform_i18n_name,omitempty"`
	Href             struct {
		URL   string `json:"url"`
		Title string `json:"title"`
	} `json:"href"`
}

// task is a task as it travels (FS-SDK).
type task struct {
	GUID        string   `json:"guid,omitempty"`
	TaskID      string   `json:"task_id,omitempty"`
	Summary     string   `json:"summary"`
	Description string   `json:"description,omitempty"`
	Due         *due     `json:"due,omitempty"`
	Origin      *origin  `json:"origin,omitempty"`
	Extra       string   `json:"extra,omitempty"`
	CompletedAt string   `json:"completed_at,omitempty"` // milliseconds; "0" or "" while it is open
	Members     []member `json:"members,omitempty"`
	Mode        int      `json:"mode,omitempty"` // 1 all must finish it, 2 anybody may
	Status      string   `json:"status,omitempty"`
	CreatedAt   string   `json:"created_at,omitempty"`
	UpdatedAt   string   `json:"updated_at,omitempty"`

	app, matter string
	people      []desk.Person
}

// routeTasks serves tasks (FS-SDK); reading one is from memory.
func (s *Feishu) routeTasks(mux *http.ServeMux) {
	mux.HandleFunc("POST "+taskPath, s.asTenant(Tasks, s.createTask))
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		mux.HandleFunc(method+" "+taskPath+"/{guid}", s.asTenant(Tasks, s.oneTask))
	}
}

func (s *Feishu) createTask(w http.ResponseWriter, r *http.Request, a App) {
	var in struct {
		task
		ClientToken string `json:"client_token"`
	}
	if !s.read(w, r, badTask, &in) {
		return
	}
	t := in.task
	if wrong := t.check(); wrong != "" {
		s.refuse(w, badTask, wrong)
		return
	}
	kind := r.URL.Query().Get("user_id_type")
	for _, m := range t.Members {
		p, ok := s.find(kind, m.ID)
		if !ok || p.OutOfScope {
			s.refuse(w, badTask, "members: "+m.ID+" does not exist or does not see the app")
			return
		}
		if m.Role == "assignee" {
			t.people = append(t.people, p)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	repeat := "task " + a.AppID + " " + in.ClientToken
	if guid, known := s.sent.Get(repeat); known && in.ClientToken != "" && s.tasks[guid] != nil {
		succeed(w, fields{"task": s.tasks[guid]})
		return
	}
	now := fmt.Sprint(s.Now().UnixMilli())
	t.GUID, t.TaskID, t.app, t.CreatedAt, t.UpdatedAt = uuid.NewString(), fmt.Sprintf("t%d", len(s.tasks)+100000), a.AppID, now, now
	t.matter = cmp.Or(in.ClientToken, t.GUID)
	t.settle()
	if !fault.Swallows(r.Context()) {
		if len(s.tasks) >= maxInstances {
			s.refuse(w, internalError, fmt.Sprintf("the simulator holds no more than %d tasks", maxInstances))
			return
		}
		s.tasks[t.GUID] = &t
		if in.ClientToken != "" {
			s.sent.Put(repeat, t.GUID, 24*time.Hour)
		}
		if err := s.showTask("POST "+taskPath, &t, false); err != nil {
			s.refuse(w, internalError, err.Error())
			return
		}
	}
	succeed(w, fields{"task": t})
}

// check says what is wrong with a task, or "".
func (t *task) check() string {
	switch {
	case t.Summary == "":
		return "summary is required"
	case len(t.Members) > maxMember:
		return "members takes 50"
	case t.Mode < 0 || t.Mode > 2:
		return "mode is 1 or 2"
	case version(t.CompletedAt) < 0 || t.Due != nil && version(t.Due.Timestamp) < 0:
		return "a time is not a number of milliseconds"
	}
	for _, m := range t.Members {
		if m.Role != "assignee" && m.Role != "follower" {
			return "members.role is assignee or follower"
		}
	}
	return ""
}

// settle derives the status: a task with a time of completion is done.
func (t *task) settle() {
	t.Status = "todo"
	if version(t.CompletedAt) > 0 {
		t.Status = "done"
	}
}

func (s *Feishu) showTask(path string, t *task, gone bool) error {
	c := inbox.Content{
		TaskID: t.matter, Kind: inbox.ToDo, Title: t.Summary, Text: t.Description, State: inbox.Open,
		Fields: map[string]any{"guid": t.GUID, "extra": t.Extra},
	}
	if t.Origin != nil {
		c.URL, c.Sender = t.Origin.Href.URL, t.Origin.PlatformI18nName["zh_cn"]
	}
	switch {
	case gone:
		c.State = inbox.Gone
	case t.Status == "done":
		c.State = inbox.Done
	}
	for _, p := range t.people {
		if err := s.box.Put(path, "task/"+t.GUID, p.ID, c); err != nil {
			return err
		}
	}
	return nil
}

// oneTask reads, changes or deletes a task.
func (s *Feishu) oneTask(w http.ResponseWriter, r *http.Request, a App) {
	var in struct {
		Task         task     `json:"task"`
		UpdateFields []string `json:"update_fields"`
	}
	if r.Method == http.MethodPatch && !s.read(w, r, badTask, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tasks[r.PathValue("guid")]
	if t == nil || t.app != a.AppID {
		s.refuse(w, noTask, "")
		return
	}
	swallow := fault.Swallows(r.Context())
	switch r.Method {
	case http.MethodDelete:
		if !swallow {
			delete(s.tasks, t.GUID)
			_ = s.showTask("DELETE "+taskPath, t, true) // hiding items cannot fail
		}
		succeed(w, fields{})
		return
	case http.MethodPatch:
		next := *t
		if wrong := next.set(in.Task, in.UpdateFields); wrong != "" {
			s.refuse(w, badTask, wrong)
			return
		}
		next.UpdatedAt = fmt.Sprint(s.Now().UnixMilli())
		if !swallow {
			*t = next
			if err := s.showTask("PATCH "+taskPath, t, false); err != nil {
				s.refuse(w, internalError, err.Error())
				return
			}
		}
		succeed(w, fields{"task": next})
		return
	}
	succeed(w, fields{"task": t})
}

// set writes the named fields; one that is named and not given is emptied.
func (t *task) set(in task, names []string) string {
	if len(names) == 0 {
		return "update_fields is empty"
	}
	for _, name := range names {
		switch name {
		case "summary":
			t.Summary = in.Summary
		case "description":
			t.Description = in.Description
		case "due":
			t.Due = in.Due
		case "extra":
			t.Extra = in.Extra
		case "completed_at":
			if version(t.CompletedAt) > 0 && version(in.CompletedAt) > 0 {
				return "the task is done already" // from memory
			}
			t.CompletedAt = in.CompletedAt
		default:
			return "update_fields: " + name
		}
	}
	t.settle()
	return t.check()
}
