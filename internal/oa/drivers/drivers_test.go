package drivers

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	sim "github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

// pod is what a workload finds: a bundle and a secrets directory, and behind the address a simulated Seeyon over TLS.
type pod struct {
	t       *testing.T
	oa      *sim.Seeyon
	bundle  *bundle.Bundle
	secrets string
}

func newPod(t *testing.T) *pod {
	t.Helper()
	s, err := sim.New(sim.Options{
		RESTUsers: map[string]string{"fxiaoke": "first-password"},
		Apps:      []sim.App{{Code: "3004"}},
		People:    []sim.Person{{LoginName: "lisi"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(s)
	t.Cleanup(srv.Close)
	p := &pod{t: t, oa: s, secrets: t.TempDir(), bundle: &bundle.Bundle{
		Format: bundle.Format, Type: "Seeyon",
		OA: bundle.OA{
			URL: srv.URL, ConnectTimeout: bundle.Duration(5 * time.Second), AllowedCIDRs: []string{"127.0.0.0/8"}, CustomCA: true,
			Headers: []bundle.Header{{Name: "X-From", Value: "crm"}, {Name: "Authorization", SecretFile: "headers/1"}},
			Seeyon: &bundle.Seeyon{RegisterCode: "3004", Version: "V70SP2", TokenPlacement: "Header",
				TokenIdleTimeout: bundle.Duration(15 * time.Minute)},
		},
		Delivery: bundle.Delivery{Timeout: bundle.Duration(5 * time.Second), Concurrency: 4},
	}}
	p.write("ca/ca.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	p.write("credentials/username", "fxiaoke")
	p.write("credentials/password", "first-password\n")
	p.write("headers/1", "header-secret")
	return p
}

func (p *pod) write(name, content string) {
	p.t.Helper()
	path := filepath.Join(p.secrets, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pod) remove(name string) {
	p.t.Helper()
	if err := os.Remove(filepath.Join(p.secrets, name)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pod) pusher() oa.Pusher {
	p.t.Helper()
	got, err := NewPusher(p.bundle, p.secrets, time.Now)
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}

func (p *pod) push(pusher oa.Pusher) oa.Attempt {
	p.t.Helper()
	return pusher.Push(p.t.Context(), scenario.Request{Method: "POST", Path: "/seeyon/rest/thirdpartyPending/receive",
		Body: []byte(`{"registerCode":"3004","taskId":"T-1","title":"t","senderName":"s","state":"0","thirdReceiverId":"lisi",` +
			`"creationDate":"2026-11-22 09:30","noneBindingReceiver":"lisi"}`)},
		scenario.Result{CodeName: "success", MsgName: "errorMsgs", SuccessCode: "true"})
}

// From a bundle and mounted Secrets to an item in the OA, and on through every change of a Secret without a new pusher.
func TestPusherFollowsTheMountedSecrets(t *testing.T) {
	p := newPod(t)
	pusher := p.pusher()
	if a := p.push(pusher); a.Class != oa.OK || len(p.oa.Inbox("lisi")) != 1 {
		t.Fatalf("got %s: %s", a.Class, a.Message)
	}
	for _, e := range p.oa.Journal().Entries("/seeyon") { // F9
		if e.Headers["X-From"] != "crm" || e.Headers["Authorization"] == "" {
			t.Errorf("%s came with %v", e.Path, e.Headers)
		}
	}

	// The password is rotated; the OA ends the old tokens.
	p.oa.SetPassword("fxiaoke", "second-password")
	p.oa.ForgetTokens()
	a := p.push(pusher)
	if a.Class != oa.AuthExpired || a.Reason != "TokenRejected" {
		t.Fatalf("got %s: %s", a.Class, a.Message)
	}
	p.write("credentials/password", "second-password")
	if a := p.push(pusher); a.Class != oa.OK {
		t.Fatalf("got %s: %s", a.Class, a.Message)
	}

	// F35: what is missing is named by field and key.
	for _, test := range []struct{ file, says string }{
		{"credentials/username", "the key username is missing: put it into the Secret in spec.credentialsSecretRef"},
		{"credentials/password", "the key password is missing"},
		{"headers/1", "the value of the header Authorization is missing"},
	} {
		content, err := os.ReadFile(filepath.Join(p.secrets, test.file))
		if err != nil {
			t.Fatal(err)
		}
		p.remove(test.file)
		if a := p.push(pusher); a.Reason != "KeyMissing" || !strings.Contains(a.Message, test.says) {
			t.Errorf("%s: got %s %q", test.file, a.Reason, a.Message)
		}
		p.write(test.file, string(content))
	}
	p.write("headers/1", "two\nlines")
	if a := p.push(pusher); a.Reason != "KeyMissing" || !strings.Contains(a.Message, "line break") || strings.Contains(a.Message, "two") {
		t.Errorf("got %s %q", a.Reason, a.Message)
	}
}

// Kubernetes replaces all files of a Secret at once, by a symbolic link. A value that has settled is served without
// reading it again, and a replaced one counts at the next read.
func TestSecretCache(t *testing.T) {
	dir := t.TempDir()
	slot := filepath.Join(dir, "credentials")
	version := func(n int, value string) {
		t.Helper()
		folder := filepath.Join(slot, fmt.Sprintf("..v%d", n))
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder, "password")
		if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-time.Hour) // all versions look alike and settled
		if err := os.Chtimes(file, old, old); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Base(folder), filepath.Join(slot, "..tmp")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(slot, "..tmp"), filepath.Join(slot, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	version(1, "one")
	if err := os.Symlink("..data/password", filepath.Join(slot, "password")); err != nil {
		t.Fatal(err)
	}
	c := &secretCache{dir: dir}
	read := func(want string) {
		t.Helper()
		if got, err := c.read("credentials", "password"); err != nil || got != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	read("one")
	read("one")
	version(2, "two")
	read("two")
	version(3, "six")
	read("six")

	// Within lookAgain the file is not even looked at, and after it the change counts.
	c.lookAgain = time.Hour
	version(4, "ten")
	read("six")
	c.lookAgain = 0
	read("ten")
	c.lookAgain = time.Hour

	// A file that was changed just now is read each time: its time stamp might not tell the next change.
	for _, v := range []string{"aaa", "bbb", "ccc"} {
		if err := os.WriteFile(filepath.Join(slot, "fresh"), []byte(v), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := c.read("credentials", "fresh"); err != nil || got != v {
			t.Fatalf("got %q, %v, want %q", got, err, v)
		}
	}
}

// A next value that moves to its key in the middle of a look, one file after the other, is seen in one of the two places.
func TestAValueThatMovesIsSeen(t *testing.T) {
	dir := t.TempDir()
	write := mountedIn(t, dir)
	write("headers", "0", "first")
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "headers", "0"), long, long); err != nil { // it is not looked at again in this look
		t.Fatal(err)
	}
	write("headers", "0.next", "second")
	s := secrets{&secretCache{dir: dir, lookAgain: time.Hour}}
	both := func() (values [2]string) {
		for i, v := range []rotation.Version{rotation.Next, rotation.Current} {
			var err error
			if values[i], err = s.versioned("headers", "0", v); err != nil {
				t.Fatal(err)
			}
		}
		return values
	}
	if got := both(); got != [2]string{"second", "first"} {
		t.Errorf("before: %v", got)
	}
	write("headers", "0", "second")
	if err := os.Remove(filepath.Join(dir, "headers", "0.next")); err != nil {
		t.Fatal(err)
	}
	if got := both(); got != [2]string{"second", "second"} {
		t.Errorf("after: %v", got)
	}
}

// The CA may come later than the pusher.
func TestPusherWaitsForTheCA(t *testing.T) {
	p := newPod(t)
	ca, err := os.ReadFile(filepath.Join(p.secrets, "ca/ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	p.remove("ca/ca.crt")
	pusher := p.pusher()
	if a := p.push(pusher); a.Class != oa.Network || a.Reason != "TLSFailed" || !strings.Contains(a.Message, "ca.crt") {
		t.Fatalf("got %s %s %q", a.Class, a.Reason, a.Message)
	}
	p.write("ca/ca.crt", string(ca))
	if a := p.push(pusher); a.Class != oa.OK {
		t.Fatalf("got %s: %s", a.Class, a.Message)
	}
}

// F106: the same bundle makes the verifier of the gateway.
func TestVerifier(t *testing.T) {
	p := newPod(t)
	p.bundle.SSO = &bundle.SSO{Mode: "V5Ticket"}
	mode, err := NewSignIn(p.bundle, p.secrets, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := p.oa.IssueTicket("lisi")
	if err != nil {
		t.Fatal(err)
	}
	if who, err := mode.Link.Verify(t.Context(), oa.Proof{Key: ticket}); err != nil || who.Account != "lisi" {
		t.Errorf("got %v, %v", who, err)
	}
}

// A bundle that this program cannot serve is refused with the field to correct.
func TestRefusedBundles(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*bundle.Bundle)
		says   string
	}{
		"unknown type":    {func(b *bundle.Bundle) { b.Type = "Notes" }, `no OA of type "Notes", only DingTalk, Feishu`},
		"no vendor block": {func(b *bundle.Bundle) { b.OA.Seeyon = nil }, "spec.seeyon is missing"},
		"relative URL":    {func(b *bundle.Bundle) { b.OA.URL = "/oa" }, "spec.endpoint.url"},
		"other scheme":    {func(b *bundle.Bundle) { b.OA.URL = "ftp://oa.example" }, "spec.endpoint.url"},
		"user info":       {func(b *bundle.Bundle) { b.OA.URL = "http://u:canary@oa.example" }, "spec.endpoint.url"},
		"query":           {func(b *bundle.Bundle) { b.OA.URL = "http://oa.example?a=canary" }, "spec.endpoint.url"},
		"bad CIDR":        {func(b *bundle.Bundle) { b.OA.AllowedCIDRs = []string{"x"} }, "spec.endpoint.allowedCIDRs"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			test.change(p.bundle)
			_, pusherErr := NewPusher(p.bundle, p.secrets, time.Now)
			p.bundle.SSO = &bundle.SSO{Mode: "V5Ticket"}
			_, verifierErr := NewSignIn(p.bundle, p.secrets, time.Now)
			for _, err := range []error{pusherErr, verifierErr} {
				if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "canary") {
					t.Errorf("got %v, want an error about %s", err, test.says)
				}
			}
		})
	}
}
