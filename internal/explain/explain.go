// Package explain says what a code means and what to do: codes of the OAs, of the sign-in, and reasons of conditions.
package explain

import (
	"slices"
	"strings"

	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Explanation of a code. A text may lack a language.
type Explanation struct {
	Code string `json:"code"`
	// Of is where the code comes from: an OA, SSO, or the condition that has the reason.
	Of string `json:"of"`
	// Side whose move it is, when the dictionary of the OA says so.
	Side string `json:"side,omitempty"`
	// Class of a push that ends with the code.
	Class string `json:"class,omitempty"`
	// Shown is what the person at the browser reads.
	Shown dictionary.Text `json:"shown,omitzero"`
	Cause dictionary.Text `json:"cause"`
	Next  dictionary.Text `json:"next,omitzero"`
}

// Find returns what a code means wherever it is used: at the OAs, in their order, then in the sign-in and in conditions.
// With oa, the type of a connector, only what it means there; case does not matter.
func Find(code, oa string) []Explanation {
	var found []Explanation
	for _, e := range dictionary.Explain(code, oa) {
		found = append(found, Explanation{Code: code, Of: e.OA, Side: e.Side, Class: e.Class, Cause: e.Cause, Next: e.Next})
	}
	if oa != "" {
		return found
	}
	for _, e := range slices.Concat(signIn(), conditions()) {
		if strings.EqualFold(e.Code, code) {
			found = append(found, e)
		}
	}
	return found
}

// Suggest returns the code that was probably meant, or "".
func Suggest(code, oa string) string { return scenario.Suggest(code, Codes(oa)) }

// Codes are all that can be explained, sorted; with oa, those of that OA.
func Codes(oa string) []string {
	var known []string
	for _, name := range dictionary.OAs() {
		if oa != "" && !strings.EqualFold(oa, name) {
			continue
		}
		for _, e := range dictionary.Of(name).Entries() {
			known = append(known, e.Codes...)
		}
	}
	if oa == "" {
		for _, e := range slices.Concat(signIn(), conditions()) {
			known = append(known, e.Code)
		}
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// OA returns the name of an OA that has a dictionary as it is written, or "" when there is none of that name.
func OA(name string) string {
	for _, known := range dictionary.OAs() {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return ""
}
