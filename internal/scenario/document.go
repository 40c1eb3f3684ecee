package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// chunk is a piece of a document: either structure (braces, keys, numbers; tags), which is passed on byte by byte, or a
// leaf: a JSON string, or character data or an attribute value of XML.
type chunk struct {
	raw  string
	leaf bool
	// text of a leaf, decoded; path says where it is, quoting how it is written there.
	text, path string
	quoting    quoting
}

// parseBody cuts the body of a call into chunks, which is XML for a web service (F25) and JSON otherwise (F26).
func parseBody(protocol, src string) ([]chunk, *fault) {
	if protocol == Webservice {
		document, bad := parseXML(src)
		return document.chunks, bad
	}
	return parseJSON(src)
}

// parseInner parses a leaf that is itself a document, such as the JSON in Weaver's in0: data in it must not break out of
// that either. It returns nil for plain text, and for a leaf without placeholders and parameters, which stays as it is.
//
// What has the brackets and quotes of a JSON object or list must be JSON, and what has an XML declaration must be XML.
// Other markup may also be a fragment of HTML; it counts as XML when it is well-formed.
func parseInner(text string) ([]chunk, *fault) {
	if !hasTokens(text) {
		return nil, nil
	}
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "<"):
		document, bad := parseXML(text)
		if bad == nil || strings.HasPrefix(text, "<?xml") {
			return document.chunks, inside("XML", bad)
		}
	case looksLikeJSON(text):
		chunks, bad := parseJSON(text)
		return chunks, inside("JSON", bad)
	}
	return nil, nil
}

func inside(format string, bad *fault) *fault {
	if bad != nil {
		bad.message = "this text is " + format + " in itself: " + bad.message
	}
	return bad
}

// looksLikeJSON reports whether a text has the brackets and quotes of a JSON object or list. Single quotes count: some OA
// products read them too, and data could break out of them.
func looksLikeJSON(s string) bool {
	if len(s) < 2 || s[0] == '{' && s[len(s)-1] != '}' || s[0] == '[' && s[len(s)-1] != ']' {
		return false
	}
	next := strings.TrimLeft(s[1:], " \t\r\n")
	switch s[0] {
	case '{':
		return next[0] == '"' || next[0] == '\''
	case '[':
		return strings.IndexByte(`"'{[`, next[0]) >= 0
	}
	return false
}

// parseJSON cuts a JSON document into chunks. White space between tokens is dropped; the order of keys and the spelling
// of numbers stay. Keys must be plain text.
func parseJSON(src string) ([]chunk, *fault) {
	if bad := checkSyntax(src); bad != nil {
		return nil, bad
	}
	r := documentReader{src: src, dec: json.NewDecoder(strings.NewReader(src))}
	r.dec.UseNumber()
	if bad := r.value(""); bad != nil {
		return nil, bad
	}
	r.flush()
	return r.chunks, nil
}

// checkSyntax names the line and column of a syntax error. It also bounds the depth.
func checkSyntax(src string) *fault {
	var any json.RawMessage
	err := json.Unmarshal([]byte(src), &any)
	if err == nil {
		return nil
	}
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return &fault{reasonBody, err.Error()}
	}
	line, column := position(src, int(syntax.Offset)-1)
	return &fault{reasonBody, fmt.Sprintf("line %d, column %d: %s; the body must be one JSON document", line, column, syntax)}
}

// position of a byte, counted in lines and characters from 1.
func position(src string, offset int) (line, column int) {
	before := src[:max(0, min(offset, len(src)))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

type documentReader struct {
	src    string
	dec    *json.Decoder
	raw    []byte
	chunks []chunk
}

func (r *documentReader) flush() {
	if len(r.raw) > 0 {
		r.chunks = append(r.chunks, chunk{raw: string(r.raw)})
		r.raw = r.raw[:0]
	}
}

func (r *documentReader) fault(format string, args ...any) *fault {
	line, column := position(r.src, int(r.dec.InputOffset()))
	return &fault{reasonBody, fmt.Sprintf("line %d, column %d: ", line, column) + fmt.Sprintf(format, args...)}
}

func (r *documentReader) value(path string) *fault {
	tok, err := r.dec.Token()
	if err != nil {
		return r.fault("%v", err)
	}
	switch v := tok.(type) {
	case json.Delim:
		if v == '[' {
			return r.array(path)
		}
		return r.object(path)
	case string:
		r.raw = append(r.raw, '"')
		r.flush()
		r.chunks = append(r.chunks, chunk{leaf: true, text: v, path: path, quoting: inJSON})
		r.raw = append(r.raw, '"')
	case json.Number:
		r.raw = append(r.raw, v...)
	case bool:
		r.raw = strconv.AppendBool(r.raw, v)
	case nil:
		r.raw = append(r.raw, "null"...)
	}
	return nil
}

func (r *documentReader) object(path string) *fault {
	r.raw = append(r.raw, '{')
	seen := map[string]bool{}
	for r.dec.More() {
		tok, err := r.dec.Token()
		if err != nil {
			return r.fault("%v", err)
		}
		key := tok.(string)
		if hasTokens(key) {
			return r.fault("key %q holds a placeholder or parameter; they may stand in values only", key)
		}
		if seen[key] {
			return r.fault("key %q is there twice", key)
		}
		if len(seen) > 0 {
			r.raw = append(r.raw, ',')
		}
		seen[key] = true
		r.raw = append(r.raw, '"')
		r.raw = append(appendJSON(r.raw, key), '"', ':')
		if bad := r.value(strings.TrimPrefix(path+"."+key, ".")); bad != nil {
			return bad
		}
	}
	return r.close('}')
}

func (r *documentReader) array(path string) *fault {
	r.raw = append(r.raw, '[')
	for i := 0; r.dec.More(); i++ {
		if i > 0 {
			r.raw = append(r.raw, ',')
		}
		if bad := r.value(path + "[" + strconv.Itoa(i) + "]"); bad != nil {
			return bad
		}
	}
	return r.close(']')
}

func (r *documentReader) close(with byte) *fault {
	if _, err := r.dec.Token(); err != nil {
		return r.fault("%v", err)
	}
	r.raw = append(r.raw, with)
	return nil
}

// formatChunks is the inverse of parseBody and parseInner.
func formatChunks(chunks []chunk) string {
	var out []byte
	for _, c := range chunks {
		if c.leaf {
			out = c.quoting.append(out, c.text)
		} else {
			out = append(out, c.raw...)
		}
	}
	return string(out)
}
