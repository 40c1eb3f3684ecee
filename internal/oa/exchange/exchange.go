package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 1 << 20
	// maxKept bounds what an Attempt keeps of a request and of an answer, in bytes.
	maxKept = 8 << 10
)

// Message is a request on its way, with nothing masked yet. A Proof may change its URL, header and body.
type Message struct {
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
}

// Answer is what came back for a Message, with nothing masked yet.
type Answer struct {
	Message
	Status int
	// Headers of the answer.
	Headers http.Header
	// Text is the body in UTF-8.
	Text []byte
	// Failure has a class when there is no answer to judge.
	Failure oa.Attempt
}

// Address returns the URL of a path below the endpoint.
func (p *Pusher) Address(path string) (*url.URL, error) {
	base := *p.c.Endpoint
	base.RawQuery, base.Fragment, base.User = "", "", nil
	u, err := url.Parse(strings.TrimRight(base.String(), "/") + path)
	if err != nil || !strings.HasPrefix(path, "/") || u.Host != base.Host || u.User != nil {
		// Whatever the template says, a call never goes to another host.
		return nil, errors.New("the path of the call is malformed: it must start with a slash and be percent-encoded; correct it in the template")
	}
	return u, nil
}

// Staged follows how far the exchange of a context gets.
func Staged(ctx context.Context) (context.Context, func() oa.Stage) {
	var stage atomic.Value
	stage.Store(oa.StageConnect)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { stage.Store(oa.StageSend) },
		WroteRequest: func(i httptrace.WroteRequestInfo) {
			if i.Err == nil {
				stage.Store(oa.StageAnswer)
			}
		},
	}), func() oa.Stage { return stage.Load().(oa.Stage) }
}

// Do sends a message and reads the whole answer. It makes exactly one exchange.
func (p *Pusher) Do(ctx context.Context, m Message) Answer {
	x := Answer{Message: m}
	ctx, cancel := context.WithTimeout(ctx, p.c.Timeout)
	defer cancel()
	ctx, stage := Staged(ctx)
	fail := func(err error) Answer {
		x.Failure = oa.NetworkFailure(err, m.URL.Host, stage(), oa.Patience{Limit: p.c.Timeout, Else: ", or raise spec.delivery.timeout"})
		return x
	}
	req, err := http.NewRequestWithContext(ctx, m.Method, m.URL.String(), bytes.NewReader(m.Body))
	if err != nil {
		x.Failure = oa.Attempt{Class: oa.Internal, Message: "the method of the call is malformed: correct it in the template"}
		return x
	}
	req.Header = m.Header
	resp, err := p.c.Client.Do(req)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = resp.Body.Close() }()
	x.Status, x.Headers = resp.StatusCode, resp.Header
	x.Text, err = outbound.ReadBody(resp, maxAnswer)
	x.Text = scenario.Decode(resp.Header.Get("Content-Type"), x.Text)
	switch {
	case errors.Is(err, outbound.ErrTooLarge):
		x.Failure = Unexpected(fmt.Sprintf("the answer (%d) is longer than %d bytes: %s", x.Status, maxAnswer, CheckAddress))
	case err != nil:
		return fail(err)
	}
	return x
}

// Record completes an Attempt with the masked exchange.
func (x Answer) Record(a oa.Attempt, m *oa.Masker) oa.Attempt {
	a.Method = x.Method
	if x.URL != nil {
		a.URL = m.String(x.URL.String())
	}
	a.Request, a.Answer = m.Bytes(x.Body, maxKept), m.Bytes(x.Text, maxKept)
	a.Message = m.String(a.Message)
	a.Status = x.Status
	return a
}
