package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// auditLog is what the API server wrote down of the manager's requests.
type auditLog struct{ path string }

// request is one answered request.
type request struct {
	Verb   string `json:"verb"`
	URI    string `json:"requestURI"`
	Object *struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	At time.Time `json:"stageTimestamp"`
}

// mark is a place in the log.
type mark int64

func (a *auditLog) now() mark {
	info, err := os.Stat(a.path)
	if err != nil {
		return 0 // nothing was written yet
	}
	return mark(info.Size())
}

// since returns the requests after a place, in the order of their answers.
func (a *auditLog) since(m mark) ([]request, error) {
	f, err := os.Open(a.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(int64(m), io.SeekStart); err != nil {
		return nil, err
	}
	var found []request
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil { // the end, or a line that is being written
			return found, nil
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("audit log: %w", err)
		}
		if r.Object != nil { // without one it is discovery, or a probe
			found = append(found, r)
		}
	}
}

func writes(requests []request) []request {
	return slices.DeleteFunc(slices.Clone(requests), func(r request) bool { return r.Verb == "get" || r.Verb == "list" })
}

func reads(requests []request) []request {
	return slices.DeleteFunc(slices.Clone(requests), func(r request) bool { return r.Verb != "get" && r.Verb != "list" })
}

// examples names a few requests, for a person who wants to know what they were.
func examples(requests []request) string {
	const shown = 3
	text := ""
	for _, r := range requests[:min(len(requests), shown)] {
		text += fmt.Sprintf("; %s %s", r.Verb, r.URI)
	}
	return text
}
