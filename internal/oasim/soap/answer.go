package soap

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Form is how a text travels inside an element of an answer.
type Form string

// The forms of a text inside an element.
const (
	Escaped Form = "escaped" // < & and quotes as entities, as Axis and XFire do
	CDATA   Form = "cdata"
	Plain   Form = "plain" // only what XML itself demands is escaped: quotes stay
)

// Forms lists the forms.
var Forms = []string{string(Escaped), string(CDATA), string(Plain)}

// Style is how a server writes its answers.
type Style struct {
	Space  string // namespace of the operations
	Prefix string // prefix of that namespace, such as "ns1"
	GBK    bool   // the answer is in GBK, not in UTF-8
	// Qualified puts the children of the response element into the namespace too.
	Qualified bool
}

// Part is one element of an answer.
type Part struct {
	Name  string
	Text  string
	Form  Form
	Parts []Part // children, in the place of the text
}

// Answer writes a response element with its parts, in the version of the call.
func (s Style) Answer(w http.ResponseWriter, v Version, element string, parts ...Part) {
	var b strings.Builder
	fmt.Fprintf(&b, `<%s:%s xmlns:%s="%s">`, s.Prefix, element, s.Prefix, s.Space)
	s.writeParts(&b, parts)
	fmt.Fprintf(&b, `</%s:%s>`, s.Prefix, element)
	s.write(w, v, http.StatusOK, b.String())
}

func (s Style) writeParts(b *strings.Builder, parts []Part) {
	for _, p := range parts {
		name := p.Name
		if s.Qualified {
			name = s.Prefix + ":" + name
		}
		fmt.Fprintf(b, "<%s>", name)
		if p.Parts != nil {
			s.writeParts(b, p.Parts)
		} else {
			b.WriteString(text(p.Text, p.Form))
		}
		fmt.Fprintf(b, "</%s>", name)
	}
}

// Fault answers with a fault: HTTP 500 with faultcode and faultstring in SOAP 1.1, Code and Reason in SOAP 1.2. sender
// says that the caller is at fault.
func (s Style) Fault(w http.ResponseWriter, v Version, sender bool, reason string) {
	if v == V12 {
		code := "Receiver"
		if sender {
			code = "Sender"
		}
		s.write(w, v, http.StatusInternalServerError, "<soap:Fault><soap:Code><soap:Value>soap:"+code+"</soap:Value></soap:Code>"+
			`<soap:Reason><soap:Text xml:lang="zh">`+text(reason, Plain)+"</soap:Text></soap:Reason></soap:Fault>")
		return
	}
	code := "Server"
	if sender {
		code = "Client"
	}
	s.write(w, V11, http.StatusInternalServerError,
		"<soap:Fault><faultcode>soap:"+code+"</faultcode><faultstring>"+text(reason, Plain)+"</faultstring></soap:Fault>")
}

func (s Style) write(w http.ResponseWriter, v Version, status int, body string) {
	space, media := "http://schemas.xmlsoap.org/soap/envelope/", "text/xml"
	if v == V12 {
		space, media = "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml"
	}
	name := "UTF-8"
	if s.GBK {
		name = "GBK"
	}
	doc := []byte(`<?xml version="1.0" encoding="` + name + `"?>` +
		`<soap:Envelope xmlns:soap="` + space + `"><soap:Body>` + body + `</soap:Body></soap:Envelope>`)
	if s.GBK {
		// What GBK cannot hold becomes a character reference, as an XML writer does.
		if out, err := simplifiedchinese.GBK.NewEncoder().Bytes(references(doc)); err == nil {
			doc = out
		}
	}
	w.Header().Set("Content-Type", media+";charset="+name)
	w.WriteHeader(status)
	_, _ = w.Write(doc)
}

// references replaces the characters that GBK lacks.
func references(doc []byte) []byte {
	var out bytes.Buffer
	encoder := simplifiedchinese.GBK.NewEncoder()
	for _, r := range string(doc) {
		if _, err := encoder.String(string(r)); err != nil {
			fmt.Fprintf(&out, "&#%d;", r)
			continue
		}
		out.WriteRune(r)
	}
	return out.Bytes()
}

var (
	minimal = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	section = strings.NewReplacer("]]>", "]]]]><![CDATA[>")
)

func text(s string, f Form) string {
	switch f {
	case CDATA:
		return "<![CDATA[" + section.Replace(s) + "]]>"
	case Plain:
		return minimal.Replace(s)
	default:
		var b bytes.Buffer
		_ = xml.EscapeText(&b, []byte(s))
		return strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;").Replace(b.String())
	}
}
