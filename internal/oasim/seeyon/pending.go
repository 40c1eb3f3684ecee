package seeyon

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/fault"
)

const (
	pendingPath = "/seeyon/rest/thirdpartyPending"
	receivePath = pendingPath + "/receive"
	listPath    = pendingPath + "/receive/pendings"
	updatePath  = pendingPath + "/updatePendingState"
)

// routePending serves the three calls of SEED3.
func (s *Seeyon) routePending(mux *http.ServeMux) {
	one := func(take func(json.RawMessage) []string) http.HandlerFunc {
		return s.withToken(jsonBody(func(w http.ResponseWriter, body []byte) { writeResult(w, take(body)) }))
	}
	mux.HandleFunc("POST "+receivePath, one(func(raw json.RawMessage) []string { return s.receive(receivePath, raw) }))
	mux.HandleFunc("POST "+updatePath, one(s.update))
	mux.HandleFunc("POST "+listPath, s.withToken(jsonBody(func(w http.ResponseWriter, body []byte) {
		var in struct {
			PendingList []json.RawMessage `json:"pendingList"`
		}
		if err := json.Unmarshal(body, &in); err != nil || len(in.PendingList) == 0 {
			writeResult(w, []string{"pendingList: must be a list with at least one item"})
			return
		}
		writeResult(w, s.receiveList(in.PendingList))
	})))
}

// receive stores one item; a known one is updated in place (derived).
func (s *Seeyon) receive(path string, raw json.RawMessage) []string {
	m, login, wrong := s.judge(raw)
	if len(wrong) == 0 {
		wrong = s.inbox.put(path, m, login)
	}
	return named(m, wrong)
}

// judge says whether an item could be stored, and for whom.
func (s *Seeyon) judge(raw json.RawMessage) (message, string, []string) {
	m, wrong := read(raw, s.Settings().AllowUnknownFields)
	wrong = append(wrong, m.check(false)...)
	if len(wrong) > 0 {
		return m, "", wrong
	}
	if _, ok := s.app(m.RegisterCode); !ok {
		return m, "", []string{"registerCode: " + m.RegisterCode + " is not a registered app"}
	}
	login, err := s.directory.resolve(m.RegisterCode, m.ThirdReceiverID, m.NoneBindingReceiver)
	if err != nil {
		return m, "", []string{err.Error()}
	}
	return m, login, nil
}

func (s *Seeyon) receiveList(list []json.RawMessage) []string {
	var wrong []string
	if s.Settings().AtomicBatches {
		for _, raw := range list {
			m, _, w := s.judge(raw)
			wrong = append(wrong, named(m, w)...)
		}
		if len(wrong) > 0 {
			return wrong
		}
	}
	for _, raw := range list {
		wrong = append(wrong, s.receive(listPath, raw)...)
	}
	return wrong
}

// update changes the state, and whatever else is given, of one item, or of the items of all receivers when none is
// named (derived).
func (s *Seeyon) update(raw json.RawMessage) []string {
	settings := s.Settings()
	m, wrong := read(raw, settings.AllowUnknownFields)
	wrong = append(wrong, m.check(true)...)
	if _, ok := s.app(m.RegisterCode); !ok && len(wrong) == 0 {
		wrong = []string{"registerCode: " + m.RegisterCode + " is not a registered app"}
	}
	if len(wrong) == 0 && !s.inbox.change(updatePath, m, settings.ForgetDeleted) && settings.UnknownUpdate == "error" {
		wrong = []string{"the item does not exist"}
	}
	return named(m, wrong)
}

// named puts the task in front of each complaint, so that the bad items of a list can be told apart.
func named(m message, wrong []string) []string {
	for i := range wrong {
		wrong[i] = "taskId " + m.TaskID + ": " + wrong[i]
	}
	return wrong
}

// writeResult is the vendor's answer: HTTP 200, a boolean and a list (SY-C1, SY-C2).
func writeResult(w http.ResponseWriter, wrong []string) {
	if wrong == nil {
		wrong = []string{}
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_ = json.NewEncoder(w).Encode(struct {
		Success   bool     `json:"success"`
		ErrorMsgs []string `json:"errorMsgs"`
	}{len(wrong) == 0, wrong})
}

func jsonBody(next func(http.ResponseWriter, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != "application/json" {
			restError(w, http.StatusUnsupportedMediaType, "Content-Type must be application/json")
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || !json.Valid(body) {
			restError(w, http.StatusBadRequest, "the body is not JSON")
			return
		}
		next(w, body)
	}
}

// vendor tells the fault script how this OA fails.
func (s *Seeyon) vendor() fault.Vendor {
	return fault.Vendor{
		Describe: describe,
		Business: func(w http.ResponseWriter, msgs []string) {
			if len(msgs) == 0 {
				msgs = []string{"simulated failure"}
			}
			writeResult(w, msgs)
		},
		Swallow: func(w http.ResponseWriter) { writeResult(w, nil) },
		Expire: func(w http.ResponseWriter, r *http.Request) {
			s.tokens.Take(requestToken(r))
			refuseToken(w)
		},
	}
}

func describe(r *http.Request, body []byte) []fault.Subject {
	if !strings.HasPrefix(r.URL.Path, pendingPath) {
		return nil
	}
	var in struct {
		PendingList []json.RawMessage `json:"pendingList"`
	}
	_ = json.Unmarshal(body, &in)
	if in.PendingList == nil {
		in.PendingList = []json.RawMessage{body}
	}
	var out []fault.Subject
	for _, raw := range in.PendingList {
		m, _ := read(raw, true)
		out = append(out, fault.Subject{TaskID: m.TaskID, Receiver: m.receiver(), Title: m.Title})
	}
	return out
}
