package bundle

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// MaxAccount bounds an account, in characters.
const MaxAccount = 128

// RowError is a line of a CSV file that is not used.
type RowError struct {
	// Line counts from 1; the header is line 1.
	Line  int
	Cause string
}

func (e RowError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Cause) }

// ParseCSV reads pairs from a CSV file in UTF-8 (with or without a byte order mark) whose header line has the columns crm
// and oa; further columns are ignored. White space around values is dropped. Good lines are used, bad ones are
// reported by their number (F6); without a good header there is one error, for line 1. A later line that claims an
// account again is not an error of the file; Merge finds it.
func ParseCSV(data []byte) (pairs []v1alpha1.AccountPair, rows []RowError) {
	rows = EachCSV(data, func(_ int, p v1alpha1.AccountPair) { pairs = append(pairs, p) })
	return pairs, rows
}

// EachCSV reads a file as ParseCSV does, and calls use with each pair and its line.
func EachCSV(data []byte, use func(line int, p v1alpha1.AccountPair)) (rows []RowError) {
	rows, _ = EachRow(data, []string{"crm", "oa"}, nil, func(line int, values []string) string {
		for i, column := range []string{"crm", "oa"} {
			if cause := WrongAccount(column, values[i]); cause != "" {
				return cause
			}
		}
		use(line, v1alpha1.AccountPair{CRM: strings.Clone(values[0]), OA: strings.Clone(values[1])})
		return ""
	})
	return rows
}

// EachRow calls use with the line number of each row of a CSV file and its values of the required and then of the optional
// columns, without white space around them; those of an optional column that the header does not name are empty. The
// values are good until use returns; what it returns is why the row cannot be used, or nothing. The file is not usable as
// a whole when it is not UTF-8 or its header is not good: then there is one error.
func EachRow(data []byte, required, optional []string, use func(line int, values []string) string) (rows []RowError, usable bool) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !utf8.Valid(data) {
		return []RowError{{invalidLine(data), "is not UTF-8; save the file as CSV UTF-8"}}, false
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	r.LazyQuotes = true // a stray quote spoils one line, not all that follow
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return []RowError{{1, "there is no header line; the first line must name " + columns(required)}}, false
	}
	var at []int
	for i, name := range slices.Concat(required, optional) {
		index := column(header, name)
		if index < 0 && (i < len(required) || slices.ContainsFunc(header, named(name))) {
			return []RowError{{1, "the header line must name " + columns(required) + ", once each"}}, false
		}
		at = append(at, index)
	}
	values := make([]string, len(at))
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, true
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			var parse *csv.ParseError
			if !errors.As(err, &parse) {
				return append(rows, RowError{line, err.Error()}), true
			}
			rows = append(rows, RowError{parse.StartLine, parse.Err.Error()})
			continue
		}
		if blank(record) {
			continue
		}
		if len(record) <= slices.Max(at) {
			rows = append(rows, RowError{line, "has too few columns"})
			continue
		}
		for i, index := range at {
			values[i] = ""
			if index >= 0 {
				values[i] = strings.TrimSpace(record[index])
			}
		}
		if cause := use(line, values); cause != "" {
			rows = append(rows, RowError{line, cause})
		}
	}
}

// invalidLine is the first line that is not UTF-8.
func invalidLine(data []byte) int {
	for line := 1; ; line++ {
		head, rest, found := bytes.Cut(data, []byte("\n"))
		if !utf8.Valid(head) || !found {
			return line
		}
		data = rest
	}
}

// columns names columns as in "the columns crm and oa".
func columns(names []string) string {
	if len(names) == 1 {
		return "the column " + names[0]
	}
	last := len(names) - 1
	return "the columns " + strings.Join(names[:last], ", ") + " and " + names[last]
}

// AppendCSV returns a file with more pairs at its end, in the columns that its header names; of an empty file it makes
// one. The lines that are there stay as they are.
func AppendCSV(file []byte, pairs []v1alpha1.AccountPair) ([]byte, error) {
	if len(bytes.TrimSpace(file)) == 0 {
		file = []byte("crm,oa\n")
	}
	header, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\uFEFF")))).Read()
	if err != nil {
		return nil, fmt.Errorf("the header line cannot be read: %w", err)
	}
	crm, oa := column(header, "crm"), column(header, "oa")
	if crm < 0 || oa < 0 {
		return nil, errors.New("the header line must name the columns crm and oa, once each")
	}
	out := bytes.NewBuffer(bytes.Clone(file))
	if !bytes.HasSuffix(file, []byte("\n")) {
		out.WriteByte('\n')
	}
	w := csv.NewWriter(out)
	line := make([]string, len(header))
	for _, p := range pairs {
		line[crm], line[oa] = p.CRM, p.OA
		if err := w.Write(line); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// column returns the only index of name, or -1.
func column(header []string, name string) int {
	found := slices.IndexFunc(header, named(name))
	if found >= 0 && slices.ContainsFunc(header[found+1:], named(name)) {
		return -1
	}
	return found
}

func named(name string) func(string) bool {
	return func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) }
}

func blank(record []string) bool {
	for _, s := range record {
		if strings.TrimSpace(s) != "" {
			return false
		}
	}
	return true
}

// WrongAccount says why s is not an account, or nothing.
func WrongAccount(column, s string) string {
	switch {
	case s == "":
		return column + " is empty"
	case strings.ContainsFunc(s, unicode.IsControl):
		return column + " holds a line break or another control character; is a quote missing?"
	case strings.ContainsFunc(s, unicode.IsSpace):
		return column + " holds white space; it must be an account, not a display name"
	case utf8.RuneCountInString(s) > MaxAccount:
		return fmt.Sprintf("%s has more than %d characters", column, MaxAccount)
	}
	return ""
}
