package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/text/width"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/yaml"
)

// The formats of an answer.
const (
	formatTable = "table"
	formatWide  = "wide"
	formatJSON  = "json"
	formatYAML  = "yaml"
)

var formats = []string{formatTable, formatWide, formatJSON, formatYAML}

// bindFormat makes the flag for the format, and checks it before the command runs.
func (a *app) bindFormat(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&a.format, "output", "o", formatTable, strings.Join(formats, ", "))
	completeWords(cmd, "output", formats)
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(formats, a.format) {
			return usage("--output: %q is no format; use %s", a.format, strings.Join(formats, ", "))
		}
		return nil
	}
}

// document prints v when a format for programs was asked for.
func (a *app) document(v any) (printed bool, err error) {
	var data []byte
	switch a.format {
	case formatJSON:
		if data, err = json.MarshalIndent(v, "", "  "); err == nil {
			data = append(data, '\n')
		}
	case formatYAML:
		data, err = yaml.Marshal(v)
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	_, err = a.out.Write(data)
	return true, err
}

// cell of a table.
type cell struct {
	text string
	// paint is the colour, if any.
	paint string
}

func plain(texts ...string) []cell {
	out := make([]cell, len(texts))
	for i, t := range texts {
		out[i] = cell{text: t}
	}
	return out
}

// table prints rows in columns that are as wide as they have to be; the last one is never padded.
func (a *app) table(rows [][]cell) error {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(c.text))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		gap := 0
		for i, c := range row {
			if c.text == "" {
				continue // only a message may be empty, and it is the last
			}
			b.WriteString(strings.Repeat(" ", gap) + a.paint(c.paint, c.text))
			gap = widths[i] - columns(c.text) + 3
		}
		b.WriteByte('\n')
	}
	_, err := a.out.Write([]byte(b.String()))
	return err
}

// columns that a text takes on a terminal: Chinese characters take two.
func columns(s string) (n int) {
	for _, r := range s {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}

// Colours of a terminal.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	bold   = "1"
	faint  = "2"
)

func (a *app) paint(colour, text string) string {
	if !a.colour || colour == "" || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// colourOf an outcome.
func colourOf(outcome string) string {
	switch outcome {
	case "Delivered":
		return green
	case "Dead":
		return red
	case "Skipped":
		return faint
	}
	return yellow
}

// clock is a time as people here read it.
func (a *app) clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(a.zone).Format("2006-01-02 15:04:05")
}

func (a *app) age(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return duration.HumanDuration(max(a.now().Sub(t), 0))
}

// oneLine makes a message fit a table, whole.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// count with the right form of a word.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// milliseconds for people.
func milliseconds(ms float64) string {
	switch {
	case ms == 0:
		return "-"
	case ms < 10:
		return fmt.Sprintf("%.1fms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0fms", ms)
	case ms < 60_000:
		return fmt.Sprintf("%.1fs", ms/1000)
	}
	return duration.HumanDuration(time.Duration(ms) * time.Millisecond)
}
