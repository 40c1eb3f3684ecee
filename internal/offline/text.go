package offline

import (
	"maps"
	"slices"
	"strings"
)

// Text of a request as people read it: the line of the request, the headers, the body.
func (r *Rendered) Text() string {
	var b strings.Builder
	b.WriteString("### " + r.Origin)
	for _, part := range []string{string(r.Action), r.Template} {
		if part != "" {
			b.WriteString(", " + part)
		}
	}
	if r.Receiver != "" {
		b.WriteString(", for " + r.Receiver)
	}
	if r.ReceiverOA != "" {
		b.WriteString(" → " + r.ReceiverOA)
	}
	b.WriteString("\n" + r.Request())
	return b.String()
}

// Request is the text without the line that says what it is of.
func (r *Rendered) Request() string {
	var b strings.Builder
	if r.Lookup {
		b.WriteString("# a lookup; the call itself depends on its answer\n")
	}
	if r.Method == "" {
		b.WriteString("# no request: " + r.Nothing + "\n")
	} else {
		b.WriteString(r.Method + " " + r.URL + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			b.WriteString(name + ": " + value + "\n")
		}
	}
	if r.Body != "" {
		b.WriteString("\n" + strings.TrimSuffix(r.Body, "\n") + "\n")
	}
	return b.String()
}
