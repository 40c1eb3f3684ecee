package generic

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/soap"
)

// Shape is what a customer's interface document says.
type Shape struct {
	Operations []Operation `json:"operations"`
	Fields     Fields      `json:"fields"`
	Result     Result      `json:"result"`
	// Namespace of the SOAP operations.
	Namespace string `json:"namespace,omitempty"`
}

// The actions of an operation.
const (
	actionCreate   = "create" // or write over
	actionUpdate   = "update"
	actionComplete = "complete"
	actionDelete   = "delete"
	actionNotice   = "notice" // a message, not a to-do
	actionRead     = "read"   // tells the state of an item
)

var actions = []string{actionCreate, actionUpdate, actionComplete, actionDelete, actionNotice, actionRead}

// Operation is one call.
type Operation struct {
	Action string `json:"action"`
	Method string `json:"method,omitempty"` // default POST
	Path   string `json:"path"`
	// Element makes it a SOAP call: the local name of the operation.
	Element string `json:"element,omitempty"`
	// JSONIn names the parameter of a SOAP call that holds the item as JSON text; empty: the item is elements.
	JSONIn string `json:"jsonIn,omitempty"`
	// Items is the path of the list in the body of a batch call; empty: the body is one item.
	Items string `json:"items,omitempty"`
}

// Fields are the dotted paths of an item's values. A receiver may be a list; without one an update, complete or delete
// is for everybody.
type Fields struct {
	TaskID    string `json:"taskId"`
	Receiver  string `json:"receiver"`
	Title     string `json:"title"`
	Text      string `json:"text"`
	Sender    string `json:"sender"`
	URL       string `json:"url"`
	MobileURL string `json:"mobileURL"`
	Version   string `json:"version"` // older ones lose
}

// Result is the form of an answer, in dotted paths.
type Result struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Data    string `json:"data"`
	Success string `json:"success"`
	Failure string `json:"failure"`
	// Numeric writes the codes as numbers where they are some.
	Numeric bool `json:"numeric"`
	// XMLField is the element of a SOAP answer that holds the result (SEED0: out), as JSON in a form of package soap, or as
	// "elements".
	XMLField string    `json:"xmlField"`
	XMLForm  soap.Form `json:"xmlForm"`
	Prefix   string    `json:"prefix"`
}

// asElements is an XMLForm beside those of package soap.
const asElements soap.Form = "elements"

// DefaultShape has the path of the seed's example (SEED0 §2.2) and its result (code, message, success 0), the same calls
// as a SOAP service, and batches.
func DefaultShape() Shape {
	const rest, service = "/rest/transmit/fxiaoke/", "/services/TodoService"
	shape := Shape{
		Fields: Fields{
			TaskID: "taskId", Receiver: "receiver", Title: "title", Text: "content", Sender: "sender", URL: "url", MobileURL: "h5url",
			Version: "version",
		},
		Result: Result{
			Code: "code", Message: "message", Data: "data", Success: "0", Failure: "1", Numeric: true, XMLField: "out", XMLForm: soap.Escaped, Prefix: "ns1",
		},
		Namespace: "http://oa.example.com/todo",
	}
	for _, action := range actions {
		shape.Operations = append(shape.Operations,
			Operation{Action: action, Path: rest + action},
			Operation{Action: action, Path: service, Element: action + "Todo"},
			Operation{Action: action, Path: service, Element: action + "TodoByJson", JSONIn: "in0"})
		if action != actionRead {
			shape.Operations = append(shape.Operations, Operation{Action: action, Path: rest + "batch/" + action, Items: "items"})
		}
	}
	return shape
}

func (s Shape) check() error {
	seen := map[string]bool{}
	for i, op := range s.Operations {
		at := fmt.Sprintf("shape.operations[%d]", i)
		place := op.Method + " " + op.Path + " " + op.Element
		switch {
		case !slices.Contains(actions, op.Action):
			return fmt.Errorf("%s.action: %q is not one of %v", at, op.Action, actions)
		case !strings.HasPrefix(op.Path, "/") || strings.HasPrefix(op.Path, "/_sim"):
			return fmt.Errorf("%s.path: %q must start with / and not with /_sim", at, op.Path)
		case op.JSONIn != "" && op.Element == "":
			return fmt.Errorf("%s.jsonIn belongs to a SOAP call, which has an element", at)
		case op.Items != "" && op.Element != "":
			return fmt.Errorf("%s.items belongs to a REST call", at)
		case seen[place]:
			return fmt.Errorf("%s: %s is there twice", at, strings.TrimSpace(place))
		}
		seen[place] = true
	}
	if s.Fields.TaskID == "" || s.Fields.Receiver == "" || s.Result.Code == "" || s.Result.Success == "" {
		return fmt.Errorf("shape: fields.taskId, fields.receiver, result.code and result.success are required")
	}
	if s.Result.XMLForm != "" && !slices.Contains(append(slices.Clone(soap.Forms), string(asElements)), string(s.Result.XMLForm)) {
		return fmt.Errorf("shape.result.xmlForm: %q is not one of %v or elements", s.Result.XMLForm, soap.Forms)
	}
	return nil
}
