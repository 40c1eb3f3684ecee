package match

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Bounds of a telephone number, in digits: ITU-T E.164 allows 15; with fewer than 7 it is an extension.
const (
	minDigits = 7
	maxDigits = 15
)

// Mobile returns the digits of a telephone number, so that two ways of writing one number are equal: without spaces, dashes,
// dots, brackets and invisible characters, and without the prefix of mainland China (+86, 0086, 86). A number of another
// country keeps its prefix, with a plus. It is empty for what is no number.
func Mobile(s string) string {
	var b strings.Builder
	for _, r := range width.Fold.String(s) {
		switch {
		case r >= '0' && r <= '9', r == '+' && b.Len() == 0:
			b.WriteRune(r)
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Pd, r), strings.ContainsRune("()./'", r):
		default:
			return ""
		}
	}
	digits, international := strings.CutPrefix(b.String(), "+")
	if !international {
		digits, international = strings.CutPrefix(digits, "00")
	}
	if national, ok := strings.CutPrefix(digits, "86"); ok && chinese(national) {
		digits, international = national, false
	}
	switch {
	case len(digits) < minDigits || len(digits) > maxDigits:
		return ""
	case international:
		return "+" + digits
	}
	return digits
}

// chinese reports whether digits are those of a mobile number of mainland China.
func chinese(digits string) bool { return len(digits) == 11 && digits[0] == '1' && digits[1] >= '3' }

// Email returns an address in lower case, without white space around it. It is empty for what is no address.
func Email(s string) string {
	s = strings.ToLower(strings.TrimSpace(width.Fold.String(s)))
	local, domain, found := strings.Cut(s, "@")
	if !found || local == "" || domain == "" || strings.Contains(domain, "@") || strings.ContainsFunc(s, unicode.IsSpace) {
		return ""
	}
	return s
}

// Code returns an employee code without white space around it. Leading zeros and case count.
func Code(s string) string { return strings.TrimSpace(s) }

// shown is how messages write an account: one that is a mobile number does not stand in a status whole.
func shown(account string) string {
	number := Mobile(account)
	if !chinese(number) && !strings.HasPrefix(number, "+") {
		return account
	}
	return number[:3] + "****" + number[len(number)-4:]
}
