package crm

import (
	"encoding/json"
	"time"
)

// The event types of docs/reference/events.md.
const (
	Created   = "dev.oabridge.todo.created"
	Updated   = "dev.oabridge.todo.updated"
	Completed = "dev.oabridge.todo.completed"
	Deleted   = "dev.oabridge.todo.deleted"
)

// Event is a CloudEvent 1.0 about one to-do.
type Event struct {
	ID           string    `json:"id"`
	Source       string    `json:"source"`
	Type         string    `json:"type"`
	Time         time.Time `json:"time,omitzero"`
	DataCenterID string    `json:"datacenterid,omitempty"`
	Data         ToDo      `json:"data"`
}

// MarshalJSON writes the structured form.
func (e Event) MarshalJSON() ([]byte, error) {
	type attributes Event
	return json.Marshal(struct {
		SpecVersion string `json:"specversion"`
		ContentType string `json:"datacontenttype"`
		attributes
	}{"1.0", "application/json", attributes(e)})
}

// ToDo is the state of a to-do, whole in every event.
type ToDo struct {
	ID           string    `json:"id"`
	Version      int       `json:"version,omitempty"`
	Heading      string    `json:"heading,omitempty"`
	Subject      string    `json:"subject,omitempty"`
	Detail       string    `json:"detail,omitempty"`
	CreatedAt    time.Time `json:"createdAt"`
	EnterpriseID string    `json:"enterpriseID,omitempty"`
	Object       Object    `json:"object"`
	Sender       Account   `json:"sender"`
	Receivers    []Account `json:"receivers"`
}

// Object is the record behind a to-do.
type Object struct {
	APIName string `json:"apiName"`
	ID      string `json:"id"`
}

// Account is a CRM person as events name them.
type Account struct {
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
}

// Title is the to-do's title the way the seed's template puts it together: #F054 #F056 #F053 (SEED0).
func (t ToDo) Title() string { return t.Sender.Name + " " + t.Subject + " " + t.Detail }
