// Command dist writes what a release has for those who install it: install.yaml and the chart's archive.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/oabridge/oabridge/hack/chart"
)

func main() {
	root := flag.String("root", chart.Root, "root of the checkout")
	out := flag.String("out", "dist", "directory that the files go to")
	version := flag.String("version", "", "version of the release: v1.2.3")
	repository := flag.String("repository", "oabridge/oabridge", "image without its tag; the tag is the version")
	flag.Parse()
	if err := run(*root, *out, *version, *repository); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

func run(root, out, version, repository string) error {
	if version == "" {
		return fmt.Errorf("-version is empty: name the release, as in v1.2.3")
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	manifests, err := chart.InstallFile(root, repository+":"+version)
	if err != nil {
		return err
	}
	install := filepath.Join(out, "install.yaml")
	if err := os.WriteFile(install, []byte(manifests), 0o644); err != nil {
		return err
	}
	archive, err := chart.Package(root, out, version, repository)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s\n%s\n", install, archive)
	return err
}
