package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// tally counts what became of the attacks.
type tally struct {
	rows, columns []string
	refused       map[[2]string]int
	let           []string // attacks that were let in
}

func newTally() *tally { return &tally{refused: map[[2]string]int{}} }

// count notes one attempt of a class against a row.
func (t *tally) count(row, class string, in bool, what string) {
	if !slices.Contains(t.rows, row) {
		t.rows = append(t.rows, row)
	}
	if !slices.Contains(t.columns, class) {
		t.columns = append(t.columns, class)
	}
	if in {
		t.let = append(t.let, row+" / "+class+": "+what)
		return
	}
	t.refused[[2]string{row, class}]++
}

func (t *tally) total() (refused int) {
	for _, n := range t.refused {
		refused += n
	}
	return refused
}

// write prints the table: how many attempts of each class were refused; a dot where a class does not apply.
func (t *tally) write(w io.Writer) {
	width := 0
	for _, row := range t.rows {
		width = max(width, utf8.RuneCountInString(row))
	}
	for i, c := range t.columns {
		_, _ = fmt.Fprintf(w, "%2d  %s\n", i+1, c)
	}
	_, _ = fmt.Fprintf(w, "\n%-*s", width, "")
	for i := range t.columns {
		_, _ = fmt.Fprintf(w, "%5d", i+1)
	}
	_, _ = fmt.Fprintln(w)
	for _, row := range t.rows {
		_, _ = fmt.Fprint(w, row, strings.Repeat(" ", width-utf8.RuneCountInString(row)))
		for _, c := range t.columns {
			if n := t.refused[[2]string{row, c}]; n > 0 {
				_, _ = fmt.Fprintf(w, "%5d", n)
			} else {
				_, _ = fmt.Fprint(w, "    .")
			}
		}
		_, _ = fmt.Fprintln(w)
	}
	for _, l := range t.let {
		_, _ = fmt.Fprintln(w, "LET IN:", l)
	}
	_, _ = fmt.Fprintf(w, "\nattack: %d refused, %d let in\n", t.total(), len(t.let))
}
