package crm

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	keptMessages  = 1000
	shownMessages = 50
)

// Message is what the app's service account sent to people.
type Message struct {
	ID        int             `json:"id"`
	Time      time.Time       `json:"time"`
	To        []string        `json:"to"` // openUserIds
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`
	Composite json.RawMessage `json:"composite,omitempty"`
}

type messages struct {
	mu   sync.Mutex
	now  func() time.Time
	seq  int
	list []Message
	news chan struct{} // closed when a message arrives
}

func newMessages(now func() time.Time) *messages {
	return &messages{now: now, news: make(chan struct{})}
}

func (m *messages) add(one Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	one.ID, one.Time = m.seq, m.now()
	if len(m.list) >= keptMessages {
		m.list = slices.Delete(m.list, 0, 1)
	}
	m.list = append(m.list, one)
	close(m.news)
	m.news = make(chan struct{})
}

// Messages lists the messages for a person by openUserId, or all, oldest first.
func (c *CRM) Messages(openUserID string) []Message {
	c.messages.mu.Lock()
	defer c.messages.mu.Unlock()
	out := []Message{}
	for _, one := range c.messages.list {
		if openUserID == "" || slices.Contains(one.To, openUserID) {
			out = append(out, one)
		}
	}
	return out
}

// WaitMessages waits until there are n messages.
func (c *CRM) WaitMessages(ctx context.Context, n int) ([]Message, error) {
	for {
		c.messages.mu.Lock()
		news := c.messages.news
		c.messages.mu.Unlock()
		if got := c.Messages(""); len(got) >= n {
			return got, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// ClearMessages forgets all messages.
func (c *CRM) ClearMessages() {
	c.messages.mu.Lock()
	defer c.messages.mu.Unlock()
	c.messages.list = nil
}

// messagePage shows the newest messages, of everybody or of ?to=.
func (c *CRM) messagePage(w http.ResponseWriter, r *http.Request) {
	list := c.Messages(r.FormValue("to"))
	slices.Reverse(list)
	show(w, http.StatusOK, "messages.html", false, struct {
		To       string
		Messages []Message
	}{r.FormValue("to"), list[:min(len(list), shownMessages)]})
}
