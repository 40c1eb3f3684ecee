package drivers

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

// acme is a driver of somebody else: it writes items in one line, with its password in a header of its own.
type acme struct{ parts Parts }

func (a acme) Push(ctx context.Context, req scenario.Request, _ scenario.Result) oa.Attempt {
	password, err := a.parts.Credential("password", rotation.Current)
	if err != nil {
		return oa.Attempt{Class: oa.AuthExpired, Message: err.Error()}
	}
	r, err := http.NewRequestWithContext(ctx, req.Method, a.parts.Exchange.Endpoint.String()+req.Path, strings.NewReader(string(req.Body)))
	if err != nil {
		return oa.Attempt{Class: oa.Internal, Message: err.Error()}
	}
	r.Header.Set("X-Acme", password)
	resp, err := a.parts.Exchange.Client.Do(r)
	if err != nil {
		return oa.NetworkFailure(err, r.Host, oa.StageConnect, oa.Patience{})
	}
	_ = resp.Body.Close()
	return oa.Attempt{Status: resp.StatusCode}
}

func (a acme) Probe(context.Context) oa.Attempt { return oa.Attempt{} }

// A driver that a program registers gets its items like one that ships: the connector's address, the egress policy and the
// Secrets as they are now; a type has one driver. // F89
func TestADriverOfOnesOwn(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Header.Get("X-Acme")+" "+r.URL.Path+" "+string(body))
	}))
	t.Cleanup(server.Close)
	Register("Acme", func(p Parts) (oa.Pusher, error) { return acme{p}, nil })
	t.Cleanup(func() { delete(vendors, "Acme") })

	b := &bundle.Bundle{Format: bundle.Format, Type: "Acme", OA: bundle.OA{URL: server.URL, AllowedCIDRs: []string{"127.0.0.0/8"}}}
	p := &pod{t: t, secrets: t.TempDir()}
	pusher, err := New(b, p.secrets, time.Now, Options{})
	if err != nil {
		t.Fatal(err)
	}
	request := scenario.Request{Method: http.MethodPost, Path: "/todo", Body: []byte("T-1")}
	if a := pusher.Push(t.Context(), request, scenario.Result{}); a.Class != oa.AuthExpired || !strings.Contains(a.Message, "the key password is missing") {
		t.Errorf("without the Secret: %+v", a)
	}
	p.write("credentials/password", "pw")
	if a := pusher.Push(t.Context(), request, scenario.Result{}); a.Class != oa.OK || len(got) != 1 || got[0] != "pw /todo T-1" {
		t.Errorf("%+v, %q", a, got)
	}
	b.OA.AllowedCIDRs = nil
	if pusher, err = New(b, p.secrets, time.Now, Options{}); err != nil {
		t.Fatal(err)
	}
	if a := pusher.Push(t.Context(), request, scenario.Result{}); a.Reason != "EgressDenied" {
		t.Errorf("the egress policy: %+v", a)
	}

	defer func() {
		if recover() == nil {
			t.Error("a second driver of a type was taken")
		}
	}()
	Register("Seeyon", func(p Parts) (oa.Pusher, error) { return acme{p}, nil })
}
