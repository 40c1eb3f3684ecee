package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/workload"
)

// The digests that the operator leaves in what it made, so that copies can have those of their own. A digest that is wrong here
// is an error, or makes the operator do more when it sees a copy for the first time.

func digestOf(request string) string {
	sum := sha256.Sum256([]byte(request))
	return hex.EncodeToString(sum[:16])
}

// learnRequests makes the apply requests of a connector's children as the operator does.
func (l *lab) learnRequests(ctx context.Context, m *model, c *v1alpha1.OAConnector) error {
	admin := l.cluster.admin
	var preset v1alpha1.ScenarioTemplate
	used := c.Spec.Scenarios[0].TemplateRef.Name
	if err := admin.Get(ctx, client.ObjectKey{Namespace: systemNamespace, Name: used}, &preset); err != nil {
		return err
	}
	var b v1alpha1.AccountBinding
	if err := admin.Get(ctx, client.ObjectKeyFromObject(c), &b); err != nil {
		return err
	}
	out, problems := bundle.Compile(bundle.Input{
		Connector: c, Templates: map[string]*v1alpha1.ScenarioTemplate{used: &preset},
		Sets:      []bundle.AccountSet{{Namespace: b.Namespace, Name: b.Name, Created: b.CreationTimestamp.Time, Pairs: b.Spec.Accounts}},
		ProofsURL: workload.ProofsURL(c),
	})
	if out == nil || out.Hash != c.Status.Config.Hash {
		return fmt.Errorf("connector %s compiles to something else than the operator made of it: %v", c.Name, problems)
	}
	m.document = string(out.Files[bundle.FileName])
	for _, child := range workload.Build(workload.Input{Connector: c, Bundle: out.Bundle, Files: out.Files, Image: image, OperatorNamespace: systemNamespace}) {
		request, err := json.Marshal(child)
		if err != nil {
			return err
		}
		live := &metav1.PartialObjectMetadata{}
		live.SetGroupVersionKind(schema.FromAPIVersionAndKind(*child.GetAPIVersion(), *child.GetKind()))
		if err := admin.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: *child.GetName()}, live); err != nil {
			return err
		}
		digest := digestOf(string(request))
		if live.Annotations[v1alpha1.AnnotationApplied] != digest {
			return fmt.Errorf("%s %s was applied from something else than this program makes of its connector", *child.GetKind(), live.Name)
		}
		m.requests[digest] = string(request)
	}
	return nil
}
