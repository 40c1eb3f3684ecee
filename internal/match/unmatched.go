package match

import (
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// maxOthers bounds how many accounts a message names beside its own.
const maxOthers = 3

// Why somebody is not matched.
type Why int

// The reasons.
const (
	// Unknown: the directory of the CRM has none of the keys for the person.
	Unknown Why = iota
	// Missing: nobody in the OA has one of the person's values.
	Missing
	// SharedInOA and SharedInCRM: several people of that side have the value.
	SharedInOA
	SharedInCRM
	// Taken: the OA account is bound to somebody else.
	Taken
	// Contested: other people of the CRM lead to the same OA account by other keys.
	Contested
)

// Unmatched is a person of the CRM without a pair.
type Unmatched struct {
	CRM string
	Why Why
	// Keys that were tried, and the Key that decided why.
	Keys []v1alpha1.MatchKey
	Key  v1alpha1.MatchKey
	// Others are the accounts that share the value, or the OA account that is taken or contested; Owner is whose it is.
	Others []string
	Owner  string
}

// byHand is the way out of each case.
const byHand = "or bind the account in another AccountBinding"

// Message says why, and what to do. It holds no value of a key: those are personal data.
func (u Unmatched) Message() string {
	who := "CRM account " + shown(u.CRM)
	switch u.Why {
	case Missing:
		return who + ": nobody in the OA's directory has the same " + nouns(u.Keys) + "; complete the directory, " + byHand
	case SharedInOA:
		return who + ": " + accounts("OA account", u.Others) + " have the same " + keys[u.Key].noun + "; correct the OA's directory, " + byHand
	case SharedInCRM:
		return who + ": " + accounts("CRM account", u.Others) + has(u.Others) + " the same " + keys[u.Key].noun + "; correct the CRM's directory, " + byHand
	case Taken:
		return who + ": " + accounts("OA account", u.Others) + " has the same " + keys[u.Key].noun + " and is bound to CRM account " + shown(u.Owner) +
			"; if that is wrong, remove that pair, or exclude the account that was matched"
	case Contested:
		return who + ": other people of the CRM lead to " + accounts("OA account", u.Others) + " as well, by another key; correct the directories, " + byHand
	}
	return who + ": the CRM's directory has no " + nouns(u.Keys) + "; complete the directory, " + byHand
}

func nouns(by []v1alpha1.MatchKey) string {
	words := make([]string, 0, len(by))
	for _, k := range by {
		words = append(words, keys[k].noun)
	}
	return join(words, "or")
}

func accounts(noun string, names []string) string {
	words := make([]string, 0, len(names))
	for _, n := range names {
		words = append(words, shown(n))
	}
	if len(words) > 1 {
		noun += "s"
	}
	return noun + " " + join(words, "and")
}

func has(names []string) string {
	if len(names) == 1 {
		return " has"
	}
	return " have"
}

// join words as in "a, b or c".
func join(words []string, last string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
