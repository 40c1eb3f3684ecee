package scenario

import (
	"slices"
	"strings"
)

// The text of a template has three kinds of token.
type tokenKind int

const (
	literal     tokenKind = iota // plain text
	placeholder                  // #F012: "#F" and the letters and digits that follow
	parameter                    // ${name} or ${connector.name}
)

// token of a template text. For a placeholder text is its id (F012), for a parameter its name.
type token struct {
	kind tokenKind
	text string
}

// fault is a Problem whose field is not known yet.
type fault struct{ reason, message string }

func (f *fault) Error() string { return f.message }

// parseText cuts a template text into tokens. A # or $ that starts no token is plain text. A doubled ## before F… and a
// doubled $$ before { stand for one plain character: "##F001" is the text #F001, "###F001" is # and the value.
func parseText(s string) ([]token, *fault) {
	var (
		tokens []token
		text   strings.Builder
	)
	for i := 0; i < len(s); {
		next := strings.IndexAny(s[i:], "#$")
		if next < 0 {
			text.WriteString(s[i:])
			break
		}
		text.WriteString(s[i : i+next])
		i += next
		mark := s[i]
		end := i
		for end < len(s) && s[end] == mark {
			end++
		}
		run, rest := end-i, s[end:]
		if !startsToken(mark, rest) {
			text.WriteString(s[i:end])
			i = end
			continue
		}
		text.WriteString(s[i : i+run/2])
		i = end
		if run%2 == 0 {
			continue
		}
		t, length, bad := readToken(mark, rest)
		if bad != nil {
			return nil, bad
		}
		if text.Len() > 0 {
			tokens = append(tokens, token{literal, text.String()})
			text.Reset()
		}
		tokens = append(tokens, t)
		i += length
	}
	if text.Len() > 0 {
		tokens = append(tokens, token{literal, text.String()})
	}
	return tokens, nil
}

// hasTokens reports whether a text holds a placeholder or a parameter, or something that was meant as one.
func hasTokens(s string) bool {
	tokens, bad := parseText(s)
	return bad != nil || slices.ContainsFunc(tokens, func(t token) bool { return t.kind != literal })
}

// startsToken reports whether an odd number of marks before rest starts a token.
func startsToken(mark byte, rest string) bool {
	if mark == '#' {
		return len(rest) > 1 && rest[0] == 'F' && isAlnum(rest[1])
	}
	return strings.HasPrefix(rest, "{")
}

func readToken(mark byte, rest string) (t token, length int, bad *fault) {
	if mark == '#' {
		for length < len(rest) && isAlnum(rest[length]) {
			length++
		}
		return token{placeholder, rest[:length]}, length, nil
	}
	end := strings.IndexByte(rest, '}')
	if end < 0 || !isParameterName(rest[1:end]) {
		return token{}, 0, &fault{reasonParameter,
			`"${" must be followed by the name of a parameter and "}"; if it is meant as plain text, write "$${"`}
	}
	return token{parameter, rest[1:end]}, end + 1, nil
}

// connectorPrefix starts the names of the parameters that every connector has.
const connectorPrefix = "connector."

func isParameterName(s string) bool {
	for _, prefix := range []string{connectorPrefix, itemPrefix, LookupPrefix, CapturedPrefix} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			s = rest
			break
		}
	}
	if s == "" || !isLetter(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isAlnum(s[i]) && s[i] != '_' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool  { return isLetter(c) || isDigit(c) }

// formatText is the inverse of parseText: plain text that looks like a token is escaped, also where it only comes to
// look like one beside its neighbours.
func formatText(tokens []token) string {
	var out strings.Builder
	tokens = joinLiterals(tokens)
	for i, t := range tokens {
		switch t.kind {
		case placeholder:
			out.WriteString("#" + t.text)
		case parameter:
			out.WriteString("${" + t.text + "}")
		case literal:
			follower := literal
			if i+1 < len(tokens) {
				follower = tokens[i+1].kind
			}
			writeEscaped(&out, t.text, follower)
		}
	}
	return out.String()
}

// Literal writes plain text as it stands in a template: what looks like a placeholder or parameter in it is escaped.
func Literal(s string) string { return formatText([]token{{literal, s}}) }

func writeEscaped(out *strings.Builder, s string, follower tokenKind) {
	for i := 0; i < len(s); {
		mark := s[i]
		if mark != '#' && mark != '$' {
			out.WriteByte(mark)
			i++
			continue
		}
		end := i
		for end < len(s) && s[end] == mark {
			end++
		}
		out.WriteString(s[i:end])
		before := end == len(s) && (mark == '#' && follower == placeholder || mark == '$' && follower == parameter)
		if before || startsToken(mark, s[end:]) {
			out.WriteString(s[i:end])
		}
		i = end
	}
}

func joinLiterals(tokens []token) []token {
	var out []token
	for _, t := range tokens {
		if last := len(out) - 1; t.kind == literal && last >= 0 && out[last].kind == literal {
			out[last].text += t.text
			continue
		}
		out = append(out, t)
	}
	return out
}
