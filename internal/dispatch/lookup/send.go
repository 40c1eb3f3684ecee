package lookup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	// PathTestEvents takes a TestEvent by POST.
	PathTestEvents = "/test-events"
	// PathRecent answers the latest events that were accepted.
	PathRecent = "/recent"

	// TestSource marks the events that are made for a test.
	TestSource = "/oabridge/test"
	// TestItemPrefix begins the ids of their items.
	TestItemPrefix = "oab-test-"
)

// TestEvent asks for a marked event. Its texts say that it is a test.
type TestEvent struct {
	ItemID string `json:"itemID"`
	// Kind of item: Todo, Reminder, Subscription or Alert.
	Kind string `json:"kind"`
	// Action is create, or delete, which withdraws a to-do.
	Action scenario.Action `json:"action"`
	// Receiver is the CRM account.
	Receiver string `json:"receiver"`
	// Object is the record of the CRM that its link leads to.
	Object scenario.Object `json:"object"`
}

// TestAccepted is the answer when the event is on disk.
type TestAccepted struct {
	EventID string `json:"eventID"`
}

// Event is a line of PathRecent: an event as it was accepted.
type Event struct {
	AcceptedAt time.Time `json:"acceptedAt"`
	crm.Event
}

// Recent returns the latest events that were accepted, at most limit of them, the newest last.
func (c *Client) Recent(ctx context.Context, limit int) ([]Event, error) {
	resp, err := c.get(ctx, PathRecent, url.Values{ParamLimit: {strconv.Itoa(limit)}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	return lines[Event](resp.Body)
}

// SendTest has the dispatcher take in a test event, and returns the id of the event. An answer other than 202 is an
// error in the dispatcher's words.
func (c *Client) SendTest(ctx context.Context, e TestEvent) (eventID string, err error) {
	data, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+PathTestEvents, bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusAccepted {
		return "", problem(resp)
	}
	var taken TestAccepted
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxLine)).Decode(&taken); err != nil {
		return "", fmt.Errorf("the dispatcher's answer cannot be read: %w; is it of the same version?", err)
	}
	return taken.EventID, nil
}
