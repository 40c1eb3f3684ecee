package chart

import (
	"fmt"
	"path/filepath"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
)

// defaultImage stands in config/manager for the image of a release.
const defaultImage = "oabridge/oabridge:latest"

// InstallFile is config/default as one file with the image of a release, for the manager and for what it starts.
func InstallFile(root, image string) (string, error) {
	manifests, err := Kustomize(filepath.Join(root, "config", "default"))
	if err != nil {
		return "", err
	}
	// The container and OABRIDGE_IMAGE.
	const places = 2
	if n := strings.Count(manifests, " "+defaultImage+"\n"); n != places {
		return "", fmt.Errorf("config/default names %s %d times instead of %d: it is not known what to replace", defaultImage, n, places)
	}
	return strings.ReplaceAll(manifests, " "+defaultImage+"\n", " "+image+"\n"), nil
}

// Package writes the chart as an archive into dir and returns its path. version is that of the release, as its tag has it:
// v1.2.3. repository is the image's; its tag is the version.
func Package(root, dir, version, repository string) (string, error) {
	chart, err := loader.Load(filepath.Join(root, "charts", "oabridge"))
	if err != nil {
		return "", err
	}
	chart.Metadata.Version = strings.TrimPrefix(version, "v")
	chart.Metadata.AppVersion = version
	for _, file := range chart.Raw {
		if file.Name != chartutil.ValuesfileName {
			continue
		}
		const line = "  repository: oabridge/oabridge\n"
		if strings.Count(string(file.Data), line) != 1 {
			return "", fmt.Errorf("charts/oabridge/values.yaml has not one line %q", strings.TrimSpace(line))
		}
		file.Data = []byte(strings.Replace(string(file.Data), line, "  repository: "+repository+"\n", 1))
	}
	return chartutil.Save(chart, dir)
}
