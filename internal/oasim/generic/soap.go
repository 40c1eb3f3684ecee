package generic

import (
	"fmt"
	"io"
	"net/http"

	"github.com/oabridge/oabridge/internal/oasim/soap"
)

// routeSOAP serves each path that has SOAP operations.
func (s *Generic) routeSOAP(mux *http.ServeMux) {
	served := map[string]bool{}
	for _, op := range s.shape.Operations {
		if op.Element == "" || served[op.Path] {
			continue
		}
		served[op.Path] = true
		mux.HandleFunc("POST "+op.Path, s.withAuth(func(w http.ResponseWriter, r *http.Request) {
			raw, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			call, op, doc, err := s.readCall(r, raw)
			if err != nil {
				s.style().Fault(w, call.Version, true, err.Error())
				return
			}
			s.answerSOAP(w, call, s.do(r.Context(), op, doc))
		}))
	}
}

func (s *Generic) isSOAP(path string) bool {
	for _, op := range s.shape.Operations {
		if op.Path == path && op.Element != "" {
			return true
		}
	}
	return false
}

// readCall takes a SOAP call apart: its operation and its item, which is elements, or JSON in one of them.
func (s *Generic) readCall(r *http.Request, raw []byte) (soap.Call, Operation, any, error) {
	call, err := soap.Read(raw)
	if err != nil {
		return call, Operation{}, nil, err
	}
	for _, op := range s.shape.Operations {
		if op.Path != r.URL.Path || op.Element != call.Operation.Name || call.Operation.Space != s.shape.Namespace {
			continue
		}
		if op.JSONIn == "" {
			return call, op, tree(call.Operation), nil
		}
		doc, err := decode([]byte(call.Operation.Value(op.JSONIn)))
		if err != nil {
			err = fmt.Errorf("%s: %w", op.JSONIn, err)
		}
		return call, op, doc, err
	}
	return call, Operation{}, nil, fmt.Errorf("no such operation: {%s}%s", call.Operation.Space, call.Operation.Name)
}
