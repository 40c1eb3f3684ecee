package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// presetRetry waits between attempts to install the presets: 1 s at first, a minute at last.
var presetRetry = wait.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.1, Steps: 7, Cap: time.Minute}

// Presets brings the ScenarioTemplates that ship with this version into the operator's namespace when it begins to lead.
// The operator does it, and not the manifests, because the API server takes objects of a kind only some time after its CRD:
// so one file, or one chart, installs everything.
type Presets struct {
	Client client.Client
	// Namespace that they go to.
	Namespace string
	// Class of the operator, which becomes theirs.
	Class string
	// Templates as they ship, without a namespace.
	Templates []*unstructured.Unstructured
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*Presets) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable. It tries until all presets are there or ctx ends.
func (p *Presets) Start(ctx context.Context) error {
	log := logr.FromContextOrDiscard(ctx).WithName("presets")
	failed := presetRetry.DelayFunc().Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		err := p.Install(ctx)
		if err != nil && ctx.Err() == nil {
			log.Error(err, "the presets are not complete, it is tried again", "namespace", p.Namespace)
		}
		return err == nil, nil
	})
	if ctx.Err() == nil {
		return failed
	}
	return nil
}

// Install applies the presets that the cluster does not have in this version; what it has costs no request. Whoever edits
// a preset keeps the change until a version ships with another one.
func (p *Presets) Install(ctx context.Context) error {
	var problems []error
	for _, template := range p.Templates {
		if err := p.install(ctx, template.DeepCopy()); err != nil {
			problems = append(problems, fmt.Errorf("ScenarioTemplate %s/%s: %w", p.Namespace, template.GetName(), err))
		}
	}
	return errors.Join(problems...)
}

func (p *Presets) install(ctx context.Context, template *unstructured.Unstructured) error {
	if p.Class != "" {
		classed := template.GetLabels()
		if classed == nil {
			classed = map[string]string{}
		}
		classed[v1alpha1.LabelControllerClass] = p.Class
		template.SetLabels(classed)
	}
	data, err := json.Marshal(template)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	revision := hex.EncodeToString(sum[:6])
	var live v1alpha1.ScenarioTemplate
	switch err := p.Client.Get(ctx, client.ObjectKey{Namespace: p.Namespace, Name: template.GetName()}, &live); {
	case client.IgnoreNotFound(err) != nil:
		return err
	case err == nil && live.Annotations[v1alpha1.AnnotationPresetRevision] == revision:
		return nil
	}
	annotations := template.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.AnnotationPresetRevision] = revision
	template.SetAnnotations(annotations)
	template.SetNamespace(p.Namespace)
	return p.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(template), presetsManager, client.ForceOwnership)
}
