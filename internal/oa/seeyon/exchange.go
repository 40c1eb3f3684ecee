package seeyon

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

	"github.com/oabridge/oabridge/api/v1alpha1"
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

// exchange is one HTTP request and its answer, with nothing masked yet.
type exchange struct {
	method  string
	url     *url.URL
	request []byte

	status int
	header http.Header
	body   []byte // UTF-8
	// failure has a class when there is no answer to judge.
	failure oa.Attempt
}

// address returns the URL of a path below the endpoint.
func (p *Pusher) address(path string) (*url.URL, error) {
	base := *p.c.Endpoint
	base.RawQuery, base.Fragment, base.User = "", "", nil
	u, err := url.Parse(strings.TrimRight(base.String(), "/") + path)
	if err != nil || !strings.HasPrefix(path, "/") || u.Host != base.Host || u.User != nil {
		// Whatever the template says, a call never goes to another host.
		return nil, errors.New("the path of the call is malformed: it must start with a slash and be percent-encoded; correct it in the template")
	}
	return u, nil
}

// staged follows how far the exchange of a context gets.
func staged(ctx context.Context) (context.Context, func() oa.Stage) {
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

// exchange sends a request and reads the whole answer.
func (p *Pusher) exchange(ctx context.Context, method string, u *url.URL, header http.Header, body []byte) exchange {
	x := exchange{method: method, url: u, request: body}
	ctx, cancel := context.WithTimeout(ctx, p.c.Timeout)
	defer cancel()
	ctx, stage := staged(ctx)
	fail := func(err error) exchange {
		x.failure = oa.NetworkFailure(err, u.Host, stage(), oa.Patience{Limit: p.c.Timeout, Else: ", or raise spec.delivery.timeout"})
		return x
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		x.failure = oa.Attempt{Class: oa.Internal, Message: "the method of the call is malformed: correct it in the template"}
		return x
	}
	req.Header = header
	resp, err := p.c.Client.Do(req)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = resp.Body.Close() }()
	x.status, x.header = resp.StatusCode, resp.Header
	x.body, err = outbound.ReadBody(resp, maxAnswer)
	x.body = scenario.Decode(resp.Header.Get("Content-Type"), x.body)
	switch {
	case errors.Is(err, outbound.ErrTooLarge):
		x.failure = unexpected(fmt.Sprintf("the answer (%d) is longer than %d bytes: %s", x.status, maxAnswer, checkAddress))
	case err != nil:
		return fail(err)
	}
	return x
}

// record completes an Attempt with the masked exchange.
func (x exchange) record(a oa.Attempt, m *oa.Masker) oa.Attempt {
	a.Method, a.URL = x.method, m.String(x.url.String())
	a.Request, a.Answer = m.Bytes(x.request, maxKept), m.Bytes(x.body, maxKept)
	a.Message = m.String(a.Message)
	a.Status = x.status
	return a
}

// unexpected is the failure of an OA that answers something else than its REST interface does.
func unexpected(message string) oa.Attempt {
	return oa.Attempt{Class: oa.ServerError, Reason: v1alpha1.ReasonUnexpectedBody, Message: message}
}
