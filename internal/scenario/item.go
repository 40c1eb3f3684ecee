package scenario

import "time"

// Item is what an event of the CRM says about one to-do or reminder (docs/reference/events.md).
type Item struct {
	ID           string    `json:"id"`
	Version      int64     `json:"version,omitempty"`
	Heading      string    `json:"heading,omitempty"`
	Subject      string    `json:"subject,omitempty"`
	Detail       string    `json:"detail,omitempty"`
	CreatedAt    time.Time `json:"createdAt"`
	EnterpriseID string    `json:"enterpriseID,omitempty"`
	Object       Object    `json:"object"`
	Sender       Person    `json:"sender"`
	Receivers    []Person  `json:"receivers"`
}

// Object is the CRM record behind an item.
type Object struct {
	APIName string `json:"apiName"`
	ID      string `json:"id"`
}

// Person is a CRM account with its display name.
type Person struct {
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
}

// Action is what happened to an item.
type Action string

// The actions. They are the last words of the event types and the keys of a template's calls.
const (
	Create   Action = "create"
	Update   Action = "update"
	Complete Action = "complete"
	Delete   Action = "delete"
)
