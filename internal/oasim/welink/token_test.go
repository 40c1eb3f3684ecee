package welink

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
)

const someone = "/api/contact/v1/users?userId=lina"

func TestTickets(t *testing.T) { // WL-DOC, F114
	w := newWorld(t)
	r := w.callAs("", "POST", "/api/auth/v2/tickets", `{"client_id":"crm","client_secret":"secret-of-crm"}`)
	if errcode(r) != "0" || r["expires_in"] != 7200.0 || r.Text("message") != "ok" {
		t.Errorf("ticket: %v", r)
	}
	for body, want := range map[string]string{
		`{"client_id":"crm","client_secret":"wrong"}`: badClient, `{"client_id":"nobody"}`: badClient, `[`: authFailed,
	} {
		if r := w.callAs("", "POST", "/api/auth/v2/tickets", body); errcode(r) != want {
			t.Errorf("%s: %v", body, r)
		}
	}
	if r := w.callAs("", "GET", "/api/auth/v2/tickets", ""); errcode(r) != authFailed { // F111: the seed's curl gets an answer
		t.Errorf("GET: %v", r)
	}
	for _, e := range w.Journal().Entries("/api/") {
		if strings.Contains(fmt.Sprint(e), "secret-of-crm") {
			t.Errorf("the journal knows the secret: %+v", e)
		}
	}
}

func TestTokenDeath(t *testing.T) {
	w := newWorld(t)
	token := w.ticket("crm")
	w.now = w.now.Add(7199 * time.Second)
	if r := w.callAs(token, "GET", someone, ""); errcode(r) != "0" {
		t.Fatalf("alive: %v", r)
	}
	w.now = w.now.Add(time.Second)
	for given, want := range map[string]string{token: tokenExpired, "made-up": badToken, "": tokenFormat, "Bearer " + token: badToken} {
		if r := w.callAs(given, "GET", someone, ""); errcode(r) != want {
			t.Errorf("%q: %v, want %s", given, r, want)
		}
	}
	first, second := w.ticket("crm"), w.ticket("crm")
	if first == second || errcode(w.callAs(first, "GET", someone, "")) != "0" {
		t.Error("every ticket is a new one, and the old one lives on")
	}
	w.ForgetTokens()
	if r := w.callAs(first, "GET", someone, ""); errcode(r) != badToken {
		t.Errorf("forgotten: %v", r)
	}
	token = w.ticket("crm")
	if _, err := w.Faults().Add(fault.Rule{Times: 1, Action: fault.Action{Kind: fault.ExpireToken}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if r := w.callAs(token, "GET", someone, ""); errcode(r) != tokenExpired {
			t.Errorf("scripted: %v", r)
		}
	}
}

// A permission that is missing has its own code in each group; a new one needs a new token (F116).
func TestPermissions(t *testing.T) {
	w := newWorld(t)
	app, _ := w.app("crm")
	app.Permissions = []string{}
	if err := w.SetApp(app); err != nil {
		t.Fatal(err)
	}
	token := w.ticket("crm")
	for _, tc := range [][3]string{
		{"POST", "/api/todo/v3/addtask", todoPermission}, {"GET", someone, noContacts}, {"GET", "/api/auth/v2/userid?code=x", noPermission},
		{"POST", "/api/messages/v3/send", noPermission},
	} {
		if r := w.callAs(token, tc[0], tc[1], "{}"); errcode(r) != tc[2] {
			t.Errorf("%s: %v", tc[1], r)
		}
	}
	app.Permissions = []string{Contacts}
	_ = w.SetApp(app)
	if r := w.callAs(token, "GET", someone, ""); errcode(r) != noContacts {
		t.Errorf("the old token: %v", r)
	}
	if r := w.call("GET", someone, ""); errcode(r) != "0" {
		t.Errorf("a new token: %v", r)
	}
	_ = w.Configure(func(s *Settings) { s.ErrorField = "errorMessage" })
	if r := w.callAs(token, "GET", someone, ""); r.Text("errorMessage") == "" || r["message"] != nil { // WL-JAVA
		t.Errorf("%v", r)
	}
}

func TestOverLimit(t *testing.T) {
	w := newWorld(t)
	if err := w.Configure(func(s *Settings) { s.PerMinute = 2 }); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"0", "0", tooOften} {
		if r := w.call("GET", someone, ""); errcode(r) != want {
			t.Errorf("call %d: %v", i, r)
		}
	}
	w.now = w.now.Add(time.Minute)
	if r := w.call("GET", someone, ""); errcode(r) != "0" {
		t.Errorf("later: %v", r)
	}
	token := w.ticket("crm")
	for _, tc := range []struct {
		action fault.Action
		want   string
	}{
		{fault.Action{Kind: fault.RateLimit}, tooOften}, {fault.Action{Kind: fault.Business}, serverError},
		{fault.Action{Kind: fault.Business, Code: "55012", ErrorMsgs: []string{"auth service"}}, "55012"},
	} {
		w.Faults().Clear()
		if _, err := w.Faults().Add(fault.Rule{Action: tc.action}); err != nil {
			t.Fatal(err)
		}
		if r := w.callAs(token, "GET", someone, ""); errcode(r) != tc.want {
			t.Errorf("%+v: %v", tc.action, r)
		}
	}
}
