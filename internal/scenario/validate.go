package scenario

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of an item.
const (
	// MaxID bounds ids and accounts, in characters.
	MaxID = 128
	// MaxReceivers of one item.
	MaxReceivers = 100
	// MaxText bounds heading, subject, detail and names, in bytes.
	MaxText = 4 << 10
)

// FieldError says what is wrong with one field of an item.
type FieldError struct {
	// Field as it is spelled in the event, e.g. receivers[0].account.
	Field string
	// Cause and NextStep are for the person who makes the events.
	Cause, NextStep string
}

func (e FieldError) Error() string { return e.Field + ": " + e.Cause + "; " + e.NextStep }

// Validate returns everything that is wrong with the item; nothing when it can be delivered.
func (it Item) Validate() []FieldError {
	v := validator{}
	v.id("id", it.ID)
	if it.Version < 0 {
		v.add("version", "is negative", "send a number that rises with every change, or leave it out")
	}
	v.text("heading", it.Heading)
	v.text("subject", it.Subject)
	v.text("detail", it.Detail)
	if it.CreatedAt.IsZero() {
		v.add("createdAt", "is missing", "send an RFC 3339 time such as 2026-11-22T09:30:00+08:00")
	} else if y := it.CreatedAt.Year(); y < 1970 || y > 9999 {
		v.add("createdAt", "is not a year between 1970 and 9999", "send the time at which the item was created")
	}
	if it.EnterpriseID != "" {
		v.id("enterpriseID", it.EnterpriseID)
	}
	v.objectPart("object.apiName", it.Object.APIName)
	v.objectPart("object.id", it.Object.ID)
	v.id("sender.account", it.Sender.Account)
	v.text("sender.name", it.Sender.Name)
	if it.Sender.Name == "" {
		v.add("sender.name", "is missing", "send the display name of the sender")
	}
	if n := len(it.Receivers); n == 0 || n > MaxReceivers {
		v.add("receivers", fmt.Sprintf("has %d entries", n), fmt.Sprintf("send 1 to %d receivers", MaxReceivers))
		return v.errors
	}
	for i, r := range it.Receivers {
		v.id(fmt.Sprintf("receivers[%d].account", i), r.Account)
		v.text(fmt.Sprintf("receivers[%d].name", i), r.Name)
	}
	return v.errors
}

type validator struct{ errors []FieldError }

func (v *validator) add(field, cause, next string) {
	v.errors = append(v.errors, FieldError{field, cause, next})
}

func (v *validator) id(field, s string) {
	switch {
	case s == "":
		v.add(field, "is missing", "send it")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		v.add(field, "holds control characters or is not UTF-8", "send plain text")
	case utf8.RuneCountInString(s) > MaxID:
		v.add(field, fmt.Sprintf("has more than %d characters", MaxID), "send a shorter one")
	}
}

func (v *validator) text(field, s string) {
	if len(s) > MaxText {
		v.add(field, fmt.Sprintf("has more than %d bytes", MaxText), "send a shorter text")
	}
}

func (v *validator) objectPart(field, s string) {
	switch {
	case s == "":
		v.add(field, "is missing", "send it")
	case !ValidObjectPart(s):
		v.add(field, "is not an API name or record id", fmt.Sprintf("send at most %d letters, digits, -, _ and ., not only dots", MaxID))
	}
}

// ValidObjectPart reports whether s may be the API name of an object or the id of a record: at most MaxID letters,
// digits, hyphens, underscores and dots, not only dots. The gateway accepts the same in its links (F43).
func ValidObjectPart(s string) bool {
	if s == "" || len(s) > MaxID {
		return false
	}
	dots := 0
	for i := range len(s) {
		c := s[i]
		if !isAlnum(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
		if c == '.' {
			dots++
		}
	}
	return dots < len(s)
}
