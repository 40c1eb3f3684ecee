package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"github.com/tidwall/gjson"
)

// compileBatch checks the form of a call that takes several items. Whatever is said once for all of them must not hold
// data of one of them.
func compileBatch(field string, c Call) (*Batch, []Problem) {
	b := *c.Batch
	var problems []Problem
	report := func(below, message string) {
		problems = append(problems, Problem{reasonTemplate, field + below, message})
	}
	parts, bad := compilePath(b.Path)
	switch {
	case bad != nil:
		report(".batch.path", bad.message)
	case len(parts) != 1 || parts[0].op != opText:
		report(".batch.path", "the path of a batch is the same for all items and must hold no placeholder")
	default:
		b.Path = parts[0].text
	}
	if c.Body == "" {
		report(".batch", "a batch is a list of bodies, and this action has no body; leave batch out")
	}
	for _, h := range c.Headers {
		tokens, _ := parseText(h.Value)
		if slices.ContainsFunc(tokens, func(t token) bool { return t.kind == placeholder || t.kind == parameter && isLive(t.text) }) {
			report(".headers["+h.Name+"]", "the headers of a call with a batch form are the same for all items and must hold no placeholder")
		}
	}
	if f := b.Failures; f != (Failures{}) && (f.ListName == "" || f.IDName == "" || f.ItemIDName == "") {
		report(".batch.failures", "listName, idName and itemIDName belong together; set all three or leave failures out")
	}
	return &b, problems
}

// errNotJSON is the error of Join.
var errNotJSON = errors.New("a body is not JSON")

// Join makes the body of a batch out of the bodies of its items, each of which is one JSON document and stays one.
func (b *Batch) Join(bodies [][]byte) ([]byte, error) {
	size := len(b.ListName) + 16
	for _, body := range bodies {
		size += len(body) + 1
	}
	out := make([]byte, 0, size)
	if b.ListName != "" {
		out = append(out, `{"`...)
		out = append(appendJSON(out, b.ListName), `":`...)
	}
	out = append(out, '[')
	for i, body := range bodies {
		if !json.Valid(body) {
			return nil, errNotJSON
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, bytes.TrimSpace(body)...)
	}
	out = append(out, ']')
	if b.ListName != "" {
		out = append(out, '}')
	}
	return out, nil
}

// Fate is what the answer to a batch says of one item.
type Fate struct {
	// Taken, or else refused; neither when Doubtful.
	Taken bool
	// Doubtful: the answer names an id that several of the items have, such as the receivers of one to-do.
	Doubtful bool
	// Said is what the answer says about a refused item, in the OA's own words.
	Said string
}

// Fates reads from an answer in UTF-8 what became of each item. The second value is false when the answer cannot be relied
// on for that: Failures is zero, or the answer has no such list, or names something else than one of the items.
func (b *Batch) Fates(answer []byte, bodies [][]byte) ([]Fate, bool) {
	f := b.Failures
	if f == (Failures{}) || !json.Valid(answer) {
		return nil, false
	}
	list := gjson.GetBytes(answer, LiteralPath(f.ListName))
	if !list.IsArray() || len(list.Array()) == 0 {
		return nil, false
	}
	items := map[string][]int{}
	fates := make([]Fate, len(bodies))
	for i, body := range bodies {
		id := gjson.GetBytes(body, LiteralPath(f.ItemIDName)).String()
		items[id] = append(items[id], i)
		fates[i].Taken = true
	}
	for _, entry := range list.Array() {
		id := entry.Get(LiteralPath(f.IDName)).String()
		named := items[id]
		if id == "" || len(named) == 0 {
			return nil, false
		}
		for _, i := range named {
			fates[i] = Fate{Doubtful: len(named) > 1}
			if f.MsgName != "" {
				fates[i].Said = messageOf(entry.Get(LiteralPath(f.MsgName)))
			}
		}
	}
	return fates, true
}

// Message of a refused item.
func (f Fate) Message() string {
	const message = "the OA refused it, and took others of the same call"
	if f.Said == "" {
		return message
	}
	return message + ": " + f.Said
}
