package generic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/soap"
)

// item is one to-do of a request, whatever its form was.
type item struct {
	taskID, title, text, sender, url, mobileURL string
	receivers                                   []string
	version                                     int64
	given                                       map[string]bool // which fields were there
}

// decode reads a JSON document and keeps its numbers as they are.
func decode(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("the body is not JSON: %w", err)
	}
	if d.More() {
		return nil, fmt.Errorf("the body is more than one JSON document")
	}
	return doc, nil
}

// tree turns an element into what decode makes of JSON: elements of one name become a list.
func tree(e *soap.Element) any {
	if len(e.Children) == 0 {
		return e.Text
	}
	out := map[string]any{}
	for _, c := range e.Children {
		switch old := out[c.Name].(type) {
		case nil:
			out[c.Name] = tree(c)
		case []any:
			out[c.Name] = append(old, tree(c))
		default:
			out[c.Name] = []any{old, tree(c)}
		}
	}
	return out
}

// at follows a dotted path.
func at(doc any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, ok := doc.(map[string]any)
		if !ok {
			return nil
		}
		doc = object[name]
	}
	return doc
}

// read takes an item out of a document.
func (f Fields) read(doc any) (item, error) {
	if _, ok := doc.(map[string]any); !ok {
		return item{}, fmt.Errorf("an item must be an object")
	}
	it := item{given: map[string]bool{}}
	for _, field := range []struct {
		path string
		into *string
	}{
		{f.TaskID, &it.taskID}, {f.Title, &it.title}, {f.Text, &it.text}, {f.Sender, &it.sender}, {f.URL, &it.url}, {f.MobileURL, &it.mobileURL},
	} {
		if field.path == "" {
			continue
		}
		switch v := at(doc, field.path).(type) {
		case nil:
		case string, json.Number, bool:
			*field.into = fmt.Sprint(v)
			it.given[field.path] = true
		default:
			return it, fmt.Errorf("%s must be text", field.path)
		}
	}
	if v := at(doc, f.Version); f.Version != "" && v != nil && v != "" {
		n, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
		if err != nil {
			return it, fmt.Errorf("%s must be a whole number", f.Version)
		}
		it.version = n
	}
	switch v := at(doc, f.Receiver).(type) {
	case nil:
	case []any:
		for _, one := range v {
			it.receivers = append(it.receivers, fmt.Sprint(one))
		}
	default:
		if text := fmt.Sprint(v); text != "" {
			it.receivers = []string{text}
		}
	}
	if it.taskID == "" {
		return it, fmt.Errorf("%s is missing", f.TaskID)
	}
	return it, nil
}
