package match

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// One number is written in many ways, and what is no number has no value. // F7
func TestMobile(t *testing.T) {
	for _, same := range []string{
		"13800138000", " 138 0013 8000 ", "138-0013-8000", "+86 138 0013 8000", "+86-13800138000", "0086 13800138000", "8613800138000",
		"(+86)13800138000", "＋８６　１３８００１３８０００", "138\u20110013\u20118000", "\u202d13800138000\u202c", "'13800138000", "138.0013.8000",
	} {
		if got := Mobile(same); got != "13800138000" {
			t.Errorf("%q became %q", same, got)
		}
	}
	for in, want := range map[string]string{
		"": "", "-": "", "无": "", "1.38E+10": "", "13800138000/13900139000": "", "13800138000,1": "", "138001": "", "1380013800013": "1380013800013",
		"+852 5123 4567": "+85251234567", "00852 51234567": "+85251234567", "+1 (415) 555-0100": "+14155550100", "021-5888 8888": "02158888888", "8612345": "8612345",
		"86123456789": "86123456789", "13800138000 ext 5": "", "+": "", "1+38001380": "", "+8612800138000": "+8612800138000",
	} {
		if got := Mobile(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestEmailAndCode(t *testing.T) {
	for in, want := range map[string]string{
		"Li.Na@Corp.Example": "li.na@corp.example", " lina@corp.example\t": "lina@corp.example", "lina＠corp.example": "lina@corp.example",
		"lina": "", "@corp.example": "", "lina@": "", "a@b@c": "", "li na@corp.example": "", "": "",
	} {
		if got := Email(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{" 000123 ": "000123", "A-1\n": "A-1", "\u3000": "", "a-1": "a-1"} {
		if got := Code(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// However a number is dressed, it stays the same number.
func TestMobileIgnoresDress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`1[3-9][0-9]{9}`).Draw(t, "number")
		var dressed strings.Builder
		dressed.WriteString(rapid.SampledFrom([]string{"", "+86", "86", "0086", "(+86) "}).Draw(t, "prefix"))
		for _, digit := range number {
			dressed.WriteString(rapid.SampledFrom([]string{"", "", " ", "-", "\u3000", "\u200b"}).Draw(t, "dress"))
			dressed.WriteRune(digit)
		}
		if got := Mobile(dressed.String()); got != number {
			t.Fatalf("%q became %q", dressed.String(), got)
		}
	})
}

// Whatever a cell holds, a normal form is normal, and has no character that nobody can see.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"+86 138-0013-8000", "0086", "＋８６１", "Li@Corp", "İ@x", "\xff", "00+1", "+008613800138000", "ﾊﾟ@x", "a\u00adb@c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, normalize := range map[string]func(string) string{"mobile": Mobile, "email": Email, "code": Code} {
			got := normalize(s)
			if again := normalize(got); again != got {
				t.Fatalf("%s: %q became %q, and that %q", name, s, got, again)
			}
			if got != strings.TrimSpace(got) {
				t.Fatalf("%s: %q became %q", name, s, got)
			}
		}
		if got := Mobile(s); strings.ContainsFunc(strings.TrimPrefix(got, "+"), func(r rune) bool { return !unicode.IsDigit(r) || r > unicode.MaxASCII }) {
			t.Fatalf("%q became %q", s, got)
		}
		if number := Mobile(s); number != "" && chinese(number) && strings.Contains(shown(s), number[3:7]+number[7:]) {
			t.Fatalf("%q is shown as %q", s, shown(s))
		}
	})
}
