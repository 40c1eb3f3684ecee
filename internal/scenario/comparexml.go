package scenario

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// node of an XML document in the form in which documents are compared: names have their namespace, and there are no
// comments.
type node struct {
	name       xml.Name
	attributes []xml.Attr
	text       string
	children   []*node
}

// compareXML compares two XML documents and returns the first difference; nothing when they are equal. White space between
// elements, the order of attributes, comments, CDATA and the choice of prefixes do not matter. Texts that are JSON on both
// sides are compared as JSON.
func compareXML(want, got []byte) (field, message string) {
	wanted, err := readNode(want)
	if err != nil {
		return "body", "the wanted body is not XML: " + err.Error()
	}
	if len(got) == 0 {
		return "body", "the request has no body"
	}
	sent, err := readNode(got)
	if err != nil {
		return "body", "the rendered body is not XML: " + err.Error()
	}
	if wanted.name != sent.name {
		return "body", fmt.Sprintf("want the element %s, got %s", nameOf(wanted.name), nameOf(sent.name))
	}
	return wanted.difference("body."+sent.name.Local, sent)
}

func readNode(document []byte) (*node, error) {
	if _, bad := parseXML(string(document)); bad != nil {
		return nil, bad
	}
	d := xml.NewDecoder(bytes.NewReader(document))
	top := &node{}
	open := []*node{top}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return top.children[0], nil
		}
		if err != nil {
			return nil, err
		}
		last := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{name: t.Name}
			for _, a := range t.Attr {
				if declares, _ := declaration(a.Name); !declares {
					n.attributes = append(n.attributes, a)
				}
			}
			last.children = append(last.children, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			last.text += string(t)
		}
	}
}

// content is the text of an element. Beside other elements the space around it is layout.
func (n *node) content() string {
	if len(n.children) > 0 {
		return strings.TrimSpace(n.text)
	}
	return n.text
}

func (n *node) attribute(name xml.Name) (string, bool) {
	for _, a := range n.attributes {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// difference compares two elements of the same name.
func (n *node) difference(path string, got *node) (field, message string) {
	const missing, extra = "is wanted, but is not in the request", "is in the request, but is not wanted"
	for _, a := range n.attributes {
		value, ok := got.attribute(a.Name)
		if !ok {
			return path + ".@" + a.Name.Local, missing
		}
		if f, m := differentText(path+".@"+a.Name.Local, a.Value, value); m != "" {
			return f, m
		}
	}
	for _, a := range got.attributes {
		if _, ok := n.attribute(a.Name); !ok {
			return path + ".@" + a.Name.Local, extra
		}
	}
	for i, w := range n.children {
		at := path + "." + w.name.Local
		if i >= len(got.children) {
			return at, missing
		}
		g := got.children[i]
		if w.name != g.name {
			return at, fmt.Sprintf("want the element %s, got %s", nameOf(w.name), nameOf(g.name))
		}
		if f, m := w.difference(at, g); m != "" {
			return f, m
		}
	}
	if len(got.children) > len(n.children) {
		return path + "." + got.children[len(n.children)].name.Local, extra
	}
	return differentText(path, n.content(), got.content())
}

func differentText(path, want, got string) (field, message string) {
	if want == got {
		return "", ""
	}
	if looksLikeJSON(strings.TrimSpace(want)) && looksLikeJSON(strings.TrimSpace(got)) {
		w, err := decode([]byte(want))
		if g, err2 := decode([]byte(got)); err == nil && err2 == nil {
			return firstDifference(path, w, g)
		}
	}
	return path, fmt.Sprintf("want %s, got %s", short(want), short(got))
}
