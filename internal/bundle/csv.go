package bundle

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
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
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !utf8.Valid(data) {
		line := 1
		for ; ; line++ {
			head, rest, found := bytes.Cut(data, []byte("\n"))
			if !utf8.Valid(head) || !found {
				break
			}
			data = rest
		}
		return []RowError{{line, "is not UTF-8; save the file as CSV UTF-8"}}
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	r.LazyQuotes = true // a stray quote spoils one line, not all that follow
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return []RowError{{1, "there is no header line; the first line must name the columns crm and oa"}}
	}
	crm, oa := column(header, "crm"), column(header, "oa")
	if crm < 0 || oa < 0 {
		return []RowError{{1, "the header line must name the columns crm and oa, once each"}}
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			var parse *csv.ParseError
			if !errors.As(err, &parse) {
				return append(rows, RowError{line, err.Error()})
			}
			rows = append(rows, RowError{parse.StartLine, parse.Err.Error()})
			continue
		}
		if blank(record) {
			continue
		}
		if len(record) <= max(crm, oa) {
			rows = append(rows, RowError{line, "has too few columns"})
			continue
		}
		p := v1alpha1.AccountPair{CRM: strings.TrimSpace(record[crm]), OA: strings.TrimSpace(record[oa])}
		if cause := wrongAccount("crm", p.CRM); cause != "" {
			rows = append(rows, RowError{line, cause})
		} else if cause := wrongAccount("oa", p.OA); cause != "" {
			rows = append(rows, RowError{line, cause})
		} else {
			use(line, v1alpha1.AccountPair{CRM: strings.Clone(p.CRM), OA: strings.Clone(p.OA)})
		}
	}
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
	found := -1
	for i, h := range header {
		if strings.EqualFold(strings.TrimSpace(h), name) {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

func blank(record []string) bool {
	for _, s := range record {
		if strings.TrimSpace(s) != "" {
			return false
		}
	}
	return true
}

// wrongAccount says why s is not an account, or nothing.
func wrongAccount(column, s string) string {
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
