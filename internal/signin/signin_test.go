package signin_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/signin"
)

// A provider that cannot be asked is not a provider that says no; and nothing of the question is in the words.
func TestAProviderThatCannotBeAsked(t *testing.T) {
	const canary = "code-canary"
	for name, handler := range map[string]http.HandlerFunc{
		"500":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"cuts":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"too long": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strings.Repeat("x", 70<<10))) },
	} {
		server := httptest.NewServer(handler)
		c := signin.Channel{Client: &http.Client{}, Field: "spec.sso.oauth2.userInfoURL"}
		_, err := c.Get(t.Context(), server.URL+"/?code="+canary, nil)
		refused, ok := errors.AsType[*oa.VerifyError](err)
		if !ok || refused.Verdict != oa.Unasked || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
		if _, err = c.Get(t.Context(), server.URL+"/?code="+canary, nil); err == nil || !strings.Contains(err.Error(), c.Field) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s, down: %v", name, err)
		}
	}
	if _, err := (signin.Channel{Client: &http.Client{}, Field: "spec.sso.cas.url"}).Get(t.Context(), "http://[::1", nil); err == nil || !strings.Contains(err.Error(), "spec.sso.cas.url") {
		t.Error(err)
	}
}

// A redirect would carry the secrets of a call elsewhere.
func TestNoRedirectIsFollowed(t *testing.T) { // TM-07
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			t.Error("followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	c := signin.Channel{Client: &http.Client{}}
	for _, ask := range []func() (signin.Answer, error){
		func() (signin.Answer, error) { return c.Get(t.Context(), server.URL, nil) },
		func() (signin.Answer, error) { return c.PostForm(t.Context(), server.URL, nil, url.Values{"a": {"b"}}) },
		func() (signin.Answer, error) {
			return c.PostJSON(t.Context(), server.URL, nil, map[string]string{"a": "b"})
		},
	} {
		if a, err := ask(); err != nil || a.Status != http.StatusTemporaryRedirect {
			t.Errorf("%+v, %v", a, err)
		}
	}
}

func TestAccounts(t *testing.T) {
	for account, good := range map[string]bool{
		"lina": true, "李四": true, "a b": true, "0001": true, "": false, " lina": false, "lina ": false, "li\nna": false, "li\x00na": false, "<b>": false,
		"li\u200bna": false, "li\xffna": false, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false,
	} {
		if id, ok := signin.Account(account); ok != good || ok && id.Account != account {
			t.Errorf("%q: %v", account, ok)
		}
	}
}

// The browser that comes back with an error is not a forger, and what the error says is not repeated unless it is known.
func TestReturned(t *testing.T) { // TM-13
	for query, want := range map[string]oa.Verdict{
		"error=access_denied": oa.Declined, "error=x&code=C": oa.Declined, "": oa.Missing, "code=": oa.Missing, "code=A&code=A": oa.Ambiguous,
		"code=a%20b": oa.Rejected, "code=" + strings.Repeat("a", 3000): oa.Rejected,
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = signin.Returned(q, "code")
		if refused, ok := errors.AsType[*oa.VerifyError](err); !ok || refused.Verdict != want {
			t.Errorf("%s: %v", query, err)
		}
	}
	_, err := signin.Returned(url.Values{"error": {"<script>canary"}}, "code")
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
}
