package feishu

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// errUnchanged leaves an item as it is.
var errUnchanged = errors.New("unchanged")

const approvalBase = "/open-apis/approval/v4/"

// routeApprovals serves third-party approvals (三方审批; FS-SDK, FS-DOC).
func (s *Feishu) routeApprovals(mux *http.ServeMux) {
	mux.HandleFunc("POST "+approvalBase+"external_approvals", s.asTenant(Approval, s.createApproval))
	mux.HandleFunc("POST "+approvalBase+"external_instances", s.asTenant(Approval, s.writeInstance))
	mux.HandleFunc("POST "+approvalBase+"external_instances/check", s.asTenant(Approval, s.checkInstances))
	mux.HandleFunc("GET "+approvalBase+"external_tasks", s.asTenant(Approval, s.externalTasks))
}

func (s *Feishu) createApproval(w http.ResponseWriter, r *http.Request, a App) {
	var in struct {
		Name     string `json:"approval_name"`
		Code     string `json:"approval_code"`
		External struct {
			SupportPC     bool   `json:"support_pc"`
			SupportMobile bool   `json:"support_mobile"`
			LinkPC        string `json:"create_link_pc"`
			LinkMobile    string `json:"create_link_mobile"`
		} `json:"external"`
	}
	if !s.read(w, r, badApproval, &in) {
		return
	}
	if in.Name == "" || !in.External.SupportPC && !in.External.SupportMobile {
		s.refuse(w, badApproval, "approval_name and external with support_pc or support_mobile are required")
		return
	}
	in.Code = cmp.Or(in.Code, uuid.NewString())
	s.mu.Lock()
	owner := cmp.Or(s.approvals[in.Code], a.AppID)
	s.approvals[in.Code] = owner
	s.mu.Unlock()
	if owner != a.AppID {
		s.refuse(w, approvalDenied, "approval_code belongs to another app")
		return
	}
	succeed(w, fields{"approval_code": in.Code})
}

// key names an instance; its parts have the rest of their key behind it.
func key(code, id string) string { return code + "/" + id }

// writeInstance creates or updates an instance. What is older than what is known is left out without a word: the answer
// is the same (FS-DOC).
func (s *Feishu) writeInstance(w http.ResponseWriter, r *http.Request, a App) {
	var in instance
	if !s.read(w, r, badApproval, &in) {
		return
	}
	s.mu.Lock()
	owner, exists := s.approvals[in.ApprovalCode]
	s.mu.Unlock()
	if !exists || owner != a.AppID {
		s.refuse(w, noApproval, in.ApprovalCode)
		return
	}
	if wrong := in.check(); wrong != "" {
		s.refuse(w, badApproval, wrong)
		return
	}
	if code, who := s.strangers(in); code != 0 {
		s.refuse(w, code, who)
		return
	}
	answer := in
	if !fault.Swallows(r.Context()) {
		stored, err := s.storeInstance(r.URL.Path, in)
		if err != nil {
			s.refuse(w, internalError, err.Error())
			return
		}
		if s.Settings().InstanceAnswer == "stored" {
			answer = stored
		}
	}
	succeed(w, fields{"data": answer})
}

// strangers refuses an instance with somebody who does not exist, or does not see the app (derived).
func (s *Feishu) strangers(in instance) (int, string) {
	people := [][2]string{{in.UserID, in.OpenID}}
	for _, t := range in.TaskList {
		people = append(people, [2]string{t.UserID, t.OpenID})
	}
	for _, c := range in.CCList {
		people = append(people, [2]string{c.UserID, c.OpenID})
	}
	for i, who := range people {
		p, ok := s.either(who[0], who[1])
		switch {
		case !ok:
			return badApproval, fmt.Sprintf("user not found: user_id %q, open_id %q", who[0], who[1])
		case p.OutOfScope && i > 0:
			return approvalDenied, fmt.Sprintf("user %q is not in the visible scope of the app", who[0]+who[1])
		}
	}
	return 0, ""
}

// either finds a person by user_id or else by open_id.
func (s *Feishu) either(user, open string) (desk.Person, bool) {
	if user != "" {
		return s.find("user_id", user)
	}
	return s.find("open_id", open)
}

// storeInstance merges an instance into what is known and returns that.
func (s *Feishu) storeInstance(path string, in instance) (instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key(in.ApprovalCode, in.InstanceID)
	known := s.instances[k]
	if known == nil && len(s.instances) >= maxInstances {
		return instance{}, fmt.Errorf("the simulator holds no more than %d instances", maxInstances)
	}
	next := in.merge(known)
	s.instances[k] = next
	s.noteStale(path, k, in)
	return *next, s.show(path, k, known, next)
}

// noteStale counts the parts that came too late.
func (s *Feishu) noteStale(path, k string, in instance) {
	if in.UpdateMode != updateMode {
		return
	}
	for _, t := range in.TaskList {
		if p, ok := s.either(t.UserID, t.OpenID); ok {
			_ = s.box.Edit(path, k+"/"+t.TaskID, p.ID, func(c *inbox.Content, known bool) error {
				if known && c.Version > version(t.UpdateTime) {
					return inbox.ErrStale
				}
				return errUnchanged
			})
		}
	}
}

// show brings the inboxes in line with an instance: what everybody has to do, and who is told.
func (s *Feishu) show(path, k string, before, after *instance) error {
	shown := map[string]bool{}
	put := func(id, kind, user, open string, c inbox.Content) error {
		p, ok := s.either(user, open)
		if !ok {
			return nil
		}
		if after.Status == "DELETED" || after.Status == "HIDDEN" {
			c.State = inbox.Gone
		}
		c.TaskID, c.Kind, c.Sender = after.InstanceID, kind, after.text(after.UserName)
		c.Title = after.text(cmp.Or(c.Title, after.Title))
		for _, f := range after.Form {
			c.Text += after.text(f.Name) + ": " + after.text(f.Value) + " "
		}
		shown[k+id+"\n"+p.ID] = true
		return s.box.Put(path, k+id, p.ID, c)
	}
	for _, t := range after.TaskList {
		c := inbox.Content{
			Title: t.Title, URL: cmp.Or(t.Links.PC, after.Links.PC), MobileURL: cmp.Or(t.Links.Mobile, after.Links.Mobile), State: inbox.Done,
			Version: version(t.UpdateTime), Fields: map[string]any{"status": t.Status, "task_id": t.TaskID},
		}
		if t.Status == "PENDING" {
			c.State = inbox.Open
		}
		if err := put("/"+t.TaskID, inbox.ToDo, t.UserID, t.OpenID, c); err != nil {
			return err
		}
	}
	for _, cc := range after.CCList {
		c := inbox.Content{
			Title: cc.Title, URL: cmp.Or(cc.Links.PC, after.Links.PC), MobileURL: cmp.Or(cc.Links.Mobile, after.Links.Mobile), State: inbox.Open,
			Version: version(cc.UpdateTime), Read: cc.ReadStatus == "READ",
		}
		if err := put("/cc/"+cc.CCID, inbox.Notice, cc.UserID, cc.OpenID, c); err != nil {
			return err
		}
	}
	if before == nil {
		return nil
	}
	hide := func(id, user, open string) {
		if p, ok := s.either(user, open); ok && !shown[k+id+"\n"+p.ID] {
			s.box.Change(path, k+id, p.ID, func(c *inbox.Content) { c.State = inbox.Gone })
		}
	}
	for _, t := range before.TaskList {
		hide("/"+t.TaskID, t.UserID, t.OpenID)
	}
	for _, cc := range before.CCList {
		hide("/cc/"+cc.CCID, cc.UserID, cc.OpenID)
	}
	return nil
}
