package drivers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/generic"
	"github.com/oabridge/oabridge/internal/oasim/idp"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/internal/rotation"
)

// gatedOA is an OA behind a gateway that asks for a secret header, or an interface that asks for a bearer token.
type gatedOA struct {
	bundle bundle.Bundle
	// slot and key of the secret that is replaced.
	slot, key string
	// set makes one value the only good one.
	set func(value string)
	// sign signs somebody in.
	sign func(s oa.SignIn) (oa.Identity, error)
}

// gate lets through who shows the good value in a header.
func gate(t *testing.T, h http.Handler, header, prefix string, status int) (address string, set func(string)) {
	t.Helper()
	var good atomic.Value
	good.Store("")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(header) != prefix+good.Load().(string) {
			http.Error(w, "who are you?", status)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, func(value string) { good.Store(value) }
}

// headed is a connector whose calls show a secret header.
func headed(kind, url string, sso *bundle.SSO) bundle.Bundle {
	b := bundleFor(kind, url)
	b.OA.Headers = []bundle.Header{{Name: "X-Api-Key", SecretFile: "headers/0"}}
	b.SSO = sso
	return b
}

func gatedTicket(t *testing.T) gatedOA {
	t.Helper()
	sim, err := seeyon.New(seeyon.Options{RESTUsers: map[string]string{"fxiaoke": inside}, Apps: []seeyon.App{{Code: "3004"}}, People: []seeyon.Person{{LoginName: "lisi"}}})
	if err != nil {
		t.Fatal(err)
	}
	address, set := gate(t, sim, "X-Api-Key", "", http.StatusForbidden)
	b := headed("Seeyon", address, &bundle.SSO{Mode: "V5Ticket"})
	b.OA.Seeyon = &bundle.Seeyon{Version: "V70SP2"}
	return gatedOA{bundle: b, slot: bundle.SlotHeaders, key: "0", set: set, sign: func(s oa.SignIn) (oa.Identity, error) {
		ticket, err := sim.IssueTicket("lisi")
		if err != nil {
			return oa.Identity{}, err
		}
		return clicked(t, s, url.Values{"v5ticket": {ticket}})
	}}
}

// gatedCallback is an interface that is asked whose ticket this is. What the gateway has to show is a bearer token or a header.
func gatedCallback(token bool, status int) func(t *testing.T) gatedOA {
	return func(t *testing.T) gatedOA {
		t.Helper()
		settings := generic.DefaultSettings()
		settings.Link = "ticket"
		sim, err := generic.New(generic.Options{People: []desk.Person{{ID: "lisi"}}, Settings: &settings})
		if err != nil {
			t.Fatal(err)
		}
		o := gatedOA{slot: bundle.SlotHeaders, key: "0"}
		header, prefix := "X-Api-Key", ""
		if token {
			o.slot, o.key, header, prefix = bundle.SlotSSO, "token", "Authorization", "Bearer "
		}
		address, set := gate(t, sim, header, prefix, status)
		o.set = set
		o.bundle = headed("Generic", address, &bundle.SSO{Mode: "Callback", Callback: &bundle.AuthCall{
			URL: address + "/sso/verify", Method: http.MethodGet, Parameter: "ticket", AccountPath: "data.account",
		}})
		if token {
			o.bundle.OA.Headers = nil
		}
		o.bundle.OA.Generic = &bundle.Generic{Authentication: "None", ProbePath: "/"}
		o.sign = func(s oa.SignIn) (oa.Identity, error) {
			w := httptest.NewRecorder()
			sim.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/_sim/links", strings.NewReader(`{"person":"lisi","link":"https://sso.crm.example/x"}`)))
			var answer struct{ Link string }
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				return oa.Identity{}, fmt.Errorf("%s: %w", w.Body, err)
			}
			u, err := url.Parse(answer.Link)
			if err != nil {
				return oa.Identity{}, err
			}
			return clicked(t, s, u.Query())
		}
		return o
	}
}

func clicked(t *testing.T, s oa.SignIn, query url.Values) (oa.Identity, error) {
	p, err := s.Link.Read(oa.Link{Host: "sso.crm.example", Path: "/x", Query: query})
	if err != nil {
		return oa.Identity{}, err
	}
	return s.Link.Verify(t.Context(), p)
}

// gatedProvider is a provider that is behind a gateway altogether: one that validates tickets of CAS, or gives access tokens and says
// whose they are.
func gatedProvider(mode string, status int) func(t *testing.T) gatedOA {
	return func(t *testing.T) gatedOA {
		t.Helper()
		questions := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if mode == "CAS" {
				_, _ = w.Write([]byte(`<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess><cas:user>lisi</cas:user></cas:authenticationSuccess></cas:serviceResponse>`))
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"access_token":"a","token_type":"Bearer","sub":"lisi"}`))
		})
		address, set := gate(t, questions, "X-Api-Key", "", status)
		b := headed("Generic", address, &bundle.SSO{
			Mode: mode, CAS: &bundle.CAS{URL: address + "/cas", Version: "3"},
			OAuth2: &bundle.OAuth2{AuthorizeURL: "https://oa.example", TokenURL: address, UserInfoURL: address, ClientID: "crm", AccountPath: "sub"},
		})
		b.OA.Generic = &bundle.Generic{Authentication: "None", ProbePath: "/"}
		return gatedOA{bundle: b, slot: bundle.SlotHeaders, key: "0", set: set, sign: func(s oa.SignIn) (oa.Identity, error) {
			return s.Providers[0].Verifier.Verify(t.Context(), oa.Proof{Key: "ST-1"}, oa.Flow{RedirectURI: "https://sso.crm.example/cb"})
		}}
	}
}

// gatedIssuer is an OpenID Provider that is behind a gateway, with its document and its keys.
func gatedIssuer(status int) func(t *testing.T) gatedOA {
	return func(t *testing.T) gatedOA {
		t.Helper()
		const back = "https://sso.crm.example/cb"
		sim, err := generic.New(generic.Options{People: []desk.Person{{ID: "lisi"}}, Clients: []idp.Client{{ID: "crm", Secret: "client-secret", RedirectURIs: []string{back}}}})
		if err != nil {
			t.Fatal(err)
		}
		address, set := gate(t, sim, "X-Api-Key", "", status)
		b := headed("Generic", address, &bundle.SSO{Mode: "OIDC", OIDC: &bundle.OIDC{IssuerURL: address, ClientID: "crm", AccountClaim: "sub"}})
		b.OA.Generic = &bundle.Generic{Authentication: "None", ProbePath: "/"}
		return gatedOA{bundle: b, slot: bundle.SlotHeaders, key: "0", set: set, sign: func(s oa.SignIn) (oa.Identity, error) {
			flow := oa.Flow{RedirectURI: back, Nonce: "nonce-of-the-flow", CodeVerifier: oauth2.GenerateVerifier()}
			code, err := sim.Provider().Code("lisi", "crm", back, flow.Nonce, oauth2.S256ChallengeFromVerifier(flow.CodeVerifier))
			if err != nil {
				return oa.Identity{}, err
			}
			return s.Providers[0].Verifier.Verify(t.Context(), oa.Proof{Key: code}, flow)
		}}
	}
}

// Whatever the gateway shows when it asks the OA who clicked is replaced while people click, and no sign-in fails: the value
// under KEY.next has its turn as soon as the OA, or the gateway before it, refuses the one in use. Each new value ends as
// the current one.
func TestNoSignInFailsWhileTheGatewaysSecretsRotate(t *testing.T) { // F110
	for name, start := range map[string]func(t *testing.T) gatedOA{
		"Seeyon ticket, header":  gatedTicket,
		"Callback, token":        gatedCallback(true, http.StatusUnauthorized),
		"Callback, header":       gatedCallback(false, http.StatusUnauthorized),
		"Callback, header, 403":  gatedCallback(false, http.StatusForbidden),
		"CAS, header":            gatedProvider("CAS", http.StatusUnauthorized),
		"OAuth2, header, 403":    gatedProvider("OAuth2", http.StatusForbidden),
		"OAuth2, header, refuse": gatedProvider("OAuth2", http.StatusUnauthorized),
		"OIDC, header":           gatedIssuer(http.StatusUnauthorized),
		"OIDC, header, 403":      gatedIssuer(http.StatusForbidden),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := start(t)
			dir := t.TempDir()
			write := mountedIn(t, dir)
			write(bundle.SlotSSO, "client-secret", "client-secret")
			write(o.slot, o.key, "value-number-0")
			o.set("value-number-0")
			signIn, err := NewSignIn(&o.bundle, dir, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			load := gather(func() {
				if id, err := o.sign(signIn); err != nil || id.Account != "lisi" {
					t.Errorf("%+v, %v", id, err)
				}
			})
			pause := time.NewTicker(60 * time.Millisecond) // longer than a look at the files is spared
			defer pause.Stop()
			wait := func(state string) {
				t.Helper()
				for range 50 {
					for _, r := range signIn.Rotators {
						for _, s := range r.Credentials() {
							if s.Slot == o.slot && s.Name == o.key && s.State == state {
								return
							}
						}
					}
					<-pause.C
				}
				t.Errorf("the state is never %s", state)
			}
			for i := 1; i <= rotations; i++ {
				value := fmt.Sprint("value-number-", i)
				write(o.slot, o.key+".next", value)
				wait(rotation.StateProbing)
				<-pause.C
				o.set(value)
				wait(rotation.StateNext)
				write(o.slot, o.key, value)
				if err := os.Remove(filepath.Join(dir, o.slot, o.key+".next")); err != nil {
					t.Fatal(err)
				}
				wait(rotation.StateCurrent)
				load.caughtUp(t)
			}
			t.Logf("%d signed in, %d rotations", load.gone(), rotations)
		})
	}
}

// A bad proof that an interface answers with 403 costs a question more while a header is replaced, and uses up no attempt of the
// next value, however often somebody clicks.
func TestBadTicketsDoNotUseUpTheNextValue(t *testing.T) {
	o := gatedCallback(false, http.StatusForbidden)(t)
	dir := t.TempDir()
	for name, value := range map[string]string{"0": "first", "0.next": "second"} {
		if err := os.MkdirAll(filepath.Join(dir, o.slot), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, o.slot, name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	signIn, err := NewSignIn(&o.bundle, dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	o.set("neither")
	for range 10 {
		if _, err := o.sign(signIn); err == nil {
			t.Fatal("somebody was let in")
		}
	}
	o.set("second")
	if _, err := o.sign(signIn); err != nil {
		t.Errorf("the next value is not tried: %v", err)
	}
}

// A next value that is too short to be a secret is not taken, and does not keep the current one from working.
func TestAShortNextSecretHarmsNobody(t *testing.T) {
	dir := t.TempDir()
	s := newSecrets(dir)
	if err := os.MkdirAll(filepath.Join(dir, bundle.SlotSSO), 0o700); err != nil {
		t.Fatal(err)
	}
	good := bytes.Repeat([]byte("k"), 32)
	for name, value := range map[string][]byte{"shared-key": good, "shared-key.next": []byte("short"), "link-secret": good, "link-secret.next": []byte("x")} {
		if err := os.WriteFile(filepath.Join(dir, bundle.SlotSSO, name), value, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if keys, err := s.jwtKeys("HS256"); err != nil || len(keys.Keys) != 1 {
		t.Errorf("%d keys, %v", len(keys.Keys), err)
	}
	if secrets, err := s.rotatedSSO("link-secret", 16); err != nil || len(secrets) != 1 {
		t.Errorf("%d secrets, %v", len(secrets), err)
	}
}
