package dingtalk

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

const (
	noticeBase = "/topapi/message/corpconversation/"
	// The bounds of a work notice: receivers and departments (from memory).
	maxReceivers, maxNoticeDepartments = 100, 20
	// maxNotices bounds what is remembered of the results.
	maxNotices = 100_000
)

// notes is the msg of a work notice.
type notes struct {
	MsgType string                   `json:"msgtype"`
	Text    struct{ Content string } `json:"text"`
	Link    struct {
		MessageURL string `json:"messageUrl"`
		Title      string `json:"title"`
		Text       string `json:"text"`
	} `json:"link"`
	Markdown struct{ Title, Text string } `json:"markdown"`
	OA       struct {
		MessageURL   string                          `json:"message_url"`
		PCMessageURL string                          `json:"pc_message_url"`
		Head         struct{ Text string }           `json:"head"`
		Body         struct{ Title, Content string } `json:"body"`
	} `json:"oa"`
	ActionCard struct {
		Title     string `json:"title"`
		Markdown  string `json:"markdown"`
		SingleURL string `json:"single_url"`
	} `json:"action_card"`
}

type shown struct{ title, text, url, mobile string }

// content is what somebody sees of a notice; without a title there is nothing to see.
func (n notes) content() shown {
	switch n.MsgType {
	case "text":
		return shown{title: n.Text.Content}
	case "link":
		return shown{n.Link.Title, n.Link.Text, n.Link.MessageURL, n.Link.MessageURL}
	case "markdown":
		return shown{title: n.Markdown.Title, text: n.Markdown.Text}
	case "oa":
		return shown{cmp.Or(n.OA.Body.Title, n.OA.Head.Text), n.OA.Body.Content, cmp.Or(n.OA.PCMessageURL, n.OA.MessageURL), n.OA.MessageURL}
	case "action_card":
		return shown{n.ActionCard.Title, n.ActionCard.Markdown, n.ActionCard.SingleURL, n.ActionCard.SingleURL}
	}
	return shown{}
}

// notice is what became of a work notice.
type notice struct {
	agentID                    int64
	unread, invalid, forbidden []string // user ids
	invalidDepartments         []int64
}

// routeNotices serves work notices (DT-GO). The call takes the message and tells nothing of the receivers: who did not
// get it shows in the result only.
func (s *DingTalk) routeNotices(mux *http.ServeMux) {
	mux.HandleFunc("POST "+noticeBase+"asyncsend_v2", s.asApp(s.sendNotice))
	mux.HandleFunc("POST "+noticeBase+"getsendprogress", s.asApp(func(w http.ResponseWriter, r *http.Request, a App) {
		if _, ok := s.notice(w, r, a); ok {
			succeed(w, fields{"progress": fields{"progress_in_percent": 100, "status": 2}})
		}
	}))
	mux.HandleFunc("POST "+noticeBase+"getsendresult", s.asApp(func(w http.ResponseWriter, r *http.Request, a App) {
		if n, ok := s.notice(w, r, a); ok {
			succeed(w, fields{"send_result": fields{
				"invalid_user_id_list": some(n.invalid), "forbidden_user_id_list": some(n.forbidden), "failed_user_id_list": []string{},
				"read_user_id_list": []string{}, "unread_user_id_list": some(n.unread), "invalid_dept_id_list": some(n.invalidDepartments),
			}})
		}
	}))
	mux.HandleFunc("POST "+noticeBase+"status_bar/update", s.asApp(func(w http.ResponseWriter, r *http.Request, a App) {
		s.editNotice(w, r, a, func(c *inbox.Content, in noticeCall) {
			c.Fields = maps.Clone(c.Fields)
			c.Fields["status"] = in.StatusValue
		})
	}))
	mux.HandleFunc("POST "+noticeBase+"recall", s.asApp(func(w http.ResponseWriter, r *http.Request, a App) {
		s.editNotice(w, r, a, func(c *inbox.Content, _ noticeCall) { c.State = inbox.Gone })
	}))
}

func some[T any](list []T) []T { return append([]T{}, list...) }

func (s *DingTalk) sendNotice(w http.ResponseWriter, r *http.Request, a App) {
	var in struct {
		AgentID    int64           `json:"agent_id"`
		UserIDList string          `json:"userid_list"`
		DeptIDList string          `json:"dept_id_list"`
		ToAllUser  bool            `json:"to_all_user"`
		Msg        json.RawMessage `json:"msg"`
	}
	var msg notes
	if !s.read(w, r, &in) {
		return
	}
	users, departments := split(in.UserIDList), split(in.DeptIDList)
	err := json.Unmarshal(in.Msg, &msg)
	see := msg.content()
	switch {
	case in.AgentID != a.AgentID:
		s.refuse(w, badParameter, "agent_id is not that of the app")
		return
	case err != nil || see.title == "":
		s.refuse(w, badParameter, "msg")
		return
	case len(users) == 0 && len(departments) == 0 && !in.ToAllUser:
		s.refuse(w, badParameter, "userid_list, dept_id_list or to_all_user")
		return
	case len(users) > maxReceivers || len(departments) > maxNoticeDepartments:
		s.refuse(w, badParameter, "userid_list takes 100, dept_id_list 20")
		return
	}
	n := &notice{agentID: a.AgentID}
	var to []desk.Person
	for _, id := range users {
		if p, ok := s.user(id); ok && !p.OutOfScope {
			to = append(to, p)
		} else {
			n.invalid = append(n.invalid, id)
		}
	}
	for _, id := range departments {
		list := s.tree().Under(id)
		if len(list) == 0 {
			n.invalidDepartments = append(n.invalidDepartments, number(id))
		}
		for _, d := range list {
			to = append(to, s.visible(d.Members)...)
		}
	}
	if in.ToAllUser {
		for _, p := range s.people.All() {
			to = append(to, s.visible([]string{userID(p)})...)
		}
	}
	id := s.nextNotice()
	sum := sha256.Sum256(in.Msg)
	for _, p := range to {
		if slices.Contains(n.unread, userID(p)) {
			continue
		}
		if s.Settings().OncePerDay && !s.firstToday(a.AppKey+"/"+p.ID+"/"+hex.EncodeToString(sum[:])) {
			n.forbidden = append(n.forbidden, userID(p))
			continue
		}
		n.unread = append(n.unread, userID(p))
		if fault.Swallows(r.Context()) {
			continue
		}
		err := s.box.Put(r.URL.Path, noticeKey(id), p.ID, inbox.Content{
			TaskID: fmt.Sprint(id), Kind: inbox.Notice, Title: see.title, Text: see.text, URL: see.url, MobileURL: see.mobile, State: inbox.Open,
			Fields: map[string]any{"app": a.AppKey, "msgtype": msg.MsgType},
		})
		if err != nil {
			s.refuse(w, busy, err.Error())
			return
		}
	}
	s.keep(id, n)
	succeed(w, fields{"task_id": id})
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// visible are those of a list who exist and see the app.
func (s *DingTalk) visible(users []string) []desk.Person {
	var out []desk.Person
	for _, id := range users {
		if p, ok := s.user(id); ok && !p.OutOfScope {
			out = append(out, p)
		}
	}
	return out
}

// firstToday says whether somebody gets this content for the first time today, and remembers it until midnight.
func (s *DingTalk) firstToday(key string) bool {
	now := s.Now()
	y, m, d := now.Date()
	return s.today.Add(key, true, time.Date(y, m, d+1, 0, 0, 0, 0, now.Location()).Sub(now))
}

func noticeKey(id int64) string { return fmt.Sprintf("notice/%d", id) }

func (s *DingTalk) nextNotice() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noticeSeq++
	return s.noticeSeq
}

func (s *DingTalk) keep(id int64, n *notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.notices) >= maxNotices {
		clear(s.notices)
	}
	s.notices[id] = n
}

// noticeCall is the body of the calls about a notice that was sent.
type noticeCall struct {
	AgentID     int64  `json:"agent_id"`
	TaskID      int64  `json:"task_id"`
	MsgTaskID   int64  `json:"msg_task_id"`
	StatusValue string `json:"status_value"`
}

func (s *DingTalk) notice(w http.ResponseWriter, r *http.Request, a App) (notice, bool) {
	var in noticeCall
	if !s.read(w, r, &in) {
		return notice{}, false
	}
	return s.lookUp(w, a, in)
}

func (s *DingTalk) lookUp(w http.ResponseWriter, a App, in noticeCall) (notice, bool) {
	s.mu.RLock()
	n := s.notices[cmp.Or(in.TaskID, in.MsgTaskID)]
	s.mu.RUnlock()
	if n == nil || n.agentID != a.AgentID || in.AgentID != a.AgentID {
		s.refuse(w, badParameter, "agent_id and task_id name no notice")
		return notice{}, false
	}
	return *n, true
}

func (s *DingTalk) editNotice(w http.ResponseWriter, r *http.Request, a App, edit func(*inbox.Content, noticeCall)) {
	var in noticeCall
	if !s.read(w, r, &in) {
		return
	}
	if _, ok := s.lookUp(w, a, in); !ok {
		return
	}
	if !fault.Swallows(r.Context()) {
		s.box.Change(r.URL.Path, noticeKey(cmp.Or(in.TaskID, in.MsgTaskID)), "", func(c *inbox.Content) { edit(c, in) })
	}
	succeed(w, nil)
}
