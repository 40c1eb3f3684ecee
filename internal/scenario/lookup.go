package scenario

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Lookup is a rendered lookup of a request.
type lookup struct {
	call   *call
	result Result
	values map[string]string
}

func compileLookup(field, protocol string, l Lookup) (*lookup, []Problem) {
	c, problems := compileCall(field, protocol, Call{Method: l.Method, Path: l.Path, Headers: l.Headers, Body: l.Body})
	if protocol == Webservice {
		problems = append(problems, Problem{reasonTemplate, field, "a lookup reads a JSON answer; with protocol Webservice leave it out"})
	}
	if len(l.Values) == 0 {
		problems = append(problems, Problem{reasonTemplate, field + ".values", "a lookup without values finds nothing; name at least one"})
	}
	if (l.Result.CodeName == "") != (l.Result.SuccessCode == "") {
		problems = append(problems, Problem{reasonTemplate, field + ".result", "codeName and successCode belong together; set both or none"})
	}
	for name := range c.values() {
		if strings.HasPrefix(name, LookupPrefix) {
			problems = append(problems, Problem{reasonTemplate, field, "${" + name + "} is what the lookup is to find; it cannot stand in it"})
		}
	}
	return &lookup{c, l.Result, l.Values}, problems
}

// checkValues checks what the calls need of one another, and notes what each of them uses up.
func (s *Scenario) checkValues() []Problem {
	once, captured := map[string]bool{}, map[string]bool{}
	for _, c := range s.calls {
		for _, v := range c.captures {
			captured[CapturedPrefix+v.Name] = true
			once[CapturedPrefix+v.Name] = once[CapturedPrefix+v.Name] || v.Once
		}
	}
	var problems []Problem
	for _, a := range Actions {
		c := s.calls[a]
		if c == nil {
			continue
		}
		field := "actions." + string(a)
		names := c.values()
		for _, name := range slices.Sorted(maps.Keys(names)) {
			own, isLookup := strings.CutPrefix(name, LookupPrefix)
			switch {
			case isLookup && (c.lookup == nil || c.lookup.values[own] == ""):
				problems = append(problems, Problem{reasonTemplate, field, "${" + name + "} stands in a call whose lookup does not find it; add it to lookup.values"})
			case strings.HasPrefix(name, CapturedPrefix) && !captured[name]:
				problems = append(problems, Problem{reasonTemplate, field, "${" + name + "} is captured by no action; add it to the capture of one"})
			case once[name]:
				c.spends = append(c.spends, strings.TrimPrefix(name, CapturedPrefix))
			}
		}
		if c.lookup != nil {
			maps.Copy(names, c.lookup.call.values())
			if c.batch != nil {
				problems = append(problems, Problem{reasonTemplate, field + ".batch", "a call with a lookup goes alone; leave batch out"})
			}
		}
		if r := s.readBacks[a]; r != nil {
			maps.Copy(names, r.call.values())
		}
		c.live = len(names) > 0
		if c.missing == MissingCreate && (a == Create || s.calls[Create] == nil) {
			problems = append(problems, Problem{reasonTemplate, field + ".missing", "Create makes the call for create instead, which is for other actions"})
		}
	}
	return problems
}

// Live reports whether the call for an action needs the values of a Moment.
func (s *Scenario) Live(a Action) bool {
	c := s.calls[a]
	if c == nil {
		return false
	}
	if c.missing == MissingCreate && s.calls[Create].live {
		return true
	}
	return c.live || len(c.captures) > 0
}

// ErrMissing is returned by Render when a value of an earlier answer is not there and the template says Skip: there is
// nothing to do at the OA.
var ErrMissing = errors.New("the OA does not have the item, so there is nothing to do")

// lacks reports whether a value of an earlier answer that the call needs is not there.
func (c *call) lacks(f Fields) bool {
	if !c.live || c.missing == "" {
		return false
	}
	for name := range c.values() {
		if strings.HasPrefix(name, CapturedPrefix) && f[name] == "" {
			return true
		}
	}
	return false
}

// without makes what takes the place of a call for which a value is missing.
func (s *Scenario) without(c *call, f Fields) (Request, error) {
	if c.missing == MissingCreate {
		return s.Render(Create, f)
	}
	return Request{}, ErrMissing
}

// LookupRequest asks for the values of a request.
type LookupRequest struct {
	Request Request
	Result  Result
	// Values are paths into the answer by name.
	Values map[string]string
	// Complete makes the request that goes out with the values that were found. Without them (nil) it makes what the
	// template wants instead; the error is then ErrMissing when that is nothing, or says that they must be there.
	Complete func(values map[string]string) (Request, error)
}

// Read returns the values of an answer; false when one of them is not there.
func (l *LookupRequest) Read(answer []byte) (map[string]string, bool) {
	found := make(map[string]string, len(l.Values))
	for name, path := range l.Values {
		v := gjson.GetBytes(answer, LiteralPath(path))
		if v.IsObject() || v.IsArray() || v.String() == "" {
			return nil, false
		}
		found[name] = v.String()
	}
	return found, true
}

// errNotFound is the failure of a lookup that found nothing.
var errNotFound = errors.New("the OA does not have the item that the call is about: see lookup in the template")

// renderLookup renders the lookup of a call. Fields that hold the values already, as those of tests do, need none.
func (s *Scenario) renderLookup(a Action, c *call, f Fields) (Request, error) {
	known := true
	for name := range c.lookup.values {
		known = known && f[LookupPrefix+name] != ""
	}
	if known {
		return s.render(a, c, f)
	}
	ask, err := s.render(a, c.lookup.call, f)
	if err != nil {
		return Request{}, err
	}
	return Request{Method: ask.Method, Path: ask.Path, Header: ask.Header, Body: ask.Body, Confirm: c.confirm, Lookup: &LookupRequest{
		Request: ask, Result: c.lookup.result, Values: c.lookup.values,
		Complete: func(values map[string]string) (Request, error) {
			switch {
			case values != nil:
				with := maps.Clone(f)
				for name, v := range values {
					with[LookupPrefix+name] = v
				}
				return s.render(a, c, with)
			case c.missing == "":
				return Request{}, errNotFound
			}
			return s.without(c, f)
		},
	}}, nil
}
