package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// compareBody compares two bodies and returns the first difference; nothing when they are equal.
func compareBody(protocol string, want, got []byte) (field, message string) {
	if protocol == Webservice {
		return compareXML(want, got)
	}
	return compareJSON(want, got)
}

// compareJSON compares two JSON documents. Spaces and the order of keys do not matter.
func compareJSON(want, got []byte) (field, message string) {
	wanted, err := decode(want)
	if err != nil {
		return "body", "the wanted body is not JSON: " + err.Error()
	}
	if len(got) == 0 {
		return "body", "the request has no body"
	}
	sent, err := decode(got)
	if err != nil {
		return "body", "the rendered body is not JSON: " + err.Error()
	}
	return firstDifference("body", wanted, sent)
}

func decode(document []byte) (v any, err error) {
	if bad := checkSyntax(string(document)); bad != nil {
		return nil, bad
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func firstDifference(path string, want, got any) (field, message string) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if _, ok := g[k]; !ok {
				return path + "." + k, "is wanted, but is not in the request"
			}
			if f, m := firstDifference(path+"."+k, w[k], g[k]); m != "" {
				return f, m
			}
		}
		for _, k := range slices.Sorted(maps.Keys(g)) {
			if _, ok := w[k]; !ok {
				return path + "." + k, "is in the request, but is not wanted"
			}
		}
		return "", ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			if f, m := firstDifference(fmt.Sprintf("%s[%d]", path, i), w[i], g[i]); m != "" {
				return f, m
			}
		}
		return "", ""
	}
	if reflect.DeepEqual(want, got) {
		return "", ""
	}
	return path, fmt.Sprintf("want %s, got %s", short(want), short(got))
}

// short writes a value as JSON, cut to what a person wants to read in a condition.
func short(v any) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	const limit = 120 // characters
	r := []rune(strings.TrimSpace(out.String()))
	if len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return string(r)
}
