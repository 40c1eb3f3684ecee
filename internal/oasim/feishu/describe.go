package feishu

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// describe says what a request is about, for the script of faults. Receivers are named as they came.
func (s *Feishu) describe(r *http.Request, body []byte) []fault.Subject {
	var in struct {
		instance
		ReceiveID   string   `json:"receive_id"`
		MsgType     string   `json:"msg_type"`
		Content     string   `json:"content"`
		Summary     string   `json:"summary"`
		ClientToken string   `json:"client_token"`
		Members     []member `json:"members"`
	}
	_ = json.Unmarshal(body, &in) // what cannot be read, or is not there, is known by its path alone
	about := fault.Subject{
		TaskID: cmp.Or(in.InstanceID, in.ClientToken, s.matterOf(r.URL.Path)),
		Title:  cmp.Or(in.text(in.Title), in.Summary, seen(in.MsgType, in.Content).title),
	}
	to := []string{}
	for _, t := range in.TaskList {
		to = append(to, cmp.Or(t.UserID, t.OpenID))
	}
	for _, m := range in.Members {
		to = append(to, m.ID)
	}
	if in.ReceiveID != "" || len(to) == 0 {
		to = append(to, in.ReceiveID)
	}
	var out []fault.Subject
	for _, id := range to {
		out = append(out, fault.Subject{TaskID: about.TaskID, Receiver: id, Title: about.Title})
	}
	return out
}

// matterOf names the matter of the task or the message in a path.
func (s *Feishu) matterOf(path string) string {
	if id, ok := strings.CutPrefix(path, messagePath+"/"); ok {
		if found := s.box.Where(func(i *inbox.Item) bool { return i.Key == id }); len(found) > 0 {
			return found[0].TaskID
		}
	}
	guid, _ := strings.CutPrefix(path, taskPath+"/")
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tasks[guid]; t != nil {
		return t.matter
	}
	return ""
}
