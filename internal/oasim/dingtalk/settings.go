package dingtalk

import (
	"fmt"
	"slices"
	"time"
)

// Settings switches between behaviours that no public source settles.
type Settings struct {
	// TokenSeconds is the life of an access token (DT-GO: 7200).
	TokenSeconds int `json:"tokenSeconds"`
	// CodeSeconds is the life of a sign-in code (from memory: 5 minutes).
	CodeSeconds int `json:"codeSeconds"`
	// TokenError says how the old gateway refuses a token and too many calls: with the code itself ("plain"), or with
	// code 88 and the code as its sub_code ("88"); both from memory.
	TokenError string `json:"tokenError"`
	// BadTokenStatus is the HTTP status with which the v1.0 API refuses a token; a source only says 4xx.
	BadTokenStatus int `json:"badTokenStatus"`
	// PerSecond limits the calls of an app to one interface; 0 is no limit.
	PerSecond int `json:"perSecond"`
	// KnownSource says what a task with a known sourceId is: the "same" one again, or a "new" one (derived).
	KnownSource string `json:"knownSource"`
	// OncePerDay holds back a notice that the same person got today with the same content (DT-GO's result lists).
	OncePerDay bool `json:"oncePerDay"`
	// WebCode names the parameter of the code after a web sign-in: "code" (JA), "authCode" (from memory) or "both".
	WebCode string `json:"webCode"`
	// CodeParam is the parameter in which a page that is opened in the client finds its code. It stands for the call
	// requestAuthCode that the page makes in reality; empty adds none.
	CodeParam string `json:"codeParam"`
}

// DefaultSettings is the public cloud as it is documented.
func DefaultSettings() Settings {
	return Settings{
		TokenSeconds: 7200, CodeSeconds: 300, TokenError: "plain", BadTokenStatus: 401, KnownSource: "same", OncePerDay: true, WebCode: "both",
		CodeParam: "code",
	}
}

func (s Settings) check() error {
	for _, c := range []struct {
		field, value string
		allowed      []string
	}{
		{"tokenError", s.TokenError, []string{"plain", "88"}},
		{"badTokenStatus", fmt.Sprint(s.BadTokenStatus), []string{"400", "401", "403"}},
		{"knownSource", s.KnownSource, []string{"same", "new"}},
		{"webCode", s.WebCode, []string{"code", "authCode", "both"}},
	} {
		if !slices.Contains(c.allowed, c.value) {
			return fmt.Errorf("settings.%s: %q is not one of %v", c.field, c.value, c.allowed)
		}
	}
	if s.TokenSeconds <= 0 || s.CodeSeconds <= 0 || s.PerSecond < 0 {
		return fmt.Errorf("settings: lives must be positive and perSecond not negative")
	}
	return nil
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
