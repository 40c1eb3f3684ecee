package scenario

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the images are built from nothing and have no zone files
)

// Defaults of a template's dates: what Seeyon expects (F96), and the zone in which the CRM runs.
const (
	DefaultTimeZone   = "Asia/Shanghai"
	DefaultDateFormat = "yyyy-MM-dd HH:mm"
)

// dateFormat writes times. Each piece is one of the letter groups, or plain text.
type dateFormat struct {
	zone   *time.Location
	pieces []datePiece
}

type datePiece struct {
	text  string
	value func(time.Time) int
	width int
}

var dateLetters = map[string]func(time.Time) int{
	"yyyy": time.Time.Year,
	"MM":   func(t time.Time) int { return int(t.Month()) },
	"dd":   time.Time.Day,
	"HH":   time.Time.Hour,
	"mm":   time.Time.Minute,
	"ss":   time.Time.Second,
	"SSS":  func(t time.Time) int { return t.Nanosecond() / int(time.Millisecond) },
}

// newDateFormat parses a format in the letters yyyy MM dd HH mm ss SSS. Other letters must be quoted: yyyy'T'HH.
func newDateFormat(format, zone string) (*dateFormat, error) {
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		return nil, fmt.Errorf("timeZone %q is not an IANA name such as %s", zone, DefaultTimeZone)
	}
	d := &dateFormat{zone: location}
	for i := 0; i < len(format); {
		c := format[i]
		switch {
		case c == '\'':
			end := strings.IndexByte(format[i+1:], '\'')
			if end < 0 {
				return nil, fmt.Errorf("dateFormat %q: a quote is not closed", format)
			}
			d.pieces = append(d.pieces, datePiece{text: format[i+1 : i+1+end]})
			i += end + 2
		case isLetter(c):
			end := i
			for end < len(format) && format[end] == c {
				end++
			}
			letters := format[i:end]
			value := dateLetters[letters]
			if value == nil {
				return nil, fmt.Errorf("dateFormat %q: %q is not one of yyyy MM dd HH mm ss SSS; put plain letters into single quotes", format, letters)
			}
			d.pieces = append(d.pieces, datePiece{value: value, width: len(letters)})
			i = end
		default:
			d.pieces = append(d.pieces, datePiece{text: format[i : i+1]})
			i++
		}
	}
	return d, nil
}

// format rewrites an RFC 3339 time.
func (d *dateFormat) format(rfc3339 string) (string, error) {
	t, err := time.Parse(time.RFC3339, rfc3339)
	if err != nil {
		return "", fmt.Errorf("the value is not an RFC 3339 time such as 2026-11-22T09:30:00+08:00")
	}
	t = t.In(d.zone)
	var buf [64]byte
	out := buf[:0]
	for _, p := range d.pieces {
		if p.value == nil {
			out = append(out, p.text...)
			continue
		}
		out = appendPadded(out, p.value(t), p.width)
	}
	return string(out), nil
}

func appendPadded(dst []byte, n, width int) []byte {
	start := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; i >= start && n > 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}
