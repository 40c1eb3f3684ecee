// Package manifest reads the objects of OA Bridge from YAML and JSON files, and knows the line of each field.
package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Limits of the input.
const (
	maxFile  = 8 << 20 // bytes
	maxFiles = 10_000
	// maxEntries of one mapping: each key is compared with every other one, to find those that are there twice.
	maxEntries = 10_000
)

// DefaultNamespace of objects that name none.
const DefaultNamespace = "default"

// Object is one object of a file.
type Object struct {
	// File as it was named, and the line where the object begins.
	File string
	Line int

	Kind, Namespace, Name string
	// Tree is the object as JSON has it.
	Tree map[string]any

	node *yaml.Node
}

// ID is Kind namespace/name.
func (o *Object) ID() string { return o.Kind + " " + o.Namespace + "/" + o.Name }

// ReadError says what cannot be read and where.
type ReadError struct {
	File string
	// Line is 0 when it is about the file as a whole.
	Line  int
	Cause string
}

func (e *ReadError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Cause
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Cause)
}

// Stdin is the name of the standard input as a path.
const Stdin = "-"

// Read returns the objects of files, of the .yaml, .yml and .json files below directories, and of stdin for "-". Objects of
// other kinds than those of OA Bridge and ConfigMap are left out. Every error is a *ReadError; what can be read is returned
// too.
func Read(paths []string, stdin io.Reader) (objects []*Object, problems []error) {
	var files []string
	for _, p := range paths {
		found, err := filesBelow(p)
		if err != nil {
			problems = append(problems, err)
		}
		files = append(files, found...)
	}
	for i, file := range files {
		if slices.Contains(files[:i], file) {
			continue
		}
		data, err := readFile(file, stdin)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		found, err := parse(file, data)
		if err != nil {
			problems = append(problems, err)
		}
		objects = append(objects, found...)
	}
	return objects, problems
}

func filesBelow(root string) ([]string, error) {
	if root == Stdin {
		return []string{root}, nil
	}
	info, err := os.Stat(root)
	if err != nil {
		return nil, &ReadError{File: root, Cause: cause(err)}
	}
	if !info.IsDir() {
		return []string{root}, nil
	}
	var files []string
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return &ReadError{File: file, Cause: cause(err)}
		case entry.IsDir() && file != root && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.Type().IsRegular() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(file)):
			files = append(files, file)
		}
		if len(files) > maxFiles {
			return &ReadError{File: root, Cause: fmt.Sprintf("has more than %d files; name a directory further down", maxFiles)}
		}
		return nil
	})
	return files, err
}

func cause(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

func readFile(file string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if file != Stdin {
		f, err := os.Open(file)
		if err != nil {
			return nil, &ReadError{File: file, Cause: cause(err)}
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	switch {
	case err != nil:
		return nil, &ReadError{File: file, Cause: cause(err)}
	case len(data) > maxFile:
		return nil, &ReadError{File: file, Cause: fmt.Sprintf("has more than %d bytes", maxFile)}
	}
	return data, nil
}

// parse reads the documents of a file up to the first that is not YAML.
func parse(file string, data []byte) (objects []*Object, err error) {
	d := yaml.NewDecoder(strings.NewReader(string(data)))
	for {
		var document yaml.Node
		err := d.Decode(&document)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			line, message := 0, strings.TrimPrefix(err.Error(), "yaml: ")
			if n, scanErr := fmt.Sscanf(message, "line %d: ", &line); n == 1 && scanErr == nil {
				_, message, _ = strings.Cut(message, ": ")
			}
			return objects, &ReadError{file, line, message}
		}
		found, err := objectsOf(file, &document)
		if err != nil {
			return objects, err
		}
		objects = append(objects, found...)
	}
}

// objectsOf returns the object of a document, or those of a List.
func objectsOf(file string, document *yaml.Node) ([]*Object, error) {
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return nil, nil
	}
	node := document.Content[0]
	if wide := tooWide(node); wide != nil {
		return nil, &ReadError{file, wide.Line, fmt.Sprintf("the mapping that begins here has more than %d entries; divide it, or keep it out of the files that are checked", maxEntries)}
	}
	timesAreText(node)
	var tree map[string]any
	if err := node.Decode(&tree); err != nil {
		return nil, &ReadError{file, node.Line, strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: unmarshal errors:\n  "), "\n", "; ")}
	}
	if items := child(node, "items"); items != nil && items.Kind == yaml.SequenceNode {
		var objects []*Object
		for _, item := range items.Content {
			found, err := objectsOf(file, &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{item}})
			if err != nil {
				return nil, err
			}
			objects = append(objects, found...)
		}
		return objects, nil
	}
	o := &Object{File: file, Line: node.Line, Tree: jsonValue(tree).(map[string]any), node: node}
	version, _ := o.Tree["apiVersion"].(string)
	o.Kind, _ = o.Tree["kind"].(string)
	group, _, _ := strings.Cut(version, "/")
	if group != v1alpha1.GroupVersion.Group && (version != "v1" || o.Kind != "ConfigMap") {
		return nil, nil
	}
	metadata, _ := o.Tree["metadata"].(map[string]any)
	o.Name, _ = metadata["name"].(string)
	if o.Namespace, _ = metadata["namespace"].(string); o.Namespace == "" {
		o.Namespace = DefaultNamespace
	}
	return []*Object{o}, nil
}

// tooWide finds a mapping that has more than maxEntries.
func tooWide(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.MappingNode && len(node.Content)/2 > maxEntries {
		return node
	}
	for _, n := range node.Content {
		if wide := tooWide(n); wide != nil {
			return wide
		}
	}
	return nil
}

// timesAreText keeps dates as they are written: Kubernetes' YAML knows no dates.
func timesAreText(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!timestamp" {
		node.Tag = "!!str"
	}
	for _, n := range node.Content {
		timesAreText(n)
	}
}

// jsonValue makes of what YAML decodes what JSON would: keys are strings, numbers int64 or float64.
func jsonValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = jsonValue(v[k])
		}
	case map[any]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[fmt.Sprint(k)] = jsonValue(v[k])
		}
		return out
	case []any:
		for i := range v {
			v[i] = jsonValue(v[i])
		}
	case int:
		return int64(v)
	case uint64:
		return float64(v)
	}
	return v
}

// Into decodes the object into one of the API's types.
func (o *Object) Into(object any) error {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(o.Tree, object)
}

// ConfigMap returns the object as a ConfigMap.
func (o *Object) ConfigMap() (*corev1.ConfigMap, error) {
	cm := &corev1.ConfigMap{}
	return cm, o.Into(cm)
}
