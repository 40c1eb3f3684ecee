package exchange

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// The values of a template stand in strings of JSON. These functions make of them what an OA insists on; a body that has no
// string at the path stays as it is. Paths are those of gjson.

// Number makes a string of digits a JSON number.
func Number(body []byte, path string) []byte {
	v := gjson.GetBytes(body, path)
	digits := v.Str != "" && len(v.Str) <= 18 && !strings.ContainsFunc(v.Str, func(r rune) bool { return r < '0' || r > '9' })
	if v.Type != gjson.String || !digits || v.Str[0] == '0' && v.Str != "0" {
		return body
	}
	return replace(body, v, v.Str)
}

// Shorten cuts a string to a number of bytes, at the end of a character, and marks that something is missing.
func Shorten(body []byte, path string, limit int) []byte {
	v := gjson.GetBytes(body, path)
	if v.Type != gjson.String || len(v.Str) <= limit {
		return body
	}
	const mark = "…"
	cut := limit - len(mark)
	for cut > 0 && !utf8.RuneStart(v.Str[cut]) {
		cut--
	}
	return Text(body, path, v.Str[:cut]+mark)
}

// Fill writes a text into a string that is empty.
func Fill(body []byte, path, text string) []byte {
	if v := gjson.GetBytes(body, path); v.Type != gjson.String || v.Str != "" {
		return body
	}
	return Text(body, path, text)
}

// Text writes a text into a string.
func Text(body []byte, path, text string) []byte {
	v := gjson.GetBytes(body, path)
	if v.Type != gjson.String {
		return body
	}
	quoted, _ := json.Marshal(text) // a string always marshals
	return replace(body, v, string(quoted))
}

func replace(body []byte, v gjson.Result, raw string) []byte {
	if v.Index <= 0 {
		return body
	}
	return slices.Concat(body[:v.Index], []byte(raw), body[v.Index+len(v.Raw):])
}
