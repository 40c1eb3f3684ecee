package scenario

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// The namespaces of the envelopes of SOAP 1.1 and 1.2.
const (
	soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12 = "http://www.w3.org/2003/05/soap-envelope"
)

// ContentTypeXML of an XML body that is no SOAP 1.2 envelope, unless the template sets another one.
const ContentTypeXML = "text/xml; charset=utf-8"

const (
	contentTypeSOAP12 = "application/soap+xml; charset=utf-8"
	headerSOAPAction  = "Soapaction" // in canonical form
)

// asWebservice gives a call with an XML body the headers of its SOAP version, which the namespace of the envelope tells:
// text/xml and a quoted SOAPAction for 1.1, application/soap+xml with the action as a parameter for 1.2. The action is
// that of the template's header SOAPAction, in quotes or not; without one it is empty.
func (c *call) asWebservice(field, body string) []Problem {
	document, bad := parseXML(body)
	if bad != nil {
		return []Problem{{bad.reason, field + ".body", bad.message}}
	}
	c.contentType = ContentTypeXML
	envelope := document.root.Local == "Envelope"
	if !envelope {
		return nil
	}
	action, bad := c.takeAction()
	if bad != nil {
		return []Problem{{bad.reason, field + ".headers[SOAPAction]", bad.message}}
	}
	switch document.root.Space {
	case soap11:
		c.headers = append(c.headers, header{headerSOAPAction, []part{{op: opText, text: `"` + action + `"`}}})
	case soap12:
		c.contentType = contentTypeSOAP12
		if action != "" {
			c.contentType += `; action="` + action + `"`
		}
	default:
		return []Problem{{reasonBody, field + ".body", fmt.Sprintf(
			"the namespace %q of the Envelope is that of no SOAP version; SOAP 1.1 has %s, SOAP 1.2 has %s", document.root.Space, soap11, soap12)}}
	}
	return nil
}

// takeAction removes the header SOAPAction and returns its value without quotes.
func (c *call) takeAction() (string, *fault) {
	i := slices.IndexFunc(c.headers, func(h header) bool { return h.name == headerSOAPAction })
	if i < 0 {
		return "", nil
	}
	value := c.headers[i].value
	c.headers = slices.Delete(c.headers, i, i+1)
	if len(value) == 0 {
		return "", nil
	}
	action := value[0].text
	if n := len(action); n > 1 && action[0] == '"' && action[n-1] == '"' {
		action = action[1 : n-1]
	}
	if len(value) > 1 || value[0].op != opText || strings.ContainsAny(action, `"\`) {
		return "", &fault{reasonTemplate, `the SOAP action is a fixed URI: it must hold no placeholder, quote or backslash`}
	}
	return action, nil
}

// nameOf writes a name with its namespace as people do: {namespace}local.
func nameOf(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}
