package seeyon

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Pending is a third-party to-do as it travels (SEED3; subState and appParam: SY-C1). All fields are strings.
type Pending struct {
	RegisterCode        string `json:"registerCode"`
	TaskID              string `json:"taskId"`
	Title               string `json:"title"`
	SenderName          string `json:"senderName"`
	Classify            string `json:"classify,omitempty"`
	ContentType         string `json:"contentType,omitempty"`
	State               string `json:"state"`
	SubState            string `json:"subState,omitempty"`
	ThirdSenderID       string `json:"thirdSenderId,omitempty"`
	ThirdReceiverID     string `json:"thirdReceiverId"`
	CreationDate        string `json:"creationDate"`
	Content             string `json:"content,omitempty"`
	H5URL               string `json:"h5url,omitempty"`
	URL                 string `json:"url,omitempty"`
	AppParam            string `json:"appParam,omitempty"`
	NoneBindingSender   string `json:"noneBindingSender,omitempty"`
	NoneBindingReceiver string `json:"noneBindingReceiver,omitempty"`
}

// The states of an item (SEED3; revoked only through updatePendingState).
const (
	StateOpen    = "0"
	StateDone    = "1"
	StateRevoked = "2"
)

// fields names every field and where it is kept.
func (p *Pending) fields() map[string]*string {
	return map[string]*string{
		"registerCode": &p.RegisterCode, "taskId": &p.TaskID, "title": &p.Title, "senderName": &p.SenderName,
		"classify": &p.Classify, "contentType": &p.ContentType, "state": &p.State, "subState": &p.SubState,
		"thirdSenderId": &p.ThirdSenderID, "thirdReceiverId": &p.ThirdReceiverID, "creationDate": &p.CreationDate,
		"content": &p.Content, "h5url": &p.H5URL, "url": &p.URL, "appParam": &p.AppParam,
		"noneBindingSender": &p.NoneBindingSender, "noneBindingReceiver": &p.NoneBindingReceiver,
	}
}

var (
	requiredOnReceive = []string{"registerCode", "taskId", "title", "senderName", "state", "creationDate"}
	requiredOnUpdate  = []string{"registerCode", "taskId", "state"}
	// dateForm is yyyy-MM-dd HH:mm (SEED3); a production client also sends seconds (SY-C1).
	dateForm = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?$`)
)

// message is one item of a request: its values and which of them were really there.
type message struct {
	Pending
	present []string
}

// read takes one JSON object apart and collects everything that is wrong with it.
func read(raw json.RawMessage, allowUnknown bool) (message, []string) {
	var m message
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return m, []string{"an item must be a JSON object"}
	}
	var wrong []string
	into := m.fields()
	for name, value := range object {
		target, known := into[name]
		switch {
		case !known && !allowUnknown:
			wrong = append(wrong, name+": unknown field")
		case !known:
		case len(value) == 0 || value[0] != '"':
			wrong = append(wrong, name+": must be a string")
		default:
			_ = json.Unmarshal(value, target) // a well-formed string already
			m.present = append(m.present, name)
		}
	}
	slices.Sort(wrong)
	return m, wrong
}

// check judges the values of a new item or of an update.
func (m *message) check(update bool) []string {
	var wrong []string
	required, states := requiredOnReceive, []string{StateOpen, StateDone}
	if update {
		required, states = requiredOnUpdate, append(states, StateRevoked)
	}
	into := m.fields()
	for _, name := range required {
		if strings.TrimSpace(*into[name]) == "" {
			wrong = append(wrong, name+": required")
		}
	}
	if !update && m.receiver() == "" {
		wrong = append(wrong, "thirdReceiverId: required (or noneBindingReceiver)")
	}
	if m.State != "" && !slices.Contains(states, m.State) {
		wrong = append(wrong, fmt.Sprintf("state: %q is not one of %v", m.State, states))
	}
	if m.CreationDate != "" && !validDate(m.CreationDate) {
		wrong = append(wrong, fmt.Sprintf("creationDate: %q is not yyyy-MM-dd HH:mm", m.CreationDate))
	}
	for _, link := range []string{"url", "h5url"} {
		if v := *into[link]; v != "" && !validLink(v) {
			wrong = append(wrong, fmt.Sprintf("%s: %q is not a complete http(s) address", link, v))
		}
	}
	return wrong
}

// receiver is the key of the receiver in whichever mode the item is sent.
func (m *message) receiver() string {
	if m.ThirdReceiverID != "" {
		return m.ThirdReceiverID
	}
	return m.NoneBindingReceiver
}

func validDate(s string) bool {
	if !dateForm.MatchString(s) {
		return false
	}
	_, err := time.Parse("2006-01-02 15:04:05"[:len(s)], s)
	return err == nil
}

// validLink accepts absolute links and the protocol-relative ones of the seed's template (SEED0).
func validLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "" && strings.HasPrefix(s, "//"))
}
