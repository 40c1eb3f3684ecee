package main

import (
	"bytes"
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/manifest"
	"github.com/oabridge/oabridge/internal/match"
)

// objectsOf returns a connector with the templates and account bindings that it uses, as if they had come from files.
// Templates that are not in its namespace are presets.
func (x *access) objectsOf(ctx context.Context, c *v1alpha1.OAConnector) ([]*manifest.Object, error) {
	var files bytes.Buffer
	add := func(kind string, o client.Object, content map[string]any) error {
		document := map[string]any{
			"apiVersion": v1alpha1.GroupVersion.String(), "kind": kind,
			"metadata": map[string]any{"namespace": o.GetNamespace(), "name": o.GetName(), "labels": o.GetLabels()},
		}
		for k, v := range content {
			document[k] = v
		}
		data, err := yaml.Marshal(document)
		files.WriteString("---\n")
		files.Write(data)
		return err
	}
	if err := add("OAConnector", c, map[string]any{"spec": c.Spec}); err != nil {
		return nil, err
	}
	for _, s := range c.Spec.Scenarios {
		t := new(v1alpha1.ScenarioTemplate)
		err := x.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: s.TemplateRef.Name}, t)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err == nil {
			err = add("ScenarioTemplate", t, map[string]any{"spec": t.Spec})
		}
		if err != nil {
			return nil, err
		}
	}
	bindings, err := x.bindings(ctx, c)
	if err != nil {
		return nil, err
	}
	for i := range bindings {
		b := &bindings[i]
		if err := add("AccountBinding", b, map[string]any{"spec": b.Spec}); err != nil {
			return nil, err
		}
		ref := b.Spec.AccountsFrom.ConfigMapKeyRef
		if matches(b) {
			ref.Name = match.MemoryName(b.Name)
		}
		if ref.Name == "" {
			continue
		}
		file, err := x.accountsFile(ctx, b.Namespace, ref)
		if err != nil {
			return nil, err
		}
		if file == nil {
			continue
		}
		file.TypeMeta = metav1.TypeMeta{}
		if err := add("ConfigMap", file, map[string]any{"apiVersion": "v1", "data": file.Data, "binaryData": file.BinaryData}); err != nil {
			return nil, err
		}
	}
	objects, problems := manifest.Read([]string{manifest.Stdin}, &files)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	for _, o := range objects {
		o.File = "cluster"
	}
	return objects, nil
}

// inNamespace puts objects that name no namespace into the one that the command is about, as kubectl does.
func inNamespace(objects []*manifest.Object, namespace string) []*manifest.Object {
	for _, o := range objects {
		metadata, _ := o.Tree["metadata"].(map[string]any)
		if given, _ := metadata["namespace"].(string); given == "" {
			o.Namespace = namespace
		}
	}
	return objects
}

// replaced returns objects with the changed ones in place of those of the same name.
func replaced(objects, changed []*manifest.Object) []*manifest.Object {
	ids := map[string]bool{}
	for _, o := range changed {
		ids[o.ID()] = true
	}
	out := changed
	for _, o := range objects {
		if !ids[o.ID()] {
			out = append(out, o)
		}
	}
	return out
}
