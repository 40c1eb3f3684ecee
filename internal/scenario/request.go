package scenario

import "net/http"

// Request is a rendered call, ready to be sent below the endpoint of a connector.
type Request struct {
	Method string
	// Path is escaped and starts with a slash; it may have a query.
	Path   string
	Header http.Header
	Body   []byte
}
