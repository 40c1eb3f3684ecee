package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onsi/gomega"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/scenario"
	"github.com/oabridge/oabridge/test/canary"
)

// runAsProgram makes the test binary behave as oabridge.
const runAsProgram = "OABRIDGE_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(runAsProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// workload is a running dispatcher or gateway whose Secrets are canaries and whose OA hangs, so that calls with secrets are under way.
type workload struct {
	t     *testing.T
	book  *canary.Book
	dir   string
	admin string
	cmd   *exec.Cmd
}

func (w *workload) write(name, content string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func start(t *testing.T, command string, b bundle.Bundle) *workload {
	t.Helper()
	w := &workload{t: t, book: &canary.Book{}, dir: t.TempDir(), admin: freeAddress(t)}
	document, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	w.write("bundle/"+bundle.FileName, string(document))
	for _, name := range []string{
		"credentials/username", "credentials/password", "credentials/password.next", "headers/0", "token/token", "peer/token", "sso/link-secret", "sso/link-secret.next",
		"login/shared-key", "login/shared-key.next",
	} {
		w.write("secrets/"+name, w.book.Secret(name))
	}
	args := []string{command, "--bundle", filepath.Join(w.dir, "bundle"), "--secrets", filepath.Join(w.dir, "secrets"), "--log-level", "debug",
		"--listen-public", freeAddress(t), "--listen-admin", w.admin}
	if command == "dispatcher" {
		args = append(args, "--store", filepath.Join(w.dir, "store"), "--store-max-bytes", "100000000", "--listen-peer", freeAddress(t), "--listen-local", freeAddress(t), "--pprof")
	}
	w.cmd = exec.CommandContext(t.Context(), os.Args[0], args...) //nolint:gosec // the test itself
	w.cmd.Env = append(os.Environ(), runAsProgram+"=1", "GOTRACEBACK=all")
	w.cmd.Stderr, w.cmd.Stdout = w.book.Writer("stderr"), w.book.Writer("stdout")
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *workload) get(path string) (status int, body string) {
	resp, err := http.Get("http://" + w.admin + path) //nolint:noctx // a test
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(io.TeeReader(resp.Body, w.book.Writer(path)))
	return resp.StatusCode, string(text)
}

// A dispatcher and a gateway write no secret anywhere: not into logs, metrics and reports, nor into the traces of all their goroutines when they are
// killed in the middle of calls; and the kernel writes no core.
func TestNothingWrittenHoldsASecret(t *testing.T) { // TM-22
	asked := make(chan struct{}, 100)
	ends := make(chan struct{})
	hanging := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-ends
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // as above
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = hanging.Serve(l) }()
	defer func() { close(ends); _ = hanging.Close() }()
	b := bundle.Bundle{
		Format: bundle.Format, Namespace: "crm", Name: "hq", Type: "Seeyon", EnterpriseID: "714439",
		OA: bundle.OA{
			URL: "http://" + l.Addr().String(), ConnectTimeout: bundle.Duration(5 * time.Second), AllowedCIDRs: []string{"127.0.0.0/8"},
			Headers: []bundle.Header{{Name: "X-Key", SecretFile: "headers/0"}},
			Seeyon:  &bundle.Seeyon{RegisterCode: "3004", Version: "V70SP2", TokenPlacement: "Header", TokenIdleTimeout: bundle.Duration(15 * time.Minute)},
		},
		Delivery: bundle.Delivery{Timeout: bundle.Duration(30 * time.Second), Concurrency: 4, MaxAge: bundle.Duration(time.Hour)},
		Source:   bundle.Source{Token: true}, Scenarios: []scenario.Definition{},
		SSO: &bundle.SSO{
			Mode: "SignedLink", URL: "https://sso.crm.example", ProofsURL: "http://127.0.0.1:1/proofs/", SignedLink: &bundle.SignedLink{Algorithm: "SHA1"},
			MaxSkew: bundle.Duration(5 * time.Minute), Login: "SignedURL", LoginURL: "https://crm.example/login", LoginLifetime: bundle.Duration(time.Minute),
		},
	}
	for _, command := range []string{"dispatcher", "gateway"} {
		t.Run(command, func(t *testing.T) {
			w := start(t, command, b)
			gomega.NewWithT(t).Eventually(func() int {
				status, _ := w.get("/readyz")
				return status
			}).WithTimeout(time.Minute).Should(gomega.Equal(http.StatusOK), func() string { return w.book.Text("stderr") })
			if command == "dispatcher" {
				<-asked // a login with the password is under way
			}
			for _, path := range []string{"/metrics", "/report"} {
				if status, body := w.get(path); status != http.StatusOK || body == "" {
					t.Errorf("%s: %d %q", path, status, body)
				}
			}
			limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", w.cmd.Process.Pid))
			if err != nil || !coreIsZero(limits) {
				t.Errorf("core files are not off: %v %s", err, limits)
			}
			if err := w.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
				t.Fatal(err)
			}
			_ = w.cmd.Wait()
			if trace := w.book.Text("stderr"); !strings.Contains(trace, "SIGQUIT") || strings.Count(trace, "\ngoroutine ") < 5 {
				t.Errorf("that is no trace of all goroutines: %s", trace)
			}
			if found := w.book.Found(); found != nil {
				t.Errorf("secrets were written: %v", found)
			}
		})
	}
}

func coreIsZero(limits []byte) bool {
	for line := range bytes.Lines(limits) {
		if fields := strings.Fields(string(line)); len(fields) >= 6 && strings.HasPrefix(string(line), "Max core file size") {
			return fields[4] == "0" && fields[5] == "0"
		}
	}
	return false
}

// The process that keeps secrets cannot be read by another one of the same user.
func TestForbidDumps(t *testing.T) {
	if os.Getenv("OABRIDGE_TEST_DUMPABLE") == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestForbidDumps$", "-test.v") //nolint:gosec // the test itself
		cmd.Env = append(os.Environ(), "OABRIDGE_TEST_DUMPABLE=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	if err := forbidDumps(); err != nil {
		t.Fatal(err)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("dumpable: %d, %v", dumpable, err)
	}
}
