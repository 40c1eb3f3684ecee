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

// The links of the seed. F41, F43, F44, F54
func TestLinksOfTheSeed(t *testing.T) {
	record := func(client string) login.Target {
		return login.Target{Page: "record", APIName: "QuoteObj", DataID: "5f3c2ab1", Client: client}
	}
	for path, want := range map[string]route{
		PathPrefix + "login/89161/true":                   {enterpriseID: "89161", target: login.Target{Page: "home", Client: "h5"}},
		PathPrefix + "login/89161/false":                  {enterpriseID: "89161", target: login.Target{Page: "home", Client: "pc"}},
		PathPrefix + "QuoteObj/5f3c2ab1/714439/true":      {enterpriseID: "714439", target: record("h5")},
		PathPrefix + "QuoteObj/5f3c2ab1/714439/false":     {enterpriseID: "714439", target: record("pc")},
		PathPrefix + "object_ab1__c/5f-3c_2/714439/false": {enterpriseID: "714439", target: login.Target{Page: "record", APIName: "object_ab1__c", DataID: "5f-3c_2", Client: "pc"}},
		PathPrefix + "login/login/714439/false":           {enterpriseID: "714439", target: login.Target{Page: "record", APIName: "login", DataID: "login", Client: "pc"}},
		PathPrefix + "handshake/714439":                   {kind: kindHandshake, enterpriseID: "714439", target: login.Target{Page: "home"}},
		prefixWebhook + "QuoteObj/5f3c2ab1/714439":        {enterpriseID: "714439", target: record("")},
		prefixPortal + "714439":                           {enterpriseID: "714439", target: login.Target{Page: "home"}},
		prefixCallback + "wecom":                          {kind: kindCallback, name: "wecom"},
		prefixScan + strings.Repeat("A", 16):              {kind: kindScan, name: strings.Repeat("A", 16)},
		pathConfirm:                                       {kind: kindConfirm}, pathPoll: {kind: kindPoll}, PathAuthorize: {kind: kindAuthorize},
	} {
		want.path, want.query = path, url.Values{"x": {"+/=.-_", "1"}}
		got, ok := parseRoute(path + "?x=%2B%2F%3D.-_&x=1")
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(route{})); !ok || diff != "" {
			t.Errorf("%s: %v\n%s", path, ok, diff)
		}
	}
}

// Whatever record a to-do is about, the link that is pushed for it leads to exactly that record.
func TestEveryPushedLinkIsUnderstood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := route{
			enterpriseID: rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "ei"),
			target: login.Target{
				Page:    login.PageRecord,
				APIName: rapid.StringMatching(`[A-Za-z0-9_]{1,64}`).Draw(t, "apiName"),
				DataID:  rapid.StringMatching(`[A-Za-z0-9_-]{1,128}`).Draw(t, "dataId"),
				Client:  rapid.SampledFrom([]string{login.ClientPC, login.ClientH5, ""}).Draw(t, "client"),
			},
			query: url.Values{},
		}
		record := want.target.APIName + "/" + want.target.DataID + "/" + want.enterpriseID
		want.path = map[string]string{
			login.ClientPC: PathPrefix + record + "/false", login.ClientH5: PathPrefix + record + "/true", "": prefixWebhook + record,
		}[want.target.Client]
		got, ok := parseRoute(want.path)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(route{})); !ok || diff != "" {
			t.Fatalf("%v\n%s", ok, diff)
		}
	})
}

// No request target, however made, yields a route with anything but plain segments.
func FuzzParseRoute(f *testing.F) {
	for _, uri := range []string{
		PathPrefix + "login/89161/true?ticket=T", PathPrefix + "QuoteObj/5f/714439/false?v5ticket=T&x=%2e%2e;",
		PathPrefix + "login/..;/true?v5ticket=%00", PathPrefix + "%2e%2e/5f/714439/true?v5ticket=a&v5ticket=b",
		"https://evil.example" + PathPrefix + "login/1/true", "//evil", "", "?", PathPrefix + "a/b/c/true?v5%74icket=x#y",
		prefixCallback + "wecom?state=x", prefixScan + "..%2f", prefixWebhook + "a/../b", prefixPortal + "1",
	} {
		f.Add(uri)
	}
	plain := regexp.MustCompile(`^[A-Za-z0-9._-]{1,512}$`)
	f.Fuzz(func(t *testing.T, uri string) {
		r, ok := parseRoute(uri)
		if !ok {
			if r.path != "" || r.target != (login.Target{}) {
				t.Fatalf("a bad link came with %+v", r)
			}
			return
		}
		if !strings.HasPrefix(uri, prefixOA) && !strings.HasPrefix(uri, prefixOwn) {
			t.Fatalf("%q was understood as %+v", uri, r)
		}
		for _, part := range strings.Split(r.path, "/")[1:] {
			if !plain.MatchString(part) || strings.Trim(part, ".") == "" {
				t.Fatalf("%q was understood as %+v", uri, r)
			}
		}
		switch r.target.Page {
		case login.PageHome, "":
			if r.target.APIName != "" || r.target.DataID != "" {
				t.Fatalf("%+v", r)
			}
		case login.PageRecord:
			if !plain.MatchString(r.target.APIName) || !plain.MatchString(r.target.DataID) {
				t.Fatalf("%+v", r)
			}
		default:
			t.Fatalf("page %q", r.target.Page)
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
		got, _ := traceOf(r)
		if (got == id) != taken || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(got) {
			t.Errorf("%q: %s", header, got)
		}
	}
	two := &http.Request{Header: http.Header{"Traceparent": {"00-" + id + "-00f067aa0ba902b7-01", "00-" + id + "-00f067aa0ba902b7-01"}}}
	if other, _ := traceOf(two); other == id {
		t.Error("two headers were believed")
	}
}
