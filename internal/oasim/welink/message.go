package welink

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// The bounds of a message (WL-DOC).
const (
	maxUsers   = 1000
	maxTitle   = 128 // bytes
	maxContent = 512 // bytes
)

// message is the body of messages/v3/send; v2 adds msgRange and publicAccID (WL-DOC).
type message struct {
	ToUserList []string    `json:"toUserList"`
	MsgTitle   string      `json:"msgTitle"`
	MsgContent string      `json:"msgContent"`
	URLType    string      `json:"urlType"`
	URLPath    string      `json:"urlPath"`
	MsgOwner   string      `json:"msgOwner"`
	CreateTime json.Number `json:"createTime"`
	MsgRange   json.Number `json:"msgRange"` // 0 the list, 2 everybody
}

// routeMessages serves notices and common cards. The body of a card is taken to be that of a message (derived).
func (s *WeLink) routeMessages(mux *http.ServeMux) {
	for path, kind := range map[string]string{
		"/api/messages/v3/send": inbox.Notice, "/api/messages/v2/send": inbox.Notice, "/api/messages/v2/card/common": inbox.Card,
		"/api/messages/v1/card/common": inbox.Card,
	} {
		mux.HandleFunc("POST "+path, s.asApp(Messages, func(w http.ResponseWriter, r *http.Request, a App) { s.send(w, r, a, kind) }))
	}
}

// send shows a message to those of the list who can see the app; the others are named in failedUserId (F118).
func (s *WeLink) send(w http.ResponseWriter, r *http.Request, a App, kind string) {
	var in message
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		s.refuse(w, badMessage, "the body is not the JSON that is expected")
		return
	}
	if in.MsgRange == "2" {
		in.ToUserList = nil
		for _, p := range s.people.All() {
			if s.tenantOf(p) == a.TenantID && sees(a, p) {
				in.ToUserList = append(in.ToUserList, userID(p))
			}
		}
	}
	if code, why := in.check(); code != "" {
		s.refuse(w, code, why)
		return
	}
	id, failed := rand.Text(), []string{}
	for _, user := range in.ToUserList {
		p, ok := s.user(a.TenantID, user)
		if !ok || !sees(a, p) {
			failed = append(failed, user)
			continue
		}
		if fault.Swallows(r.Context()) {
			continue
		}
		err := s.box.Put(r.URL.Path, key(a, "message/"+id), p.ID, inbox.Content{
			TaskID: id, Kind: kind, Title: chinese(in.MsgTitle), Text: chinese(in.MsgContent), Sender: in.MsgOwner, URL: in.URLPath, State: inbox.Open,
		})
		if err != nil {
			s.refuse(w, serverError, err.Error())
			return
		}
	}
	switch {
	case len(failed) == len(in.ToUserList):
		desk.Reply(w, http.StatusOK, fields{
			"code": nobodyReached, s.Settings().ErrorField: "no receiver is in the visible scope of the app", "failedUserId": failed,
		})
	case len(failed) > 0:
		succeed(w, "ok", fields{"failedUserId": failed})
	default:
		succeed(w, "ok", nil)
	}
}

func (m message) check() (code, why string) {
	switch {
	case len(m.ToUserList) == 0 || m.MsgTitle == "" || m.MsgContent == "" || m.MsgOwner == "" || m.CreateTime == "":
		return badMessage, "toUserList, msgTitle, msgContent, msgOwner and createTime are required"
	case len(m.ToUserList) > maxUsers:
		return tooManyUsers, "toUserList takes 1000"
	case len(m.MsgTitle) > maxTitle:
		return titleTooLong, "msgTitle takes 128 bytes"
	case len(m.MsgContent) > maxContent:
		return contentTooLong, "msgContent takes 512 bytes"
	case m.URLPath != "" && m.URLType != "html":
		return badMessage, "urlType must be html"
	}
	return "", ""
}

// chinese is what somebody reads of a text that may be the JSON {"EN":…,"CN":…} (WL-DOC).
func chinese(text string) string {
	var both struct{ EN, CN string }
	if bytes.HasPrefix([]byte(text), []byte("{")) && json.Unmarshal([]byte(text), &both) == nil && both.CN != "" {
		return both.CN
	}
	return text
}
