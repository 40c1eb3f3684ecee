package yunzhijia

import (
	"fmt"
	"slices"
	"time"
)

// Settings switches between behaviours that no public source settles, or that the sources tell differently.
type Settings struct {
	// TokenSeconds is how long a token lives: 6400 by the documentation, clients assume 7200 (YZJ-TOK).
	TokenSeconds int `json:"tokenSeconds"`
	// TokenErrorCode is the errorCode of a call without a living token; the sources only say that success is false (derived).
	TokenErrorCode int `json:"tokenErrorCode"`
	// TokenErrorStatus is the HTTP status of that answer: 200 or 401 (derived).
	TokenErrorStatus int `json:"tokenErrorStatus"`
	// SuccessForm of to-do answers: "string" as in several documented samples, or "bool" (YZJ-TODO).
	SuccessForm string `json:"successForm"`
	// PerSecond bounds the to-do calls per app and second, ChecksPerMinute those of checkcreatetodo (YZJ-TODO); 0: no bound.
	PerSecond       int `json:"perSecond"`
	ChecksPerMinute int `json:"checksPerMinute"`
	// TicketSeconds is how long an unused ticket lives; ReusableTickets lets one be used again unless it is asked for
	// with disposable (YZJ-CTX).
	TicketSeconds   int  `json:"ticketSeconds"`
	ReusableTickets bool `json:"reusableTickets"`
	// CheckSender refuses an unknown senderId with 404 (derived).
	CheckSender bool `json:"checkSender"`
	// LinkScheme completes links that start with "//" (SEED0 §4.4).
	LinkScheme string `json:"linkScheme"`
}

// DefaultSettings is the documented behaviour.
func DefaultSettings() Settings {
	return Settings{
		TokenSeconds: 6400, TokenErrorCode: 1101, TokenErrorStatus: 200, SuccessForm: "string", PerSecond: 100, ChecksPerMinute: 5,
		TicketSeconds: 300, LinkScheme: "https",
	}
}

func (s Settings) check() error {
	for _, c := range []struct {
		field, value string
		allowed      []string
	}{
		{"successForm", s.SuccessForm, []string{"string", "bool"}},
		{"tokenErrorStatus", fmt.Sprint(s.TokenErrorStatus), []string{"200", "401"}},
		{"linkScheme", s.LinkScheme, []string{"https", "http"}},
	} {
		if !slices.Contains(c.allowed, c.value) {
			return fmt.Errorf("settings.%s: %q is not one of %v", c.field, c.value, c.allowed)
		}
	}
	if s.TokenSeconds <= 0 || s.TicketSeconds <= 0 || s.PerSecond < 0 || s.ChecksPerMinute < 0 {
		return fmt.Errorf("settings.tokenSeconds and ticketSeconds must be positive, perSecond and checksPerMinute not negative")
	}
	return nil
}

func (s Settings) tokenLife() time.Duration  { return time.Duration(s.TokenSeconds) * time.Second }
func (s Settings) ticketLife() time.Duration { return time.Duration(s.TicketSeconds) * time.Second }
