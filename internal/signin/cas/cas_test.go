package cas

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/signin"
)

const frame = `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">%</cas:serviceResponse>`

func in(body string) string { return strings.Replace(frame, "%", body, 1) }

// What a CAS server answers, and what that means. Whatever is not one clear answer lets nobody in. F46
func TestAnswers(t *testing.T) { // TM-08
	var status int
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/p3/serviceValidate" || r.URL.Query().Get("service") != "https://sso.crm.example/sso/callback/cas?state=S" || r.URL.Query().Get("ticket") != "ST-1" {
			t.Errorf("asked %s", r.URL)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	flow := oa.Flow{RedirectURI: "https://sso.crm.example/sso/callback/cas", State: "S"}
	const yes = "<cas:authenticationSuccess><cas:user>lina</cas:user></cas:authenticationSuccess>"
	for name, c := range map[string]struct {
		status    int
		body      string
		attribute string
		account   string
		verdict   oa.Verdict
	}{
		"yes":               {200, in(yes), "", "lina", ""},
		"another prefix":    {200, `<x:serviceResponse xmlns:x="http://www.yale.edu/tp/cas"><x:authenticationSuccess><x:user>lina</x:user></x:authenticationSuccess></x:serviceResponse>`, "", "lina", ""},
		"a declaration":     {200, `<?xml version="1.0"?>` + in(yes), "", "lina", ""},
		"an attribute":      {200, in("<cas:authenticationSuccess><cas:user>x</cas:user><cas:attributes><cas:workcode>0001</cas:workcode></cas:attributes></cas:authenticationSuccess>"), "workcode", "0001", ""},
		"no attribute":      {200, in(yes), "workcode", "", oa.Unasked},
		"two attributes":    {200, in("<cas:authenticationSuccess><cas:user>x</cas:user><cas:attributes><cas:workcode>1</cas:workcode><cas:workcode>2</cas:workcode></cas:attributes></cas:authenticationSuccess>"), "workcode", "", oa.Unasked},
		"unknown ticket":    {200, in(`<cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure>`), "", "", oa.Rejected},
		"unknown service":   {200, in(`<cas:authenticationFailure code="INVALID_SERVICE">no</cas:authenticationFailure>`), "", "", oa.SetUp},
		"a fault inside":    {200, in(`<cas:authenticationFailure code="INTERNAL_ERROR">no</cas:authenticationFailure>`), "", "", oa.Unasked},
		"both":              {200, in(yes + `<cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure>`), "", "", oa.Unasked},
		"two users":         {200, in("<cas:authenticationSuccess><cas:user>lina</cas:user><cas:user>admin</cas:user></cas:authenticationSuccess>"), "", "", oa.Unasked},
		"two successes":     {200, in(yes + yes), "", "", oa.Unasked},
		"wrapped elsewhere": {200, in("<cas:x>" + yes + "</cas:x>"), "", "", oa.Unasked},
		"another namespace": {200, `<serviceResponse xmlns="http://evil.example"><authenticationSuccess><user>lina</user></authenticationSuccess></serviceResponse>`, "", "", oa.Unasked},
		"no namespace":      {200, `<serviceResponse><authenticationSuccess><user>lina</user></authenticationSuccess></serviceResponse>`, "", "", oa.Unasked},
		"an entity":         {200, `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + in("<cas:authenticationSuccess><cas:user>&e;</cas:user></cas:authenticationSuccess>"), "", "", oa.Unasked},
		"two documents":     {200, in(yes) + in(yes), "", "", oa.Unasked},
		"empty user":        {200, in("<cas:authenticationSuccess><cas:user></cas:user></cas:authenticationSuccess>"), "", "", oa.Unasked},
		"markup in a name":  {200, in("<cas:authenticationSuccess><cas:user>&lt;b&gt;</cas:user></cas:authenticationSuccess>"), "", "", oa.Unasked},
		"a page":            {200, "<html>login</html>", "", "", oa.Unasked},
		"nothing":           {200, "", "", "", oa.Unasked},
		"too much":          {200, in(yes + strings.Repeat(" ", 70<<10)), "", "", oa.Unasked},
		"redirect":          {302, in(yes), "", "", oa.Unasked},
		"server error":      {500, in(yes), "", "", oa.Unasked},
	} {
		status, body = c.status, c.body
		v := New(Config{Channel: signin.Channel{Client: &http.Client{}, Field: "spec.sso.cas.url"}, URL: server.URL, Version: "3", Attribute: c.attribute})
		id, err := v.Verify(t.Context(), oa.Proof{Key: "ST-1"}, flow)
		if c.account != "" {
			if err != nil || id.Account != c.account {
				t.Errorf("%s: %+v, %v", name, id, err)
			}
			continue
		}
		refused, ok := err.(*oa.VerifyError) //nolint:errorlint // returned as it is
		if !ok || refused.Verdict != c.verdict || id != (oa.Identity{}) {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
		if err != nil && strings.Contains(err.Error(), "ST-1") {
			t.Errorf("%s: the error shows the ticket: %v", name, err)
		}
	}
}

func TestTickets(t *testing.T) {
	v := New(Config{URL: "https://cas.example/cas/"})
	for query, good := range map[string]bool{
		"ticket=ST-1": true, "ticket=PT-1": false, "ticket=": false, "ticket=ST-1&ticket=ST-2": false, "ticket=ST-%00": false, "": false,
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Read(q, oa.Flow{}); (err == nil) != good {
			t.Errorf("%s: %v", query, err)
		}
	}
	step, err := v.Begin(t.Context(), oa.Flow{RedirectURI: "https://sso.crm.example/sso/callback/cas", State: "S"})
	if want := "https://cas.example/cas/login?service=" + url.QueryEscape("https://sso.crm.example/sso/callback/cas?state=S"); err != nil || step.URL != want {
		t.Errorf("%s, %v", step.URL, err)
	}
}

// No answer, however made, names somebody who is not in it as the one user of one success.
func FuzzParse(f *testing.F) {
	f.Add([]byte(in("<cas:authenticationSuccess><cas:user>lina</cas:user></cas:authenticationSuccess>")))
	f.Add([]byte(in(`<cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure>`)))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY e "lina">]>` + frame))
	v := New(Config{})
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parse(body)
		if err != nil {
			return
		}
		id, err := v.judge(r)
		if err == nil && (id.Account == "" || len(r.Success) != 1 || len(r.Failure) != 0) {
			t.Fatalf("%q: %+v", body, id)
		}
	})
}
