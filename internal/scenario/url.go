package scenario

import (
	"bytes"
	"strings"
)

// urlPart is the part of a URL in which a scanner is.
type urlPart int

const (
	inAuthority urlPart = iota
	inPath
	inQuery // or in a fragment: the same encoding
)

// urlPrefix returns the part of s up to and including the slashes before the host, if s starts like a complete URL.
// White space before it counts, because browsers drop it.
func urlPrefix(s string) (prefix string, ok bool) {
	rest := strings.TrimLeftFunc(s, func(r rune) bool { return r <= ' ' })
	for _, scheme := range []string{"https://", "http://", "//"} {
		if len(rest) >= len(scheme) && strings.EqualFold(rest[:len(scheme)], scheme) {
			return s[:len(s)-len(rest)+len(scheme)], true
		}
	}
	return "", false
}

// isURL reports whether a leaf is a URL by its literal start.
func isURL(tokens []token) bool {
	if len(tokens) == 0 || tokens[0].kind != literal {
		return false
	}
	_, ok := urlPrefix(tokens[0].text)
	return ok
}

// compileURL turns a complete URL (whole) or the path and query of one into parts. Data may stand in path segments and
// in the query, never in the host, and a segment can never become "." or "..".
func compileURL(tokens []token, whole bool) ([]part, *fault) {
	c := urlCompiler{where: inPath}
	for i, t := range tokens {
		var bad *fault
		if t.kind == placeholder {
			bad = c.placeholder(t.text)
		} else {
			text := t.text
			if i == 0 && whole {
				prefix, _ := urlPrefix(text)
				c.text(prefix)
				c.where, text = inAuthority, text[len(prefix):]
			}
			bad = c.scan(text)
		}
		if bad != nil {
			return nil, bad
		}
	}
	return c.parts, c.endSegment()
}

type urlCompiler struct {
	where urlPart
	parts []part
	// segment is the literal text of the current path segment; data says that a placeholder is in it too.
	segment string
	data    bool
}

func (c *urlCompiler) text(s string) {
	c.parts = appendText(c.parts, s)
}

func (c *urlCompiler) placeholder(id string) *fault {
	switch c.where {
	case inAuthority:
		return &fault{reasonBody, spelled(id) + " stands in the host of a URL; data must not choose the host, write it out or use a parameter"}
	case inPath:
		c.data = true
		c.parts = append(c.parts, part{op: opSegmentValue, text: id})
	default:
		c.parts = append(c.parts, part{op: opQueryValue, text: id})
	}
	return nil
}

func (c *urlCompiler) scan(s string) *fault {
	for s != "" {
		if c.where == inQuery {
			c.text(s)
			return nil
		}
		end := strings.IndexAny(s, "/?#")
		if end < 0 {
			c.text(s)
			c.segment += s
			return nil
		}
		c.text(s[:end])
		c.segment += s[:end]
		if bad := c.endSegment(); bad != nil {
			return bad
		}
		c.text(s[end : end+1])
		c.where = inPath
		if s[end] != '/' {
			c.where = inQuery
		}
		s = s[end+1:]
	}
	return nil
}

// endSegment closes the current path segment.
func (c *urlCompiler) endSegment() *fault {
	defer func() { c.segment, c.data = "", false }()
	if c.where != inPath {
		return nil
	}
	if c.data {
		c.parts = append(c.parts, part{op: opSegmentEnd})
	} else if isDots([]byte(c.segment)) {
		return &fault{reasonTemplate, `the path segment "` + c.segment + `" is not allowed; write the path without it`}
	}
	return nil
}

// isDots reports whether a path segment means "here" or "one up" to some reader of URLs.
func isDots(segment []byte) bool {
	if len(segment) == 0 || len(segment) > len("%2e%2e") {
		return false
	}
	s := bytes.ReplaceAll(bytes.ToLower(segment), []byte("%2e"), []byte("."))
	return string(s) == "." || string(s) == ".."
}

// cleanPath checks the literal text of a call's path and percent-encodes what may not stand in a URL.
func cleanPath(s string) (string, *fault) {
	var out []byte
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '#':
			return "", &fault{reasonTemplate, `a "#" in the path starts a fragment, which is never sent; a placeholder is written #F and digits`}
		case c < 0x20 || c == 0x7f:
			return "", &fault{reasonTemplate, "the path holds a control character"}
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return "", &fault{reasonTemplate, `"%" in the path must be followed by two hexadecimal digits; a plain percent sign is %25`}
			}
			out = append(out, c)
		case isUnreserved(c) || strings.IndexByte("/?:@!$&'()*+,;=", c) >= 0:
			out = append(out, c)
		default:
			out = appendPercent(out, c)
		}
	}
	return string(out), nil
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
