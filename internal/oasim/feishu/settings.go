package feishu

import (
	"fmt"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/quota"
)

// Settings switches between behaviours that no public source settles. A limit of 0 is off.
type Settings struct {
	// TokenSeconds is the life of a token (FS-SDK: 7200); one that lives for more than RenewSeconds (1800) is given again.
	TokenSeconds int `json:"tokenSeconds"`
	RenewSeconds int `json:"renewSeconds"`
	// CodeSeconds is the life of a sign-in code (from memory: 5 minutes).
	CodeSeconds int `json:"codeSeconds"`
	// ErrorStatus is the HTTP status of a refusal, 400 (from memory) or 200: the code in the body counts.
	ErrorStatus int `json:"errorStatus"`
	// InstanceAnswer says which instance an answer repeats: the one that was "sent", or the one that is "stored" (derived).
	InstanceAnswer string `json:"instanceAnswer"`
	// ApprovalsPerMinute and ApprovalsPerSecond limit the calls to third-party approvals (FS-DOC: 1000 and 50).
	ApprovalsPerMinute int `json:"approvalsPerMinute"`
	ApprovalsPerSecond int `json:"approvalsPerSecond"`
	// CardUpdatesPerSecond limits the updates of one card (FS-DOC: 5); CardDays is how long it can be updated (14).
	CardUpdatesPerSecond int `json:"cardUpdatesPerSecond"`
	CardDays             int `json:"cardDays"`
}

// DefaultSettings is the public cloud as it is documented.
func DefaultSettings() Settings {
	return Settings{
		TokenSeconds: 7200, RenewSeconds: 1800, CodeSeconds: 300, ErrorStatus: 400, InstanceAnswer: "sent", ApprovalsPerMinute: 1000, ApprovalsPerSecond: 50,
		CardUpdatesPerSecond: 5, CardDays: 14,
	}
}

func (s Settings) check() error {
	if s.ErrorStatus != 400 && s.ErrorStatus != 200 {
		return fmt.Errorf("settings.errorStatus: %d is not one of [200 400]", s.ErrorStatus)
	}
	if s.InstanceAnswer != "sent" && s.InstanceAnswer != "stored" {
		return fmt.Errorf("settings.instanceAnswer: %q is not one of [sent stored]", s.InstanceAnswer)
	}
	if s.TokenSeconds <= 0 || s.CodeSeconds <= 0 || s.CardDays <= 0 {
		return fmt.Errorf("settings.tokenSeconds, codeSeconds and cardDays must be positive")
	}
	if min(s.RenewSeconds, s.ApprovalsPerMinute, s.ApprovalsPerSecond, s.CardUpdatesPerSecond) < 0 {
		return fmt.Errorf("settings: limits must not be negative")
	}
	return nil
}

func (s Settings) approvals() []quota.Limit {
	return []quota.Limit{
		{Max: s.ApprovalsPerMinute, Per: time.Minute}, {Max: s.ApprovalsPerSecond, Per: time.Second},
	}
}

func (s Settings) cardUpdates() quota.Limit {
	return quota.Limit{Max: s.CardUpdatesPerSecond, Per: time.Second}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
