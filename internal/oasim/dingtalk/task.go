package dingtalk

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"
)

// The bounds of a task (DT-BLOG), in characters.
const (
	maxSubject     = 1024
	maxDescription = 4096
	// maxTasks bounds what is remembered.
	maxTasks = 200_000
)

// detailURL is where a task leads.
type detailURL struct {
	AppURL string `json:"appUrl,omitempty"`
	PCURL  string `json:"pcUrl,omitempty"`
}

// task is a to-do as the API shows it (DT-SDK, DT-GO). Every person in it is a unionId, every time is in milliseconds.
type task struct {
	RequestID          string            `json:"requestId,omitempty"`
	ID                 string            `json:"id"`
	Subject            string            `json:"subject"`
	Description        string            `json:"description,omitempty"`
	StartTime          int64             `json:"startTime,omitempty"`
	DueTime            int64             `json:"dueTime,omitempty"`
	FinishTime         int64             `json:"finishTime,omitempty"`
	Done               bool              `json:"done"`
	ExecutorIDs        []string          `json:"executorIds"`
	ParticipantIDs     []string          `json:"participantIds,omitempty"`
	DetailURL          detailURL         `json:"detailUrl"`
	Source             string            `json:"source,omitempty"`
	SourceID           string            `json:"sourceId,omitempty"`
	CreatedTime        int64             `json:"createdTime"`
	ModifiedTime       int64             `json:"modifiedTime"`
	CreatorID          string            `json:"creatorId"`
	ModifierID         string            `json:"modifierId"`
	BizTag             string            `json:"bizTag,omitempty"`
	IsOnlyShowExecutor bool              `json:"isOnlyShowExecutor,omitempty"`
	Priority           int               `json:"priority,omitempty"`
	NotifyConfigs      map[string]string `json:"notifyConfigs,omitempty"`
	ContentFieldList   []contentField    `json:"contentFieldList,omitempty"`
	finished           map[string]bool   // executor → has done their part
	app                string
}

type contentField struct {
	FieldKey   string `json:"fieldKey"`
	FieldValue string `json:"fieldValue"`
}

// taskInput is the body of a creation or an update; what is nil stays as it is.
type taskInput struct {
	SourceID           string            `json:"sourceId"`
	Subject            *string           `json:"subject"`
	CreatorID          string            `json:"creatorId"`
	Description        *string           `json:"description"`
	DueTime            *int64            `json:"dueTime"`
	Done               *bool             `json:"done"`
	ExecutorIDs        *[]string         `json:"executorIds"`
	ParticipantIDs     *[]string         `json:"participantIds"`
	DetailURL          *detailURL        `json:"detailUrl"`
	IsOnlyShowExecutor *bool             `json:"isOnlyShowExecutor"`
	Priority           *int              `json:"priority"`
	NotifyConfigs      map[string]string `json:"notifyConfigs"`
	ContentFieldList   *[]contentField   `json:"contentFieldList"`
}

// check says what is wrong with the values, or "".
func (in taskInput) check(create bool) string {
	switch {
	case create && (in.Subject == nil || *in.Subject == ""):
		return "subject is mandatory"
	case in.Subject != nil && utf8.RuneCountInString(*in.Subject) > maxSubject:
		return "subject takes 1024 characters"
	case in.Description != nil && utf8.RuneCountInString(*in.Description) > maxDescription:
		return "description takes 4096 characters"
	case in.Priority != nil && !slices.Contains([]int{10, 20, 30, 40}, *in.Priority):
		return "priority is 10, 20, 30 or 40"
	case in.DueTime != nil && *in.DueTime < 0:
		return "dueTime is in milliseconds"
	}
	if in.DetailURL != nil {
		for _, link := range []string{in.DetailURL.AppURL, in.DetailURL.PCURL} {
			if u, err := url.Parse(link); err != nil || link != "" && u.Scheme == "" {
				return fmt.Sprintf("detailUrl: %q is not an address", link)
			}
		}
	}
	return ""
}

// apply writes what is given into a task.
func (in taskInput) apply(t *task) {
	set(&t.Subject, in.Subject)
	set(&t.Description, in.Description)
	set(&t.DueTime, in.DueTime)
	set(&t.ExecutorIDs, in.ExecutorIDs)
	set(&t.ParticipantIDs, in.ParticipantIDs)
	set(&t.DetailURL, in.DetailURL)
	set(&t.IsOnlyShowExecutor, in.IsOnlyShowExecutor)
	set(&t.Priority, in.Priority)
	set(&t.ContentFieldList, in.ContentFieldList)
	if in.NotifyConfigs != nil {
		t.NotifyConfigs = in.NotifyConfigs
	}
	if in.Done != nil {
		for _, id := range t.ExecutorIDs {
			t.finished[id] = *in.Done
		}
	}
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// copy is a task that does not change any more.
func (t *task) copy() task {
	c := *t
	c.finished = maps.Clone(t.finished)
	return c
}

// settle works out whether everybody has done their part.
func (t *task) settle(now int64) {
	done := !slices.ContainsFunc(t.ExecutorIDs, func(id string) bool { return !t.finished[id] })
	switch {
	case done && !t.Done:
		t.FinishTime = now
	case !done:
		t.FinishTime = 0
	}
	t.Done, t.ModifiedTime = done, now
}

// concerns says whether a person may see the task.
func (t *task) concerns(union string) bool {
	return t.CreatorID == union || slices.Contains(t.ExecutorIDs, union) || slices.Contains(t.ParticipantIDs, union)
}

// tasks are those of all apps.
type tasks struct {
	mu    sync.Mutex
	seq   int
	byID  map[string]*task
	order []*task
}

func newTasks() *tasks { return &tasks{byID: map[string]*task{}} }

// add keeps a task under a fresh id. known, if it returns a task, is given back instead.
func (ts *tasks) add(t *task, known func(*task) bool) (result task, fresh bool, err error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, old := range ts.order {
		if known(old) {
			return old.copy(), false, nil
		}
	}
	if len(ts.order) >= maxTasks {
		return task{}, false, fmt.Errorf("the simulator holds no more than %d tasks", maxTasks)
	}
	ts.seq++
	t.ID = "task" + strconv.Itoa(ts.seq)
	ts.byID[t.ID] = t
	ts.order = append(ts.order, t)
	return t.copy(), true, nil
}

// edit changes a task of an app that concerns a person, and returns what it was and what it is.
func (ts *tasks) edit(id, app, union string, change func(*task)) (before, after task, ok bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.byID[id]
	if t == nil || t.app != app || !t.concerns(union) {
		return task{}, task{}, false
	}
	before = t.copy()
	change(t)
	return before, t.copy(), true
}

func (ts *tasks) remove(id string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.byID, id)
	ts.order = slices.DeleteFunc(ts.order, func(t *task) bool { return t.ID == id })
}

// list returns the tasks that fit, oldest first.
func (ts *tasks) list(fits func(*task) bool) []task {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	out := []task{}
	for _, t := range ts.order {
		if fits(t) {
			out = append(out, t.copy())
		}
	}
	return out
}

func (ts *tasks) reset() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.byID, ts.order = map[string]*task{}, nil
}
