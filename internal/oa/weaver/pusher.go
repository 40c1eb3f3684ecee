// Package weaver writes into the unified to-do centre (统一待办中心) of a Weaver (泛微) e-cology, over REST or as a web
// service. The OA trusts the registered system code and the network, so there is no account [WV-BLOG, WV-C1, WV-SOAP].
package weaver

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Name of the type.
const Name = "Weaver"

// NewPusher returns a pusher; its probe knocks at the OA's front door, because no call only reads.
func NewPusher(c exchange.Config) *exchange.Pusher {
	c.Vendor = exchange.Vendor{
		Name: Name, Errors: exchange.Errors{Book: dictionary.Of(Name)},
		Grant:  "must permit this system code and the addresses of the cluster",
		Before: before, Check: check,
	}
	return exchange.New(c)
}

// before reads what the result mapping cannot. A refusal of the whole system (the to-do centre is off, the system code is
// not registered, the address is not permitted) is none of the item's: it waits. The answer to a batch is taken to be the
// list of the results; which is which is not public, so unless all say success each item goes once more, alone.
func before(x exchange.Answer, result scenario.Result) (oa.Attempt, bool) {
	answers := [][]byte{x.Text}
	list := gjson.ParseBytes(x.Text)
	if list.IsArray() && gjson.ValidBytes(x.Text) {
		answers = answers[:0]
		for _, one := range list.Array() {
			answers = append(answers, []byte(one.Raw))
		}
	}
	var refusal *oa.Attempt
	for _, one := range answers {
		verdict := result.Judge(one)
		if verdict.OK {
			continue
		}
		kind := dataType(one, result)
		e, ok := dictionary.Of(Name).Find(kind)
		if ok && e.Reason != "" {
			return oa.Attempt{Class: oa.Class(e.Class), Reason: e.Reason, Message: exchange.Quote(fmt.Sprintf(
				"the OA takes nothing from this system (%s %s): %s", kind, verdict.Message, e.Next.EN))}, true
		}
		if refusal == nil {
			refusal = &oa.Attempt{Class: oa.BusinessCode, Message: exchange.Quote("the OA refused an item of the group: " + verdict.Message)}
		}
	}
	switch {
	case !list.IsArray() || len(answers) == 0:
		return oa.Attempt{}, false
	case refusal != nil:
		return *refusal, true
	}
	return check(x), true
}

// dataType of an answer says what the OA looked at when it refused [WV-BLOG].
func dataType(answer []byte, result scenario.Result) string {
	return scenario.Result{CodeName: "dataType", SuccessCode: "-", XMLJSONField: result.XMLJSONField}.Judge(answer).Code
}

// check: the OA takes a to-do without a link, says operResult 1, and nobody can open it.
func check(x exchange.Answer) oa.Attempt {
	body := x.Body
	if in := in0(x.Body); in != nil {
		body = in
	}
	if !gjson.ValidBytes(body) {
		return oa.Attempt{}
	}
	items := []gjson.Result{gjson.ParseBytes(body)}
	if items[0].IsArray() {
		items = items[0].Array()
	}
	for _, item := range items {
		// A call that ends or withdraws an item has no need of a link.
		pc := item.Get("pcurl")
		if item.Get("isremark").String() == "0" && pc.Exists() && pc.String() == "" && item.Get("appurl").String() == "" {
			return oa.Attempt{Class: oa.BusinessCode, Message: "the OA took a to-do without a link, which nobody can open: " +
				"set spec.sso.host, or give pcurl and appurl an address of the CRM in the template; an update then mends the item"}
		}
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
