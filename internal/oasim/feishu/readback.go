package feishu

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
)

// The bounds of external_tasks (FS-DOC).
const maxTaskPage, defaultTaskPage = 500, 100

type versionOf struct {
	TaskID     string `json:"task_id"`
	UpdateTime string `json:"update_time"`
}

type instanceVersion struct {
	InstanceID string      `json:"instance_id"`
	UpdateTime string      `json:"update_time"`
	Tasks      []versionOf `json:"tasks"`
}

// checkInstances tells which of the named instances differ from what is known here, with the versions that are known
// (FS-DOC).
func (s *Feishu) checkInstances(w http.ResponseWriter, r *http.Request, a App) {
	var in struct {
		Instances []instanceVersion `json:"instances"`
	}
	if !s.read(w, r, badApproval, &in) {
		return
	}
	differ := []instanceVersion{}
	for _, one := range in.Instances {
		here := instanceVersion{InstanceID: one.InstanceID, Tasks: []versionOf{}}
		for _, known := range s.instancesOf(a) {
			if known.InstanceID != one.InstanceID {
				continue
			}
			here.UpdateTime = known.UpdateTime
			for _, t := range known.TaskList {
				here.Tasks = append(here.Tasks, versionOf{t.TaskID, t.UpdateTime})
			}
		}
		sorted := func(list []versionOf) []versionOf {
			list = slices.Clone(list)
			slices.SortFunc(list, func(a, b versionOf) int { return cmp.Compare(a.TaskID, b.TaskID) })
			return list
		}
		if here.UpdateTime != one.UpdateTime || !slices.Equal(sorted(here.Tasks), sorted(one.Tasks)) {
			differ = append(differ, here)
		}
	}
	succeed(w, fields{"diff_instances": differ})
}

// instancesOf are the instances of an app's approvals, ordered by key.
func (s *Feishu) instancesOf(a App) []instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for k, in := range s.instances {
		if s.approvals[in.ApprovalCode] == a.AppID {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	out := make([]instance, len(keys))
	for i, k := range keys {
		out[i] = *s.instances[k]
	}
	return out
}

// externalTasks reads back what is known, in pages. The filter is a body, although this is a GET (FS-SDK).
func (s *Feishu) externalTasks(w http.ResponseWriter, r *http.Request, a App) {
	var filter struct {
		ApprovalCodes []string `json:"approval_codes"`
		InstanceIDs   []string `json:"instance_ids"`
		UserIDs       []string `json:"user_ids"`
		Status        string   `json:"status"`
	}
	if r.ContentLength != 0 && !s.read(w, r, badApproval, &filter) {
		return
	}
	size, err := strconv.Atoi(cmp.Or(r.FormValue("page_size"), strconv.Itoa(defaultTaskPage)))
	from, tokenErr := strconv.Atoi(cmp.Or(r.FormValue("page_token"), "0"))
	if err != nil || tokenErr != nil || size < 1 || size > maxTaskPage || from < 0 {
		s.refuse(w, badApproval, "page_size is 1 to 500, page_token what the last page said")
		return
	}
	among := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	all := []fields{}
	for _, in := range s.instancesOf(a) {
		tasks := []fields{}
		for _, t := range in.TaskList {
			if among(filter.UserIDs, t.UserID) && (filter.Status == "" || t.Status == filter.Status) {
				tasks = append(tasks, fields{"id": t.TaskID, "status": t.Status, "update_time": t.UpdateTime})
			}
		}
		wanted := len(tasks) > 0 || len(filter.UserIDs) == 0 && filter.Status == ""
		if wanted && among(filter.ApprovalCodes, in.ApprovalCode) && among(filter.InstanceIDs, in.InstanceID) {
			all = append(all, fields{
				"instance_id": in.InstanceID, "approval_id": in.ApprovalCode, "approval_code": in.ApprovalCode, "status": in.Status,
				"update_time": in.UpdateTime, "tasks": tasks,
			})
		}
	}
	from = min(from, len(all))
	to := min(from+size, len(all))
	out := fields{"data": all[from:to], "has_more": to < len(all)}
	if to < len(all) {
		out["page_token"] = strconv.Itoa(to)
	}
	succeed(w, out)
}
