package controllers

import (
	"slices"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// fate says who has to move before a problem is gone.
type fate int

const (
	// waiting: another object will change; it is watched.
	waiting fate = iota
	// stalled: the object's own spec, or a decision that only a person can take, must change.
	stalled
)

// problem is something that keeps an object from being what was asked for. Its message is one sentence that names the
// field or key to fix, and never holds a secret value.
type problem struct {
	reason  string
	message string
	fate    fate
	// object, as in Secret/hq-seeyon, and the key in it where it is; empty stands for the connector and its spec.
	object, key string
}

// at says where a problem is.
func (p problem) at(object, key string) problem {
	p.object, p.key = object, key
	return p
}

// shownProblems bounds how many problems a condition spells out.
const shownProblems = 3

// maxMessage bounds a condition's message in bytes, well below the API's limit.
const maxMessage = 2048

// stalledReasons are those that only a change of the spec ends.
var stalledReasons = []string{
	v1alpha1.ReasonSpecInvalid, v1alpha1.ReasonParameterInvalid, v1alpha1.ReasonScenarioConflict,
	v1alpha1.ReasonTemplateMismatch, v1alpha1.ReasonChildNotOurs, v1alpha1.ReasonNamespaceNotEnabled,
	v1alpha1.ReasonDataCenterTaken, v1alpha1.ReasonRegisterCodeTaken,
	v1alpha1.ReasonPodTemplateInvalid,
}

func newProblem(reason, message string) problem {
	p := problem{reason: reason, message: message, fate: waiting}
	if slices.Contains(stalledReasons, reason) {
		p.fate = stalled
	}
	return p
}

// sentence joins the first problems; the reason of the first one stands for all. Stalled ones come first.
func sentence(problems []problem) (reason, message string) {
	ordered := slices.Clone(problems)
	slices.SortStableFunc(ordered, func(a, b problem) int { return int(b.fate) - int(a.fate) })
	var parts []string
	for i, p := range ordered {
		if i == shownProblems {
			parts = append(parts, "and "+count(int64(len(ordered)-i), "more problem", "more problems"))
			break
		}
		parts = append(parts, p.message)
	}
	return ordered[0].reason, clip(strings.Join(parts, "; "), maxMessage)
}

// clip cuts s to at most limit bytes at a rune boundary.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit-len("…")], "") + "…"
}
