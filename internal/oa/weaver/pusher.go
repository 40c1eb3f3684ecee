// Package weaver writes into the unified to-do centre (统一待办中心) of a Weaver (泛微) e-cology, over REST or as a web
// service. The OA trusts the registered system code and the network, so there is no account [WV-BLOG, WV-C1, WV-SOAP].
package weaver

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/oa/exchange"
)

// Name of the type.
const Name = "Weaver"

// NewPusher returns a pusher; its probe knocks at the OA's front door, because no call only reads.
func NewPusher(c exchange.Config) *exchange.Pusher {
	c.Vendor = exchange.Vendor{
		Name: Name, Errors: exchange.Errors{Book: dictionary.Of(Name)},
		Grant: "must permit this system code and the addresses of the cluster",
		Check: check,
	}
	return exchange.New(c)
}

// check: the OA takes a to-do without a link, says operResult 1, and nobody can open it.
func check(x exchange.Answer) oa.Attempt {
	item := x.Body
	if in := in0(x.Body); in != nil {
		item = in
	}
	if !gjson.ValidBytes(item) {
		return oa.Attempt{}
	}
	f := gjson.GetManyBytes(item, "isremark", "pcurl", "appurl")
	// A call that ends or withdraws an item has no need of a link.
	if f[0].String() == "0" && f[1].Exists() && f[1].String() == "" && f[2].String() == "" {
		return oa.Attempt{Class: oa.BusinessCode, Message: "the OA took a to-do without a link, which nobody can open: " +
			"set spec.sso.host, or give pcurl and appurl an address of the CRM in the template; an update then mends the item"}
	}
	return oa.Attempt{}
}

// in0 is the document inside the envelope of a web service call [WV-SOAP]; nil when the body is no envelope.
func in0(body []byte) []byte {
	if body = bytes.TrimSpace(body); len(body) == 0 || body[0] != '<' {
		return nil
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) || err != nil {
			return nil
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "in0" {
			var text string
			if d.DecodeElement(&text, &start) != nil {
				return nil
			}
			return []byte(text)
		}
	}
}
