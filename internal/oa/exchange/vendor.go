package exchange

import (
	"context"
	"net/http"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Vendor is what only one OA says. The zero value of each field is the common reading.
type Vendor struct {
	// Name is the type of the connector, such as WeCom.
	Name string
	// Errors gives codes of the OA their meaning. CodeName is the path of the code in a JSON answer; empty means the code
	// that the template's result mapping names. CodeOf reads it where one path is not enough.
	Errors   Errors
	CodeName string
	CodeOf   func(answer []byte) string
	// Prepare makes of a rendered call what the OA insists on and a template cannot say; its error is about the call.
	Prepare func(m *Message) error
	// Tidy takes what is different each time out of the OA's words, such as the number of the request.
	Tidy func(words string) string
	// Refused reports whether an answer says that the OA does not accept the token (any more); nil means HTTP 401 and the
	// codes that Errors calls token-lost.
	Refused func(x Answer, v scenario.Verdict) bool
	// Grant says what the OA administrator must do when a call with a proper token is forbidden, such as "must grant this
	// REST user the third-party to-do module".
	Grant string
	// Before may decide before the result mapping is asked; ok is false when it does not.
	Before func(x Answer, result scenario.Result) (a oa.Attempt, ok bool)
	// Check looks at an answer that the result mapping calls success: HTTP 200 and a success code are not delivery. It
	// returns a class other than OK when the OA did not take the item all the same.
	Check func(x Answer) oa.Attempt
	// Spent reports whether the OA refused a call because a value of an earlier answer that stands in it is used up or too
	// old; nil means never. What the template wants instead then happens.
	Spent func(x Answer) bool
	// RetryAfter is the OA's own header for what Retry-After says, in the same form; empty means it has none.
	RetryAfter string
	// Accept is the header Accept; default application/json.
	Accept string
	// Knock is what a probe asks when there are no tokens; the zero Request is GET /. Any answer below 500 counts, unless it
	// refuses the account.
	Knock scenario.Request
}

// Errors is the error dictionary of one OA.
type Errors struct{ dictionary.Book }

// Lookup returns the entry of a code.
func (e Errors) Lookup(code string) (entry, bool) {
	found, ok := e.Find(code)
	return entry{found}, ok
}

type entry struct{ dictionary.Entry }

// code is the OA's own code of an answer.
func (v *Vendor) code(x Answer, verdict scenario.Verdict) string {
	switch {
	case v.CodeName == "" && v.CodeOf == nil:
		return verdict.Code
	case !gjson.ValidBytes(x.Text):
	case v.CodeOf != nil:
		return v.CodeOf(x.Text)
	default:
		return gjson.GetBytes(x.Text, v.CodeName).String()
	}
	return ""
}

// attempt is a failure that the dictionary explains; said is what the OA said.
func (e entry) attempt(said string) oa.Attempt {
	return oa.Attempt{Class: oa.Class(e.Class), Reason: e.Reason, Message: said + ": " + e.Next.EN}
}

// tidied is an attempt whose message reads the same each time.
func (v *Vendor) tidied(a oa.Attempt) oa.Attempt {
	if v.Tidy != nil {
		a.Message = v.Tidy(a.Message)
	}
	return a
}

func (v *Vendor) accept() string {
	if v.Accept != "" {
		return v.Accept
	}
	return "application/json"
}

// knock asks the OA whether it is there and, where calls show the account itself, whether it accepts that. It writes
// nothing. A strict one wants to know of the headers too, so any answer that forbids the call counts.
func (p *Pusher) knock(ctx context.Context, s session, token string, strict bool) oa.Attempt {
	req := p.c.Vendor.Knock
	if req.Path == "" {
		req.Method, req.Path = http.MethodGet, "/"
	}
	result := scenario.Result{XMLJSONField: scenario.DefaultXMLJSONField}
	x, _ := p.send(ctx, s, token, req, func(x Answer) (oa.Attempt, bool) {
		if v := result.Judge(x.Text); p.c.Auth.Credentials != nil && p.tokens == nil && p.refused(x, v) || strict && (p.refused(x, v) || forbidden(x)) {
			return rejected(Quote(p.refusal(x, v))), false
		}
		a, _ := p.outage(x, result)
		if a.Class == oa.ServerError && x.Status < http.StatusInternalServerError {
			return oa.Attempt{}, false // a page or a redirect: somebody is there
		}
		return a, false
	})
	return x.attempt
}
