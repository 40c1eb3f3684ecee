package weaver

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// result is the answer to one item (WV-BLOG).
type result struct {
	SysCode    string `json:"syscode"`
	DataType   string `json:"dataType"`
	OperType   string `json:"operType"`
	OperResult string `json:"operResult"` // "1" success, "0" failure
	Message    string `json:"message"`
}

func success(f fields, operType string) result {
	return result{SysCode: f["syscode"], DataType: "WfData", OperType: operType, OperResult: "1"}
}

func failure(f fields, dataType, operType, message string) result {
	return result{SysCode: f["syscode"], DataType: dataType, OperType: operType, OperResult: "0", Message: message}
}

// operation is what a call does with an item.
type operation string

const (
	receive    operation = "receiveRequestInfo" // create or write over
	todo       operation = "receiveTodoRequest" // the same, always a to-do
	done       operation = "processDoneRequest" // handled
	over       operation = "processOverRequest" // closed
	deleteFlow operation = "deleteRequestInfo"  // the items of all receivers
	deleteUser operation = "deleteUserRequestInfo"
)

// apply does one item. It judges in the order in which the fields of dataType are told: the switch of the to-do centre,
// the external system, the parameters, the flow type, the data.
func (s *Weaver) apply(r *http.Request, op operation, f fields) result {
	settings := s.Settings()
	system, known := s.system(f["syscode"])
	switch {
	case !settings.TodoCentre:
		return failure(f, "IsUse", "Check", "统一待办中心未启用")
	case !known:
		return failure(f, "OtherSys", "Check", "异构系统标识不存在："+f["syscode"])
	case !allowed(system, r.RemoteAddr):
		return failure(f, "OtherSys", "Check", "IP不在允许范围内："+r.RemoteAddr)
	}
	path := r.URL.Path
	if r.URL.Path == servicePath {
		path += "#" + string(op)
	}
	if op == deleteFlow || op == deleteUser {
		return s.remove(r.Context(), path, op, f)
	}
	if remark, fixed := map[operation]string{todo: remarkToDo, done: remarkHandled, over: remarkClosed}[op]; fixed {
		f["isremark"] = remark
	}
	person, ok := s.person(f["receiver"])
	s.fill(f, person)
	if err := f.check(settings); err != nil {
		return failure(f, "SetParam", "Check", err.Error())
	}
	if !settings.NewWorkflows && !slices.Contains(settings.Workflows, f["workflowname"]) {
		return failure(f, "WfType", "AutoNew", "流程类型不存在："+f["workflowname"])
	}
	if !ok || person.OutOfScope {
		return failure(f, "WfData", "Check", "接收人不存在："+f["receiver"])
	}
	return s.write(r.Context(), path, system, f, person)
}

// fill completes a write to a known item, of which a caller may send no more than what names it and what changes
// (derived).
func (s *Weaver) fill(f fields, person desk.Person) {
	old, known := s.box.Get(itemKey(f), person.ID)
	if !known || old.State == inbox.Gone {
		return
	}
	for _, name := range append(slices.Clone(required), "pcurl", "appurl") {
		if _, given := f[name]; !given {
			f[name], _ = old.Fields[name].(string)
		}
	}
}

func (s *Weaver) write(ctx context.Context, path string, system System, f fields, person desk.Person) result {
	operType := "New"
	if _, known := s.box.Get(itemKey(f), person.ID); known {
		operType = "Edit"
	}
	if fault.Swallows(ctx) {
		return success(f, operType)
	}
	version, _ := f.version() // checked before
	err := s.box.Edit(path, itemKey(f), person.ID, func(c *inbox.Content, known bool) error {
		old := *c
		// A deleted item is forgotten, and with it its receivets (derived).
		live := known && old.State != inbox.Gone
		if live && version > 0 && version < old.Version {
			return inbox.ErrStale
		}
		*c = s.content(system, f)
		if c.Version = version; version == 0 && live {
			c.Version = old.Version
		}
		pushes, _ := old.Fields["pushes"].(int)
		// isremark 0 with viewtype 0 makes the OA push a message to the receiver (WV-BLOG).
		if f["isremark"] == remarkToDo && f["viewtype"] == "0" {
			pushes++
		}
		c.Fields["pushes"] = pushes
		return nil
	})
	switch {
	case errors.Is(err, inbox.ErrStale) && !s.Settings().StaleFails:
		return success(f, "Edit")
	case errors.Is(err, inbox.ErrStale):
		return failure(f, "WfData", "Edit", "receivets早于已有数据")
	case err != nil:
		return failure(f, "WfData", operType, err.Error())
	}
	return success(f, operType)
}

func (s *Weaver) content(system System, f fields) inbox.Content {
	c := inbox.Content{
		TaskID: f["flowid"], Kind: inbox.ToDo, Title: f["requestname"], Text: f["workflowname"] + " · " + f["nodename"],
		Sender: f["creator"], State: inbox.Open, Read: f["viewtype"] == "1",
		URL: complete(system.PCPrefix, f["pcurl"]), MobileURL: complete(system.AppPrefix, f["appurl"]),
		Fields: map[string]any{},
	}
	switch f["isremark"] {
	case remarkHandled, remarkClosed:
		c.State = inbox.Done
	case remarkCopy:
		c.Kind = inbox.Notice
	}
	if p, ok := s.person(f["creator"]); ok {
		c.Sender = p.Name
	}
	for name, value := range f {
		c.Fields[name] = value
	}
	return c
}

// remove deletes the item of one user, or those of all receivers.
func (s *Weaver) remove(ctx context.Context, path string, op operation, f fields) result {
	if f["flowid"] == "" || op == deleteUser && f["userid"] == "" {
		return failure(f, "SetParam", "Check", "flowid和userid不能为空")
	}
	person := ""
	if op == deleteUser {
		p, ok := s.person(f["userid"])
		if !ok {
			return failure(f, "WfData", "Del", "人员不存在："+f["userid"])
		}
		person = p.ID
	}
	if fault.Swallows(ctx) {
		return success(f, "Del")
	}
	live := 0
	s.box.Change(path, itemKey(f), person, func(c *inbox.Content) {
		if c.State != inbox.Gone {
			live++
		}
		c.State = inbox.Gone
	})
	if live == 0 && s.Settings().UnknownDeleteFails {
		return failure(f, "WfData", "Del", "流程数据不存在："+f["flowid"])
	}
	return success(f, "Del")
}

// itemKey names a flow; together with the receiver it names an item (WV-BLOG).
func itemKey(f fields) string { return f["syscode"] + "/" + f["flowid"] }

func (s *Weaver) person(account string) (desk.Person, bool) {
	if s.Settings().Account == "workcode" {
		return s.people.Find(func(p desk.Person) bool { return p.Code == account && account != "" })
	}
	return s.people.Get(account)
}

func allowed(system System, remote string) bool {
	if len(system.AllowedIPs) == 0 {
		return true
	}
	at, err := netip.ParseAddrPort(remote)
	return err == nil && slices.ContainsFunc(system.AllowedIPs, func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) })
}

// complete puts the prefix of the system before a relative link.
func complete(prefix, link string) string {
	if link == "" || strings.Contains(link, "://") || strings.HasPrefix(link, "//") {
		return link
	}
	return prefix + link
}
