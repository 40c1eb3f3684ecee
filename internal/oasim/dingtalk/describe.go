package dingtalk

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/fault"
)

// describe says what a request is about, for the script of faults. Receivers are named by unionId or userid, as they came.
func (s *DingTalk) describe(r *http.Request, body []byte) []fault.Subject {
	about := fault.Subject{}
	if parts := strings.Split(r.URL.Path, "/tasks/"); len(parts) == 2 {
		id, _, _ := strings.Cut(strings.TrimPrefix(parts[1], "sources/"), "/")
		about.TaskID = id
		for _, t := range s.tasks.list(func(t *task) bool { return t.ID == id }) {
			about.TaskID, about.Title = cmp.Or(t.SourceID, id), t.Subject
		}
	}
	var in struct {
		SourceID           string   `json:"sourceId"`
		Subject            string   `json:"subject"`
		ExecutorIDs        []string `json:"executorIds"`
		UserIDList         string   `json:"userid_list"`
		Msg                notes    `json:"msg"`
		ExecutorStatusList []struct{ ID string }
	}
	if json.Unmarshal(body, &in) == nil {
		about.TaskID, about.Title = cmp.Or(in.SourceID, about.TaskID), cmp.Or(in.Subject, in.Msg.content().title, about.Title)
	}
	to := in.ExecutorIDs
	for _, one := range in.ExecutorStatusList {
		to = append(to, one.ID)
	}
	if in.UserIDList != "" {
		to = append(to, strings.Split(in.UserIDList, ",")...)
	}
	if len(to) == 0 {
		return []fault.Subject{about}
	}
	var out []fault.Subject
	for _, id := range to {
		out = append(out, fault.Subject{TaskID: about.TaskID, Receiver: id, Title: about.Title})
	}
	return out
}
