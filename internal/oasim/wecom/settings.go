package wecom

import (
	"fmt"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/quota"
)

// Settings switches between behaviours that change over time, or that no public source settles. A limit of 0 is off.
type Settings struct {
	// TokenSeconds is the life of an access token (WC-GO: 7200).
	TokenSeconds int `json:"tokenSeconds"`
	// CodeSeconds is the life of a sign-in code (WC-GO: 5 minutes).
	CodeSeconds int `json:"codeSeconds"`
	// PerMinute and PerHour limit the calls of a company to one interface (WC-90454: 10,000 and 150,000).
	PerMinute int `json:"perMinute"`
	PerHour   int `json:"perHour"`
	// IPPerMinute limits the calls of one address (WC-90454: 20,000).
	IPPerMinute int `json:"ipPerMinute"`
	// MemberPerMinute and MemberPerHour limit the messages to one member; more are dropped without a word (WC-90454:
	// 30 and 1,000).
	MemberPerMinute int `json:"memberPerMinute"`
	MemberPerHour   int `json:"memberPerHour"`
	// TrustedIPDelaySeconds is how long a change of the trusted IPs takes (WC-GO: about a minute).
	TrustedIPDelaySeconds int `json:"trustedIPDelaySeconds"`
	// ResponseCodes says which cards can be updated: "interactive", those with something to press (from memory), or
	// "all".
	ResponseCodes string `json:"responseCodes"`
	// ResponseCodeHours is how long they can be (WC-94945: 72, an older text says 24).
	ResponseCodeHours int `json:"responseCodeHours"`
	// DomainScheme is how the console asks a trusted domain for its ownership file: "https" or "http".
	DomainScheme string `json:"domainScheme"`
}

// DefaultSettings is the public cloud as it is documented.
func DefaultSettings() Settings {
	return Settings{
		TokenSeconds: 7200, CodeSeconds: 300, PerMinute: 10_000, PerHour: 150_000, IPPerMinute: 20_000,
		MemberPerMinute: 30, MemberPerHour: 1000, TrustedIPDelaySeconds: 60, ResponseCodes: "interactive", ResponseCodeHours: 72,
		DomainScheme: "https",
	}
}

func (s Settings) check() error {
	if s.ResponseCodes != "interactive" && s.ResponseCodes != "all" {
		return fmt.Errorf("settings.responseCodes: %q is not one of [interactive all]", s.ResponseCodes)
	}
	if s.DomainScheme != "https" && s.DomainScheme != "http" {
		return fmt.Errorf("settings.domainScheme: %q is not one of [http https]", s.DomainScheme)
	}
	if s.TokenSeconds <= 0 || s.CodeSeconds <= 0 || s.ResponseCodeHours <= 0 {
		return fmt.Errorf("settings.tokenSeconds, codeSeconds and responseCodeHours must be positive")
	}
	if min(s.PerMinute, s.PerHour, s.IPPerMinute, s.MemberPerMinute, s.MemberPerHour, s.TrustedIPDelaySeconds) < 0 {
		return fmt.Errorf("settings: limits and delays must not be negative")
	}
	return nil
}

// perCorp limits the calls to one interface; the blocks last as long as the windows (WC-90454).
func (s Settings) perCorp() []quota.Limit {
	return []quota.Limit{
		{Max: s.PerMinute, Per: time.Minute, Block: time.Minute}, {Max: s.PerHour, Per: time.Hour, Block: time.Hour},
	}
}

func (s Settings) perIP() quota.Limit {
	return quota.Limit{Max: s.IPPerMinute, Per: time.Minute, Block: time.Minute}
}

// perMember has no block: what is too much is dropped until the window is over.
func (s Settings) perMember() []quota.Limit {
	return []quota.Limit{{Max: s.MemberPerMinute, Per: time.Minute}, {Max: s.MemberPerHour, Per: time.Hour}}
}
