// Package dictionary explains the error codes of the OAs: what a code means, whose side it is on, and what to do next, in
// Chinese and English. The drivers classify answers with it, and people ask it (kubectl oab explain 60020).
package dictionary

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"
)

// Text is a sentence in both languages.
type Text struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// Sides: whose move it is.
const (
	SideOAAdmin  = "OAAdmin"  // the administrator of the OA
	SidePlatform = "Platform" // whoever applies the connector, its Secrets and templates
	SideCRM      = "CRM"      // whoever keeps the data in the CRM
	SidePerson   = "Person"   // the person who signs in
	SideNobody   = "Nobody"   // it passes by itself
)

// Entry explains one code.
type Entry struct {
	// OA is the type of the connector.
	OA string `json:"-"`
	// Codes that mean the same.
	Codes []string `json:"codes"`
	// Class is how an attempt that ends with the code is classified (oa.Class); empty when the code cannot end a push.
	Class string `json:"class,omitempty"`
	// Reason is set when the code says something about the OA as a whole rather than about one item: a CamelCase
	// condition reason. Deliveries then pause until the OA answers otherwise.
	Reason string `json:"reason,omitempty"`
	// TokenLost means that the token is not valid any more, and a new one may be.
	TokenLost bool `json:"tokenLost,omitempty"`
	// Side whose move it is.
	Side  string `json:"side"`
	Cause Text   `json:"cause"`
	Next  Text   `json:"next"`
	// Source is the key of the wire fact, or "from memory".
	Source string `json:"source"`
}

// Book is the dictionary of one OA. The zero Book is empty.
type Book struct {
	byCode map[string]*Entry
	list   []Entry
}

// Find returns the entry of a code.
func (b Book) Find(code string) (Entry, bool) {
	e, ok := b.byCode[code]
	if !ok {
		return Entry{}, false
	}
	return *e, true
}

// Entries returns all entries in the order of the file.
func (b Book) Entries() []Entry { return slices.Clone(b.list) }

//go:embed *.yaml
var files embed.FS

// books by the type of the connector, read once.
var books = sync.OnceValue(func() map[string]Book {
	out := map[string]Book{}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		panic("dictionary: " + err.Error())
	}
	for _, name := range names {
		raw, err := files.ReadFile(name)
		if err != nil {
			panic("dictionary: " + err.Error())
		}
		book, oa, err := parse(raw)
		if err != nil {
			panic(fmt.Sprintf("dictionary: %s: %v", name, err)) // a test reads them all
		}
		out[oa] = book
	}
	return out
})

func parse(raw []byte) (Book, string, error) {
	var file struct {
		OA      string  `json:"oa"`
		Entries []Entry `json:"entries"`
	}
	if err := yaml.UnmarshalStrict(raw, &file); err != nil {
		return Book{}, "", err
	}
	b := Book{byCode: map[string]*Entry{}, list: file.Entries}
	for i := range b.list {
		e := &b.list[i]
		e.OA = file.OA
		if len(e.Codes) == 0 {
			return Book{}, "", fmt.Errorf("entry %d has no code", i)
		}
		for _, code := range e.Codes {
			if b.byCode[code] != nil {
				return Book{}, "", fmt.Errorf("code %s is there twice", code)
			}
			b.byCode[code] = e
		}
	}
	return b, file.OA, nil
}

// Of returns the dictionary of an OA, an empty one when there is none.
func Of(oa string) Book { return books()[oa] }

// Explain returns what a code means in each OA, or in one of them when oa is given (its case does not matter), in the
// order of the OAs' names.
func Explain(code, oa string) []Entry {
	var found []Entry
	for name, book := range books() {
		if oa != "" && !strings.EqualFold(oa, name) {
			continue
		}
		if e, ok := book.Find(code); ok {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b Entry) int { return strings.Compare(a.OA, b.OA) })
	return found
}

// OAs returns the names of all OAs that have a dictionary.
func OAs() []string {
	var names []string
	for name := range books() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
