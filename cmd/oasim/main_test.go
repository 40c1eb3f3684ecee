package main

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
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
weaver:
  systems: [{code: other}]
  settings: {soapForm: cdata, provider: {codeSeconds: 7}}
generic:
  shape: {operations: [{action: create, path: /push}]}
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
	if w := c.Weaver; len(w.Systems) != 1 || w.Systems[0].Secret != "" || len(w.People) != 21 || w.Settings.SOAPForm != "cdata" || !w.Settings.TodoCentre ||
		w.Settings.Provider.CodeSeconds != 7 || w.Settings.Provider.TokenSeconds != 3600 {
		t.Errorf("weaver = %+v %+v", w, w.Settings)
	}
	if g := c.Generic.Shape; len(g.Operations) != 1 || g.Operations[0].Element != "" || g.Fields.TaskID != "taskId" {
		t.Errorf("generic = %+v", g)
	}
	for _, bad := range []string{"seyon: {}", "crm: {jwks: x}", "weaver: {settings: {x: 1}}", "["} {
		if _, err := loadConfig(write(t, bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if _, err := loadConfig("/nowhere/at/all"); err == nil {
		t.Error("a missing file was accepted")
	}
}

// All simulators at once: each shows its pages and its control API, and the index leads to all of them.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	places, ended := make(chan [2]string, len(names())), make(chan error, 1)
	addresses := map[string]string{}
	for _, name := range names() {
		addresses[name] = "127.0.0.1:0"
	}
	go func() {
		ended <- serve(ctx, defaultConfig(), names(), addresses, func(name string, a net.Addr) {
			places <- [2]string{name, "http://" + a.String()}
		})
	}()
	get := func(url string) string {
		t.Helper()
		req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %d %v %s", url, resp.StatusCode, err, body)
		}
		return string(body)
	}
	urls := map[string]string{}
	for range names() {
		p := <-places
		urls[p[0]] = p[1]
	}
	list := get(urls[indexName] + "/")
	get(urls[indexName] + "/healthz")
	for name, url := range urls {
		if name == indexName {
			continue
		}
		if !strings.Contains(list, `href="`+url+`/"`) {
			t.Errorf("%s is not on the index: %s", name, list)
		}
		for _, path := range []string{"/healthz", "/_sim/people", "/_sim/clock", "/_sim/journal", "/_sim/settings", "/_sim/faults"} {
			get(url + path)
		}
		for _, link := range regexp.MustCompile(`class="row" href="([^"]+)"`).FindAllStringSubmatch(get(url+"/"), -1) {
			if name != "crm" || link[1] != "/home" { // nobody is logged in there
				get(url + html.UnescapeString(link[1]))
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestEverySimulatorIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/simulators.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range simulators {
		row := regexp.MustCompile("(?m)^\\| `" + s.name + "` \\|.*\\| " + strings.TrimPrefix(s.address, ":") + " \\|$")
		if !row.Match(page) {
			t.Errorf("docs/simulators.md has no row for %s with the port %s", s.name, s.address)
		}
	}
}

// The cluster's configuration can be read, and every simulator has a port, a Service, a host and a link there.
func TestClusterConfiguration(t *testing.T) {
	const dir = "../../config/simulators/"
	c, err := loadConfig(dir + "oasim.yaml")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(dir + "simulators.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range simulators {
		for _, want := range []string{
			"- {name: " + s.name + ", containerPort: " + strings.TrimPrefix(s.address, ":") + "}", "metadata: {name: " + s.name + ", namespace: oasim}",
			"targetPort: " + s.name + "}", "backend: {service: {name: " + s.name + ",",
		} {
			if !strings.Contains(string(raw), want) {
				t.Errorf("simulators.yaml lacks %s", want)
			}
		}
		host := strings.Trim(strings.TrimPrefix(c.URLs[s.name], "https://"), "/")
		if host == "" || !strings.Contains(string(raw), "- host: "+host+"\n") || !strings.Contains(string(raw), "    - "+host+"\n") {
			t.Errorf("%s: there is no host %q", s.name, host)
		}
	}
}

func TestIndexNamesTheConfiguredURLs(t *testing.T) {
	addr := &net.TCPAddr{Port: 8082}
	i := index{entries: []entry{{"weaver", "泛微", addr}, {"crm", "CRM", addr}}, urls: map[string]string{"weaver": "https://weaver.example/"}}
	w := httptest.NewRecorder()
	i.ServeHTTP(w, httptest.NewRequest("GET", "http://sim.example:8090/", nil))
	for _, want := range []string{`href="https://weaver.example/"`, `href="http://sim.example:8082/"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is missing: %s", want, w.Body)
		}
	}
	w = httptest.NewRecorder()
	i.ServeHTTP(w, httptest.NewRequest("GET", "http://sim.example/x", nil))
	if w.Code != 404 {
		t.Errorf("another path: %d", w.Code)
	}
}

func TestServeSaysWhatIsWrong(t *testing.T) {
	busy, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	c := defaultConfig()
	err = serve(t.Context(), c, []string{"crm", "weaver"}, map[string]string{"crm": "127.0.0.1:0", "weaver": busy.Addr().String()}, func(string, net.Addr) {})
	if err == nil || !strings.Contains(err.Error(), "weaver") {
		t.Errorf("a taken port: %v", err)
	}
	c.Weaver.Settings.Account = "x"
	err = serve(t.Context(), c, []string{"weaver"}, map[string]string{}, func(string, net.Addr) {})
	if err == nil || !strings.Contains(err.Error(), "settings.account") {
		t.Errorf("bad settings: %v", err)
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
	for _, args := range [][]string{{"serve", "notes"}, {"serve", "--config", "/nowhere"}, {"scenario", "--count", "1"}} {
		if _, err := run(args...); err == nil {
			t.Errorf("%v succeeded", args)
		}
	}
}
