package gateway

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/internal/crm/login"
)

// The links of the seed. F41, F43, F44
func TestLinksOfTheSeed(t *testing.T) {
	for uri, want := range map[string]link{
		PathPrefix + "login/89161/true?ticket=T":                           {"89161", login.Target{Page: "home", Client: "h5"}, "T"},
		PathPrefix + "login/89161/false?v5ticket=T":                        {"89161", login.Target{Page: "home", Client: "pc"}, "T"},
		PathPrefix + "QuoteObj/5f3c2ab1/714439/true?v5ticket=T":            {"714439", login.Target{Page: "record", APIName: "QuoteObj", DataID: "5f3c2ab1", Client: "h5"}, "T"},
		PathPrefix + "object_ab1__c/5f-3c_2/714439/false?x=1&v5ticket=T":   {"714439", login.Target{Page: "record", APIName: "object_ab1__c", DataID: "5f-3c_2", Client: "pc"}, "T"},
		PathPrefix + "login/login/714439/false?v5ticket=" + "%2B%2F%3D.-_": {"714439", login.Target{Page: "record", APIName: "login", DataID: "login", Client: "pc"}, "+/=.-_"},
	} {
		got, code := parseLink(uri)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(link{})); code != "" || diff != "" {
			t.Errorf("%s: %s\n%s", uri, code, diff)
		}
	}
}

// Whatever record a to-do is about, the link that is pushed for it leads to exactly that record.
func TestEveryPushedLinkIsUnderstood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := link{
			enterpriseID: rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "ei"),
			target: login.Target{
				Page:    login.PageRecord,
				APIName: rapid.StringMatching(`[A-Za-z0-9_]{1,64}`).Draw(t, "apiName"),
				DataID:  rapid.StringMatching(`[A-Za-z0-9_-]{1,128}`).Draw(t, "dataId"),
				Client:  rapid.SampledFrom([]string{login.ClientPC, login.ClientH5}).Draw(t, "client"),
			},
			ticket: rapid.StringMatching(`[!-~]{1,512}`).Draw(t, "ticket"),
		}
		isApp := map[string]string{login.ClientPC: "false", login.ClientH5: "true"}[want.target.Client]
		got, code := parseLink(PathPrefix + want.target.APIName + "/" + want.target.DataID + "/" + want.enterpriseID + "/" + isApp +
			"?v5ticket=" + url.QueryEscape(want.ticket))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(link{})); code != "" || diff != "" {
			t.Fatalf("%s\n%s", code, diff)
		}
	})
}

// No request target, however made, yields a link with anything but plain segments and one plain ticket.
func FuzzParseLink(f *testing.F) {
	for _, uri := range []string{
		PathPrefix + "login/89161/true?ticket=T", PathPrefix + "QuoteObj/5f/714439/false?v5ticket=T&x=%2e%2e;",
		PathPrefix + "login/..;/true?v5ticket=%00", PathPrefix + "%2e%2e/5f/714439/true?v5ticket=a&v5ticket=b",
		"https://evil.example" + PathPrefix + "login/1/true", "//evil", "", "?", PathPrefix + "a/b/c/true?v5%74icket=x#y",
	} {
		f.Add(uri)
	}
	plain, ticket := regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`), regexp.MustCompile(`^[!-~]{1,512}$`)
	f.Fuzz(func(t *testing.T, uri string) {
		l, code := parseLink(uri)
		switch code {
		case BadLink:
			if l != (link{}) {
				t.Fatalf("a bad link came with %+v", l)
			}
			return
		case "":
			if !ticket.MatchString(l.ticket) {
				t.Fatalf("ticket %q", l.ticket)
			}
		case NoTicket, TicketSpent:
			if l.ticket != "" {
				t.Fatalf("%s with the ticket %q", code, l.ticket)
			}
		default:
			t.Fatalf("code %s", code)
		}
		if !strings.HasPrefix(uri, PathPrefix) || !plain.MatchString(l.enterpriseID) {
			t.Fatalf("%q was understood as %+v", uri, l)
		}
		switch l.target.Page {
		case login.PageHome:
			if l.target.APIName != "" || l.target.DataID != "" {
				t.Fatalf("%+v", l)
			}
		case login.PageRecord:
			if !plain.MatchString(l.target.APIName) || !plain.MatchString(l.target.DataID) {
				t.Fatalf("%+v", l)
			}
		default:
			t.Fatalf("page %q", l.target.Page)
		}
	})
}

func TestTraceIDs(t *testing.T) {
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for header, taken := range map[string]bool{
		"00-" + id + "-00f067aa0ba902b7-01": true, "00-" + id + "-00f067aa0ba902b7-00": true, "cc-" + id + "-00f067aa0ba902b7-01-what": true,
		"": false, "00-" + id: false, "00-" + strings.ToUpper(id) + "-00f067aa0ba902b7-01": false, "ff-" + id + "-00f067aa0ba902b7-01": false,
		"00-" + id + "-0000000000000000-01": false, "00-00000000000000000000000000000000-00f067aa0ba902b7-01": false,
		"00-" + id + "-00f067aa0ba902b7-01-x": false, "00-<script>-1-1": false,
	} {
		r := &http.Request{Header: http.Header{"Traceparent": {header}}}
		got := traceOf(r)
		if (got == id) != taken || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(got) {
			t.Errorf("%q: %s", header, got)
		}
	}
	two := &http.Request{Header: http.Header{"Traceparent": {"00-" + id + "-00f067aa0ba902b7-01", "00-" + id + "-00f067aa0ba902b7-01"}}}
	if traceOf(two) == id {
		t.Error("two headers were believed")
	}
}
