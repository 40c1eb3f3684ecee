package drivers

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/generic"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/internal/oasim/wecom"
	"github.com/oabridge/oabridge/internal/oasim/welink"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	// rotations of a test, one every rotateEvery; between two, calls go out all the time.
	rotations   = 8
	rotateEvery = 250 * time.Millisecond
	pushers     = 6
	// inside is the secret that a simulator was made with: the desk before it translates the one of the moment.
	inside = "secret-inside"
)

// console is where the administrator of an OA sets the one secret that it accepts.
type console struct {
	oa        http.Handler
	translate func(r *http.Request, good string)
	good      atomic.Value
}

func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.translate(r, c.good.Load().(string))
	c.oa.ServeHTTP(w, r)
}

func translated(given, good string) string {
	if given == good {
		return inside
	}
	return "not-the-secret"
}

// rotated is an OA whose secret is replaced.
type rotated struct {
	bundle bundle.Bundle
	// slot and key of the Secret, and what else is in it.
	slot, key string
	also      map[string]string
	set       func(secret string)
	// tokensLive: tokens of the old secret stay good.
	tokensLive bool
	request    scenario.Request
	result     scenario.Result
}

// The secret of an OA is replaced every half second under load, in the order of the drill. Seeyon knows one password at a time, refuses
// the old one at once and ends its tokens; the header is refused at once too. No push fails, and each new value ends as the
// current one. In between there is a wrong next value, which harms nobody.
func TestNoPushFailsWhileSecretsRotate(t *testing.T) { // F35 F36
	for name, start := range map[string]func(t *testing.T) rotated{
		"Seeyon password": rotatedSeeyon, "WeCom appSecret": rotatedWeCom, "WeLink appSecret": rotatedWeLink, "Generic header": rotatedGeneric,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := start(t)
			dir := t.TempDir()
			write := mountedIn(t, dir)
			for key, value := range o.also {
				write(o.slot, key, value)
			}
			write(bundle.SlotPeer, "token", "peer-token")
			write(o.slot, o.key, "secret-0")
			o.set("secret-0")
			pusher, err := NewPusher(&o.bundle, dir, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			rotator := pusher.(rotation.Rotator)

			load := gather(func() {
				if a := pusher.Push(t.Context(), o.request, o.result); a.Class == oa.AuthExpired || a.TargetDown() {
					t.Errorf("a push failed: %s %s: %s", a.Class, a.Reason, a.Message)
				}
			})
			pause := time.NewTicker(rotateEvery)
			defer pause.Stop()
			state := func() rotation.KeyState {
				for _, s := range rotator.Credentials() {
					if s.Slot == o.slot && s.Name == o.key {
						return s
					}
				}
				return rotation.KeyState{}
			}
			settled := func(want string) {
				t.Helper()
				for range 100 {
					if rotator.Rotate(t.Context()); state().State == want {
						return
					}
					<-pause.C
				}
				t.Errorf("state %+v, want %s", state(), want)
			}
			// known waits until a value was seen: before that, an administrator does not go on.
			known := func(secret string) {
				t.Helper()
				print := rotation.Print("peer-token", o.slot+"/"+o.key, secret)
				for range 100 {
					rotator.Rotate(t.Context())
					if s := state(); s.InUse == print || s.Next == print {
						return
					}
					<-pause.C
				}
				t.Errorf("%s is not seen: %+v", secret, state())
			}
			<-pause.C // everybody has a token
			for i := 1; i <= rotations; i++ {
				secret := fmt.Sprint("secret-", i)
				before := state().InUse
				if i == rotations/2 {
					write(o.slot, o.key+".next", "a-wrong-one")
					known("a-wrong-one")
					<-pause.C
				}
				if o.tokensLive { // they outlive the secret, so the OA may have the new one first
					o.set(secret)
				}
				write(o.slot, o.key+".next", secret)
				known(secret)
				o.set(secret)
				<-pause.C
				settled(rotation.StateNext)
				write(o.slot, o.key, secret)
				if err := os.Remove(filepath.Join(dir, o.slot, o.key+".next")); err != nil {
					t.Fatal(err)
				}
				settled(rotation.StateCurrent)
				load.caughtUp(t)
				if now := state(); now.InUse == before || now.InUse != rotation.Print("peer-token", o.slot+"/"+o.key, secret) {
					t.Errorf("after rotation %d: %+v", i, now)
				}
			}
			pushed := load.gone()
			if pushed < 100 {
				t.Errorf("only %d pushes", pushed)
			}
			t.Logf("%d pushes, %d rotations", pushed, rotations)
		})
	}
}

// An OA whose probe answers everybody cannot prove a next value: a wrong one is not taken for a good one, and the right one
// is used as soon as the OA refuses the one before.
func TestAPublicProbeProvesNothing(t *testing.T) {
	o := rotatedGeneric(t)
	dir := t.TempDir()
	write := func(name, value string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, o.slot), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, o.slot, name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(o.key, "first")
	write(o.key+".next", "second")
	o.set("first")
	pusher, err := NewPusher(&o.bundle, dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	rotator := pusher.(rotation.Rotator)
	states := func() []rotation.KeyState {
		if a := pusher.Push(t.Context(), o.request, o.result); a.Class == oa.AuthExpired {
			t.Errorf("a push failed: %s", a.Message)
		}
		rotator.Rotate(t.Context())
		return rotator.Credentials()
	}
	if got := states(); len(got) != 1 || got[0].State != rotation.StateProbing || !strings.Contains(got[0].Message, "whoever asks") {
		t.Errorf("while the OA has the first: %+v", got)
	}
	o.set("second")
	if got := states(); got[0].State != rotation.StateNext {
		t.Errorf("when the OA has the second: %+v", got)
	}
}

func serve(t *testing.T, h http.Handler, translate func(*http.Request, string)) (address string, set func(string)) {
	t.Helper()
	c := &console{oa: h, translate: translate}
	c.good.Store("")
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return server.URL, func(secret string) { c.good.Store(secret) }
}

func bundleFor(kind, url string) bundle.Bundle {
	return bundle.Bundle{
		Format: bundle.Format, Type: kind,
		OA:       bundle.OA{URL: url, ConnectTimeout: bundle.Duration(5 * time.Second), AllowedCIDRs: []string{"127.0.0.0/8"}},
		Delivery: bundle.Delivery{Timeout: bundle.Duration(10 * time.Second), Concurrency: pushers},
	}
}

func rotatedSeeyon(t *testing.T) rotated {
	s, err := seeyon.New(seeyon.Options{
		RESTUsers: map[string]string{"fxiaoke": inside}, Apps: []seeyon.App{{Code: "3004"}}, People: []seeyon.Person{{LoginName: "lisi"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	url, _ := serve(t, s, func(*http.Request, string) {})
	b := bundleFor("Seeyon", url)
	b.OA.Seeyon = &bundle.Seeyon{RegisterCode: "3004", Version: "V70SP2", TokenPlacement: "Header", TokenIdleTimeout: bundle.Duration(15 * time.Minute)}
	return rotated{
		bundle: b, slot: bundle.SlotCredentials, key: "password", also: map[string]string{"username": "fxiaoke"},
		set: func(secret string) { s.SetPassword("fxiaoke", secret); s.ForgetTokens() },
		request: scenario.Request{Method: "POST", Path: "/seeyon/rest/thirdpartyPending/receive",
			Body: []byte(`{"registerCode":"3004","taskId":"T-1","title":"t","senderName":"s","state":"0","thirdReceiverId":"lisi",` +
				`"creationDate":"2026-11-22 09:30","noneBindingReceiver":"lisi"}`)},
		result: scenario.Result{CodeName: "success", MsgName: "errorMsgs", SuccessCode: "true"},
	}
}

func rotatedWeCom(t *testing.T) rotated {
	s, err := wecom.New(wecom.Options{
		Corps:  []wecom.Corp{{CorpID: "ww1", Name: "集团", Apps: []wecom.App{{AgentID: 1000002, Secret: inside, Name: "CRM"}}}},
		People: []desk.Person{{ID: "lisi"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	url, set := serve(t, s, func(r *http.Request, good string) {
		if q := r.URL.Query(); q.Has("corpsecret") {
			q.Set("corpsecret", translated(q.Get("corpsecret"), good))
			r.URL.RawQuery = q.Encode()
		}
	})
	b := bundleFor("WeCom", url)
	b.OA.WeCom = &bundle.WeCom{CorpID: "ww1", AgentID: 1000002}
	return rotated{
		bundle: b, slot: bundle.SlotCredentials, key: "appSecret", set: set, tokensLive: true,
		request: scenario.Request{Method: "GET", Path: "/cgi-bin/user/get?userid=lisi"},
		result:  scenario.Result{CodeName: "errcode", MsgName: "errmsg", SuccessCode: "0"},
	}
}

func rotatedWeLink(t *testing.T) rotated {
	s, err := welink.New(welink.Options{
		Tenants: []welink.Tenant{{ID: "T", Name: "团队"}}, People: []desk.Person{{ID: "lisi"}},
		Apps: []welink.App{{ClientID: "crm", ClientSecret: inside, Name: "CRM"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	url, set := serve(t, s, func(r *http.Request, good string) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		body = bytes.ReplaceAll(body, []byte(`"client_secret":"`+good+`"`), []byte(`"client_secret":"`+inside+`"`))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	})
	b := bundleFor("WeLink", url+"/api")
	b.OA.WeLink = &bundle.WeLink{ClientID: "crm"}
	return rotated{
		bundle: b, slot: bundle.SlotCredentials, key: "appSecret", set: set, tokensLive: true,
		request: scenario.Request{Method: "POST", Path: "/todo/v3/addtask", Body: []byte(`{}`)},
		result:  scenario.Result{CodeName: "code", MsgName: "message", SuccessCode: "0"},
	}
}

// rotatedGeneric is an OA that trusts a header with a fixed key; nothing but a call with it tells whether it is good.
func rotatedGeneric(t *testing.T) rotated {
	s, err := generic.New(generic.Options{
		Auth: generic.Auth{Type: "static", Password: inside, Place: "header", Name: "X-Api-Key"}, People: []desk.Person{{ID: "lisi"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	url, set := serve(t, s, func(r *http.Request, good string) {
		r.Header.Set("X-Api-Key", translated(r.Header.Get("X-Api-Key"), good))
	})
	b := bundleFor("Generic", url)
	b.OA.Generic = &bundle.Generic{Authentication: "None", ProbePath: "/"}
	b.OA.Headers = []bundle.Header{{Name: "X-Api-Key", SecretFile: "headers/0"}}
	return rotated{
		bundle: b, slot: bundle.SlotHeaders, key: "0", set: set,
		request: scenario.Request{Method: "POST", Path: "/rest/transmit/fxiaoke/create", Body: []byte(`{}`)},
		result:  scenario.Result{CodeName: "code", MsgName: "message", SuccessCode: "0"},
	}
}

// mountedIn writes values of Secrets below dir as the kubelet does: a file is there as a whole or not at all.
func mountedIn(t *testing.T, dir string) func(slot, key, value string) {
	return func(slot, key, value string) {
		t.Helper()
		path := filepath.Join(dir, slot, key)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+"_tmp", []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+"_tmp", path); err != nil {
			t.Fatal(err)
		}
	}
}
