package gateway

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
	crmsim "github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	oasim "github.com/oabridge/oabridge/internal/oasim/seeyon"
)

// A person opens a to-do in the OA and is on the record's page in the CRM, logged in, with nothing secret left in the
// address: the whole way of F42. F33, F43, F44, F105, F106, F107
func TestFromTheOAInboxToTheRecord(t *testing.T) { // TM-18
	w := newWorld(t)
	browser := w.browser()
	oaPush(t, w, recordPC, recordH5)

	submit(t, browser.PostForm, w.oaURL+"/seeyon/login", url.Values{"choose": {"lina"}})
	item := w.oa.Inbox("lina")[0]
	for client, landing := range map[string]string{
		"pc": "https://crm.example/record/QuoteObj/5f3c2ab1",
		"h5": "https://crm.example/h5/record/QuoteObj/5f3c2ab1", // F44: the link decides, the user agent is the same
	} {
		resp, body := follow(t, browser, w.oaURL+"/seeyon/open?id="+url.QueryEscape(item.ID)+"&client="+client)
		if resp.StatusCode != http.StatusOK || resp.Request.URL.String() != landing || !strings.Contains(body, "李娜") {
			t.Errorf("%s: landed on %s with %d:\n%s", client, resp.Request.URL, resp.StatusCode, body)
		}
	}
	logins := w.crm.Logins()
	if len(logins) != 2 || logins[0].Account != "1001" || logins[1].Account != "1001" {
		t.Errorf("the CRM let in %+v", logins)
	}
	w.wantCount(SignedIn, 2)
}

// The tile of the app leads to the main page; its parameter is called ticket. F41
func TestFromTheAppToTheMainPage(t *testing.T) {
	w := newWorld(t)
	browser := w.browser()
	submit(t, browser.PostForm, w.oaURL+"/seeyon/login", url.Values{"choose": {"wangfang"}})
	resp, body := follow(t, browser, w.oaURL+"/seeyon/app?code=3004")
	if resp.StatusCode != http.StatusOK || resp.Request.URL.String() != "https://crm.example/home" || !strings.Contains(body, "王芳") {
		t.Errorf("landed on %s with %d:\n%s", resp.Request.URL, resp.StatusCode, body)
	}
	w.wantSignedIn(w.visit(http.MethodGet, homePC+"?v5ticket="+w.ticket("wangfang")))
}

// Who clicked last is logged in, in the same browser too.
func TestTheLastClickWins(t *testing.T) { // TM-19
	w := newWorld(t)
	browser := w.browser()
	for login, name := range map[string]string{"lina": "李娜", "wangfang": "王芳"} {
		_, body := follow(t, browser, gatewayURL+homePC+"?ticket="+w.ticket(login))
		if !strings.Contains(body, name) {
			t.Errorf("%s clicked, but %s is not logged in:\n%s", login, name, body)
		}
	}
}

// F48: whatever is not a fresh ticket of a bound person logs nobody in, each with its own code.
func TestWhoIsNotLetIn(t *testing.T) { // TM-10
	w := newWorld(t)

	used := w.ticket("lina")
	w.wantSignedIn(w.click(recordPC, used))
	w.wantPage(w.click(recordPC, used), TicketSpent)
	w.wantPage(w.click(homePC, used), TicketSpent) // nor on another page
	if n := w.asked(); n != 1 {
		t.Errorf("the OA was asked %d times about one ticket", n)
	}

	w.wantPage(w.click(recordPC, "forged"), TicketSpent)
	w.wantPage(w.click(recordPC, strings.Repeat("a", 513)), TicketSpent)
	w.wantPage(w.click(recordPC, "a b"), TicketSpent)
	w.wantPage(w.click(recordPC, "票"), TicketSpent)
	w.wantPage(w.click(recordPC, ""), NoTicket)
	w.wantPage(w.visit(http.MethodGet, recordPC), NoTicket)
	w.wantPage(w.visit(http.MethodGet, recordPC+"?ticket="+w.ticket("lina")), NoTicket) // the parameter of the other page

	unbound := w.ticket("nobody")
	w.wantPage(w.click(recordPC, unbound), NotLinked)

	other := w.ticket("lina")
	w.wantPage(w.click(PathPrefix+"QuoteObj/5f3c2ab1/714440/false", other), BadLink)
	w.wantPage(w.click(PathPrefix+"login/71443/false", other), BadLink)
	w.wantSignedIn(w.click(recordPC, other)) // a wrong link burns nothing
	w.wantCount(TicketSpent, 6)
	w.wantCount(NotLinked, 1)
}

// Of many clicks with one ticket at the same time, exactly one is logged in, at whatever replica, even if the OA would
// accept the ticket again and again.
func TestOneTicketLogsInOnce(t *testing.T) { // TM-11
	w := newWorld(t)
	if err := w.oa.Configure(func(s *oasim.Settings) { s.ReusableTickets = true }); err != nil {
		t.Fatal(err)
	}
	ticket := w.ticket("lina")
	const clicks = 16
	codes := make(chan int, clicks)
	var start, done sync.WaitGroup
	start.Add(1)
	for range clicks {
		done.Go(func() {
			start.Wait()
			codes <- w.click(recordPC, ticket).StatusCode
		})
	}
	start.Done()
	done.Wait()
	close(codes)
	in := 0
	for c := range codes {
		switch c {
		case http.StatusSeeOther:
			in++
		case http.StatusForbidden:
		default:
			t.Errorf("status %d", c)
		}
	}
	if in != 1 {
		t.Errorf("%d of %d clicks were logged in", in, clicks)
	}
}

// An OA that cannot be asked lets nobody in, and does not burn the ticket: the same click works when the OA is back.
func TestAnOAThatCannotBeAskedBurnsNoTicket(t *testing.T) {
	for name, action := range map[string]fault.Action{
		"500":       {Kind: fault.Status, Status: 500},
		"404":       {Kind: fault.Status, Status: 404},
		"redirects": {Kind: fault.Status, Status: 302},
		"cuts":      {Kind: fault.Close},
		"a page":    {Kind: fault.HTML},
		"hangs":     {Kind: fault.Hang},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.change(func(l *live) { l.verifyTimeout = 100 * time.Millisecond })
			if err := w.oa.Faults().Replace([]fault.Rule{{Match: fault.Match{Path: "/seeyon/third"}, Action: action}}); err != nil {
				t.Fatal(err)
			}
			ticket := w.ticket("lina")
			w.wantPage(w.click(recordPC, ticket), OANotAsked)
			w.oa.Faults().Clear()
			w.change(func(l *live) { l.verifyTimeout = 5 * time.Second })
			w.wantSignedIn(w.click(recordPC, ticket))
			w.wantPage(w.click(recordPC, ticket), TicketSpent)
		})
	}
	t.Run("down", func(t *testing.T) {
		w := newWorld(t)
		working := w.handler.live.Load().signIn
		w.change(func(l *live) {
			l.signIn.Link = seeyon.NewVerifier(seeyon.VerifierConfig{Endpoint: "http://127.0.0.1:1", Client: &http.Client{}})
		})
		ticket := w.ticket("lina")
		w.wantPage(w.click(recordPC, ticket), OANotAsked)
		w.change(func(l *live) { l.signIn = working })
		w.wantSignedIn(w.click(recordPC, ticket))
	})
	t.Run("contradicts itself", func(t *testing.T) {
		w := newWorld(t)
		liar := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("LoginName", "lina")
			_, _ = io.WriteString(rw, "wangfang")
		}))
		defer liar.Close()
		w.change(func(l *live) {
			l.signIn.Link = seeyon.NewVerifier(seeyon.VerifierConfig{Endpoint: liar.URL, Client: &http.Client{}})
		})
		w.wantPage(w.click(recordPC, "T"), OANotAsked)
	})
}

// Without the store nobody can know whether a ticket was used: nobody is let in, and the OA is not asked.
func TestAStoreThatIsDownFailsClosed(t *testing.T) { // TM-11
	w := newWorld(t)
	ticket := w.ticket("lina")
	for _, status := range []int32{200, 307, 401, 500, 503} {
		w.proofs.status.Store(status)
		w.wantPage(w.click(recordPC, ticket), Unavailable)
	}
	w.change(func(l *live) {
		l.proofs = newPeerProofs(newPeerClient(), "http://127.0.0.1:1/proofs", fixed(peerToken))
	})
	a := w.click(recordPC, ticket)
	w.wantPage(a, Unavailable)
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if n := w.asked(); n != 0 {
		t.Errorf("the OA was asked %d times", n)
	}
}

// More clicks than the gateway can hold are turned away before anything happens to their tickets.
func TestTooManyClicks(t *testing.T) {
	w := newWorld(t)
	for range maxInFlight {
		w.handler.slots <- struct{}{}
	}
	ticket := w.ticket("lina")
	w.wantPage(w.click(recordPC, ticket), Busy)
	<-w.handler.slots
	w.wantSignedIn(w.click(recordPC, ticket))
}

// Keys change from the current to the next and back while people click; the CRM, which caches keys, refuses nobody.
func TestKeysRotateUnderLoad(t *testing.T) {
	w := newWorld(t)
	first, second := w.newKey(), w.newKey()
	w.keys.Replace(first, nil)
	step := func(name string) {
		t.Helper()
		resp, body := follow(t, w.browser(), gatewayURL+recordPC+"?v5ticket="+w.ticket("lina"))
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d\n%s", name, resp.StatusCode, body)
		}
	}
	step("first")
	w.keys.Replace(first, second)
	// The CRM's cache is older than the announcement: the published address of the keys is asked again.
	fresh, err := crmsim.New(crmsim.Options{Login: w.crm.Login(), Client: &http.Client{Transport: w.transport()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fresh.Close)
	server := httptest.NewTLSServer(fresh)
	t.Cleanup(server.Close)
	w.hosts[crmHost] = server.Listener.Addr().String()
	step("next is announced")
	w.keys.Replace(second, first)
	step("next signs")
	late := w.click(recordPC, w.ticket("lina")).Header.Get("Location")
	w.keys.Replace(first, nil)
	step("back to the first")
	if resp, body := follow(t, w.browser(), late); resp.StatusCode != http.StatusOK {
		t.Errorf("a token signed just before the switch: %d\n%s", resp.StatusCode, body)
	}
}

// The CRM can only ever get public keys, so no published key can be abused as a shared secret.
func TestTheKeysAreOnThePublicAddress(t *testing.T) {
	w := newWorld(t)
	for _, host := range []string{gatewayHost, "hq-gateway.crm.svc:8080"} { // the CRM may come from inside, too
		a := w.visit(http.MethodGet, JWKSPath, func(r *http.Request) { r.Host = host })
		var set jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(a.body), &set); err != nil || len(set.Keys) != 1 || !set.Keys[0].IsPublic() {
			t.Errorf("%s: %s", host, a.body)
		}
		if a.Header.Get("Cache-Control") != "public, max-age=300" {
			t.Errorf("headers %v", a.Header)
		}
	}
	w.wantPage(w.visit(http.MethodPost, JWKSPath), WrongMethod)
	h := newHandler(login.NewKeyRing(time.Now), newMetrics(), w.handler.log, time.Now)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, JWKSPath, nil))
	if rec.Code != http.StatusServiceUnavailable {
		t.Errorf("without a key: %d", rec.Code)
	}
}

// One line per click says who went where and how it ended, under the caller's trace id.
func TestTheAuditLine(t *testing.T) {
	w := newWorld(t)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	a := w.visit(http.MethodGet, recordH5+"?v5ticket="+w.ticket("nobody"), func(r *http.Request) {
		r.Header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	})
	w.wantPage(a, NotLinked)
	if !strings.Contains(a.body, trace[len(trace)-traceShort:]) {
		t.Errorf("the page does not show the trace id:\n%s", a.body)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(strings.TrimSpace(w.log.String())), &line); err != nil {
		t.Fatalf("want one line: %v\n%s", err, w.log.String())
	}
	for key, want := range map[string]any{
		"msg": "sign-in", "trace": trace, "code": "SSO-1101", "ei": "714439", "page": "record", "apiName": "QuoteObj",
		"dataId": "5f3c2ab1", "client": "h5", "remote": "127.0.0.1", "oaAccount": "nobody", "crmAccount": "", "reason": "Unbound",
	} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
}

// oaPush puts one item with these links into lina's inbox, as a dispatcher does.
func oaPush(t *testing.T, w *world, pc, h5 string) {
	t.Helper()
	resp, err := http.Get(w.oaURL + "/seeyon/rest/token/fxiaoke/pw")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSpace(string(text))
	var object struct{ ID string }
	if json.Unmarshal(text, &object) == nil && object.ID != "" {
		token = object.ID
	}
	body, err := json.Marshal(map[string]string{
		"registerCode": "3004", "taskId": "T-1", "title": "报价单", "senderName": "张伟", "state": "0", "thirdSenderId": "1000",
		"thirdReceiverId": "1001", "creationDate": "2026-11-22 09:30", "content": "", "classify": "", "contentType": "",
		"url": "//" + gatewayHost + pc, "h5url": "//" + gatewayHost + h5, "noneBindingSender": "", "noneBindingReceiver": "lina",
	})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, w.oaURL+"/seeyon/rest/thirdpartyPending/receive", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("token", token)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if text, _ := io.ReadAll(answer.Body); len(w.oa.Inbox("lina")) != 1 {
		t.Fatalf("the OA did not take the item: %d %s", answer.StatusCode, text)
	}
}

// submit sends a form.
func submit(t *testing.T, post func(string, url.Values) (*http.Response, error), address string, form url.Values) {
	t.Helper()
	resp, err := post(address, form)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("POST %s: %d", address, resp.StatusCode)
	}
}

func follow(t *testing.T, browser *http.Client, address string) (*http.Response, string) {
	t.Helper()
	resp, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}
