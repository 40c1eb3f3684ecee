package seeyon

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Person is somebody with an OA login.
type Person struct {
	LoginName string `json:"loginName"`
	Name      string `json:"name"`
	Code      string `json:"code,omitempty"` // staff code
	Mobile    string `json:"mobile,omitempty"`
	Email     string `json:"email,omitempty"`
	// Password is asked for on the login page; a person without one can only be chosen from the list.
	Password string `json:"password,omitempty"`
}

// Binding says that a third party's account is an OA person (SY-BIND). An empty register code holds for every app.
type Binding struct {
	RegisterCode string `json:"registerCode,omitempty"`
	ThirdUserID  string `json:"thirdUserId"`
	LoginName    string `json:"loginName"`
}

// maxPeople bounds the directory.
const maxPeople = 100_000

type directory struct {
	mu       sync.RWMutex
	people   map[string]Person
	order    []string
	bindings map[[2]string]string   // register code, third id → login
	handles  map[string][]string    // login, code, mobile or e-mail → logins
	thirdIDs map[[2]string][]string // register code, login → third ids
}

func newDirectory() *directory {
	return &directory{
		people: map[string]Person{}, bindings: map[[2]string]string{}, handles: map[string][]string{},
		thirdIDs: map[[2]string][]string{},
	}
}

// AddPerson adds a person, or replaces the one of that login name.
func (s *Seeyon) AddPerson(p Person) error {
	d := s.directory
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.LoginName == "" {
		return fmt.Errorf("a person needs a loginName")
	}
	if p.Name == "" {
		p.Name = p.LoginName
	}
	old, known := d.people[p.LoginName]
	if !known {
		if len(d.people) >= maxPeople {
			return fmt.Errorf("more than %d people", maxPeople)
		}
		d.order = append(d.order, p.LoginName)
	}
	for _, h := range old.handles() {
		d.handles[h] = slices.DeleteFunc(d.handles[h], func(l string) bool { return l == p.LoginName })
	}
	for _, h := range p.handles() {
		if !slices.Contains(d.handles[h], p.LoginName) {
			d.handles[h] = append(d.handles[h], p.LoginName)
		}
	}
	d.people[p.LoginName] = p
	return nil
}

// Bind binds a third party's account to a person.
func (s *Seeyon) Bind(b Binding) error {
	d := s.directory
	d.mu.Lock()
	defer d.mu.Unlock()
	if b.ThirdUserID == "" {
		return fmt.Errorf("a binding needs a thirdUserId")
	}
	if _, ok := d.people[b.LoginName]; !ok {
		return fmt.Errorf("binding %q: there is no person %q", b.ThirdUserID, b.LoginName)
	}
	key := [2]string{b.RegisterCode, b.ThirdUserID}
	if old, ok := d.bindings[key]; ok {
		d.unlink([2]string{b.RegisterCode, old}, b.ThirdUserID)
	} else if len(d.bindings) >= maxPeople {
		return fmt.Errorf("more than %d bindings", maxPeople)
	}
	d.bindings[key] = b.LoginName
	owner := [2]string{b.RegisterCode, b.LoginName}
	d.thirdIDs[owner] = append(d.thirdIDs[owner], b.ThirdUserID)
	return nil
}

func (d *directory) unlink(owner [2]string, thirdID string) {
	d.thirdIDs[owner] = slices.DeleteFunc(d.thirdIDs[owner], func(id string) bool { return id == thirdID })
}

// handles are the four ways to name a person without a binding (SEED3: 登录名称/人员编码/手机号/电子邮件).
func (p Person) handles() []string {
	var out []string
	for _, h := range []string{p.LoginName, p.Code, p.Mobile, strings.ToLower(p.Email)} {
		if h != "" {
			out = append(out, h)
		}
	}
	return out
}

// resolve finds the OA person whom an item is for: through the binding of the third id, or else by noneBindingReceiver.
func (d *directory) resolve(registerCode, thirdID, noneBinding string) (string, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, code := range []string{registerCode, ""} {
		if login, ok := d.bindings[[2]string{code, thirdID}]; ok && thirdID != "" {
			return login, nil
		}
	}
	found := d.handles[noneBinding]
	if len(found) == 0 && strings.Contains(noneBinding, "@") {
		found = d.handles[strings.ToLower(noneBinding)]
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("no OA person for thirdReceiverId %q or noneBindingReceiver %q", thirdID, noneBinding)
	default:
		return "", fmt.Errorf("noneBindingReceiver %q names %d OA persons", noneBinding, len(found))
	}
}

// mapped is the third party's own id of a person, when there is exactly one.
func (d *directory) mapped(registerCode, login string) (string, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, code := range []string{registerCode, ""} {
		if ids := d.thirdIDs[[2]string{code, login}]; len(ids) == 1 {
			return ids[0], true
		}
	}
	return "", false
}

func (d *directory) person(login string) (Person, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	p, ok := d.people[login]
	return p, ok
}

// People lists everybody, in the order they were added.
func (s *Seeyon) People() []Person {
	d := s.directory
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]Person, len(d.order))
	for i, login := range d.order {
		out[i] = d.people[login]
	}
	return out
}
