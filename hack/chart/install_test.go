package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A release is the same objects with its own image, whichever way it is installed.
func TestReleaseSaysTheSame(t *testing.T) {
	const repository, version = "registry.example/oabridge", "v1.2.3"
	install, err := InstallFile(Root, repository+":"+version)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := Package(Root, t.TempDir(), version, repository)
	if err != nil {
		t.Fatal(err)
	}
	if got := filepath.Base(archive); got != "oabridge-1.2.3.tgz" {
		t.Errorf("the archive is %s", got)
	}
	manifests, notes, err := Render(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(install+manifests, ":latest") || !strings.Contains(notes, version) {
		t.Errorf("a release that says latest, or notes without the version: %s", notes)
	}
	file, chart := byID(t, install), byID(t, manifests)
	delete(file, "Namespace /"+Namespace)
	delete(chart, "Pod "+Namespace+"/oabridge-test-ready")
	if diff := cmp.Diff(file, chart); diff != "" {
		t.Errorf("install.yaml (-) and the chart (+) differ:\n%s", diff)
	}
	if info, err := os.Stat(archive); err != nil || info.Size() > 1<<20 {
		t.Errorf("the archive does not fit into a Secret, which is where helm keeps a release: %v %v", info, err)
	}
}
