package welink

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Settings switches between behaviours that differ, or that no public source settles.
type Settings struct {
	// TokenSeconds is the life of an app token (WL-DOC: 7200).
	TokenSeconds int `json:"tokenSeconds"`
	// InAppCodeSeconds and WebCodeSeconds are the lives of sign-in codes (WL-DOC: 2 minutes, 5 minutes).
	InAppCodeSeconds int `json:"inAppCodeSeconds"`
	WebCodeSeconds   int `json:"webCodeSeconds"`
	// CodeParam is the parameter in which a page that is opened in the client finds its code. It stands for the call
	// HWH5.getAuthCode that the page makes in reality (WL-DOC); empty adds none.
	CodeParam string `json:"codeParam"`
	// ErrorField is where a refusal says why: "message" (WL-DOC) or "errorMessage" (WL-JAVA).
	ErrorField string `json:"errorField"`
	// KnownTask says what addtask does with a task it knows: "update" or "error" (derived).
	KnownTask string `json:"knownTask"`
	// DropTasks is a regular expression of task ids that are answered with code "0" and data false, and not stored.
	DropTasks string `json:"dropTasks,omitempty"`
	// PerMinute limits the calls of an app to one interface; 0 is no limit.
	PerMinute int `json:"perMinute"`
	// KeepDays is how long an untouched to-do is kept (WL-TODO: 3 months).
	KeepDays int `json:"keepDays"`
}

// DefaultSettings is the public cloud as it is documented.
func DefaultSettings() Settings {
	return Settings{
		TokenSeconds: 7200, InAppCodeSeconds: 120, WebCodeSeconds: 300, CodeParam: "code", ErrorField: "message", KnownTask: "update",
		KeepDays: 90,
	}
}

func (s Settings) check() error {
	if !slices.Contains([]string{"message", "errorMessage"}, s.ErrorField) {
		return fmt.Errorf("settings.errorField: %q is not one of [message errorMessage]", s.ErrorField)
	}
	if !slices.Contains([]string{"update", "error"}, s.KnownTask) {
		return fmt.Errorf("settings.knownTask: %q is not one of [update error]", s.KnownTask)
	}
	if _, err := regexp.Compile(s.DropTasks); err != nil {
		return fmt.Errorf("settings.dropTasks: %w", err)
	}
	if s.TokenSeconds <= 0 || s.InAppCodeSeconds <= 0 || s.WebCodeSeconds <= 0 || s.KeepDays <= 0 || s.PerMinute < 0 {
		return fmt.Errorf("settings: lives must be positive and perMinute not negative")
	}
	return nil
}

func (s Settings) drops(task string) bool {
	if s.DropTasks == "" {
		return false
	}
	ok, err := regexp.MatchString(s.DropTasks, task)
	return err == nil && ok
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
