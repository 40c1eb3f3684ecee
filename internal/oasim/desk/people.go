package desk

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"sync"
)

// Person is somebody with an account in the simulated OA.
type Person struct {
	ID     string `json:"id"` // by which the OA's interfaces name the person
	Name   string `json:"name"`
	Code   string `json:"code,omitempty"` // staff code
	Mobile string `json:"mobile,omitempty"`
	Email  string `json:"email,omitempty"`
	// IDs are further names of the person where the OA has several kinds, such as unionId; kind → id.
	IDs map[string]string `json:"ids,omitempty"`
	// OutOfScope marks somebody who may not see the app: the OA refuses what is sent to them.
	OutOfScope bool `json:"outOfScope,omitempty"`
	// Password is asked for on the login page; a person without one can only be chosen from the list.
	Password string `json:"password,omitempty"`
}

// maxPeople bounds the directory.
const maxPeople = 100_000

// People is the directory of a simulated OA.
type People struct {
	mu    sync.RWMutex
	byID  map[string]Person
	order []string
}

// NewPeople returns a directory.
func NewPeople(list []Person) (*People, error) {
	p := &People{byID: map[string]Person{}}
	for _, person := range list {
		if err := p.Add(person); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Add adds a person, or replaces the one of that id.
func (p *People) Add(person Person) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if person.ID == "" {
		return fmt.Errorf("a person needs an id")
	}
	if person.Name == "" {
		person.Name = person.ID
	}
	if _, known := p.byID[person.ID]; !known {
		if len(p.byID) >= maxPeople {
			return fmt.Errorf("more than %d people", maxPeople)
		}
		p.order = append(p.order, person.ID)
	}
	p.byID[person.ID] = person
	return nil
}

// Get returns the person of an id.
func (p *People) Get(id string) (Person, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	person, ok := p.byID[id]
	return person, ok
}

// Find returns the first person who fits, in the order they were added.
func (p *People) Find(fits func(Person) bool) (Person, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, id := range p.order {
		if fits(p.byID[id]) {
			return p.byID[id], true
		}
	}
	return Person{}, false
}

// All lists everybody, in the order they were added.
func (p *People) All() []Person {
	p.mu.RLock()
	defer p.mu.RUnlock()
	out := make([]Person, len(p.order))
	for i, id := range p.order {
		out[i] = p.byID[id]
	}
	return out
}

// Check returns the person of an id if the password is theirs.
func (p *People) Check(id, password string) (Person, bool) {
	person, ok := p.Get(id)
	right := subtle.ConstantTimeCompare([]byte(person.Password), []byte(password)) == 1
	return person, ok && person.Password != "" && right
}

// ServeOn is the control API /_sim/people: GET lists without passwords, POST {"people":[…]} adds.
func (p *People) ServeOn(d *Desk) {
	d.Get("人员 People", "/_sim/people", func(*http.Request) any {
		people := p.All()
		for i := range people {
			people[i].Password = ""
		}
		return map[string]any{"people": people}
	})
	On(d, "POST /_sim/people", http.StatusOK, func(in struct {
		People []Person `json:"people"`
	}) (any, error) {
		for _, person := range in.People {
			if err := p.Add(person); err != nil {
				return nil, err
			}
		}
		return map[string]int{"people": len(in.People)}, nil
	})
}
