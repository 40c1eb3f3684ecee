package scenario

import (
	"unicode/utf8"
)

// quoting is how text is written at a place in a document, so that it cannot leave that place.
type quoting uint8

const (
	inJSON      quoting = iota // inside a JSON string
	inXMLText                  // character data of an element
	inAttribute                // inside an XML attribute value, in either kind of quotes
	inCDATA                    // inside a CDATA section
)

// append appends s. Pieces that are appended one by one, whatever they hold, are safe together.
func (q quoting) append(dst []byte, s string) []byte {
	switch q {
	case inJSON:
		return appendJSON(dst, s)
	case inCDATA:
		return appendCDATA(dst, s)
	default:
		return appendXML(dst, s, q == inAttribute)
	}
}

// nest appends s as it stands in several places, one inside the other, the innermost first.
func nest(dst []byte, in []quoting, s string) []byte {
	if len(in) == 0 {
		return append(dst, s...)
	}
	for ; len(in) > 1; in = in[1:] {
		s = string(in[0].append(make([]byte, 0, len(s)+16), s))
	}
	return in[0].append(dst, s)
}

// appendXML appends s as character data or as part of an attribute value. White space that a parser would change is
// written as a character reference. Characters that XML 1.0 forbids even as references, such as U+0001, and bytes that are
// not UTF-8 become U+FFFD: an item with a stray control character in its title still arrives, and a person sees that
// something was there.
func appendXML(dst []byte, s string, attribute bool) []byte {
	start := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if reference := xmlReference(r, size, attribute); reference != "" {
			dst = append(append(dst, s[start:i]...), reference...)
			start = i + size
		}
		i += size
	}
	return append(dst, s[start:]...)
}

// xmlReference returns what stands for a character, or nothing when it stands for itself.
func xmlReference(r rune, size int, attribute bool) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;" // it may follow "]]"
	case '\r':
		return "&#xD;"
	}
	if attribute {
		switch r {
		case '"':
			return "&quot;"
		case '\'':
			return "&apos;"
		case '\n':
			return "&#xA;"
		case '\t':
			return "&#x9;"
		}
	}
	if !isXMLChar(r, size) {
		return "\uFFFD"
	}
	return ""
}

// isXMLChar reports whether a decoded rune may stand in XML 1.0.
func isXMLChar(r rune, size int) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r == utf8.RuneError:
		return size > 1
	}
	return r != 0xFFFE && r != 0xFFFF
}

const (
	cdataStart = "<![CDATA["
	cdataEnd   = "]]>"
)

// appendCDATA appends s inside a CDATA section. The section is closed and opened again before a ">" that may follow "]]",
// which may also come from what stands before s, and around a carriage return, which a parser would change.
func appendCDATA(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		instead := ""
		switch {
		case r == '>' && endsSection(s[:i]):
			instead = cdataEnd + cdataStart + ">"
		case r == '\r':
			instead = cdataEnd + "&#xD;" + cdataStart
		case !isXMLChar(r, size):
			instead = "\uFFFD"
		}
		if instead != "" {
			dst = append(append(dst, s[start:i]...), instead...)
			start = i + size
		}
		i += size
	}
	return append(dst, s[start:]...)
}

// endsSection reports whether "]]" may stand before a ">" that comes after s.
func endsSection(s string) bool {
	for n := 1; n <= 2; n++ {
		if len(s) < n {
			return true
		}
		if s[len(s)-n] != ']' {
			return false
		}
	}
	return true
}
