// Package soap reads the SOAP requests that the simulators get and writes the answers in the ways that OA servers do:
// SOAP 1.1 and 1.2, in UTF-8 or GBK, with faults. It knows no WSDL: an operation is an element with parameters.
package soap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Version is a version of SOAP, told by the namespace of the envelope.
type Version int

// The versions of SOAP.
const (
	V11 Version = 11
	V12 Version = 12
)

// namespaces of the envelope.
var namespaces = map[string]Version{
	"http://schemas.xmlsoap.org/soap/envelope/": V11,
	"http://www.w3.org/2003/05/soap-envelope":   V12,
}

const (
	// maxDepth and maxElements bound a request.
	maxDepth    = 32
	maxElements = 10_000
)

// Element is an element of a request, by local name.
type Element struct {
	Name     string
	Space    string
	Text     string // its own character data
	Children []*Element
}

// Call is one request.
type Call struct {
	Version   Version
	Header    *Element // nil: none
	Operation *Element // the first element of the body
}

// Child returns the first child of a local name.
func (e *Element) Child(name string) *Element {
	if e == nil {
		return nil
	}
	for _, c := range e.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Value returns the text of the first child of a local name.
func (e *Element) Value(name string) string {
	if c := e.Child(name); c != nil {
		return c.Text
	}
	return ""
}

// Read takes a request apart.
func Read(body []byte) (Call, error) {
	root, err := Parse(body)
	if err != nil {
		return Call{}, err
	}
	version, ok := namespaces[root.Space]
	if root.Name != "Envelope" || !ok {
		return Call{}, fmt.Errorf("{%s}%s is not an envelope of SOAP 1.1 or 1.2", root.Space, root.Name)
	}
	call := Call{Version: version, Header: root.Child("Header")}
	if b := root.Child("Body"); b != nil && len(b.Children) == 1 {
		call.Operation = b.Children[0]
		return call, nil
	}
	return call, errors.New("the body of the envelope must hold one operation")
}

// Parse reads an XML document. A document type is refused, and with it every entity that is not one of the five.
func Parse(body []byte) (*Element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = charset
	var root *Element
	var open []*Element
	for n := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not well-formed: %w", err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, errors.New("a document type is not allowed")
		case xml.StartElement:
			n++
			if n > maxElements || len(open) >= maxDepth {
				return nil, fmt.Errorf("more than %d elements or %d levels", maxElements, maxDepth)
			}
			e := &Element{Name: t.Name.Local, Space: t.Name.Space}
			switch {
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.Children = append(parent.Children, e)
			case root != nil:
				return nil, errors.New("more than one root element")
			default:
				root = e
			}
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].Text += string(t)
			}
		}
	}
	if root == nil {
		return nil, errors.New("no root element")
	}
	return root, nil
}

func charset(label string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-8", "utf8":
		return input, nil
	case "gbk", "gb2312", "gb18030":
		return simplifiedchinese.GB18030.NewDecoder().Reader(input), nil
	default:
		return nil, fmt.Errorf("the character set %q is not known", label)
	}
}
