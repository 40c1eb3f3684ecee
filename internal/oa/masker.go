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

// Masker replaces secrets wherever they occur, also percent-encoded, JSON-escaped and HTML-escaped. The zero Masker
// knows no secret. It is safe for concurrent use.
type Masker struct {
	secrets  []string
	replacer *strings.Replacer
}

// NewMasker returns a Masker for the secrets; empty ones are skipped.
func NewMasker(secrets ...string) *Masker {
	m := &Masker{secrets: secrets}
	var forms []string
	for _, s := range secrets {
		if s == "" {
			continue
		}
		quoted, _ := json.Marshal(s)
		var plain strings.Builder
		e := json.NewEncoder(&plain)
		e.SetEscapeHTML(false)
		_ = e.Encode(s)
		forms = append(forms, s, url.PathEscape(s), url.QueryEscape(s), string(quoted[1:len(quoted)-1]),
			strings.TrimSuffix(plain.String(), "\"\n")[1:], html.EscapeString(s))
	}
	if len(forms) == 0 {
		return m
	}
	// The longest first: a secret that begins with another one must not be left half visible.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	var pairs []string
	for _, f := range slices.Compact(forms) {
		pairs = append(pairs, f, Mask)
	}
	m.replacer = strings.NewReplacer(pairs...)
	return m
}

// Knows reports whether the Masker was made for exactly these secrets, so that it can be used again.
func (m *Masker) Knows(secrets ...string) bool { return m != nil && slices.Equal(m.secrets, secrets) }

// String masks a text.
func (m *Masker) String(s string) string {
	if m == nil || m.replacer == nil {
		return s
	}
	return m.replacer.Replace(s)
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
