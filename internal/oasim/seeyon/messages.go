package seeyon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

const (
	messagePath     = "/seeyon/rest/thirdpartyMessage"
	oneMessagePath  = messagePath + "/receive/singleMessage"
	messageListPath = messagePath + "/receive/messageList"
	maxMessages     = 100_000
)

// Message is a third-party message as it travels (SY-MSG), and what the OA knows of it.
type Message struct {
	RegisterCode        string `json:"thirdpartyRegisterCode"`
	ID                  string `json:"thirdpartyMessageId"`
	Content             string `json:"messageContent"`
	SenderID            string `json:"thirdpartySenderId"`
	ReceiverID          string `json:"thirdpartyReceiverId"`
	CreationDate        string `json:"creation_date"`
	DownloadURL         string `json:"downloadUrl"`
	H5URL               string `json:"messageH5URL"`
	URL                 string `json:"messageURL"`
	NoneBindingSender   string `json:"noneBindingSender"`
	NoneBindingReceiver string `json:"noneBindingReceiver"`

	// LoginName of the person who sees it; Time of the first arrival; Times how often it came.
	LoginName string    `json:"loginName,omitzero"`
	Time      time.Time `json:"time,omitzero"`
	Times     int       `json:"times,omitzero"`
}

func (m *Message) receiver() string {
	if m.ReceiverID != "" {
		return m.ReceiverID
	}
	return m.NoneBindingReceiver
}

// check judges the values. The vendor's page wants complete http(s) addresses, unlike for to-dos (SY-MSG).
func (m *Message) check() []string {
	var wrong []string
	for _, f := range [][2]string{{"thirdpartyRegisterCode", m.RegisterCode}, {"thirdpartyMessageId", m.ID}, {"messageContent", m.Content},
		{"creation_date", m.CreationDate}, {"thirdpartyReceiverId", m.receiver()}} {
		if strings.TrimSpace(f[1]) == "" {
			wrong = append(wrong, f[0]+": required")
		}
	}
	if m.CreationDate != "" && !validDate(m.CreationDate) {
		wrong = append(wrong, fmt.Sprintf("creation_date: %q is not yyyy-MM-dd HH:mm", m.CreationDate))
	}
	for _, link := range [][2]string{{"downloadUrl", m.DownloadURL}, {"messageH5URL", m.H5URL}, {"messageURL", m.URL}} {
		if link[1] != "" && (!validLink(link[1]) || strings.HasPrefix(link[1], "//")) {
			wrong = append(wrong, fmt.Sprintf("%s: %q is not a complete http(s) address", link[0], link[1]))
		}
	}
	return wrong
}

// messages are those of all people. One that comes again, by id and receiver, is shown once (derived).
type messages struct {
	now func() time.Time

	mu    sync.Mutex
	byKey map[itemKey]*Message
	order []*Message
}

func newMessages(now func() time.Time) *messages {
	b := &messages{now: now}
	b.reset()
	return b
}

func (b *messages) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.byKey, b.order = map[itemKey]*Message{}, nil
}

func (b *messages) put(m Message, login string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := itemKey{m.RegisterCode, m.ID, m.receiver()}
	if known := b.byKey[key]; known != nil {
		known.Times++
		return nil
	}
	if len(b.order) >= maxMessages {
		return []string{fmt.Sprintf("the simulator holds no more than %d messages", maxMessages)}
	}
	m.LoginName, m.Time, m.Times = login, b.now(), 1
	b.byKey[key] = &m
	b.order = append(b.order, &m)
	return nil
}

func (b *messages) all() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Message, 0, len(b.order))
	for _, m := range b.order {
		out = append(out, *m)
	}
	return out
}

// routeMessages serves the two calls of SY-MSG. Their answer is not public; it is taken to be that of to-dos (derived).
func (s *Seeyon) routeMessages(mux *http.ServeMux) {
	mux.HandleFunc("POST "+oneMessagePath, s.withToken(jsonBody(func(w http.ResponseWriter, body []byte) {
		s.writeResult(w, s.receiveMessage(body))
	})))
	mux.HandleFunc("POST "+messageListPath, s.withToken(jsonBody(func(w http.ResponseWriter, body []byte) {
		var in struct {
			Messages []json.RawMessage `json:"messages"`
		}
		if err := json.Unmarshal(body, &in); err != nil || len(in.Messages) == 0 {
			s.writeResult(w, complaints("", "messages: must be a list with at least one message"))
			return
		}
		var wrong []complaint
		for _, raw := range in.Messages {
			wrong = append(wrong, s.receiveMessage(raw)...)
		}
		s.writeResult(w, wrong)
	})))
}

func (s *Seeyon) receiveMessage(raw json.RawMessage) []complaint {
	var m Message
	if err := desk.Strict(raw, &m); err != nil {
		return complaints(m.ID, "the message does not read: "+err.Error())
	}
	settings := s.Settings()
	wrong := m.check()
	if len(wrong) == 0 {
		if _, ok := s.app(m.RegisterCode); !ok {
			wrong = []string{"thirdpartyRegisterCode: " + m.RegisterCode + " is not a registered app"}
		} else if settings.refuses(m.ID) {
			wrong = []string{"refused by the settings of the simulator"}
		}
	}
	if len(wrong) > 0 {
		return complaints(m.ID, wrong...)
	}
	login, err := s.directory.resolve(m.RegisterCode, m.ReceiverID, m.NoneBindingReceiver)
	if err != nil {
		return complaints(m.ID, err.Error())
	}
	if settings.drops(m.ID) {
		return nil
	}
	return complaints(m.ID, s.messages.put(m, login)...)
}
