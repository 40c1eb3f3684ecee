package sample

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// maxTypeDepth bounds how deep the types of a WSDL are followed.
const maxTypeDepth = 8

// definitions is a WSDL 1.1, as far as an envelope needs it.
type definitions struct {
	XMLName         xml.Name
	TargetNamespace string       `xml:"targetNamespace,attr"`
	Schemas         []wsdlSchema `xml:"types>schema"`
	Messages        []struct {
		Name  string     `xml:"name,attr"`
		Parts []wsdlPart `xml:"part"`
	} `xml:"message"`
	Operations []wsdlOperation `xml:"portType>operation"`
	Bindings   []struct {
		Name       string `xml:"name,attr"`
		Operations []struct {
			Name string `xml:"name,attr"`
			SOAP struct {
				Action string `xml:"soapAction,attr"`
			} `xml:"operation"`
		} `xml:"operation"`
	} `xml:"binding"`
	Addresses []struct {
		Location string `xml:"location,attr"`
	} `xml:"service>port>address"`
}

type wsdlSchema struct {
	TargetNamespace string `xml:"targetNamespace,attr"`
	ElementForm     string `xml:"elementFormDefault,attr"`
	Imports         []struct {
		Location string `xml:"schemaLocation,attr"`
	} `xml:"import"`
	Elements []wsdlElement `xml:"element"`
	Types    []wsdlType    `xml:"complexType"`
}

type wsdlPart struct {
	Name    string `xml:"name,attr"`
	Element string `xml:"element,attr"`
	Type    string `xml:"type,attr"`
}

type wsdlOperation struct {
	Name  string `xml:"name,attr"`
	Input struct {
		Message string `xml:"message,attr"`
	} `xml:"input"`
}

type wsdlElement struct {
	Name   string    `xml:"name,attr"`
	Type   string    `xml:"type,attr"`
	Ref    string    `xml:"ref,attr"`
	Inline *wsdlType `xml:"complexType"`
}

type wsdlType struct {
	Name     string        `xml:"name,attr"`
	Sequence []wsdlElement `xml:"sequence>element"`
	All      []wsdlElement `xml:"all>element"`
}

// isWSDL reports whether the root element of a document is that of a WSDL 1.1.
func isWSDL(text string) bool {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.RawToken()
		if err != nil {
			return false
		}
		if start, ok := token.(xml.StartElement); ok {
			return start.Name.Local == "definitions"
		}
	}
}

// wsdl writes an envelope of SOAP 1.1 for one operation.
func (m *maker) wsdl(text string) error {
	var w definitions
	if err := xml.Unmarshal([]byte(text), &w); err != nil {
		return fmt.Errorf("the WSDL cannot be read: %w", err)
	}
	operation, err := w.operation(m.options.Operation)
	if err != nil {
		return err
	}
	m.out.Protocol = v1alpha1.ProtocolWebservice
	m.out.Action = w.action(operation.Name)
	m.out.Path = w.path()
	parts, err := w.parts(operation)
	if err != nil {
		return err
	}
	e := wsdlEnvelope{maker: m, wsdl: w}
	return e.write(operation.Name, parts)
}

func (w definitions) operation(name string) (wsdlOperation, error) {
	var all []string
	for _, o := range w.Operations {
		if o.Name == name || name == "" && len(w.Operations) == 1 {
			return o, nil
		}
		all = append(all, o.Name)
	}
	if len(all) == 0 {
		return wsdlOperation{}, errors.New("the WSDL has no operations; perhaps it imports them: take the WSDL that it imports")
	}
	return wsdlOperation{}, fmt.Errorf("the WSDL has several operations; choose one with --operation: %s", strings.Join(all, ", "))
}

func (w definitions) action(operation string) string {
	for _, b := range w.Bindings {
		for _, o := range b.Operations {
			if o.Name == operation && o.SOAP.Action != "" {
				return o.SOAP.Action
			}
		}
	}
	return ""
}

// path of the first address of the service.
func (w definitions) path() string {
	for _, a := range w.Addresses {
		if u, err := url.Parse(a.Location); err == nil && strings.HasPrefix(u.Path, "/") {
			return u.EscapedPath()
		}
	}
	return ""
}

func (w definitions) parts(o wsdlOperation) ([]wsdlPart, error) {
	for _, message := range w.Messages {
		if message.Name == local(o.Input.Message) {
			return message.Parts, nil
		}
	}
	return nil, fmt.Errorf("the WSDL has no message %q, which the operation %s takes", o.Input.Message, o.Name)
}

// local is a name without its prefix.
func local(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

// element finds a top-level element and its schema.
func (w definitions) element(name string) (wsdlElement, wsdlSchema, error) {
	for _, s := range w.Schemas {
		for _, e := range s.Elements {
			if e.Name == local(name) {
				return e, s, nil
			}
		}
	}
	for _, s := range w.Schemas {
		for _, i := range s.Imports {
			if i.Location != "" {
				return wsdlElement{}, s, fmt.Errorf("the WSDL imports the type %s from %s; take the WSDL as one file (often ?singleWsdl)", name, i.Location)
			}
		}
	}
	return wsdlElement{}, wsdlSchema{}, fmt.Errorf("the WSDL does not say what the element %s is", name)
}

// children of an element; nothing for a simple one.
func (w definitions) children(e wsdlElement) []wsdlElement {
	t := e.Inline
	for i := 0; t == nil && i < len(w.Schemas); i++ {
		for k := range w.Schemas[i].Types {
			if w.Schemas[i].Types[k].Name == local(e.Type) && e.Type != "" {
				t = &w.Schemas[i].Types[k]
			}
		}
	}
	if t == nil {
		return nil
	}
	return append(t.Sequence[:len(t.Sequence):len(t.Sequence)], t.All...)
}

type wsdlEnvelope struct {
	*maker
	wsdl definitions
	out  strings.Builder
}

func (e *wsdlEnvelope) write(operation string, parts []wsdlPart) error {
	namespace, qualified := e.wsdl.TargetNamespace, false
	var root wsdlElement
	if len(parts) == 1 && parts[0].Element != "" { // document style
		found, schema, err := e.wsdl.element(parts[0].Element)
		if err != nil {
			return err
		}
		root, qualified = found, schema.ElementForm == "qualified"
		if schema.TargetNamespace != "" {
			namespace = schema.TargetNamespace
		}
	} else { // RPC style: the parts are the children of an element with the operation's name
		root = wsdlElement{Name: operation, Inline: &wsdlType{}}
		for _, p := range parts {
			root.Inline.Sequence = append(root.Inline.Sequence, wsdlElement{Name: p.Name, Type: p.Type})
		}
	}
	prefix := ""
	if qualified {
		prefix = "web:"
	}
	fmt.Fprintf(&e.out, envelopeStart, fmt.Sprintf(` xmlns:web="%s"`, strings.ReplaceAll(escape(namespace), `"`, "&quot;")))
	if err := e.element("    ", "web:", prefix, "", root, 0); err != nil {
		return err
	}
	e.maker.out.Body = e.out.String() + envelopeEnd
	return nil
}

// element writes one element; prefix is its own, inner that of elements in it.
func (e *wsdlEnvelope) element(indent, prefix, inner, path string, element wsdlElement, depth int) error {
	if element.Ref != "" {
		found, _, err := e.wsdl.element(element.Ref)
		if err != nil {
			return err
		}
		element, prefix = found, "web:"
	}
	if !elementName.MatchString(element.Name) {
		return fmt.Errorf("the WSDL has an element without a good name below %s", path)
	}
	tag, path := prefix+element.Name, join(path, element.Name)
	children := e.wsdl.children(element)
	if len(children) == 0 {
		fmt.Fprintf(&e.out, "%s<%s>%s</%s>\n", indent, tag, escape(e.replace(path, element.Name, "")), tag)
		return nil
	}
	if depth == maxTypeDepth {
		return fmt.Errorf("the types of the WSDL are nested more than %d deep at %s; take a sample of an envelope instead", maxTypeDepth, path)
	}
	fmt.Fprintf(&e.out, "%s<%s>\n", indent, tag)
	for _, c := range children {
		if err := e.element(indent+"  ", inner, inner, path, c, depth+1); err != nil {
			return err
		}
	}
	fmt.Fprintf(&e.out, "%s</%s>\n", indent, tag)
	return nil
}
