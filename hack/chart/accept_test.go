package chart

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard()) // what envtest tells of its start
	os.Exit(m.Run())
}

// A real API server takes every object of every value set, with strict validation, into namespaces that enforce the Pod
// Security level restricted. Objects of the Prometheus operator are checked against its own types.
func TestTheAPIServerTakesIt(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: it names the directory with kube-apiserver and etcd; make test sets it")
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join(Root, "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := environment.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	config.QPS = -1
	api, err := client.New(config, client.Options{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range []string{Namespace, "crm", "crm-test", "monitoring"} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
		if err := api.Create(t.Context(), namespace); err != nil {
			t.Fatal(err)
		}
	}
	for name, values := range valueSets(t) {
		t.Run(name, func(t *testing.T) {
			manifests, _ := render(t, values)
			objects, err := Objects(manifests)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range objects {
				if err := accept(t, api, o); err != nil {
					t.Errorf("%s: %v", ID(o), err)
				}
			}
		})
	}
}

func accept(t *testing.T, api client.Client, o *unstructured.Unstructured) error {
	if o.GetObjectKind().GroupVersionKind().Group == "monitoring.coreos.com" {
		return strict(o)
	}
	pods := []*unstructured.Unstructured{}
	if o.GetKind() == "Deployment" {
		// The API server judges pods, not what makes them.
		template, _, err := unstructured.NestedMap(o.Object, "spec", "template")
		if err != nil {
			return err
		}
		pod := &unstructured.Unstructured{Object: template}
		pod.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Pod"})
		pod.SetName("one")
		pod.SetNamespace(o.GetNamespace())
		pods = append(pods, pod)
	}
	for _, object := range append(pods, o) {
		if object.GetKind() == "Pod" {
			// There is no controller that makes service accounts here.
			unstructured.RemoveNestedField(object.Object, "spec", "serviceAccountName")
			if err := unstructured.SetNestedField(object.Object, false, "spec", "automountServiceAccountToken"); err != nil {
				return err
			}
			if err := serviceAccount(t, api, object.GetNamespace()); err != nil {
				return err
			}
		}
		err := api.Create(t.Context(), object.DeepCopy(), client.DryRunAll)
		// The CRDs are there already; that they are taken is known from that.
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

func serviceAccount(t *testing.T, api client.Client, namespace string) error {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default", Namespace: namespace}}
	if err := api.Create(t.Context(), account); !apierrors.IsAlreadyExists(err) {
		return err
	}
	return nil
}

// strict decodes an object of the Prometheus operator; a field that its type does not have is an error.
func strict(o *unstructured.Unstructured) error {
	types := map[string]any{"PodMonitor": &monitoringv1.PodMonitor{}, "PrometheusRule": &monitoringv1.PrometheusRule{}}
	into, ok := types[o.GetKind()]
	if !ok {
		return fmt.Errorf("no type for %s", o.GetKind())
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, into, true)
}

// The test sees what it is there for.
func TestUnknownFieldsAreSeen(t *testing.T) {
	manifests, _ := render(t, map[string]any{"podMonitor": map[string]any{"enabled": true}})
	objects, err := Objects(strings.ReplaceAll(manifests, "podMetricsEndpoints", "podMetricEndpoints"))
	if err != nil {
		t.Fatal(err)
	}
	monitors := 0
	for _, o := range objects {
		if o.GetKind() != "PodMonitor" {
			continue
		}
		monitors++
		if err := strict(o); err == nil || !strings.Contains(err.Error(), "podMetricEndpoints") {
			t.Errorf("%s: %v, want an error that names the field", ID(o), err)
		}
	}
	if monitors != 2 {
		t.Errorf("%d PodMonitors", monitors)
	}
}
