package scenario

import "net/http"

// Request is a rendered call, ready to be sent below the endpoint of a connector.
type Request struct {
	Method string
	// Path is escaped and starts with a slash; it may have a query.
	Path   string
	Header http.Header
	Body   []byte
	// Batch is the form in which this request may share a call with others that have the same pointer here; nil when it
	// must go alone.
	Batch *Batch
	// Confirm is set when success only means that the OA accepted the item: Scenario.ReadBack asks it.
	Confirm bool
	// Captures are values of the answer to keep, Spends those of earlier answers that this request uses up.
	Captures []Capture
	Spends   []string
	// Without makes what takes the place of this request when the OA says that what it spends is used up or too old; the error
	// is ErrMissing when that is nothing. nil: nothing does, and the refusal counts.
	Without func() (Request, error)
	// Lookup must be asked before; then the request is what its Complete makes, and this one only shows where it goes.
	Lookup *LookupRequest
}
