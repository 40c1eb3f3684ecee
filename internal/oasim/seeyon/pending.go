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
	// readPath is no path of the product, which has no public call that reads a third-party to-do. It stands for the REST
	// resource that a customer adds for that (derived).
	readPath = "/seeyon/rest/custom/thirdpartyPending"
)

// routePending serves the three calls of SEED3, and one to ask what became of an item.
func (s *Seeyon) routePending(mux *http.ServeMux) {
	one := func(take func(json.RawMessage) []complaint) http.HandlerFunc {
		return s.withToken(jsonBody(func(w http.ResponseWriter, body []byte) { s.writeResult(w, take(body)) }))
	}
	mux.HandleFunc("GET "+readPath+"/{registerCode}/{taskId}/{receiver}", s.withToken(s.readState))
	mux.HandleFunc("POST "+receivePath, one(func(raw json.RawMessage) []complaint { return s.receive(receivePath, raw) }))
	mux.HandleFunc("POST "+updatePath, one(s.update))
	mux.HandleFunc("POST "+listPath, s.withToken(jsonBody(func(w http.ResponseWriter, body []byte) {
		var in struct {
			PendingList []json.RawMessage `json:"pendingList"`
		}
		if err := json.Unmarshal(body, &in); err != nil || len(in.PendingList) == 0 {
			s.writeResult(w, complaints("", "pendingList: must be a list with at least one item"))
			return
		}
		s.writeResult(w, s.receiveList(in.PendingList))
	})))
}

// receive stores one item; a known one is updated in place (derived).
func (s *Seeyon) receive(path string, raw json.RawMessage) []complaint {
	m, login, wrong := s.judge(raw)
	if len(wrong) == 0 && !s.Settings().drops(m.TaskID) {
		wrong = s.inbox.put(path, m, login)
	}
	return complaints(m.TaskID, wrong...)
}

// judge says whether an item could be stored, and for whom.
func (s *Seeyon) judge(raw json.RawMessage) (message, string, []string) {
	settings := s.Settings()
	m, wrong := read(raw, settings.AllowUnknownFields)
	wrong = append(wrong, m.check(false)...)
	if len(wrong) > 0 {
		return m, "", wrong
	}
	if settings.refuses(m.TaskID) {
		return m, "", []string{"refused by the settings of the simulator"}
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

func (s *Seeyon) receiveList(list []json.RawMessage) []complaint {
	var wrong []complaint
	if s.Settings().AtomicBatches {
		for _, raw := range list {
			m, _, w := s.judge(raw)
			wrong = append(wrong, complaints(m.TaskID, w...)...)
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
func (s *Seeyon) update(raw json.RawMessage) []complaint {
	settings := s.Settings()
	m, wrong := read(raw, settings.AllowUnknownFields)
	wrong = append(wrong, m.check(true)...)
	switch _, ok := s.app(m.RegisterCode); {
	case len(wrong) > 0:
	case !ok:
		wrong = []string{"registerCode: " + m.RegisterCode + " is not a registered app"}
	case settings.refuses(m.TaskID):
		wrong = []string{"refused by the settings of the simulator"}
	case settings.drops(m.TaskID):
	case !s.inbox.change(updatePath, m, settings.ForgetDeleted) && settings.UnknownUpdate == "error":
		wrong = []string{"the item does not exist"}
	}
	return complaints(m.TaskID, wrong...)
}

// readState answers with the state of an item, or that there is none.
func (s *Seeyon) readState(w http.ResponseWriter, r *http.Request) {
	item, ok := s.inbox.byKey(itemKey{r.PathValue("registerCode"), r.PathValue("taskId"), r.PathValue("receiver")})
	if !ok {
		s.writeResult(w, complaints(r.PathValue("taskId"), "the item does not exist"))
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "state": item.State})
}

// complaint says what is wrong with an item; the task is empty when it is about a request as a whole.
type complaint struct{ task, text string }

func complaints(task string, wrong ...string) []complaint {
	var out []complaint
	for _, text := range wrong {
		out = append(out, complaint{task, text})
	}
	return out
}

// writeResult is the vendor's answer: HTTP 200, a boolean and a list (SY-C1, SY-C2). What the list holds is not public:
// texts with the task in front (derived), or objects like those of the organisation interface (SY-ORG).
func (s *Seeyon) writeResult(w http.ResponseWriter, wrong []complaint) {
	list := []any{}
	for _, c := range wrong {
		switch {
		case s.Settings().ErrorForm == "object":
			list = append(list, map[string]any{"code": "REFUSED", "message": c.text, "ent": map[string]string{"taskId": c.task}})
		case c.task != "":
			list = append(list, "taskId "+c.task+": "+c.text)
		default:
			list = append(list, c.text)
		}
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_ = json.NewEncoder(w).Encode(struct {
		Success   bool  `json:"success"`
		ErrorMsgs []any `json:"errorMsgs"`
	}{len(wrong) == 0, list})
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
		Business: func(w http.ResponseWriter, _ *http.Request, a fault.Action) {
			msgs := a.ErrorMsgs
			if len(msgs) == 0 {
				msgs = []string{"simulated failure"}
			}
			s.writeResult(w, complaints("", msgs...))
		},
		Swallow: func(w http.ResponseWriter, _ *http.Request) { s.writeResult(w, nil) },
		Expire: func(w http.ResponseWriter, r *http.Request) {
			s.tokens.Take(requestToken(r))
			refuseToken(w)
		},
	}
}

// describe lists the items of a request.
func describe(r *http.Request, body []byte) []fault.Subject {
	var in struct {
		PendingList []json.RawMessage `json:"pendingList"`
		Messages    []json.RawMessage `json:"messages"`
	}
	_ = json.Unmarshal(body, &in)
	var out []fault.Subject
	switch {
	case strings.HasPrefix(r.URL.Path, pendingPath):
		for _, raw := range orOne(in.PendingList, body) {
			m, _ := read(raw, true)
			out = append(out, fault.Subject{TaskID: m.TaskID, Receiver: m.receiver(), Title: m.Title})
		}
	case strings.HasPrefix(r.URL.Path, messagePath):
		for _, raw := range orOne(in.Messages, body) {
			var m Message
			_ = json.Unmarshal(raw, &m)
			out = append(out, fault.Subject{TaskID: m.ID, Receiver: m.receiver(), Title: m.Content})
		}
	}
	return out
}

func orOne(list []json.RawMessage, body []byte) []json.RawMessage {
	if list == nil {
		return []json.RawMessage{body}
	}
	return list
}
