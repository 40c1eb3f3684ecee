package exchange

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oa/tokens"
)

// Where each vendor wants its proof.
func TestProofs(t *testing.T) {
	account := tokens.Account{Name: "fx", Secret: "p&<1>"}
	for name, test := range map[string]struct {
		proof       Proof
		url, header string
	}{
		"bearer":       {Bearer(), "http://oa/x?a=1", "Authorization: Bearer t+1/="},
		"header":       {InHeader("x-wlk-Authorization", ""), "http://oa/x?a=1", "X-Wlk-Authorization: t+1/="},
		"query (F37)":  {InQuery("accessToken"), "http://oa/x?a=1&accessToken=t%2B1%2F%3D", ""},
		"basic (F50)":  {Basic(), "http://oa/x?a=1", "Authorization: Basic Zng6cCY8MT4="},
		"basic's form": {InHeader("X", BasicSecret(account)+" "), "http://oa/x?a=1", "X: Zng6cCY8MT4= t+1/="},
	} {
		u, err := url.Parse("http://oa/x?a=1")
		if err != nil {
			t.Fatal(err)
		}
		m := Message{URL: u, Header: http.Header{}}
		if err := test.proof(&m, account, "t+1/="); err != nil {
			t.Fatal(err)
		}
		var header strings.Builder
		_ = m.Header.Write(&header)
		if m.URL.String() != test.url || strings.TrimSpace(header.String()) != test.header {
			t.Errorf("%s: got %s and %q", name, m.URL, header.String())
		}
		if u.String() != "http://oa/x?a=1" {
			t.Errorf("%s: the caller's URL was changed to %s", name, u)
		}
	}
	if err := Basic()(&Message{Header: http.Header{}}, tokens.Account{Name: "a:b"}, ""); err == nil {
		t.Error("a name with a colon was taken")
	}
}

// LR-SOAP: the account stands in the header of the envelope, whatever prefix the template uses.
func TestSOAPHeader(t *testing.T) {
	block := `<RequestSOAPHeader xmlns="http://sys.webservice.client"><user>fx</user><password>p&amp;&lt;1&gt;</password></RequestSOAPHeader>`
	for name, test := range map[string][2]string{
		"no header": {`<?xml version="1.0"?><s:Envelope xmlns:s="x"> <s:Body/></s:Envelope>`,
			`<?xml version="1.0"?><s:Envelope xmlns:s="x"> <s:Header>` + block + `</s:Header><s:Body/></s:Envelope>`},
		"a header":     {`<s:Envelope xmlns:s="x"><s:Header><a/></s:Header><s:Body/></s:Envelope>`, `<s:Envelope xmlns:s="x"><s:Header>` + block + `<a/></s:Header><s:Body/></s:Envelope>`},
		"empty header": {`<s:Envelope xmlns:s="x"><s:Header/><s:Body/></s:Envelope>`, `<s:Envelope xmlns:s="x"><s:Header>` + block + `</s:Header><s:Body/></s:Envelope>`},
		"no prefix":    {`<Envelope xmlns="x"><Body/></Envelope>`, `<Envelope xmlns="x"><Header>` + block + `</Header><Body/></Envelope>`},
		"json":         {`{"a":1}`, ""},
		"other xml":    {`<a/>`, ""},
		"only a start": {`<s:Envelope xmlns:s="x">`, ""},
	} {
		m := Message{Body: []byte(test[0])}
		err := SOAPHeader("http://sys.webservice.client", "RequestSOAPHeader")(&m, tokens.Account{Name: "fx", Secret: "p&<1>"}, "")
		if test[1] == "" {
			if err == nil || strings.Contains(err.Error(), "p&<1>") {
				t.Errorf("%s: got %v and %s", name, err, m.Body)
			}
		} else if err != nil || string(m.Body) != test[1] {
			t.Errorf("%s: got %v\n%s", name, err, m.Body)
		}
	}
}
