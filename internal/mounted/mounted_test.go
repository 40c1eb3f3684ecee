package mounted_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/mounted"
)

// volume is a folder as the kubelet keeps it: files are links through ..data, which is swapped as a whole.
type volume struct {
	t    *testing.T
	dir  string
	next int
}

func (v *volume) write(files map[string]string) {
	v.t.Helper()
	v.next++
	version := fmt.Sprintf("..2026_11_22_%d", v.next)
	must(v.t, os.MkdirAll(filepath.Join(v.dir, version), 0o700))
	for name, text := range files {
		must(v.t, os.WriteFile(filepath.Join(v.dir, version, name), []byte(text), 0o600))
	}
	old, _ := os.Readlink(filepath.Join(v.dir, "..data"))
	must(v.t, os.Symlink(version, filepath.Join(v.dir, "..data_tmp")))
	must(v.t, os.Rename(filepath.Join(v.dir, "..data_tmp"), filepath.Join(v.dir, "..data")))
	for name := range files {
		if _, err := os.Lstat(filepath.Join(v.dir, name)); err != nil {
			must(v.t, os.Symlink(filepath.Join("..data", name), filepath.Join(v.dir, name)))
		}
	}
	if old != "" {
		must(v.t, os.RemoveAll(filepath.Join(v.dir, old)))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A Secret is rotated, and another one appears later: each change is told, and Read gives the new value.
func TestWatchSecrets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "etc", "secrets") // appears later
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	changed, done := make(chan struct{}, 64), make(chan error, 1)
	go func() { done <- mounted.Watch(ctx, dir, func() { changed <- struct{}{} }) }()
	waitFor := func(slot, key, want string) {
		t.Helper()
		for {
			select {
			case <-changed:
				if got, _ := mounted.Read(dir, slot, key); got == want {
					return
				}
			case <-ctx.Done():
				t.Fatalf("%s/%s did not become %q", slot, key, want)
			}
		}
	}
	<-changed // it watches

	credentials := &volume{t: t, dir: filepath.Join(dir, "credentials")}
	credentials.write(map[string]string{"username": "fxiaoke", "password": "one\n"})
	waitFor("credentials", "password", "one")

	credentials.write(map[string]string{"username": "fxiaoke", "password": "two\n"})
	waitFor("credentials", "password", "two")

	signing := &volume{t: t, dir: filepath.Join(dir, "signing")}
	signing.write(map[string]string{"signing-key": "whsec_1"})
	waitFor("signing", "signing-key", "whsec_1")
	signing.write(map[string]string{"signing-key": "whsec_2"})
	waitFor("signing", "signing-key", "whsec_2")

	must(t, os.WriteFile(filepath.Join(dir, "signing", "plain"), []byte("x"), 0o600)) // not from Kubernetes
	waitFor("signing", "plain", "x")
	must(t, os.RemoveAll(signing.dir))
	waitFor("signing", "plain", "")

	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Hundreds of file operations of one update are one change.
func TestWatchWaitsUntilItIsQuiet(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	changed, done := make(chan struct{}, 1024), make(chan error, 1)
	go func() { done <- mounted.Watch(ctx, dir, func() { changed <- struct{}{} }) }()
	<-changed
	for i := range 300 {
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte("x"), 0o600))
	}
	select {
	case <-changed:
	case <-ctx.Done():
		t.Fatal("no change was told")
	}
	cancel()
	must(t, <-done)
	if n := len(changed); n > 20 {
		t.Errorf("%d more calls for one burst", n)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "slot"), 0o700))
	write := func(name, text string) {
		must(t, os.WriteFile(filepath.Join(dir, "slot", name), []byte(text), 0o600))
	}
	for text, want := range map[string]string{"a": "a", "a\n": "a", "a\r\n": "a", "a\n\n": "a\n", " a ": " a ", "": "", "a\r": "a\r"} {
		write("key", text)
		if got, err := mounted.Read(dir, "slot", "key"); got != want || err != nil {
			t.Errorf("%q gave %q, %v", text, got, err)
		}
	}
	if _, err := mounted.Read(dir, "slot", "none"); !errors.Is(err, mounted.ErrMissing) || !strings.Contains(err.Error(), "slot/none") {
		t.Errorf("got %v", err)
	}
	if _, err := mounted.Read(dir, "none", "key"); !errors.Is(err, mounted.ErrMissing) {
		t.Errorf("got %v", err)
	}
	write("big", strings.Repeat("secret", mounted.MaxFile))
	if _, err := mounted.Read(dir, "slot", "big"); err == nil || strings.Contains(err.Error(), "secretsecret") {
		t.Errorf("a file that is too large gave %.100v", err)
	}
	if _, err := mounted.Read(dir, ".", "slot"); err == nil {
		t.Error("a folder was read")
	}
	for _, name := range []string{"", ".", "..", "../slot", "a/b", "..data"} {
		if _, err := mounted.Read(dir, "slot", name); err == nil || errors.Is(err, mounted.ErrMissing) {
			t.Errorf("%q gave %v", name, err)
		}
	}
}
