// Package fault lets a test script how a simulator fails: which requests, how often, and in which way.
package fault

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Rule says which requests fail, how often and how. The first rule that matches and is not used up acts.
type Rule struct {
	ID    string `json:"id,omitempty"`
	Match Match  `json:"match"`
	// Times bounds how often the rule acts; 0 means for ever.
	Times  int    `json:"times,omitempty"`
	Action Action `json:"action"`
	// Used counts how often the rule has acted. It is reported, never set.
	Used int `json:"used"`
}

// Match selects requests. Empty fields match everything; TaskID, Receiver and Title must all match one and the same
// item of the request.
type Match struct {
	Method   string `json:"method,omitempty"`
	Path     string `json:"path,omitempty"` // prefix
	TaskID   string `json:"taskId,omitempty"`
	Receiver string `json:"receiver,omitempty"`
	Title    string `json:"title,omitempty"` // regular expression
}

// Kind is a way to fail.
type Kind string

// The ways to fail.
const (
	Status      Kind = "status"      // answer Status with Body and Retry-After
	Delay       Kind = "delay"       // wait DelayMillis, then serve as usual (DelayMillis may precede every other kind)
	Hang        Kind = "hang"        // say nothing until the client goes away or the rule is removed
	Close       Kind = "close"       // close the connection without an answer
	HTML        Kind = "html"        // answer with a web page, as a login page or proxy in between would
	Business    Kind = "business"    // HTTP 200 whose body says that it failed
	Swallow     Kind = "swallow"     // say success and store nothing
	ExpireToken Kind = "expireToken" // forget the token of the request and answer as if it had expired
	RateLimit   Kind = "rateLimit"   // answer as the vendor does to a caller who calls too often
)

var kinds = []Kind{Status, Delay, Hang, Close, HTML, Business, Swallow, ExpireToken, RateLimit}

// Action is what happens to a request that a rule matches.
type Action struct {
	Kind        Kind   `json:"kind"`
	DelayMillis int    `json:"delayMillis,omitempty"`
	Status      int    `json:"status,omitempty"`
	Body        string `json:"body,omitempty"`
	RetryAfter  string `json:"retryAfter,omitempty"`
	// Code is the vendor's error code of a Business answer; each simulator has one of its own as the default.
	Code      string   `json:"code,omitempty"`
	ErrorMsgs []string `json:"errorMsgs,omitempty"`
	// After lets the request take effect first: the work is done and only the answer is lost.
	After bool `json:"after,omitempty"`
}

// Subject is one item inside a request.
type Subject struct{ TaskID, Receiver, Title string }

type armed struct {
	Rule
	title *regexp.Regexp
	gone  chan struct{}
}

func arm(r Rule) (*armed, error) {
	if !slices.Contains(kinds, r.Action.Kind) {
		return nil, fmt.Errorf("action.kind %q is not one of %v", r.Action.Kind, kinds)
	}
	if r.Action.Kind == Status && (r.Action.Status < 200 || r.Action.Status > 599) {
		return nil, fmt.Errorf("action.status %d is not an HTTP status between 200 and 599", r.Action.Status)
	}
	if r.Times < 0 || r.Action.DelayMillis < 0 {
		return nil, fmt.Errorf("times and action.delayMillis must not be negative")
	}
	title, err := regexp.Compile(r.Match.Title)
	if err != nil {
		return nil, fmt.Errorf("match.title: %w", err)
	}
	r.Used = 0
	return &armed{Rule: r, title: title, gone: make(chan struct{})}, nil
}

func (a *armed) spent() bool { return a.Times > 0 && a.Used >= a.Times }

func (a *armed) matchesRoute(method, path string) bool {
	return (a.Match.Method == "" || strings.EqualFold(a.Match.Method, method)) && strings.HasPrefix(path, a.Match.Path)
}

func (a *armed) wantsSubject() bool {
	return a.Match.TaskID != "" || a.Match.Receiver != "" || a.Match.Title != ""
}

func (a *armed) matchesSubject(subjects []Subject) bool {
	return slices.ContainsFunc(subjects, func(s Subject) bool {
		return (a.Match.TaskID == "" || a.Match.TaskID == s.TaskID) &&
			(a.Match.Receiver == "" || a.Match.Receiver == s.Receiver) &&
			a.title.MatchString(s.Title)
	})
}
