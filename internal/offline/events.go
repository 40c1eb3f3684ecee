package offline

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/manifest"
)

// ReadEvents reads a CloudEvent in JSON or a list of them from a file, or from stdin when the file is manifest.Stdin.
func ReadEvents(file string, stdin io.Reader) ([]crm.Event, error) {
	limits := crm.DefaultLimits()
	in := stdin
	if file != manifest.Stdin {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, int64(limits.Request)+1))
	if err != nil {
		return nil, err
	}
	media := "application/cloudevents+json"
	if strings.HasPrefix(strings.TrimSpace(string(data)), "[") {
		media = "application/cloudevents-batch+json"
	}
	events, problem := crm.Parse(http.Header{"Content-Type": {media}}, data, limits)
	if problem != nil {
		return nil, fmt.Errorf("%s: %s", file, problemText(problem))
	}
	return events, nil
}

func problemText(p *crm.Problem) string {
	text := p.Detail
	for _, e := range p.Errors {
		text += fmt.Sprintf("\n  %s %s: %s", e.Field, e.Cause, e.NextStep)
	}
	return text
}
