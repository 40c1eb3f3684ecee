package fxiaoke

import (
	"context"
	"slices"
)

// MaxRecipients of one call of the message interface [FX-DEMO, FX-NET §9.6]; more are split.
const MaxRecipients = 500

// Message is what people get from the app's service account: either Text or Composite.
type Message struct {
	Text      string
	Composite *Composite
}

// Composite is a card [FX-DEMO, FX-NET §9.6]. Head and link are required.
type Composite struct {
	Head   Title   `json:"head"`
	First  Content `json:"first"`
	Form   []Entry `json:"form,omitempty"`
	Remark Content `json:"remark"`
	Link   Link    `json:"link"`
}

// Title is the head of a card.
type Title struct {
	Title string `json:"title"`
}

// Content is a paragraph.
type Content struct {
	Content string `json:"content"`
}

// Entry is a line of a card's form.
type Entry struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Link leads from a card to a page.
type Link struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Send sends a message to people by their openUserIds, in calls of at most MaxRecipients. sent counts the people, from the
// first of the list on, whose call the CRM took: a repeat may leave them out. The error is an *Error.
func (c *Client) Send(ctx context.Context, to []string, m Message) (sent int, err error) {
	for part := range slices.Chunk(to, MaxRecipients) {
		body := map[string]any{"toUser": part}
		if m.Composite != nil {
			body["msgType"], body["composite"] = "composite", m.Composite
		} else {
			body["msgType"], body["text"] = "text", Content{m.Text}
		}
		if _, err := c.call(ctx, "/cgi/message/send", body, maxAnswer); err != nil {
			return sent, err
		}
		sent += len(part)
	}
	return sent, nil
}
