package exchange

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

// maxCaptured bounds a value that is kept of an answer, in bytes.
const maxCaptured = 1 << 10

// Resolve asks the lookup of a request and returns the request that goes out; an Attempt when none does, because the OA
// could not be asked, or does not have what the request is about.
func (p *Pusher) Resolve(ctx context.Context, req scenario.Request) (scenario.Request, *oa.Attempt) {
	ask := req.Lookup
	if ask == nil {
		return req, nil
	}
	var found map[string]string
	missing := false
	x := p.exchanged(ctx, ask.Request, func(x Answer) (oa.Attempt, bool) {
		if p.refused(x, ask.Result.Judge(x.Text)) {
			return p.judge(x, ask.Result)
		}
		presence, _, message := scenario.ClassifyReadBack(x.Status, x.Text, ask.Result)
		ok := false
		switch presence {
		case scenario.Found:
			if found, ok = ask.Read(x.Text); ok {
				return oa.Attempt{}, false
			}
			missing = true
			return oa.Attempt{}, false
		case scenario.Missing:
			a, refused := p.judge(x, ask.Result)
			missing = a.Class == oa.OK || a.Class == oa.BusinessCode || a.Class == oa.ReceiverUnknown || a.Class == oa.ServerError && x.Status < 500
			if a.Class == oa.OK {
				a.Message = Quote(message)
			}
			return a, refused
		}
		a, refused := p.judge(x, ask.Result)
		missing = a.Class == oa.BusinessCode || a.Class == oa.ReceiverUnknown
		return a, refused
	})
	if x.attempt.Class != oa.OK && !missing {
		x.attempt.Message = "lookup: " + x.attempt.Message
		return scenario.Request{}, &x.attempt
	}
	if missing {
		found = nil
	}
	out, err := ask.Complete(found)
	switch {
	case errors.Is(err, scenario.ErrMissing):
		x.attempt.Class, x.attempt.Reason, x.attempt.Message = oa.OK, "", err.Error()
	case missing && err != nil && x.attempt.Class == oa.ReceiverUnknown: // says more than that nothing was found
	case missing && err != nil:
		x.attempt.Class, x.attempt.Reason, x.attempt.Message = oa.BusinessCode, "", Quote(fmt.Sprintf("%v; %s", err, x.attempt.Message))
	case err != nil:
		x.attempt.Class, x.attempt.Reason, x.attempt.Message = oa.Internal, "", err.Error()
	case p.c.Pace != nil && p.c.Pace(ctx) != nil:
		x.attempt = oa.Attempt{Class: oa.Timeout, Message: "the item was not sent: its lookup and the rate limit used up the time"}
	default:
		return out, nil
	}
	return scenario.Request{}, &x.attempt
}

// without does what the template wants in place of a call whose value of an earlier answer is used up.
func (p *Pusher) without(ctx context.Context, req scenario.Request, result scenario.Result, refused answered) oa.Attempt {
	a := refused.attempt
	instead, err := req.Without()
	switch {
	case errors.Is(err, scenario.ErrMissing):
		a.Class, a.Reason, a.Message = oa.OK, "", "what the OA gave for this change is used up or too old, so the item stays there as it is"
		a.Captured = captured(scenario.Request{Spends: req.Spends}, nil)
		return a
	case err != nil:
		a.Class, a.Reason, a.Message = oa.Internal, "", err.Error()
		return a
	case p.c.Pace != nil && p.c.Pace(ctx) != nil:
		a.Message += "; what takes its place was not sent: the rate limit used up the time"
		return a
	}
	a = p.push(ctx, instead, result)
	if a.Class == oa.OK {
		for _, name := range req.Spends {
			if a.Captured[name] == "" {
				a.Captured = with(a.Captured, name, "")
			}
		}
	}
	return a
}

func with(values map[string]string, name, value string) map[string]string {
	if values == nil {
		values = map[string]string{}
	}
	values[name] = value
	return values
}

// captured are the values of a successful answer that the request asks to keep, and those that it used up.
func captured(req scenario.Request, answer []byte) map[string]string {
	if len(req.Captures) == 0 && len(req.Spends) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, name := range req.Spends {
		out[name] = ""
	}
	for _, c := range req.Captures {
		if v := gjson.GetBytes(answer, scenario.LiteralPath(c.Path)).String(); v != "" && len(v) <= maxCaptured {
			out[c.Name] = v
		}
	}
	return out
}
