package chart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	k8syaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Root of the repository, seen from this package.
const Root = "../.."

// Release and Namespace with which the chart gives the names of config/default.
const (
	Release   = "oabridge"
	Namespace = "oabridge-system"
)

// kubeVersion that templates see.
const kubeVersion = "v1.37.2"

// Render renders the chart as `helm template` does, and checks values against values.schema.json. NOTES.txt is returned
// beside the manifests. kinds are what the cluster has beyond those of Kubernetes, such as monitoring.coreos.com/v1/PodMonitor.
func Render(dir string, values map[string]any, kinds ...string) (manifests, notes string, err error) {
	chart, err := loader.Load(dir)
	if err != nil {
		return "", "", err
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	version, err := chartutil.ParseKubeVersion(kubeVersion)
	if err != nil {
		return "", "", err
	}
	capabilities.KubeVersion = *version
	capabilities.APIVersions = append(capabilities.APIVersions, kinds...)
	release := chartutil.ReleaseOptions{Name: Release, Namespace: Namespace, Revision: 1, IsInstall: true}
	top, err := chartutil.ToRenderValues(chart, values, release, capabilities)
	if err != nil {
		return "", "", err
	}
	files, err := engine.Engine{Strict: true}.Render(chart, top)
	if err != nil {
		return "", "", err
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := strings.TrimSpace(files[name])
		switch {
		case strings.HasSuffix(name, "/NOTES.txt"):
			notes = text
		case text != "" && !strings.HasPrefix(filepath.Base(name), "_"):
			fmt.Fprintf(&out, "---\n# Source: %s\n%s\n", name, strings.TrimSpace(strings.TrimPrefix(text, "---")))
		}
	}
	return out.String(), notes, nil
}

// Kustomize builds a kustomization.
func Kustomize(dir string) (string, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return "", err
	}
	data, err := built.AsYaml()
	return string(data), err
}

// Objects decodes manifests.
func Objects(manifests string) ([]*unstructured.Unstructured, error) {
	decoder := k8syaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(manifests), 4096)
	var found []*unstructured.Unstructured
	for {
		u := &unstructured.Unstructured{}
		err := decoder.Decode(&u.Object)
		switch {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return nil, err
		case len(u.Object) > 0:
			found = append(found, u)
		}
	}
}

// ID tells objects apart.
func ID(u *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s/%s", u.GetKind(), u.GetNamespace(), u.GetName())
}
