package generic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// outcome is what becomes of one item; an empty code is a success.
type outcome struct {
	code, message string
	data          any
}

func (s *Generic) fail(format string, args ...any) outcome {
	return outcome{code: s.shape.Result.Failure, message: fmt.Sprintf(format, args...)}
}

// do performs an operation on one item.
func (s *Generic) do(ctx context.Context, op Operation, doc any) outcome {
	it, err := s.shape.Fields.read(doc)
	if err != nil {
		return s.fail("%v", err)
	}
	switch op.Action {
	case actionCreate, actionNotice:
		return s.create(ctx, op, it)
	case actionRead:
		return s.read(it)
	default:
		return s.change(ctx, op, it)
	}
}

func (s *Generic) create(ctx context.Context, op Operation, it item) outcome {
	if it.title == "" || len(it.receivers) == 0 {
		return s.fail("%s and %s are required", s.shape.Fields.Title, s.shape.Fields.Receiver)
	}
	people := make([]desk.Person, len(it.receivers))
	for i, id := range it.receivers {
		p, ok := s.person(id)
		if !ok || p.OutOfScope {
			return s.fail("there is no receiver %q", id)
		}
		people[i] = p
	}
	if fault.Swallows(ctx) {
		return outcome{}
	}
	for _, p := range people {
		err := s.box.Edit(op.Action, op.key(it), p.ID, func(c *inbox.Content, known bool) error {
			if known && it.version > 0 && it.version < c.Version {
				return inbox.ErrStale
			}
			version := max(c.Version, it.version)
			*c = inbox.Content{
				TaskID: it.taskID, Kind: inbox.ToDo, Title: it.title, Text: it.text, Sender: it.sender, URL: it.url, MobileURL: it.mobileURL,
				State: inbox.Open, Version: version,
			}
			if op.Action == actionNotice {
				c.Kind = inbox.Notice
			}
			return nil
		})
		if err = s.late(err); err != nil {
			return s.fail("%v", err)
		}
	}
	return outcome{}
}

// late makes an older version a success, unless the settings say otherwise.
func (s *Generic) late(err error) error {
	if errors.Is(err, inbox.ErrStale) && !s.Settings().StaleFails {
		return nil
	}
	return err
}

// key keeps notices apart from to-dos.
func (op Operation) key(it item) string {
	if op.Action == actionNotice {
		return "notice/" + it.taskID
	}
	return it.taskID
}

// change edits, finishes or deletes the items of the named receivers, or of everybody.
func (s *Generic) change(ctx context.Context, op Operation, it item) outcome {
	var persons []string
	for _, id := range it.receivers {
		p, ok := s.person(id)
		if !ok {
			return s.fail("there is no receiver %q", id)
		}
		persons = append(persons, p.ID)
	}
	items := s.box.OfTask(it.taskID, func(i *inbox.Item) bool {
		return i.Key == op.key(it) && (persons == nil || slices.Contains(persons, i.Person)) && i.State != inbox.Gone
	})
	if len(items) == 0 && s.Settings().UnknownFails {
		return s.fail("there is no item %q", it.taskID)
	}
	if fault.Swallows(ctx) {
		return outcome{}
	}
	for _, i := range items {
		err := s.box.Edit(op.Action, i.Key, i.Person, func(c *inbox.Content, _ bool) error {
			if it.version > 0 && it.version < c.Version {
				return inbox.ErrStale
			}
			c.Version = max(c.Version, it.version)
			s.edit(c, op.Action, it)
			return nil
		})
		if err = s.late(err); err != nil {
			return s.fail("%v", err)
		}
	}
	return outcome{}
}

func (s *Generic) edit(c *inbox.Content, action string, it item) {
	switch action {
	case actionComplete:
		c.State = inbox.Done
	case actionDelete:
		c.State = inbox.Gone
	default:
		f := s.shape.Fields
		for path, target := range map[string]*string{f.Title: &c.Title, f.Text: &c.Text, f.Sender: &c.Sender, f.URL: &c.URL, f.MobileURL: &c.MobileURL} {
			if it.given[path] {
				*target = map[string]string{f.Title: it.title, f.Text: it.text, f.Sender: it.sender, f.URL: it.url, f.MobileURL: it.mobileURL}[path]
			}
		}
	}
}

// read tells the state of an item of one receiver: none, open, done or gone.
func (s *Generic) read(it item) outcome {
	if len(it.receivers) != 1 {
		return s.fail("%s must name one person", s.shape.Fields.Receiver)
	}
	p, ok := s.person(it.receivers[0])
	if !ok {
		return s.fail("there is no receiver %q", it.receivers[0])
	}
	state := "none"
	if i, ok := s.box.Get(it.taskID, p.ID); ok {
		state = string(i.State)
	}
	return outcome{data: map[string]any{"state": state}}
}

// person finds somebody by id, staff code, mobile number or e-mail address.
func (s *Generic) person(handle string) (desk.Person, bool) {
	if p, ok := s.people.Get(handle); ok {
		return p, true
	}
	return s.people.Find(func(p desk.Person) bool {
		return handle != "" && (p.Code == handle || p.Mobile == handle || strings.EqualFold(p.Email, handle))
	})
}
