package yunzhijia

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/quota"
)

const (
	createPath = "/gateway/newtodo/open/generatetodo.json"
	actionPath = "/gateway/newtodo/open/action.json"
	checkPath  = "/gateway/newtodo/open/checkcreatetodo.json"
	// maxSync is how many openIds may be created at once; more are always asynchronous (YZJ-TODO).
	maxSync = 100
)

// receiver is one element of params; url and content, when given, take the place of those of the to-do (YZJ-TODO).
type receiver struct {
	OpenID  string          `json:"openId"`
	URL     string          `json:"url"`
	Content string          `json:"content"`
	Status  json.RawMessage `json:"status"`
}

// toDo is the body of generatetodo (YZJ-TODO).
type toDo struct {
	Content   string      `json:"content"`
	Title     string      `json:"title"`
	ItemTitle string      `json:"itemtitle"`
	HeadImg   string      `json:"headImg"`
	AppID     string      `json:"appId"`
	SenderID  string      `json:"senderId"`
	Params    []receiver  `json:"params"`
	URL       string      `json:"url"`
	SourceID  string      `json:"sourceId"`
	Sync      bool        `json:"sync"`
	TodoType  json.Number `json:"todoType"`
	TagID     any         `json:"tagId"`
	PassURL   string      `json:"passUrl"`
}

// missing names the first required field that is not there.
func (t *toDo) missing() string {
	for _, f := range [][2]string{{"title", t.Title}, {"headImg", t.HeadImg}, {"appId", t.AppID}, {"url", t.URL}, {"sourceId", t.SourceID}} {
		if strings.TrimSpace(f[1]) == "" {
			return f[0]
		}
	}
	if len(t.Params) == 0 {
		return "params"
	}
	for _, p := range t.Params {
		if p.OpenID == "" {
			return "openId"
		}
	}
	return ""
}

// outcome is the answer of a to-do call.
type outcome struct {
	data    any
	words   string
	code    int
	success bool
}

// The answers of YZJ-TODO.
var (
	accepted  = outcome{data: map[string]any{}, success: true}
	tooMany   = outcome{words: "请求过于频繁", code: 203}
	noUser    = outcome{words: "获取用户信息失败", code: 404}
	allWrong  = outcome{words: "openId全部错误", code: 505}
	badParams = func(field string) outcome { return outcome{data: "param error:'" + field + "' is null."} }
)

func (s *Yunzhijia) routeToDos(mux *http.ServeMux) {
	mux.HandleFunc("POST "+createPath, s.withToken(scopeApp, s.metered(s.create)))
	mux.HandleFunc("POST "+actionPath, s.withToken(scopeApp, s.metered(s.act)))
	mux.HandleFunc("POST "+checkPath, s.withToken(scopeApp, func(w http.ResponseWriter, r *http.Request, o owner) {
		if !s.calls.Allow("check "+o.appID, quota.Limit{Max: s.Settings().ChecksPerMinute, Per: time.Minute}) {
			s.write(w, tooMany)
			return
		}
		s.write(w, s.check(r))
	}))
}

// metered holds calls to the limit of 100 per second and app (YZJ-TODO).
func (s *Yunzhijia) metered(do func(*http.Request, owner) outcome) func(http.ResponseWriter, *http.Request, owner) {
	return func(w http.ResponseWriter, r *http.Request, o owner) {
		if !s.calls.Allow(o.appID, quota.Limit{Max: s.Settings().PerSecond, Per: time.Second}) {
			s.write(w, tooMany)
			return
		}
		s.write(w, do(r, o))
	}
}

// write answers; success is text in several documented samples (YZJ-TODO).
func (s *Yunzhijia) write(w http.ResponseWriter, o outcome) {
	var success any = o.success
	if s.Settings().SuccessForm == "string" {
		success = map[bool]string{true: "true", false: "false"}[o.success]
	}
	desk.Reply(w, http.StatusOK, struct {
		Error     string `json:"error"`
		Data      any    `json:"data"`
		ErrorCode int    `json:"errorCode"`
		Success   any    `json:"success"`
	}{o.words, o.data, o.code, success})
}

// create makes a to-do for every receiver. (openId, appId, sourceId) names one; a repeat is ignored, also after it was done
// or deleted (YZJ-TODO).
func (s *Yunzhijia) create(r *http.Request, o owner) outcome {
	var in toDo
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return badParams("body")
	}
	if field := in.missing(); field != "" {
		return badParams(field)
	}
	if in.AppID != o.appID {
		return outcome{words: "appId与accessToken不符", code: 1}
	}
	if _, known := s.people.Get(in.SenderID); s.Settings().CheckSender && !known {
		return noUser
	}
	sync := in.Sync && len(in.Params) <= maxSync
	wrong := []string{}
	for _, p := range in.Params {
		person, ok := s.people.Get(p.OpenID)
		if !ok || person.OutOfScope {
			wrong = append(wrong, p.OpenID)
			continue
		}
		if err := s.store(r.Context(), in, p, person); err != nil {
			return outcome{words: err.Error(), code: 202}
		}
	}
	switch {
	case !sync: // wrong openIds are lost without a word
		return accepted
	case len(wrong) == len(in.Params):
		return allWrong
	case len(wrong) > 0:
		return outcome{words: "部分用户待办创建失败", code: 501, data: wrong}
	}
	return outcome{words: "待办创建成功", code: 200, success: true, data: map[string]any{}}
}

var errKnown = errors.New("a repeat is ignored")

func (s *Yunzhijia) store(ctx context.Context, in toDo, p receiver, person desk.Person) error {
	if fault.Swallows(ctx) {
		return nil
	}
	err := s.box.Edit(createPath, itemKey(in.AppID, in.SourceID), person.ID, func(c *inbox.Content, known bool) error {
		if known {
			return errKnown
		}
		*c = inbox.Content{
			TaskID: in.SourceID, Kind: inbox.ToDo, Title: in.ItemTitle, Text: in.Content, Sender: in.Title, State: inbox.Open, URL: s.complete(in.URL),
			Fields: map[string]any{
				"title": in.Title, "headImg": in.HeadImg, "appId": in.AppID, "senderId": in.SenderID, "todoType": in.TodoType.String(),
				"tagId": in.TagID, "passUrl": in.PassURL,
			},
		}
		if in.TodoType == "0" {
			c.Kind = inbox.Notice
		}
		if in.ItemTitle == "" {
			c.Title = in.Title
		}
		if p.URL != "" {
			c.URL = s.complete(p.URL)
		}
		if p.Content != "" {
			c.Text = p.Content
		}
		if sender, ok := s.people.Get(in.SenderID); ok {
			c.Sender = sender.Name
		}
		return nil
	})
	if errors.Is(err, errKnown) {
		return nil
	}
	return err
}

func itemKey(appID, sourceID string) string { return appID + "/" + sourceID }

// complete gives a link that starts with "//" its scheme (SEED0).
func (s *Yunzhijia) complete(link string) string {
	if strings.HasPrefix(link, "//") {
		return s.Settings().LinkScheme + ":" + link
	}
	return link
}
