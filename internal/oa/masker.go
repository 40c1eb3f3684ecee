package oa

import (
	"cmp"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Mask stands for a secret in everything that is kept.
const Mask = "***"

// minAnywhere is the length from which on a secret is masked wherever its characters stand, in bytes. A shorter one, such
// as the password "1" of a test system, is masked only as a word of its own: inside of other words and numbers it is there
// by chance, and masking it there makes records unreadable and betrays it by what is missing.
const minAnywhere = 6

// Masker replaces secrets wherever they occur, also percent-encoded, JSON-escaped and HTML-escaped. The zero Masker
// knows no secret. It is safe for concurrent use.
type Masker struct {
	secrets  []string
	long     []string          // spellings of long secrets
	replacer *strings.Replacer // of long; nil when there is none
	words    []string          // short secrets, the longest first
}

// NewMasker returns a Masker for the secrets; empty ones are skipped.
func NewMasker(secrets ...string) *Masker {
	m := &Masker{secrets: secrets}
	for _, s := range secrets {
		switch {
		case s == "":
		case len(s) < minAnywhere:
			m.words = append(m.words, spellings(s)...)
		default:
			m.long = append(m.long, spellings(s)...)
		}
	}
	// The longest first: a secret that begins with another one must not be left half visible.
	longestFirst := func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) }
	slices.SortFunc(m.words, longestFirst)
	m.words = slices.Compact(m.words)
	if len(m.long) == 0 {
		return m
	}
	slices.SortFunc(m.long, longestFirst)
	m.long = slices.Compact(m.long)
	var pairs []string
	for _, f := range m.long {
		pairs = append(pairs, f, Mask)
	}
	m.replacer = strings.NewReplacer(pairs...)
	return m
}

// spellings of a secret in the places where a request or an answer may hold it.
func spellings(s string) []string {
	quoted, _ := json.Marshal(s)
	var plain strings.Builder
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return []string{s, url.PathEscape(s), url.QueryEscape(s), string(quoted[1 : len(quoted)-1]),
		strings.TrimSuffix(plain.String(), "\"\n")[1:], html.EscapeString(s)}
}

// Knows reports whether the Masker was made for exactly these secrets, so that it can be used again.
func (m *Masker) Knows(secrets ...string) bool { return m != nil && slices.Equal(m.secrets, secrets) }

// String masks a text.
func (m *Masker) String(s string) string {
	if m == nil {
		return s
	}
	// Looking for each is several times as fast as replacing, and hardly any text holds a secret.
	if slices.ContainsFunc(m.long, func(secret string) bool { return strings.Contains(s, secret) }) {
		s = m.replacer.Replace(s)
	}
	for _, w := range m.words {
		s = maskWord(s, w)
	}
	return s
}

// Bytes masks a body and cuts it to at most limit bytes, in this order: a secret that the cut would split is masked
// whole. The result shares no memory with b.
func (m *Masker) Bytes(b []byte, limit int) []byte {
	if len(b) == 0 {
		return nil
	}
	s := m.String(string(b))
	if len(s) <= limit {
		return []byte(s)
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return []byte(s[:limit])
}

// maskWord masks a short secret where it is a word of its own.
func maskWord(s, word string) string {
	if !strings.Contains(s, word) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		at := strings.Index(s[i:], word)
		if at < 0 {
			out.WriteString(s[i:])
			break
		}
		at += i
		end := at + len(word)
		begins := !isWordByte(word[0]) || at == 0 || !isWordByte(s[at-1]) || endsEscape(s[:at])
		ends := !isWordByte(word[len(word)-1]) || end == len(s) || !isWordByte(s[end])
		if begins && ends {
			out.WriteString(s[i:at] + Mask)
			i = end
			continue
		}
		out.WriteString(s[i : at+1])
		i = at + 1
	}
	return out.String()
}

// isWordByte reports whether a byte is an ASCII letter or digit. Chinese characters do not make words together with it.
func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// endsEscape reports whether a text ends with the escape of one character, whose letters and digits are no part of a
// word: %2F, \n or \u003c.
func endsEscape(s string) bool {
	for _, form := range []struct {
		mark   string
		digits int
	}{{"%", 2}, {`\u`, 4}, {`\`, 1}} {
		at := len(s) - form.digits - len(form.mark)
		if at >= 0 && strings.HasPrefix(s[at:], form.mark) {
			return true
		}
	}
	return false
}
