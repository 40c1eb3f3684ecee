package bundle

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// RewriteCSV returns a file of pairs in which change has replaced OA accounts. Lines that do not change stay byte for byte,
// and so do lines that cannot be used.
func RewriteCSV(file []byte, change func(p v1alpha1.AccountPair) string) ([]byte, error) {
	body := bytes.TrimPrefix(file, []byte("\uFEFF"))
	r := csv.NewReader(bytes.NewReader(body))
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("the header line cannot be read: %w", err)
	}
	crm, oa := column(header, "crm"), column(header, "oa")
	if crm < 0 || oa < 0 {
		return nil, errors.New("the header line must name the columns crm and oa, once each")
	}
	var out bytes.Buffer
	out.Write(file[:len(file)-len(body)+int(r.InputOffset())])
	for {
		start := r.InputOffset()
		record, err := r.Read()
		line := body[start:r.InputOffset()]
		if errors.Is(err, io.EOF) {
			out.Write(line)
			return out.Bytes(), nil
		}
		if err == nil && len(record) > max(crm, oa) {
			p := v1alpha1.AccountPair{CRM: strings.TrimSpace(record[crm]), OA: strings.TrimSpace(record[oa])}
			if good := WrongAccount("crm", p.CRM) == "" && WrongAccount("oa", p.OA) == ""; good {
				if account := change(p); account != p.OA {
					record[oa] = account
					line = encode(record, line)
				}
			}
		}
		out.Write(line)
	}
}

// emptyLines returns the length of the empty lines with which text begins. A carriage return by itself ends none.
func emptyLines(text []byte) int {
	rest := text
	for {
		next := bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte("\r\n")), []byte("\n"))
		if len(next) == len(rest) {
			return len(text) - len(rest)
		}
		rest = next
	}
}

// encode writes a record with the line breaks of the line that it replaces.
func encode(record []string, line []byte) []byte {
	var out bytes.Buffer
	out.Write(line[:emptyLines(line)])
	w := csv.NewWriter(&out)
	w.UseCRLF = bytes.HasSuffix(line, []byte("\r\n"))
	_ = w.Write(record) // into memory
	w.Flush()
	if !bytes.HasSuffix(line, []byte("\n")) {
		out.Truncate(out.Len() - 1)
	}
	return out.Bytes()
}
