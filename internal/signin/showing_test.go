package signin_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/signin"
)

// echo answers what it was shown, with 401 unless the header X-Api-Key is right.
func echo(t *testing.T, right string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-Api-Key") != right {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, strings.Join(append(r.Header["X-Api-Key"], r.Header["Authorization"]...), ",")+" "+string(body))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// headers of a connector: current, and next while it is replaced.
func headers(read func(rotation.Version) (string, error)) *rotation.Rotation[exchange.Headers] {
	return rotation.New(rotation.Config[exchange.Headers]{Read: func(v rotation.Version) (exchange.Headers, error) {
		value, err := read(v)
		return exchange.Headers{{Name: "X-Api-Key", Value: value, Secret: true}, {Name: "Authorization", Value: "of all calls"}}, err
	}})
}

func post(t *testing.T, client *http.Client, address string) (status int, said string, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("code=C"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "of this call")
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// A token call shows the connector's headers where they are meant for, and nowhere else; the call's own win. While one is
// replaced, a refused call goes out again as it was.
func TestHeadersAreShownToOneOrigin(t *testing.T) { // F9
	current, next := "first", "first"
	shown := headers(func(v rotation.Version) (string, error) {
		if v == rotation.Next {
			return next, nil
		}
		return current, nil
	})
	own, other := echo(t, "first"), echo(t, "first")
	client := signin.Showing(&http.Client{}, shown, own+"/token")
	want := func(address string, status int, said string) {
		t.Helper()
		if s, got, err := post(t, client, address); s != status || got != said || err != nil {
			t.Errorf("%d %q, %v; want %d %q", s, got, err, status, said)
		}
	}
	want(own+"/token", 200, "first,of this call code=C")
	want(other+"/keys", 401, "of this call code=C")
	next = "second"
	want(own+"/token", 200, "first,of this call code=C")

	replaced := echo(t, "second")
	client = signin.Showing(&http.Client{}, shown, replaced)
	want(replaced, 200, "second,of this call code=C")

	neither := echo(t, "third")
	client = signin.Showing(&http.Client{}, shown, neither)
	want(neither, 401, "second,of this call code=C")
}

// A header whose Secret is incomplete is named as what is wrong.
func TestAHeaderThatCannotBeRead(t *testing.T) {
	address := echo(t, "")
	shown := headers(func(rotation.Version) (string, error) { return "", errors.New("headers/0: missing") })
	_, _, err := post(t, signin.Showing(&http.Client{}, shown, address), address)
	if refused, ok := errors.AsType[*oa.VerifyError](err); !ok || refused.Reason != "KeyMissing" || !strings.Contains(refused.Message, "spec.headers") {
		t.Errorf("%v", err)
	}
}
