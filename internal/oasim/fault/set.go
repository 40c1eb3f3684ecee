package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
)

// maxRules bounds the script.
const maxRules = 1000

// Set is the script of one simulator. The zero value fails nothing.
type Set struct {
	mu    sync.Mutex
	seq   int
	rules []*armed
}

// Add appends a rule and returns it with its id.
func (s *Set) Add(r Rule) (Rule, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(r)
}

func (s *Set) add(r Rule) (Rule, error) {
	if len(s.rules) >= maxRules {
		return Rule{}, fmt.Errorf("more than %d rules", maxRules)
	}
	a, err := arm(r)
	if err != nil {
		return Rule{}, err
	}
	for _, known := range s.rules {
		if a.ID != "" && known.ID == a.ID {
			return Rule{}, fmt.Errorf("id %q is taken", a.ID)
		}
	}
	if a.ID == "" {
		s.seq++
		a.ID = fmt.Sprintf("f%d", s.seq)
	}
	s.rules = append(s.rules, a)
	return a.Rule, nil
}

// Replace puts a new script in the place of the old one; on an error the old one stays.
func (s *Set) Replace(rules []Rule) error {
	next := Set{seq: s.length()}
	for i, r := range rules {
		if _, err := next.add(r); err != nil {
			return fmt.Errorf("rule %d: %w", i, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	release(s.rules)
	s.rules, s.seq = next.rules, next.seq
	return nil
}

// List returns the script with its counters.
func (s *Set) List() []Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Rule, len(s.rules))
	for i, a := range s.rules {
		out[i] = a.Rule
	}
	return out
}

// Remove takes one rule away and lets its hanging requests go.
func (s *Set) Remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range s.rules {
		if a.ID == id {
			release(s.rules[i : i+1])
			s.rules = append(s.rules[:i:i], s.rules[i+1:]...)
			return true
		}
	}
	return false
}

// Clear ends all faults and lets hanging requests go.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	release(s.rules)
	s.rules = nil
}

func (s *Set) length() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seq
}

func release(rules []*armed) {
	for _, a := range rules {
		close(a.gone)
	}
}

// pick finds the rule that acts on a request and counts it. subjects is asked at most once, and only when needed.
func (s *Set) pick(method, path string, subjects func() []Subject) *armed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var items []Subject
	asked := false
	for _, a := range s.rules {
		if a.spent() || !a.matchesRoute(method, path) {
			continue
		}
		if a.wantsSubject() {
			if !asked {
				items, asked = subjects(), true
			}
			if !a.matchesSubject(items) {
				continue
			}
		}
		a.Used++
		return a
	}
	return nil
}

// ServeHTTP is the control API: GET lists, PUT replaces all ({"rules":[…]}), POST adds one, DELETE removes one (?id=) or
// all.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var err error
	switch r.Method {
	case http.MethodGet:
		reply(w, http.StatusOK, list{s.List()})
	case http.MethodPut:
		var l list
		if err = decode(r, &l); err == nil {
			err = s.Replace(l.Rules)
		}
		if err == nil {
			reply(w, http.StatusOK, list{s.List()})
		}
	case http.MethodPost:
		var rule Rule
		if err = decode(r, &rule); err == nil {
			rule, err = s.Add(rule)
		}
		if err == nil {
			reply(w, http.StatusCreated, rule)
		}
	case http.MethodDelete:
		if id := r.FormValue("id"); id == "" {
			s.Clear()
		} else if !s.Remove(id) {
			err = errors.New("no rule " + id)
			break
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "use GET, PUT, POST or DELETE", http.StatusMethodNotAllowed)
	}
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
	}
}

type list struct {
	Rules []Rule `json:"rules"`
}

func decode(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
