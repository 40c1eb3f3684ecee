package scenario

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"strings"
)

const (
	// maxXMLDepth bounds how deep an XML answer may be nested.
	maxXMLDepth = 64
	// maxXMLElements bounds how many elements an XML answer may have.
	maxXMLElements = 20_000
)

// element of an XML answer. Names are local: which prefix an OA chooses means nothing.
type element struct {
	name     string
	text     []byte // the character data of the element itself, CDATA included
	children []*element
}

var errXML = errors.New("not an XML document of a kind that is read here")

// readXML parses one XML document in UTF-8. A document with a DOCTYPE is refused: no answer needs one, a web page has one,
// and without it there are no entities but the five of XML itself.
func readXML(document []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(document))
	// Decode has already made UTF-8 of whatever the declaration says.
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	top := &element{}
	open, elements := []*element{top}, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(top.children) != 1 || len(bytes.TrimSpace(top.text)) > 0 {
				return nil, errXML
			}
			return top.children[0], nil
		}
		if err != nil {
			return nil, err
		}
		last := open[len(open)-1]
		switch t := token.(type) {
		case xml.Directive:
			return nil, errXML
		case xml.StartElement:
			if elements++; len(open) > maxXMLDepth || elements > maxXMLElements {
				return nil, errXML
			}
			e := &element{name: t.Name.Local}
			last.children = append(last.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			last.text = append(last.text, t...)
		}
	}
}

// named returns every element below e, at any depth, with a local name; elements inside one that is found are left out.
func (e *element) named(name string) []*element {
	var found []*element
	for _, c := range e.children {
		if c.name == name {
			found = append(found, c)
		} else {
			found = append(found, c.named(name)...)
		}
	}
	return found
}

// at follows a path such as result.code: the first name at any depth, each further one anywhere below. It returns nil
// unless exactly one element is there: an answer that says two things says nothing.
func (e *element) at(path string) *element {
	for name := range strings.SplitSeq(path, ".") {
		found := e.named(name)
		if len(found) != 1 {
			return nil
		}
		e = found[0]
	}
	return e
}

// trimmed is the text of an element that has no children; nothing for others.
func (e *element) trimmed() string {
	if e == nil || len(e.children) > 0 {
		return ""
	}
	return string(bytes.TrimSpace(e.text))
}

// payload is where a result stands: the SOAP body of an envelope, else the document itself.
func payload(root *element) *element {
	if root.name != "Envelope" {
		return &element{children: []*element{root}}
	}
	for _, c := range root.children {
		if c.name == "Body" {
			return c
		}
	}
	return &element{}
}

// soapFault is what went wrong before the OA looked at the item.
type soapFault struct{ code, text string }

// faultIn returns the fault of a SOAP 1.1 (faultcode, faultstring) or 1.2 (Code/Value, Reason/Text) body, nil when there
// is none. The prefix of the code is dropped.
func faultIn(body *element) *soapFault {
	for _, c := range body.children {
		if c.name != "Fault" {
			continue
		}
		f := &soapFault{code: c.at("faultcode").trimmed(), text: c.at("faultstring").trimmed()}
		for _, part := range c.children {
			if part.name == "Code" && len(part.children) > 0 {
				f.code = part.children[0].trimmed()
			}
			if texts := part.named("Text"); part.name == "Reason" && len(texts) > 0 {
				f.text = texts[0].trimmed()
			}
		}
		f.code = f.code[strings.LastIndexByte(f.code, ':')+1:]
		return f
	}
	return nil
}

// judgeXML reads an XML or SOAP answer (F15). A fault is looked for first. Then the element XMLJSONField is looked up; its
// text is a JSON or XML document, plain, in CDATA or HTML-escaped once more. When there is no such document, the names of
// the mapping are those of elements.
func (r Result) judgeXML(document []byte) Verdict {
	root, err := readXML(document)
	if err != nil || strings.EqualFold(root.name, "html") {
		return Verdict{}
	}
	body := payload(root)
	if f := faultIn(body); f != nil {
		return Verdict{Readable: true, Fault: orDefault(clean(f.code), "without a code"), Message: clean(f.text)}
	}
	holder := body.at(r.XMLJSONField).trimmed()
	for _, text := range []string{holder, html.UnescapeString(holder)} {
		switch {
		case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
			if v, ok := r.judgeJSON([]byte(text)); ok {
				return v
			}
		case strings.HasPrefix(text, "<"):
			if inner, err := readXML([]byte(text)); err == nil {
				return r.judgeElements(payload(inner))
			}
		}
	}
	return r.judgeElements(body)
}

// judgeElements looks the names of the mapping up as local names of elements.
func (r Result) judgeElements(scope *element) Verdict {
	v := Verdict{Readable: true, OK: r.CodeName == ""}
	if r.DataName != "" {
		if scope = scope.at(r.DataName); scope == nil {
			return v
		}
	}
	if r.MsgName != "" {
		v.Message = clean(scope.at(r.MsgName).trimmed())
	}
	if r.CodeName != "" {
		code := scope.at(r.CodeName).trimmed()
		v.Code, v.OK = clean(code), code != "" && code == r.SuccessCode
	}
	return v
}
