package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oasim/crm"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "oasim.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadConfig(t *testing.T) {
	c, err := loadConfig(write(t, `
seeyon:
  restUsers: {bridge: pw}
  people: [{loginName: lisi, name: 李四}]
  bindings: [{registerCode: "3004", thirdUserId: "1002", loginName: lisi}]
  settings: {ssoPath: old}
crm:
  login: {jwksURL: "https://sso.example/jwks", issuer: i, audience: a}
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Seeyon.RESTUsers) != 1 || len(c.Seeyon.People) != 1 || c.Seeyon.People[0].Mobile != "" || len(c.Seeyon.Apps) != 1 {
		t.Errorf("seeyon = %+v", c.Seeyon)
	}
	if c.Seeyon.Settings.SSOPath != "old" || c.Seeyon.Settings.WrongPassword != 401 || len(c.CRM.People) != 21 || c.CRM.Login.Audience != "a" {
		t.Errorf("settings = %+v, crm = %+v", c.Seeyon.Settings, c.CRM)
	}
	for _, bad := range []string{"seyon: {}", "crm: {jwks: x}", "["} {
		if _, err := loadConfig(write(t, bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if _, err := loadConfig("/nowhere/at/all"); err == nil {
		t.Error("a missing file was accepted")
	}
}

func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	type place struct{ name, url string }
	places, ended := make(chan place, 2), make(chan error, 1)
	go func() {
		addresses := map[string]string{"seeyon": "127.0.0.1:0", "crm": "127.0.0.1:0"}
		ended <- serve(ctx, defaultConfig(), []string{"seeyon", "crm"}, addresses, func(name string, a net.Addr) {
			places <- place{name, "http://" + a.String()}
		})
	}()
	for range 2 {
		p := <-places
		for _, path := range []string{"/healthz", "/", "/_sim/people"} {
			req, _ := http.NewRequestWithContext(ctx, "GET", p.url+path, nil)
			resp, err := http.DefaultClient.Do(req)
			if err != nil || resp.StatusCode != 200 {
				t.Fatalf("%s %s: %v %v", p.name, path, resp, err)
			}
			_ = resp.Body.Close()
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestCommands(t *testing.T) {
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		root := newRoot()
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetArgs(args)
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
	out, err := run("scenario", "--seed", "5")
	var s crm.Scenario
	if err != nil || json.Unmarshal([]byte(out), &s) != nil || len(s.Events) != 200 {
		t.Errorf("scenario: %v %.100s", err, out)
	}
	out, err = run("config")
	if err != nil || !strings.Contains(out, "registerCode") && !strings.Contains(out, `code: "3004"`) {
		t.Errorf("config: %v %s", err, out)
	}
	if c, err := loadConfig(write(t, out)); err != nil || len(c.Seeyon.People) != 21 {
		t.Errorf("the printed configuration cannot be read back: %v", err)
	}
	for _, args := range [][]string{{"serve", "landray"}, {"serve", "--config", "/nowhere"}, {"scenario", "--count", "1"}} {
		if _, err := run(args...); err == nil {
			t.Errorf("%v succeeded", args)
		}
	}
}
