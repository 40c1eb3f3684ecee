// Package canary finds secrets in what a program writes. A test puts canaries where secrets belong, sends everything that is
// written anywhere through Writers, and asks at the end.
package canary

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Book knows the canaries of a test. It is safe for concurrent use.
type Book struct {
	mu      sync.Mutex
	secrets map[string]string
	written map[string]*bytes.Buffer
}

// Secret returns a canary under a name; the same one each time. It has characters that look different in URLs and JSON.
func (b *Book) Secret(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.secrets[name] == "" {
		b.note(name, "Canary+"+rand.Text()+"/"+rand.Text()+"&=")
	}
	return b.secrets[name]
}

// Note makes a secret that has a form of its own, such as a PEM key, a canary.
func (b *Book) Note(name, secret string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(name, secret)
	return secret
}

func (b *Book) note(name, secret string) {
	if b.secrets == nil {
		b.secrets = map[string]string{}
	}
	b.secrets[name] = secret
}

// Writer takes in what is written to one place.
func (b *Book) Writer(place string) io.Writer { return &writer{b, place} }

type writer struct {
	book  *Book
	place string
}

func (w *writer) Write(p []byte) (int, error) {
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	if w.book.written == nil {
		w.book.written = map[string]*bytes.Buffer{}
	}
	if w.book.written[w.place] == nil {
		w.book.written[w.place] = &bytes.Buffer{}
	}
	return w.book.written[w.place].Write(p)
}

// Text is what was written to a place.
func (b *Book) Text(place string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w := b.written[place]; w != nil {
		return w.String()
	}
	return ""
}

// Found lists the canaries that were written somewhere, as "NAME in PLACE", in whatever spelling.
func (b *Book) Found() (found []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for place, text := range b.written {
		for name, secret := range b.secrets {
			if slices.ContainsFunc(spellings(secret), func(s string) bool { return strings.Contains(text.String(), s) }) {
				found = append(found, name+" in "+place)
			}
		}
	}
	slices.Sort(found)
	return found
}

// spellings of a secret: as it is, in URLs, JSON, HTML, hex, and inside of base64 at each of the three places where it may begin.
func spellings(s string) []string {
	quoted, _ := json.Marshal(s) // a string always marshals
	out := []string{s, url.QueryEscape(s), url.PathEscape(s), string(quoted[1 : len(quoted)-1]), html.EscapeString(s), hex.EncodeToString([]byte(s))}
	for shift := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			// Without the characters at both ends that depend on what stands beside the secret.
			text := encoding.EncodeToString(append(make([]byte, shift), s...))
			from := (shift*8 + 5) / 6
			out = append(out, text[from:len(text)-2])
		}
	}
	return out
}
