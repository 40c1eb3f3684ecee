package stage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Install puts OA Bridge and the simulators on the cluster and waits until they run.
func (s *Stage) Install(ctx context.Context) error {
	if err := s.Step("install OA Bridge", func() error {
		if err := s.apply(ctx, "operator", "config/default"); err != nil {
			return err
		}
		return s.rollout(ctx, OperatorNamespace, "deployment/oabridge-manager")
	}); err != nil {
		return err
	}
	return s.InstallSimulators(ctx)
}

// InstallSimulators puts the simulators on the cluster, and what the samples need beside OA Bridge.
func (s *Stage) InstallSimulators(ctx context.Context) error {
	return s.Step("install the simulators of every OA and of the CRM", func() error {
		for _, name := range []string{Namespace, SimulatorNamespace} {
			namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
			if err := s.Create(ctx, namespace); client.IgnoreAlreadyExists(err) != nil {
				return err
			}
		}
		// The simulators' pod starts with the certificates that are there.
		if err := s.ensureKeys(ctx); err != nil {
			return err
		}
		if err := s.apply(ctx, "simulators", "config/simulators"); err != nil {
			return err
		}
		if err := s.rollout(ctx, SimulatorNamespace, "deployment/oasim"); err != nil {
			return err
		}
		return s.findIngress(ctx)
	})
}

// ApplySamples applies config/samples, as a person would.
func (s *Stage) ApplySamples(ctx context.Context) error { return s.ApplyDir(ctx, "config/samples") }

// ApplyDir applies a directory with a kustomization.
func (s *Stage) ApplyDir(ctx context.Context, dir string) error {
	_, err := s.Kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-k", dir)
	return err
}

// apply applies a kustomization with the images of this run.
func (s *Stage) apply(ctx context.Context, name, path string) error {
	dir := filepath.Join(s.Out, "kustomize", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	image, tag := split(s.Image)
	simImage, simTag := split(s.SimImage)
	overlay := fmt.Sprintf(`apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../../%s]
images:
- {name: oabridge/oabridge, newName: %s, newTag: %q}
- {name: oabridge/oasim, newName: %s, newTag: %q}
`, path, image, tag, simImage, simTag)
	if name == "operator" {
		// Dispatchers and gateways run the manager's image.
		overlay += `replacements:
- source: {kind: Deployment, name: oabridge-manager, fieldPath: "spec.template.spec.containers.[name=oabridge].image"}
  targets:
  - select: {kind: Deployment, name: oabridge-manager}
    fieldPaths: ["spec.template.spec.containers.[name=oabridge].env.[name=OABRIDGE_IMAGE].value"]
`
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(overlay), 0o644); err != nil {
		return err
	}
	return s.ApplyDir(ctx, dir)
}

// split cuts an image reference into name and tag; a port in the name is no tag.
func split(image string) (name, tag string) {
	for i := len(image) - 1; i >= 0 && image[i] != '/'; i-- {
		if image[i] == ':' {
			return image[:i], image[i+1:]
		}
	}
	return image, "latest"
}

func (s *Stage) rollout(ctx context.Context, namespace, what string) error {
	_, err := s.Kubectl(ctx, "-n", namespace, "rollout", "status", what, "--timeout=180s")
	return err
}

// findIngress waits for the address of the simulators' Ingress.
func (s *Stage) findIngress(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return Until(ctx, func() error {
		var ingress networkingv1.Ingress
		if err := s.Get(ctx, client.ObjectKey{Namespace: SimulatorNamespace, Name: "oasim"}, &ingress); err != nil {
			return err
		}
		for _, a := range ingress.Status.LoadBalancer.Ingress {
			if a.IP != "" {
				s.ingress = a.IP
				return nil
			}
		}
		return fmt.Errorf("ingress %s/oasim has no address: is there an ingress controller?", SimulatorNamespace)
	})
}

// OAC reads the sample's connector.
func (s *Stage) OAC(ctx context.Context) (*v1alpha1.OAConnector, error) {
	return s.connector(ctx, client.ObjectKey{Namespace: Namespace, Name: Connector})
}

func (s *Stage) connector(ctx context.Context, key client.ObjectKey) (*v1alpha1.OAConnector, error) {
	var oac v1alpha1.OAConnector
	err := s.Get(ctx, key, &oac)
	return &oac, err
}

// WaitCondition waits until the sample's connector has the status (and the reason, if one is given) of a condition for its
// current generation, and returns the condition.
func (s *Stage) WaitCondition(ctx context.Context, within time.Duration, typ string, status metav1.ConditionStatus, reason string) (metav1.Condition, error) {
	return s.Await(ctx, client.ObjectKey{Namespace: Namespace, Name: Connector}, within, typ, status, reason)
}

// Await is WaitCondition for any connector.
func (s *Stage) Await(ctx context.Context, key client.ObjectKey, within time.Duration, typ string, status metav1.ConditionStatus, reason string) (metav1.Condition, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var found metav1.Condition
	err := Until(ctx, func() error {
		oac, err := s.connector(ctx, key)
		if err != nil {
			return err
		}
		c := meta.FindStatusCondition(oac.Status.Conditions, typ)
		if c == nil {
			return fmt.Errorf("no condition %s yet", typ)
		}
		found = *c
		if c.ObservedGeneration != oac.Generation || c.Status != status || reason != "" && c.Reason != reason {
			return fmt.Errorf("%s of %s is %s (%s): %s", typ, key.Name, c.Status, c.Reason, c.Message)
		}
		return nil
	})
	return found, err
}
