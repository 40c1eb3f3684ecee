package seeyon

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Settings switches between behaviours that differ from version to version, or that no public source settles.
type Settings struct {
	// WrongPassword is the status of a refused token call: 401 (SY-CTP), 404 or 200 (SY-AUTH); the body is always
	// {"id":"-1"}.
	WrongPassword int `json:"wrongPassword"`
	// PlainToken makes a GET with neither Accept nor Content-Type answer plain text instead of JSON (SY-CTP).
	PlainToken bool `json:"plainToken"`
	// TokenIdleSeconds is how long an unused token lives: 900 by the book, 1380 measured on one build (SY-AUTH).
	TokenIdleSeconds int `json:"tokenIdleSeconds"`
	// UnknownUpdate says what updatePendingState does with an item it does not know: "error" or "ignore" (derived).
	UnknownUpdate string `json:"unknownUpdate"`
	// ForgetDeleted makes an item unknown once it was revoked (derived).
	ForgetDeleted bool `json:"forgetDeleted"`
	// AtomicBatches stores nothing of a list in which one item is refused (derived).
	AtomicBatches bool `json:"atomicBatches"`
	// ErrorForm is what errorMsgs holds: "text" (derived) or "object" (the outer shape of SY-ORG).
	ErrorForm string `json:"errorForm"`
	// RefuseTasks is a regular expression of taskIds that are refused as business errors, also one by one in a list.
	RefuseTasks string `json:"refuseTasks,omitempty"`
	// DropTasks is a regular expression of taskIds that are accepted and then dropped, also one by one in a list.
	DropTasks string `json:"dropTasks,omitempty"`
	// AllowUnknownFields accepts fields that the documentation does not name.
	AllowUnknownFields bool `json:"allowUnknownFields"`
	// SSOPath is "new" (thirdpartyController.do), "old" (login/sso, before V70SP2) or "both" (SEED3).
	SSOPath string `json:"ssoPath"`
	// TicketSeconds is how long an unused ticket lives.
	TicketSeconds int `json:"ticketSeconds"`
	// ReusableTickets lets a ticket be verified more than once, as older versions did (SY-SSO).
	ReusableTickets bool `json:"reusableTickets"`
	// TicketAnswer says where the login name is: "header" (SY-SSO), "body" (SY-NB) or "both".
	TicketAnswer string `json:"ticketAnswer"`
	// BadTicket is the answer to a wrong ticket: "empty" or "error" as the body (SY-NB, SY-CTP).
	BadTicket string `json:"badTicket"`
	// MappedLogin answers a ticket of a mapped person with the third party's id instead of the login name (SY-SSO).
	MappedLogin bool `json:"mappedLogin"`
	// LinkScheme completes links that start with "//" (SEED0).
	LinkScheme string `json:"linkScheme"`
}

// DefaultSettings is a current version with its documented behaviour.
func DefaultSettings() Settings {
	return Settings{
		WrongPassword: 401, TokenIdleSeconds: 15 * 60, UnknownUpdate: "error", ErrorForm: "text", SSOPath: "new", TicketSeconds: 5 * 60,
		TicketAnswer: "both", BadTicket: "empty", LinkScheme: "https",
	}
}

func (s Settings) check() error {
	for _, c := range []struct {
		field, value string
		allowed      []string
	}{
		{"wrongPassword", fmt.Sprint(s.WrongPassword), []string{"200", "401", "404"}},
		{"unknownUpdate", s.UnknownUpdate, []string{"error", "ignore"}},
		{"errorForm", s.ErrorForm, []string{"text", "object"}},
		{"ssoPath", s.SSOPath, []string{"new", "old", "both"}},
		{"ticketAnswer", s.TicketAnswer, []string{"header", "body", "both"}},
		{"badTicket", s.BadTicket, []string{"empty", "error"}},
		{"linkScheme", s.LinkScheme, []string{"https", "http"}},
	} {
		if !slices.Contains(c.allowed, c.value) {
			return fmt.Errorf("settings.%s: %q is not one of %v", c.field, c.value, c.allowed)
		}
	}
	for field, pattern := range map[string]string{"refuseTasks": s.RefuseTasks, "dropTasks": s.DropTasks} {
		if _, err := regexp.Compile(pattern); err != nil {
			return fmt.Errorf("settings.%s: %w", field, err)
		}
	}
	if s.TokenIdleSeconds <= 0 || s.TicketSeconds <= 0 {
		return fmt.Errorf("settings.tokenIdleSeconds and settings.ticketSeconds must be positive")
	}
	return nil
}

func (s Settings) refuses(task string) bool { return matches(s.RefuseTasks, task) }
func (s Settings) drops(task string) bool   { return matches(s.DropTasks, task) }

func matches(pattern, task string) bool {
	if pattern == "" {
		return false
	}
	ok, err := regexp.MatchString(pattern, task)
	return err == nil && ok
}

func (s Settings) tokenIdle() time.Duration { return time.Duration(s.TokenIdleSeconds) * time.Second }
func (s Settings) ticketLife() time.Duration {
	return time.Duration(s.TicketSeconds) * time.Second
}
