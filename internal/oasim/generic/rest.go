package generic

import (
	"io"
	"net/http"
	"net/url"

	"github.com/oabridge/oabridge/internal/oasim/fault"
)

func (s *Generic) routeREST(mux *http.ServeMux) {
	for _, op := range s.shape.Operations {
		if op.Element != "" {
			continue
		}
		method := op.Method
		if method == "" {
			method = http.MethodPost
		}
		mux.HandleFunc(method+" "+op.Path, s.withAuth(func(w http.ResponseWriter, r *http.Request) {
			doc, err := body(r)
			switch {
			case err != nil:
				s.answerREST(w, http.StatusOK, s.fail("%v", err))
			case op.Items != "":
				s.answerREST(w, http.StatusOK, s.batch(r, op, doc))
			default:
				s.answerREST(w, http.StatusOK, s.do(r.Context(), op, doc))
			}
		}))
	}
}

// body is the JSON of a request, or its query when it has no body.
func body(r *http.Request) (any, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if len(raw) == 0 {
		return object(r.URL.Query()), nil
	}
	return decode(raw)
}

func object(q url.Values) map[string]any {
	out := map[string]any{}
	for name := range q {
		out[name] = q.Get(name)
	}
	return out
}

// batch does every item on its own: a bad one takes no good one down. The answer is a success when all are, and its data
// names those that failed.
func (s *Generic) batch(r *http.Request, op Operation, doc any) outcome {
	list, ok := at(doc, op.Items).([]any)
	if !ok || len(list) == 0 {
		return s.fail("%s must be a list with at least one item", op.Items)
	}
	failures := []any{}
	for i, one := range list {
		if o := s.do(r.Context(), op, one); o.code != "" {
			entry := s.shape.Result.document(o)
			entry["index"] = i
			if it, err := s.shape.Fields.read(one); err == nil {
				entry[s.shape.Fields.TaskID] = it.taskID
			}
			failures = append(failures, entry)
		}
	}
	if len(failures) == 0 {
		return outcome{}
	}
	o := s.fail("%d of %d items failed", len(failures), len(list))
	o.data = failures
	return o
}

// operation finds what a REST request calls.
func (s *Generic) operation(r *http.Request) (Operation, bool) {
	for _, op := range s.shape.Operations {
		if op.Path == r.URL.Path && op.Element == "" {
			return op, true
		}
	}
	return Operation{}, false
}

// documents are the items of a request, of either protocol.
func (s *Generic) documents(r *http.Request, raw []byte) []any {
	if _, op, doc, err := s.readCall(r, raw); err == nil && op.Element != "" {
		return []any{doc}
	}
	op, ok := s.operation(r)
	doc, err := decode(raw)
	if !ok || err != nil {
		return nil
	}
	if list, ok := at(doc, op.Items).([]any); op.Items != "" && ok {
		return list
	}
	return []any{doc}
}

// vendor tells the fault script how this OA fails. The code of a business failure is the result's, or "Client" or "Server"
// for a SOAP fault.
func (s *Generic) vendor() fault.Vendor {
	return fault.Vendor{
		Describe: func(r *http.Request, raw []byte) []fault.Subject {
			var out []fault.Subject
			for _, doc := range s.documents(r, raw) {
				it, _ := s.shape.Fields.read(doc)
				if len(it.receivers) == 0 {
					it.receivers = []string{""}
				}
				for _, receiver := range it.receivers {
					out = append(out, fault.Subject{TaskID: it.taskID, Receiver: receiver, Title: it.title})
				}
			}
			return out
		},
		Business: func(w http.ResponseWriter, r *http.Request, a fault.Action) {
			o := s.fail("simulated failure")
			if len(a.ErrorMsgs) > 0 {
				o.message = a.ErrorMsgs[0]
			}
			if a.Code != "" {
				o.code = a.Code
			}
			raw, _ := io.ReadAll(r.Body)
			call, _, _, err := s.readCall(r, raw)
			switch {
			case !s.isSOAP(r.URL.Path):
				s.answerREST(w, http.StatusOK, o)
			case err != nil || a.Code == "Client" || a.Code == "Server":
				s.style().Fault(w, call.Version, a.Code == "Client", o.message)
			default:
				s.answerSOAP(w, call, o)
			}
		},
		Expire: func(w http.ResponseWriter, r *http.Request) {
			s.tokens.Take(s.auth.given(r))
			s.refuse(w, r)
		},
	}
}
