package build

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestVersionIsReadFromWhereItIsPinned(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "kube", "go.mod"), "require (\n\tk8s.io/kubernetes v1.37.2\n)\n")
	full, major, minor, err := Version(dir)
	if err != nil || full != "v1.37.2" || major != "1" || minor != "37" {
		t.Errorf("got %q %q %q %v", full, major, minor, err)
	}
	write(t, filepath.Join(dir, "kube", "go.mod"), "module x\n")
	if _, _, _, err := Version(dir); err == nil || !strings.Contains(err.Error(), "k8s.io/kubernetes") {
		t.Errorf("got %v", err)
	}
}

func TestKeyFollowsWhatIsBuilt(t *testing.T) {
	dir := t.TempDir()
	mod := filepath.Join(dir, "kube", "go.mod")
	write(t, mod, "require (\n\tk8s.io/kubernetes v1.37.2\n)\n")
	write(t, filepath.Join(dir, "kube", "main.go"), "package main")
	key := func() string {
		t.Helper()
		k, err := Kubernetes.key(dir)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := key()
	write(t, filepath.Join(dir, "kube", "main_test.go"), "package main")
	write(t, filepath.Join(dir, "kube", "README.md"), "words")
	if key() != first {
		t.Error("tests and texts are not part of the programs, yet the key changed")
	}
	write(t, filepath.Join(dir, "kube", "main.go"), "package main // changed")
	second := key()
	if second == first {
		t.Error("changed source, same key")
	}
	write(t, mod, "require (\n\tk8s.io/kubernetes v1.37.3\n)\n")
	if key() == second {
		t.Error("changed version, same key")
	}
}

func TestEnsureBuildsOnceForSeveralCallers(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	write(t, filepath.Join(dir, "kube", "go.mod"), "require (\n\tk8s.io/kubernetes v1.37.2\n)\n")
	write(t, filepath.Join(dir, "small", "go.mod"), "module example.com/small\n\ngo 1.26.0\n")
	write(t, filepath.Join(dir, "small", "main.go"), "package main\n\nfunc main() {}\n")
	b := Bundle{Name: "small", module: "small", packages: []string{"."}, links: map[string][]string{"small": {"other"}}}
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			bin, err := b.Ensure(context.Background(), dir, &bytes.Buffer{})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := os.Stat(filepath.Join(bin, "other")); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	cache, _ := Cache()
	if left, _ := filepath.Glob(filepath.Join(cache, "small", ".building-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestEnsureKeepsNothingOfAFailedBuild(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	write(t, filepath.Join(dir, "kube", "go.mod"), "require (\n\tk8s.io/kubernetes v1.37.2\n)\n")
	write(t, filepath.Join(dir, "small", "go.mod"), "module example.com/small\n\ngo 1.26.0\n")
	write(t, filepath.Join(dir, "small", "main.go"), "package main\n\nfunc main() { undefined() }\n")
	b := Bundle{Name: "small", module: "small", packages: []string{"."}}
	_, err := b.Ensure(context.Background(), dir, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "undefined") {
		t.Errorf("the error should show what the compiler said, got %v", err)
	}
	if bin, _ := b.Dir(dir); present(bin) {
		t.Error("a failed build is in the cache")
	}
}

func TestEstimate(t *testing.T) {
	if got := estimate(time.Minute, 100, 300); got != "about 2m0s left" {
		t.Errorf("got %q", got)
	}
	if got := estimate(time.Minute, 300, 300); got != "linking" {
		t.Errorf("got %q", got)
	}
}
