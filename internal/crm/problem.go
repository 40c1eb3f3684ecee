package crm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// FieldError is one thing that is wrong with an event.
type FieldError struct {
	// Event is the position in the batch, from 0.
	Event int `json:"event"`
	// Field is the path of the attribute or of the member of the data, e.g. "data.receivers[0].account".
	Field    string `json:"field"`
	Cause    string `json:"cause"`
	NextStep string `json:"nextStep"`
}

// Problem is an RFC 9457 problem: why nothing of a request was taken. It quotes no secret.
type Problem struct {
	Status int          `json:"status"`
	Title  string       `json:"title"`
	Detail string       `json:"detail,omitempty"`
	Errors []FieldError `json:"errors,omitempty"`
	// RetryAfter becomes the header Retry-After, in whole seconds rounded up; 0 leaves it out.
	RetryAfter time.Duration `json:"-"`
}

// maxErrors bounds the list of a problem: a batch of a thousand bad events needs no thousand lines.
const maxErrors = 50

// NewProblem returns a problem whose title is the text of the status.
func NewProblem(status int, format string, args ...any) *Problem {
	return &Problem{Status: status, Title: http.StatusText(status), Detail: fmt.Sprintf(format, args...)}
}

// WriteTo answers a request with the problem.
func (p *Problem) WriteTo(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="events"`)
	}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((p.RetryAfter+time.Second-1)/time.Second), 10))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// String is for logs.
func (p *Problem) String() string {
	s := fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail)
	for _, e := range p.Errors {
		s += fmt.Sprintf("; event %d: %s: %s", e.Event, e.Field, e.Cause)
	}
	return s
}

// faults collects what is wrong with the events of one request.
type faults struct {
	status int
	list   []FieldError
}

// add notes a malformed field.
func (f *faults) add(event int, field, cause, nextStep string) {
	f.status = max(f.status, http.StatusBadRequest)
	if len(f.list) < maxErrors {
		f.list = append(f.list, FieldError{Event: event, Field: field, Cause: cause, NextStep: nextStep})
	}
}

// addTooLarge notes an event that is too large.
func (f *faults) addTooLarge(event int, field string, size, limit int) {
	f.add(event, field, fmt.Sprintf("has %d bytes; at most %d are taken", size, limit),
		"send less text in heading, subject and detail, and no members that the contract does not name")
	f.status = http.StatusRequestEntityTooLarge
}

func (f *faults) problem() *Problem {
	if len(f.list) == 0 {
		return nil
	}
	p := NewProblem(f.status, "nothing of the request was taken: see errors")
	p.Errors = f.list
	return p
}
