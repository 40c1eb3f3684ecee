package main

import (
	"strings"

	"github.com/pmezard/go-difflib/difflib"
)

// contextLines stand around what differs.
const contextLines = 3

// differs returns a unified diff of two texts, "" when they are the same.
func (a *app) differs(from, to, before, after string) string {
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(ended(before)), B: difflib.SplitLines(ended(after)), FromFile: from, ToFile: to, Context: contextLines,
	})
	if err != nil {
		panic("kubectl-oab: a diff in memory is always written: " + err.Error())
	}
	if !a.colour {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		colour := ""
		switch {
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"):
			colour = bold
		case strings.HasPrefix(line, "-"):
			colour = red
		case strings.HasPrefix(line, "+"):
			colour = green
		case strings.HasPrefix(line, "@@"):
			colour = faint
		}
		b.WriteString(a.paint(colour, strings.TrimSuffix(line, "\n")) + "\n")
	}
	return b.String()
}

// ended makes the last line of a text end like the others, without a further empty one.
func ended(s string) string { return strings.TrimSuffix(s, "\n") }
