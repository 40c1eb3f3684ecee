package feishu

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// links are where something leads.
type links struct {
	PC     string `json:"pc_link,omitempty"`
	Mobile string `json:"mobile_link,omitempty"`
}

// instance is a third-party approval as it travels (FS-SDK, FS-DOC). Times are milliseconds as strings.
type instance struct {
	ApprovalCode string          `json:"approval_code"`
	Status       string          `json:"status"`
	Extra        string          `json:"extra,omitempty"`
	InstanceID   string          `json:"instance_id"`
	Links        links           `json:"links"`
	Title        string          `json:"title,omitempty"`
	Form         []formField     `json:"form,omitempty"`
	UserID       string          `json:"user_id,omitempty"`
	UserName     string          `json:"user_name,omitempty"`
	OpenID       string          `json:"open_id,omitempty"`
	StartTime    string          `json:"start_time"`
	EndTime      string          `json:"end_time"`
	UpdateTime   string          `json:"update_time"`
	UpdateMode   string          `json:"update_mode,omitempty"`
	TaskList     []approvalTask  `json:"task_list,omitempty"`
	CCList       []copyTo        `json:"cc_list,omitempty"`
	I18n         []i18nResources `json:"i18n_resources"`
}

type formField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// approvalTask is what one person has to do.
type approvalTask struct {
	TaskID     string `json:"task_id"`
	UserID     string `json:"user_id,omitempty"`
	OpenID     string `json:"open_id,omitempty"`
	Title      string `json:"title,omitempty"`
	Links      links  `json:"links"`
	Status     string `json:"status"`
	Extra      string `json:"extra,omitempty"`
	CreateTime string `json:"create_time"`
	EndTime    string `json:"end_time"`
	UpdateTime string `json:"update_time"`
}

// copyTo is somebody who is told.
type copyTo struct {
	CCID       string `json:"cc_id"`
	UserID     string `json:"user_id,omitempty"`
	OpenID     string `json:"open_id,omitempty"`
	Title      string `json:"title,omitempty"`
	Links      links  `json:"links"`
	ReadStatus string `json:"read_status"`
	CreateTime string `json:"create_time"`
	UpdateTime string `json:"update_time"`
}

type i18nResources struct {
	Locale    string `json:"locale"`
	IsDefault bool   `json:"is_default"`
	Texts     []struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"texts"`
}

var (
	instanceStates = []string{"PENDING", "APPROVED", "REJECTED", "CANCELED", "DELETED", "HIDDEN", "TERMINATED"}
	taskStates     = []string{"PENDING", "APPROVED", "REJECTED", "TRANSFERRED", "DONE"}
)

const (
	replaceMode = "REPLACE"
	updateMode  = "UPDATE"
)

// check says what is wrong with an instance, or "".
func (in *instance) check() string {
	switch {
	case in.InstanceID == "":
		return "instance_id is required"
	case !slices.Contains(instanceStates, in.Status):
		return fmt.Sprintf("status %q", in.Status)
	case !slices.Contains([]string{"", replaceMode, updateMode}, in.UpdateMode):
		return fmt.Sprintf("update_mode %q", in.UpdateMode)
	case in.UserID == "" && in.OpenID == "":
		return "user_id or open_id is required"
	case in.Links.PC == "" && in.Links.Mobile == "":
		return "links is required"
	case len(in.I18n) == 0:
		return "i18n_resources is required"
	}
	for field, t := range map[string]string{"start_time": in.StartTime, "end_time": in.EndTime, "update_time": in.UpdateTime} {
		if version(t) < 0 {
			return field + " is not a number of milliseconds"
		}
	}
	if wrong := in.untranslated(); wrong != "" {
		return wrong
	}
	return in.checkParts()
}

func (in *instance) checkParts() string {
	seen := map[string]bool{}
	for _, t := range in.TaskList {
		switch {
		case t.TaskID == "" || seen[t.TaskID]:
			return "task_list.task_id is missing or there twice"
		case !slices.Contains(taskStates, t.Status):
			return fmt.Sprintf("task_list.status %q", t.Status)
		case version(t.UpdateTime) < 0 || version(t.CreateTime) < 0 || version(t.EndTime) < 0:
			return "task_list: a time is not a number of milliseconds"
		}
		seen[t.TaskID] = true
	}
	for _, c := range in.CCList {
		switch {
		case c.CCID == "" || seen["cc/"+c.CCID]:
			return "cc_list.cc_id is missing or there twice"
		case c.ReadStatus != "READ" && c.ReadStatus != "UNREAD":
			return fmt.Sprintf("cc_list.read_status %q", c.ReadStatus)
		case version(c.UpdateTime) < 0 || version(c.CreateTime) < 0:
			return "cc_list: a time is not a number of milliseconds"
		}
		seen["cc/"+c.CCID] = true
	}
	return ""
}

// version reads a time; an empty one is 0 and a wrong one -1.
func version(t string) int64 {
	if t == "" {
		return 0
	}
	n, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// i18nPrefix marks a text that is a key of i18n_resources (from memory).
const i18nPrefix = "@i18n@"

// untranslated names a key that no resource holds, or "".
func (in *instance) untranslated() string {
	used := []string{in.Title, in.UserName}
	for _, f := range in.Form {
		used = append(used, f.Name, f.Value)
	}
	for _, t := range in.TaskList {
		used = append(used, t.Title)
	}
	for _, key := range used {
		if strings.HasPrefix(key, i18nPrefix) && in.text(key) == key {
			return fmt.Sprintf("i18n_resources has no text for %q", key)
		}
	}
	return ""
}

// text is what somebody reads: the Chinese text of a key, else that of the default resource.
func (in *instance) text(key string) string {
	found := ""
	for _, r := range in.I18n {
		for _, t := range r.Texts {
			if t.Key == key && (found == "" || strings.HasPrefix(r.Locale, "zh")) {
				found = t.Value
			}
		}
	}
	return cmp.Or(found, key)
}

// merge applies what came to what is known. In the mode UPDATE each part counts only if its update_time is larger than the
// stored one, and what is not named stays; otherwise everything is replaced (FS-DOC).
func (in *instance) merge(known *instance) *instance {
	if known == nil || in.UpdateMode != updateMode {
		c := *in
		return &c
	}
	next := *known
	if version(in.UpdateTime) > version(known.UpdateTime) {
		next = *in
	}
	next.TaskList = mergeParts(known.TaskList, in.TaskList, func(t approvalTask) (string, string) { return t.TaskID, t.UpdateTime })
	next.CCList = mergeParts(known.CCList, in.CCList, func(c copyTo) (string, string) { return c.CCID, c.UpdateTime })
	return &next
}

func mergeParts[T any](known, came []T, name func(T) (id, updated string)) []T {
	out := slices.Clone(known)
	for _, part := range came {
		id, updated := name(part)
		at := slices.IndexFunc(out, func(o T) bool {
			other, _ := name(o)
			return other == id
		})
		if at < 0 {
			out = append(out, part)
		} else if _, before := name(out[at]); version(updated) > version(before) {
			out[at] = part
		}
	}
	return out
}
