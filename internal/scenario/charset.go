package scenario

import (
	"bytes"
	"mime"
	"regexp"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// maxDeclaration is how much of an answer is searched for an XML declaration, in bytes.
const maxDeclaration = 256

// xmlDeclared finds the encoding in an XML declaration.
var xmlDeclared = regexp.MustCompile(`^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']`)

// Decode returns an answer as UTF-8. Older OA products answer in GBK or GB2312. As in RFC 7303, a byte order mark counts
// first, then the charset of the Content-Type, then that of the XML declaration. An answer in a charset that is not known
// is taken for UTF-8; bytes that do not fit become U+FFFD.
func Decode(contentType string, answer []byte) []byte {
	answer, charset := withoutMark(answer)
	if charset == nil {
		_, params, _ := mime.ParseMediaType(contentType)
		charset = charsetNamed(params["charset"])
	}
	if charset == nil {
		if m := xmlDeclared.FindSubmatch(answer[:min(len(answer), maxDeclaration)]); m != nil {
			charset = charsetNamed(string(m[1]))
		}
	}
	if charset != nil && charset != unicode.UTF8 {
		if decoded, err := charset.NewDecoder().Bytes(answer); err == nil {
			answer = decoded
		}
	}
	if utf8.Valid(answer) {
		return answer
	}
	return bytes.ToValidUTF8(answer, []byte("\uFFFD"))
}

// marks are the byte order marks.
var marks = []struct {
	mark    []byte
	charset encoding.Encoding
}{
	{[]byte("\xEF\xBB\xBF"), unicode.UTF8},
	{[]byte("\xFE\xFF"), unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
	{[]byte("\xFF\xFE"), unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
}

// withoutMark cuts a byte order mark off and returns the charset that it stands for.
func withoutMark(answer []byte) ([]byte, encoding.Encoding) {
	for _, m := range marks {
		if rest, ok := bytes.CutPrefix(answer, m.mark); ok {
			return rest, m.charset
		}
	}
	return answer, nil
}

func charsetNamed(name string) encoding.Encoding {
	if name == "" {
		return nil
	}
	charset, err := htmlindex.Get(name)
	if err != nil {
		return nil
	}
	return charset
}
