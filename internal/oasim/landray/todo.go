package landray

import (
	"context"
	"net/url"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

// result is a NotifyTodoAppResult (LR-DOC §3.3).
type result struct {
	ReturnState int    `json:"returnState"`
	Message     string `json:"message"`
}

// The values of returnState.
const (
	notOperated = 0
	failed      = 1
	succeeded   = 2
)

// The values of type and optType (LR-DOC §3.2).
const (
	typeApprove   = "1" // 待审
	typeRead      = "2" // 待阅
	typeSuspended = "3" // 暂挂
	optAll        = "1"
	optNamed      = "2"
)

func fail(err error) result { return result{failed, err.Error()} }

// do performs one operation.
func (s *Landray) do(ctx context.Context, operation string, v values) result {
	if err := v.check(operation, s.Settings()); err != nil {
		return fail(err)
	}
	switch operation {
	case "sendTodo":
		return s.send(ctx, v)
	case "updateTodo":
		return s.update(ctx, v)
	case "setTodoDone":
		return s.remove(ctx, "setTodoDone", v, inbox.Done, inbox.Done)
	case "deleteTodo": // the named owners are treated as done
		return s.remove(ctx, "deleteTodo", v, inbox.Gone, inbox.Done)
	case "getTodo":
		return s.list(v)
	default:
		return s.count(v)
	}
}

// itemKey is the module's name for a to-do: modelName and modelId, and whatever tells several of them apart.
func itemKey(v values) string {
	parts := []string{v["modelName"], v["modelId"], v["key"], v["param1"], v["param2"]}
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.TrimRight(strings.Join(parts, "/"), "/")
}

// send creates an item for every target, or writes over the one that is there (derived).
func (s *Landray) send(ctx context.Context, v values) result {
	owners, err := s.owners(v["targets"])
	if err != nil {
		return fail(err)
	}
	if fault.Swallows(ctx) {
		return result{ReturnState: succeeded}
	}
	for _, p := range owners {
		if err := s.box.Put("sendTodo", itemKey(v), p.ID, s.content(v)); err != nil {
			return fail(err)
		}
	}
	return result{ReturnState: succeeded}
}

func (s *Landray) content(v values) inbox.Content {
	c := inbox.Content{TaskID: v["modelId"], State: inbox.Open, Fields: map[string]any{}}
	if creators, _, err := s.resolve(v["docCreator"]); err == nil && len(creators) > 0 {
		c.Sender = creators[0].Name
	}
	write(&c, v)
	return c
}

// write puts what a sendTodo or updateTodo says into an item.
func write(c *inbox.Content, v values) {
	fields := map[string]any{}
	for name, value := range c.Fields {
		fields[name] = value
	}
	for name, value := range v {
		if name != "targets" {
			fields[name] = value
		}
	}
	c.Title, c.Text, c.URL, c.MobileURL, c.Fields = v["subject"], "", v["link"], v["mobileLink"], fields
	c.Kind = inbox.ToDo
	if v["type"] == typeRead {
		c.Kind = inbox.Notice
	}
}

// fitting are the items that a call is about. key, param1 and param2 that are left out fit every value (derived).
func (s *Landray) fitting(v values, people []desk.Person) []inbox.Item {
	return s.box.OfTask(v["modelId"], func(i *inbox.Item) bool {
		for _, name := range []string{"modelName", "modelId", "key", "param1", "param2"} {
			if has, _ := i.Fields[name].(string); v[name] != "" && has != v[name] {
				return false
			}
		}
		for _, p := range people {
			if p.ID == i.Person {
				return true
			}
		}
		return people == nil
	})
}

// outcome is the answer to a change of the items that fit. Those that are done or gone already were operated before.
func (s *Landray) outcome(fitting []inbox.Item) result {
	if len(fitting) == 0 {
		r := result{ReturnState: s.Settings().UnknownState}
		if r.ReturnState == failed {
			r.Message = "待办不存在"
		}
		return r
	}
	return result{ReturnState: succeeded}
}

func (s *Landray) update(ctx context.Context, v values) result {
	items := s.fitting(v, nil)
	if !fault.Swallows(ctx) {
		for _, i := range items {
			if i.State == inbox.Open {
				s.box.Change("updateTodo", i.Key, i.Person, func(c *inbox.Content) { write(c, v) })
			}
		}
	}
	return s.outcome(items)
}

// remove finishes or deletes an item: for everybody (optType 1), or for the named owners only (optType 2).
func (s *Landray) remove(ctx context.Context, operation string, v values, whole, named inbox.State) result {
	to := whole
	var people []desk.Person
	if v["optType"] == optNamed {
		to = named
		var err error
		if people, err = s.owners(v["targets"]); err != nil {
			return fail(err)
		}
	}
	var items []inbox.Item
	for _, i := range s.fitting(v, people) {
		if kind, _ := i.Fields["type"].(string); v["type"] == "" || v["type"] == kind {
			items = append(items, i)
		}
	}
	if !fault.Swallows(ctx) {
		for _, i := range items {
			s.box.Change(operation, i.Key, i.Person, func(c *inbox.Content) {
				if c.State == inbox.Open || to == inbox.Gone {
					c.State = to
				}
			})
		}
	}
	return s.outcome(items)
}
