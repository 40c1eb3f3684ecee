package generic

import (
	"fmt"
	"slices"

	"github.com/oabridge/oabridge/internal/oasim/idp"
)

// Settings switches between the ways in which such OAs behave.
type Settings struct {
	// UnknownFails answers a change of an unknown item with a failure.
	UnknownFails bool `json:"unknownFails"`
	// StaleFails answers an older version with a failure instead of ignoring it with a success.
	StaleFails bool `json:"staleFails"`
	// PerSecond bounds the calls; more are answered with 429. 0: no bound.
	PerSecond int `json:"perSecond"`
	// GBK answers in GBK, over REST and SOAP.
	GBK bool `json:"gbk"`
	// AuthFailure is the answer to a call that proves nothing: "status" (401) or "code" (the result's failure AuthCode, with
	// HTTP 200).
	AuthFailure string `json:"authFailure"`
	AuthCode    string `json:"authCode"`
	// TokenSeconds is how long a fetched token lives.
	TokenSeconds int `json:"tokenSeconds"`
	// Link is the proof that a link out of the OA carries: "plain" (none), "sha1", "hmac", "jwt" or "ticket".
	Link string `json:"link"`
	// LinkSeconds is how long a JWT or an unused ticket lives.
	LinkSeconds int `json:"linkSeconds"`
	// TicketAnswer is the form of the answer about a ticket: "json" or "text"; BadTicket that about a wrong one: "403" or
	// "empty".
	TicketAnswer string `json:"ticketAnswer"`
	BadTicket    string `json:"badTicket"`
	// Provider is how the identity provider behaves.
	Provider idp.Settings `json:"provider"`
}

// DefaultSettings is an OA that tells what is wrong.
func DefaultSettings() Settings {
	return Settings{
		UnknownFails: true, AuthFailure: "status", AuthCode: "401", TokenSeconds: 7200, Link: linkPlain, LinkSeconds: 300, TicketAnswer: "json",
		BadTicket: "403", Provider: idp.DefaultSettings(),
	}
}

func (s Settings) check() error {
	for _, c := range []struct {
		field, value string
		allowed      []string
	}{
		{"authFailure", s.AuthFailure, []string{"status", "code"}},
		{"link", s.Link, links},
		{"ticketAnswer", s.TicketAnswer, []string{"json", "text"}},
		{"badTicket", s.BadTicket, []string{"403", "empty"}},
	} {
		if !slices.Contains(c.allowed, c.value) {
			return fmt.Errorf("settings.%s: %q is not one of %v", c.field, c.value, c.allowed)
		}
	}
	if s.TokenSeconds <= 0 || s.LinkSeconds <= 0 || s.PerSecond < 0 {
		return fmt.Errorf("settings.tokenSeconds and linkSeconds must be positive, perSecond not negative")
	}
	if err := s.Provider.Check(); err != nil {
		return fmt.Errorf("settings.provider: %w", err)
	}
	return nil
}
