package chart

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The Dockerfile copies every folder that the programs are made of, and builds with the Go release of go.mod.
func TestDockerfile(t *testing.T) {
	dockerfile := read(t, "Dockerfile")
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{with .Module}}{{if .Main}}{{$.ImportPath}}{{end}}{{end}}`, "./cmd/...")
	list.Dir = Root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]bool{}
	for _, pkg := range strings.Fields(string(out)) {
		folder, _, _ := strings.Cut(strings.TrimPrefix(pkg, "github.com/oabridge/oabridge/"), "/")
		folders[folder] = true
	}
	if len(folders) < 4 {
		t.Fatalf("the programs come from %v only", folders)
	}
	for folder := range folders {
		if !strings.Contains(dockerfile, fmt.Sprintf("\nCOPY %s %s\n", folder, folder)) {
			t.Errorf("the Dockerfile does not copy %s", folder)
		}
	}
	release := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))[1]
	if !strings.Contains(dockerfile, " golang:"+release+" ") {
		t.Errorf("the Dockerfile does not build with golang:%s", release)
	}
	for _, must := range []string{"CGO_ENABLED=0", "-trimpath", "FROM scratch", "USER 65532:65532"} {
		if !strings.Contains(dockerfile, must) {
			t.Errorf("the Dockerfile lacks %s", must)
		}
	}
}

// PROJECT lists the kinds that there are.
func TestProject(t *testing.T) {
	var project struct {
		Domain    string
		Resources []struct{ Kind, Version, Path string }
	}
	if err := yaml.Unmarshal([]byte(read(t, "PROJECT")), &project); err != nil {
		t.Fatal(err)
	}
	var listed, exist []string
	for _, r := range project.Resources {
		listed = append(listed, project.Domain+"/"+r.Version+" "+r.Kind)
		if folder := strings.TrimPrefix(r.Path, "github.com/oabridge/oabridge/"); read(t, folder+"/groupversion_info.go") == "" {
			t.Errorf("%s: nothing is in %s", r.Kind, folder)
		}
	}
	paths, err := filepath.Glob(Root + "/config/crd/bases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(data, &crd); err != nil {
			t.Fatal(err)
		}
		for _, v := range crd.Spec.Versions {
			exist = append(exist, crd.Spec.Group+"/"+v.Name+" "+crd.Spec.Names.Kind)
		}
	}
	slices.Sort(listed)
	slices.Sort(exist)
	if !slices.Equal(listed, exist) {
		t.Errorf("PROJECT lists %v, there are %v", listed, exist)
	}
}
