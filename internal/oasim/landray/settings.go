package landray

import (
	"fmt"
	"slices"

	"github.com/oabridge/oabridge/internal/oasim/idp"
)

// Settings switches between behaviours that differ from version to version, or that no public source settles.
type Settings struct {
	// Auth says what a call must carry: "any" (the SOAP header or HTTP Basic), "header", "basic" or "none" (LR-SOAP, LR-REST).
	Auth string `json:"auth"`
	// Password is how the SOAP header holds it: "plain", "md5" (hex, as the vendor's sample client is remembered) or "any".
	Password string `json:"password"`
	// AuthFailure is the answer to a SOAP call without the right user: "fault" or "401" (from memory). REST answers 401.
	AuthFailure string `json:"authFailure"`
	// RequireMobileLinks insists on mobileLink and padLink, as the current page does; older versions did not (LR-DOC).
	RequireMobileLinks bool `json:"requireMobileLinks"`
	// UnknownState is the returnState when nothing fits: 0 not operated, 1 failed or 2 succeeded (derived).
	UnknownState int `json:"unknownState"`
	// SkipUnknownTargets leaves out the targets that nobody answers to and calls it a success (derived).
	SkipUnknownTargets bool `json:"skipUnknownTargets"`
	// Prefix of the namespace of SOAP answers.
	Prefix string `json:"prefix"`
	// GBK answers SOAP calls in GBK.
	GBK bool `json:"gbk"`
	// Provider is how the identity provider behaves.
	Provider idp.Settings `json:"provider"`
}

// DefaultSettings is a version as the vendor's page describes it.
func DefaultSettings() Settings {
	return Settings{
		Auth: "any", Password: "any", AuthFailure: "fault", RequireMobileLinks: true, Prefix: "ns1", Provider: idp.DefaultSettings(),
	}
}

func (s Settings) check() error {
	for _, c := range []struct {
		field, value string
		allowed      []string
	}{
		{"auth", s.Auth, []string{"any", "header", "basic", "none"}},
		{"password", s.Password, []string{"plain", "md5", "any"}},
		{"authFailure", s.AuthFailure, []string{"fault", "401"}},
		{"unknownState", fmt.Sprint(s.UnknownState), []string{"0", "1", "2"}},
	} {
		if !slices.Contains(c.allowed, c.value) {
			return fmt.Errorf("settings.%s: %q is not one of %v", c.field, c.value, c.allowed)
		}
	}
	if s.Prefix == "" {
		return fmt.Errorf("settings.prefix must not be empty")
	}
	if err := s.Provider.Check(); err != nil {
		return fmt.Errorf("settings.provider: %w", err)
	}
	return nil
}
