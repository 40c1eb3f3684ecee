package image

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func program(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "hello"), source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(dir, "hello")
}

func TestWriteIsReproducibleAndRunsAsNonroot(t *testing.T) {
	binary, dir := program(t), t.TempDir()
	o := Options{Name: "example.com/hello:1", Binaries: []string{binary}}
	var tars [2][]byte
	for i := range tars {
		out := filepath.Join(dir, "hello.tar")
		if err := Write(o, out); err != nil {
			t.Fatal(err)
		}
		tars[i], _ = os.ReadFile(out)
	}
	if !bytes.Equal(tars[0], tars[1]) {
		t.Error("the same inputs gave different bytes")
	}
	loaded, err := tarball.ImageFromPath(filepath.Join(dir, "hello.tar"), nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := loaded.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != nonroot || config.Config.Entrypoint[0] != "/hello" {
		t.Errorf("got user %q, entrypoint %q", config.Config.User, config.Config.Entrypoint)
	}
	var content bytes.Buffer
	files := mutate.Extract(loaded)
	defer files.Close()
	if _, err := content.ReadFrom(files); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(content.Bytes(), []byte("nonroot:x:65532:65532")) {
		t.Error("no /etc/passwd with the nonroot user")
	}
}

func TestWriteRefusesWhatCouldNotRun(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		o    Options
		want string
	}{
		"no program":  {Options{Name: "a:1"}, "--binary"},
		"not a name":  {Options{Name: "A B", Binaries: []string{text}}, "image name"},
		"a script":    {Options{Name: "a:1", Binaries: []string{text}, Bare: true}, "no Linux program"},
		"not present": {Options{Name: "a:1", Binaries: []string{text + "x"}, Bare: true}, "no such file"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := Write(c.o, filepath.Join(t.TempDir(), "out.tar"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something about %q", err, c.want)
			}
		})
	}
}
