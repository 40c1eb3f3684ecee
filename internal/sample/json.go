package sample

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// value of a JSON document that remembers the order of its keys.
type value struct {
	// scalar is the text of a string, or the literal of anything else that has no parts.
	scalar   string
	isString bool
	// names of an object's members, in order; nil for a list. parts are the values of members or entries.
	isObject, isList bool
	names            []string
	parts            []value
}

func readJSON(text string) (value, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := readValue(d)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return v, nil
		}
		err = errors.New("there is something after the document")
	}
	line := strings.Count(text[:min(int(d.InputOffset()), len(text))], "\n") + 1
	return v, fmt.Errorf("the sample is neither JSON nor XML: line %d: %w", line, err)
}

func readValue(d *json.Decoder) (v value, err error) {
	token, err := d.Token()
	if err != nil {
		return v, err
	}
	switch t := token.(type) {
	case string:
		return value{scalar: t, isString: true}, nil
	case json.Number:
		return value{scalar: t.String()}, nil
	case bool:
		return value{scalar: strconv.FormatBool(t)}, nil
	case json.Delim:
		v.isObject, v.isList = t == '{', t == '['
	default:
		return value{scalar: "null"}, nil
	}
	for d.More() {
		if v.isObject {
			name, err := d.Token()
			if err != nil {
				return v, err
			}
			v.names = append(v.names, name.(string))
		}
		part, err := readValue(d)
		if err != nil {
			return v, err
		}
		v.parts = append(v.parts, part)
	}
	_, err = d.Token()
	return v, err
}

func (m *maker) json(text string) error {
	v, err := readJSON(text)
	if err != nil {
		return err
	}
	if m.options.ToXML {
		return m.envelope(v)
	}
	m.out.Protocol = v1alpha1.ProtocolREST
	m.out.Body = indented(m.replaceIn(v, "", "")) + "\n"
	return nil
}

// replaceIn replaces the strings of a value.
func (m *maker) replaceIn(v value, path, name string) value {
	switch {
	case v.isString:
		v.scalar = m.replaceText(path, name, v.scalar)
	case v.isObject:
		parts := make([]value, len(v.parts))
		for i, n := range v.names {
			parts[i] = m.replaceIn(v.parts[i], join(path, n), n)
		}
		v.parts = parts
	case v.isList:
		parts := make([]value, len(v.parts))
		for i := range v.parts {
			parts[i] = m.replaceIn(v.parts[i], fmt.Sprintf("%s[%d]", path, i), name)
		}
		v.parts = parts
	default:
		m.out.Kept = append(m.out.Kept, path)
	}
	return v
}

// replaceText replaces a text, or the strings in it when it is JSON itself, as in Weaver's in0.
func (m *maker) replaceText(path, name, text string) string {
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		if inner, err := readJSON(trimmed); err == nil {
			return compact(m.replaceIn(inner, path, name))
		}
	}
	return m.replace(path, name, text)
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

func compact(v value) string {
	switch {
	case v.isString:
		return quote(v.scalar)
	case !v.isObject && !v.isList:
		return v.scalar
	}
	parts := make([]string, len(v.parts))
	for i, p := range v.parts {
		parts[i] = compact(p)
		if v.isObject {
			parts[i] = quote(v.names[i]) + ":" + parts[i]
		}
	}
	if v.isObject {
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func indented(v value) string {
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(compact(v)), "", "  "); err != nil {
		panic("sample: compact writes JSON: " + err.Error())
	}
	return out.String()
}

func quote(s string) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("sample: a string is always JSON: " + err.Error())
	}
	return strings.TrimSuffix(out.String(), "\n")
}
