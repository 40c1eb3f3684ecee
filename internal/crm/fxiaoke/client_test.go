package fxiaoke_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm/fxiaoke"
	crmsim "github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/fault"
)

func (w *world) send(text string, to ...string) error {
	w.t.Helper()
	_, err := w.client.Send(w.t.Context(), to, fxiaoke.Message{Text: text})
	return err
}

func (w *world) fail(rule fault.Rule) {
	w.t.Helper()
	if _, err := w.sim.Faults().Add(rule); err != nil {
		w.t.Fatal(err)
	}
}

// A hundred calls at the same time share one token call. // F79 F80
func TestOneTokenForAll(t *testing.T) {
	w := newWorld(t)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			if err := w.send(fmt.Sprint(i), "FSUID_1001"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if s := w.sim.OpenStats(); s.Tokens != 1 || s.TokensAtOnce != 1 || s.Calls["/cgi/message/send"] != 100 {
		t.Errorf("%+v", s)
	}
}

// A token is replaced in its last ten minutes while it still works, and waited for only when it is over. // F74, F75, F83
func TestTokenIsRefreshedEarly(t *testing.T) {
	w := newWorld(t)
	if err := w.send("first", "FSUID_1001"); err != nil {
		t.Fatal(err)
	}
	w.pass(109 * time.Minute)
	if err := w.send("the old one still does", "FSUID_1001"); err != nil || w.sim.OpenStats().Tokens != 1 {
		t.Fatal(err, w.sim.OpenStats())
	}
	w.pass(time.Minute)
	if err := w.send("the next one is on its way", "FSUID_1001"); err != nil {
		t.Fatal(err)
	}
	w.pass(10 * time.Minute)
	if err := w.send("the first one is dead", "FSUID_1001"); err != nil {
		t.Fatal(err)
	}
	if s := w.sim.OpenStats(); s.Tokens != 2 || s.TokensAtOnce != 1 {
		t.Errorf("%+v", s)
	}
}

// A CRM that renews the same token on each call is asked as rarely. // F76
func TestRenewedToken(t *testing.T) {
	w := newWorldOf(t, func(app *crmsim.App) { app.RenewTokens = true })
	for range 20 {
		if err := w.send("x", "FSUID_1001"); err != nil {
			t.Fatal(err)
		}
		w.pass(30 * time.Minute)
	}
	if s := w.sim.OpenStats(); s.Tokens > 6 {
		t.Errorf("%+v", s)
	}
}

// A token that the CRM does not accept any more (20016) is dropped, and the call made once more; a second refusal is final.
func TestRefusedToken(t *testing.T) {
	w := newWorld(t)
	if err := w.send("first", "FSUID_1001"); err != nil {
		t.Fatal(err)
	}
	w.fail(fault.Rule{Match: fault.Match{Path: "/cgi/message/send"}, Times: 1, Action: fault.Action{Kind: fault.ExpireToken}})
	if err := w.send("second", "FSUID_1001"); err != nil {
		t.Fatal(err)
	}
	if s := w.sim.OpenStats(); s.Tokens != 2 || len(w.sim.Messages("")) != 2 {
		t.Errorf("%+v", s)
	}
	w.pass(time.Minute)
	w.fail(fault.Rule{Match: fault.Match{Path: "/cgi/message/send"}, Action: fault.Action{Kind: fault.ExpireToken}})
	err := w.send("third", "FSUID_1001")
	if e, ok := errors.AsType[*fxiaoke.Error](err); !ok || e.Kind != fxiaoke.TokenRefused || e.Code != 20016 {
		t.Error(err)
	}
	// However often it goes on, the token interface is not flooded.
	for range 30 {
		_ = w.send("more", "FSUID_1001")
	}
	if s := w.sim.OpenStats(); s.Tokens > 4 {
		t.Errorf("%+v", s)
	}
	w.sim.Faults().Clear()
	w.pass(time.Minute)
	if err := w.send("at last", "FSUID_1001"); err != nil {
		t.Error(err)
	}
}

// A replaced Secret counts at once, without a restart. // F78
func TestReplacedCredentials(t *testing.T) {
	w := newWorld(t)
	w.secret(bundle.SlotCRM, "appSecret", "wrong")
	err := w.send("no", "FSUID_1001")
	if e, ok := errors.AsType[*fxiaoke.Error](err); !ok || e.Kind != fxiaoke.Rejected || e.Code != 10006 || !strings.Contains(err.Error(), "appSecret") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("%v", err)
	}
	w.secret(bundle.SlotCRM, "appSecret", w.sim.App().AppSecret)
	if err := w.send("yes", "FSUID_1001"); err != nil {
		t.Error(err)
	}
}

// 1,100 people get a message in calls of at most 500, each person once; a repeat may begin where it stopped.
func TestSendSplits(t *testing.T) {
	w := newWorld(t)
	var to []string
	for _, p := range crmsim.People(1100) {
		to = append(to, crmsim.OpenUserID(p.Account))
	}
	w.fail(fault.Rule{Match: fault.Match{Path: "/cgi/message/send"}, Times: 1, Action: fault.Action{Kind: fault.Business, ErrorMsgs: []string{"-1"}}})
	sent, err := w.client.Send(t.Context(), to, fxiaoke.Message{Text: "x"})
	if e, ok := errors.AsType[*fxiaoke.Error](err); sent != 0 || !ok || e.Kind != fxiaoke.ServerError {
		t.Fatal(sent, err)
	}
	if sent, err = w.client.Send(t.Context(), to[sent:], fxiaoke.Message{Text: "x"}); sent != 1100 || err != nil {
		t.Fatal(sent, err)
	}
	var got []string
	for _, m := range w.sim.Messages("") {
		if len(m.To) > fxiaoke.MaxRecipients {
			t.Errorf("%d in one call", len(m.To))
		}
		got = append(got, m.To...)
	}
	if !slices.Equal(got, to) {
		t.Errorf("%d people got it", len(got))
	}
}

func TestSendComposite(t *testing.T) {
	w := newWorld(t)
	card := &fxiaoke.Composite{Head: fxiaoke.Title{Title: "对接状态"}, Form: []fxiaoke.Entry{{Label: "失败", Value: "3"}},
		Link: fxiaoke.Link{Title: "查看", URL: "https://crm.example"}}
	if _, err := w.client.Send(t.Context(), []string{"FSUID_1001"}, fxiaoke.Message{Composite: card}); err != nil {
		t.Fatal(err)
	}
	// FX-DEMO §9.6
	want := `{"head":{"title":"对接状态"},"first":{"content":""},"form":[{"label":"失败","value":"3"}],"remark":{"content":""},"link":{"title":"查看","url":"https://crm.example"}}`
	if m := w.sim.Messages("FSUID_1001"); len(m) != 1 || m[0].Type != "composite" || string(m[0].Composite) != want {
		t.Errorf("%+v", m)
	}
}

func TestObject(t *testing.T) { // F84
	w := newWorld(t)
	for _, apiName := range []string{"AccountObj", "Visit__c"} {
		if err := w.sim.SetObject(crmsim.Object{APIName: apiName, ID: "d1"}, map[string]any{"name": apiName, "owner": []string{"1000"}}); err != nil {
			t.Fatal(err)
		}
		data, err := w.client.Object(t.Context(), apiName, "d1")
		if err != nil || string(data) != `{"name":"`+apiName+`","owner":["1000"]}` {
			t.Errorf("%s %v", data, err)
		}
	}
	if s := w.sim.OpenStats(); s.Calls["/cgi/crm/v2/data/get"] != 1 || s.Calls["/cgi/crm/custom/v2/data/get"] != 1 {
		t.Errorf("%+v", s)
	}
}

// Each failure says what it is by the errorCode alone, and what to do; no text of a failure holds a secret.
func TestFailures(t *testing.T) { // F72
	for name, test := range map[string]struct {
		spoil func(*world, *bundle.CRM)
		kind  fxiaoke.Kind
		words string
		after time.Duration
	}{
		"busy":             {business("-1"), fxiaoke.ServerError, "busy", 0},
		"per second":       {business("30004"), fxiaoke.RateLimited, "limits its calls", 20 * time.Second},
		"per 20 seconds":   {business("14001"), fxiaoke.RateLimited, "limits its calls", 20 * time.Second},
		"daily quota":      {business("30002"), fxiaoke.RateLimited, "of the day", time.Hour},
		"unknown person":   {business("20012"), fxiaoke.Rejected, "spec.source.crm.openUserID", 0},
		"unknown code":     {business("99999"), fxiaoke.Rejected, "errorCode 99999", 0},
		"not the CRM":      {instead(http.StatusOK, "<html>"), fxiaoke.BadAnswer, "spec.source.crm.url", 0},
		"code in words":    {instead(http.StatusOK, `{"errorCode":"0"}`), fxiaoke.BadAnswer, "spec.source.crm.url", 0},
		"redirect":         {instead(http.StatusFound, ""), fxiaoke.BadAnswer, "HTTP 302", 0},
		"gateway":          {instead(http.StatusBadGateway, ""), fxiaoke.ServerError, "HTTP 502", 0},
		"too many":         {instead(http.StatusTooManyRequests, ""), fxiaoke.RateLimited, "HTTP 429", 20 * time.Second},
		"endless":          {instead(http.StatusOK, strings.Repeat(" ", 2<<20)), fxiaoke.Rejected, "KiB", 0},
		"no token in it":   {instead(http.StatusOK, `{"errorCode":0}`), fxiaoke.BadAnswer, "without one", 0},
		"secret in answer": {instead(http.StatusOK, `{"errorCode":77,"errorMessage":"bad app-secret-of-the-simulator"}`), fxiaoke.Rejected, "bad …", 0},
		"connection cut": {func(w *world, _ *bundle.CRM) {
			w.fail(fault.Rule{Match: fault.Match{Path: "/cgi"}, Action: fault.Action{Kind: fault.Close}})
		}, fxiaoke.Network, "the connection to", 0},
		"nobody there":   {func(w *world, _ *bundle.CRM) { w.srv.Close() }, fxiaoke.Network, "refuses the connection", 0},
		"egress":         {func(_ *world, c *bundle.CRM) { c.AllowedCIDRs = nil }, fxiaoke.Misconfigured, "spec.source.crm.allowedCIDRs", 0},
		"other corp":     {func(_ *world, c *bundle.CRM) { c.CorpID = "FSCID_1" }, fxiaoke.Misconfigured, "spec.source.crm.corpID", 0},
		"key missing":    {func(w *world, _ *bundle.CRM) { w.secret(bundle.SlotCRM, "appId", "") }, fxiaoke.Misconfigured, "appId", 0},
		"not configured": {nil, fxiaoke.Misconfigured, "set spec.source.crm", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			config := w.config()
			if test.spoil == nil {
				config = nil
			} else {
				test.spoil(w, config)
			}
			if err := w.client.Use(config); err != nil {
				t.Fatal(err)
			}
			err := w.send("x", "FSUID_1001")
			e, ok := errors.AsType[*fxiaoke.Error](err)
			if !ok || e.Kind != test.kind || !strings.Contains(e.Message, test.words) || e.RetryAfter != test.after {
				t.Fatalf("got %+v (%v), want %s with %q", e, err, test.kind, test.words)
			}
			for _, secret := range []string{w.sim.App().AppSecret, w.sim.App().PermanentCode} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%v holds a secret", err)
				}
			}
		})
	}
}

func business(code string) func(*world, *bundle.CRM) {
	return func(w *world, _ *bundle.CRM) {
		w.fail(fault.Rule{Match: fault.Match{Path: "/cgi/message"}, Action: fault.Action{Kind: fault.Business, ErrorMsgs: []string{code}}})
	}
}

func instead(status int, body string) func(*world, *bundle.CRM) {
	return func(w *world, c *bundle.CRM) { c.URL = answering(w.t, status, body).URL }
}

// A configuration that cannot be used changes nothing.
func TestUseKeepsWhatWorks(t *testing.T) {
	w := newWorld(t)
	for field, spoil := range map[string]func(*bundle.CRM){
		"url": func(c *bundle.CRM) { c.URL = "open.fxiaoke.com" }, "allowedCIDRs": func(c *bundle.CRM) { c.AllowedCIDRs = []string{"x"} },
	} {
		config := w.config()
		spoil(config)
		if err := w.client.Use(config); err == nil || !strings.Contains(err.Error(), "spec.source.crm."+field) {
			t.Error(err)
		}
	}
	if err := w.send("x", "FSUID_1001"); err != nil {
		t.Error(err)
	}
	if err := w.client.Use(w.config()); err != nil {
		t.Error(err)
	}
	if err := w.send("x", "FSUID_1001"); err != nil || w.sim.OpenStats().Tokens != 1 {
		t.Error(err, w.sim.OpenStats())
	}
}
