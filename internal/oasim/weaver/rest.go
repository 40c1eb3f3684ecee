package weaver

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/fault"
)

const restPath = "/rest/ofs/"

// calls are the REST calls (WV-BLOG, WV-C1); that deleteRequestInfoByJson exists over REST is from memory.
var calls = map[string]struct {
	op   operation
	list bool
}{
	restPath + "ReceiveRequestInfoByJson":         {receive, false},
	restPath + "deleteUserRequestInfoByJson":      {deleteUser, false},
	restPath + "batchReceiveRequestInfoByJson":    {receive, true},
	restPath + "batchDeleteUserRequestInfoByJson": {deleteUser, true},
	restPath + "deleteRequestInfoByJson":          {deleteFlow, false},
}

func (s *Weaver) routeREST(mux *http.ServeMux) {
	for path, call := range calls {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != "application/json" || err != nil {
				http.Error(w, "Content-Type must be application/json", http.StatusUnsupportedMediaType)
				return
			}
			if !call.list {
				answer(w, s.one(r, call.op, string(body)))
				return
			}
			var items []json.RawMessage
			if err := json.Unmarshal([]byte(s.lenient(string(body))), &items); err != nil || len(items) == 0 {
				answer(w, []result{failure(fields{}, "SetParam", "Check", "参数不是JSON数组")})
				return
			}
			// The answer to a list is not public: the results, in the order of the items (derived).
			results := make([]result, len(items))
			for i, item := range items {
				results[i] = s.one(r, call.op, string(item))
			}
			answer(w, results)
		})
	}
}

func (s *Weaver) lenient(text string) string {
	if s.Settings().LenientJSON {
		return lenient(text)
	}
	return text
}

func (s *Weaver) one(r *http.Request, op operation, text string) result {
	f, err := readObject(json.RawMessage(s.lenient(text)))
	if err != nil {
		return failure(f, "SetParam", "Check", err.Error())
	}
	return s.apply(r, op, f)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_ = json.NewEncoder(w).Encode(body)
}

// vendor tells the fault script how this OA fails. It has neither tokens nor a rate limit of its own.
func (s *Weaver) vendor() fault.Vendor {
	return fault.Vendor{
		Describe: func(r *http.Request, body []byte) []fault.Subject {
			var out []fault.Subject
			for _, f := range s.items(r, body) {
				out = append(out, fault.Subject{TaskID: f["flowid"], Receiver: f["receiver"] + f["userid"], Title: f["requestname"]})
			}
			return out
		},
		Business: func(w http.ResponseWriter, r *http.Request, a fault.Action) {
			message := "模拟失败 simulated failure"
			if len(a.ErrorMsgs) > 0 {
				message = strings.Join(a.ErrorMsgs, "; ")
			}
			body, _ := io.ReadAll(r.Body)
			if r.URL.Path == servicePath {
				s.failSOAP(w, body, a.Code, message)
				return
			}
			results := []result{}
			for _, f := range s.items(r, body) {
				results = append(results, failure(f, "WfData", "Edit", message))
			}
			if calls[r.URL.Path].list || len(results) == 0 {
				answer(w, results)
				return
			}
			answer(w, results[0])
		},
	}
}

// items are those of a request, of either protocol.
func (s *Weaver) items(r *http.Request, body []byte) []fields {
	if r.URL.Path == servicePath {
		call, f, err := readCall(body)
		if err != nil {
			return nil
		}
		item, _ := s.readItem(call, f.how)
		return []fields{item}
	}
	list := []json.RawMessage{json.RawMessage(s.lenient(string(body)))}
	if calls[r.URL.Path].list {
		_ = json.Unmarshal(list[0], &list)
	}
	var out []fields
	for _, raw := range list {
		if f, err := readObject(raw); err == nil {
			out = append(out, f)
		}
	}
	return out
}
