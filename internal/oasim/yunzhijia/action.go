package yunzhijia

import (
	"encoding/json"
	"net/http"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// action is the body of action.json (YZJ-TODO).
type action struct {
	SourceItemID string `json:"sourceitemid"`
	SourceType   string `json:"sourcetype"` // the appId
	ActionType   *struct {
		Read   int `json:"read"`
		Deal   int `json:"deal"`
		Delete int `json:"delete"`
	} `json:"actiontype"`
	OpenIDs *[]string `json:"openids"` // left out: everybody
	Sync    bool      `json:"sync"`
}

func missing(field string) outcome {
	return outcome{words: "param error:" + field + " is null.", code: 1}
}

// act marks a to-do read, done or deleted. Done cannot be undone.
func (s *Yunzhijia) act(r *http.Request, o owner) outcome {
	var in action
	err := json.NewDecoder(r.Body).Decode(&in)
	switch {
	case err != nil || in.SourceItemID == "":
		return missing("sourceitemid")
	case in.SourceType == "":
		return missing("sourcetype")
	case in.ActionType == nil || in.ActionType.Read+in.ActionType.Deal+in.ActionType.Delete == 0:
		return missing("actiontype")
	case in.OpenIDs != nil && len(*in.OpenIDs) == 0:
		return missing("openids")
	case in.SourceType != o.appID:
		return outcome{words: "sourcetype与accessToken不符", code: 1}
	}
	edit, words := in.edit()
	wrong := s.change(r, in, edit)
	switch {
	case !in.Sync:
		return accepted
	case in.OpenIDs != nil && len(wrong) == len(*in.OpenIDs) && s.strangers(wrong):
		return noUser
	case len(wrong) > 0:
		return outcome{words: "有成员待办更新状态失败", code: 502, data: wrong}
	}
	return outcome{words: words, code: 200, success: true, data: map[string]any{}}
}

// edit is what the action does; the strongest counts for the words.
func (a *action) edit() (func(*inbox.Content), string) {
	words := "待办更新阅读状态成功"
	if a.ActionType.Deal != 0 {
		words = "待办转已办成功"
	}
	if a.ActionType.Delete != 0 {
		words = "待办删除成功"
	}
	return func(c *inbox.Content) {
		c.Read = c.Read || a.ActionType.Read != 0
		if a.ActionType.Deal != 0 && c.State == inbox.Open {
			c.State = inbox.Done
		}
		if a.ActionType.Delete != 0 {
			c.State = inbox.Gone
		}
	}, words
}

// change does it for everybody or for the named people, and tells those who have no such to-do.
func (s *Yunzhijia) change(r *http.Request, in action, edit func(*inbox.Content)) []string {
	key, wrong := itemKey(in.SourceType, in.SourceItemID), []string{}
	if fault.Swallows(r.Context()) {
		edit = func(*inbox.Content) {}
	}
	if in.OpenIDs == nil {
		s.box.Change(actionPath, key, "", edit)
		return wrong
	}
	for _, id := range *in.OpenIDs {
		if id == "" || s.box.Change(actionPath, key, id, edit) == 0 {
			wrong = append(wrong, id)
		}
	}
	return wrong
}

// strangers says that nobody of these is in the team.
func (s *Yunzhijia) strangers(ids []string) bool {
	for _, id := range ids {
		if _, known := s.people.Get(id); known {
			return false
		}
	}
	return true
}

// check answers checkcreatetodo: dealCount and undelCount are 0/0 for none, 0/1 for a to-do, 1/0 for a done one (YZJ-TODO).
func (s *Yunzhijia) check(r *http.Request) outcome {
	var in struct {
		SourceItemID string `json:"sourceitemid"`
		SourceType   string `json:"sourcetype"`
		OpenID       string `json:"openId"`
	}
	err := json.NewDecoder(r.Body).Decode(&in)
	switch {
	case err != nil || in.SourceItemID == "":
		return missing("sourceitemid")
	case in.SourceType == "":
		return missing("sourcetype")
	case in.OpenID == "":
		return missing("openId")
	}
	deal, undeal := 0, 0
	if item, ok := s.box.Get(itemKey(in.SourceType, in.SourceItemID), in.OpenID); ok {
		switch item.State {
		case inbox.Open:
			undeal = 1
		case inbox.Done:
			deal = 1
		}
	}
	return outcome{success: true, data: map[string]any{
		"sourceid": in.SourceItemID, "appid": in.SourceType, "check": deal+undeal > 0, "dealCount": deal, "undelCount": undeal, "errormsg": "",
	}}
}
