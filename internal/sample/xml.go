package sample

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// xml replaces the texts of an XML sample and keeps everything else as it is.
func (m *maker) xml(text string) error {
	m.out.Protocol = v1alpha1.ProtocolWebservice
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var (
		out   strings.Builder
		open  []string
		write = func(s string) { out.WriteString(s) }
	)
	for {
		start := d.InputOffset()
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			m.out.Body = out.String() + "\n"
			return nil
		}
		if err != nil {
			return fmt.Errorf("the sample is not XML: %w", err)
		}
		raw := text[start:d.InputOffset()]
		switch t := token.(type) {
		case xml.StartElement:
			open = append(open, t.Name.Local)
		case xml.EndElement:
			open = open[:max(0, len(open)-1)]
		case xml.Comment:
			raw = "" // manuals explain fields in comments, which must not go out
		case xml.CharData:
			if s := string(t); strings.TrimSpace(s) != "" && len(open) > 0 {
				raw = m.replaceChars(open, s, strings.HasPrefix(raw, "<![CDATA["))
			}
		}
		write(raw)
	}
}

func (m *maker) replaceChars(open []string, text string, cdata bool) string {
	// "?" is what tools such as SoapUI write where a value belongs.
	trimmed := strings.TrimSpace(text)
	if trimmed == "?" {
		trimmed = ""
	}
	replaced := m.replaceText(strings.Join(open, "."), open[len(open)-1], trimmed)
	if cdata {
		return "<![CDATA[" + strings.ReplaceAll(replaced, "]]>", "]]]]><![CDATA[>") + "]]>"
	}
	at := strings.Index(text, strings.TrimSpace(text))
	before, after := text[:at], text[at+len(strings.TrimSpace(text)):]
	return before + escape(replaced) + after
}

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")

func escape(s string) string { return xmlEscapes.Replace(s) }

const envelopeStart = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"%s>
  <soapenv:Body>
`

const envelopeEnd = `  </soapenv:Body>
</soapenv:Envelope>
`

// envelope writes a JSON sample as XML: members become elements, a list becomes its element once for each entry.
func (m *maker) envelope(v value) error {
	m.out.Protocol = v1alpha1.ProtocolWebservice
	root, prefix, declared := m.options.Root, "", ""
	if root == "" {
		root = "request"
	}
	if m.options.Namespace != "" {
		prefix, declared = "web:", fmt.Sprintf(` xmlns:web="%s"`, strings.ReplaceAll(escape(m.options.Namespace), `"`, "&quot;"))
	}
	if v.isList {
		v = value{isObject: true, names: []string{"item"}, parts: []value{v}}
	}
	var out strings.Builder
	fmt.Fprintf(&out, envelopeStart, declared)
	if err := m.element(&out, "    ", prefix, root, "", v); err != nil {
		return err
	}
	m.out.Body = out.String() + envelopeEnd
	return nil
}

// elementName is a name that is good for JSON and for XML.
var elementName = regexp.MustCompile(`^[\pL_][\pL\pN_.-]*$`)

// element writes a value as elements with a name; path is where the value is.
func (m *maker) element(out *strings.Builder, indent, prefix, name, path string, v value) error {
	if !elementName.MatchString(name) {
		return fmt.Errorf("the name %q cannot be that of an XML element; rename it in the sample", name)
	}
	tag := prefix + name
	switch {
	case v.isList:
		for i, entry := range v.parts {
			if entry.isList {
				return fmt.Errorf("%s is a list in a list, which has no name in XML; give the inner one a name in the sample", path)
			}
			if err := m.element(out, indent, prefix, name, fmt.Sprintf("%s[%d]", path, i), entry); err != nil {
				return err
			}
		}
	case v.isObject:
		fmt.Fprintf(out, "%s<%s>\n", indent, tag)
		for i, n := range v.names {
			if err := m.element(out, indent+"  ", prefix, n, join(path, n), v.parts[i]); err != nil {
				return err
			}
		}
		fmt.Fprintf(out, "%s</%s>\n", indent, tag)
	case v.isString:
		fmt.Fprintf(out, "%s<%s>%s</%s>\n", indent, tag, escape(m.replaceText(path, name, v.scalar)), tag)
	case v.scalar == "null":
		fmt.Fprintf(out, "%s<%s/>\n", indent, tag)
	default:
		m.out.Kept = append(m.out.Kept, path)
		fmt.Fprintf(out, "%s<%s>%s</%s>\n", indent, tag, v.scalar, tag)
	}
	return nil
}
