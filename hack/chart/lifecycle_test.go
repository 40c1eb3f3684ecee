package chart

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/action"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// cluster is a real API server that helm works on. Nothing runs there: no pods, no operator.
type cluster struct {
	*testing.T
	api  client.Client
	helm *action.Configuration
	// kubeconfig is the path of a file for other programs.
	kubeconfig string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: it names the directory with kube-apiserver and etcd; make test sets it")
	}
	environment := &envtest.Environment{}
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
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, environment.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	namespace, cache := Namespace, t.TempDir()
	flags := &genericclioptions.ConfigFlags{KubeConfig: &kubeconfig, Namespace: &namespace, CacheDir: &cache}
	helm := &action.Configuration{}
	if err := helm.Init(flags, Namespace, "secret", t.Logf); err != nil {
		t.Fatal(err)
	}
	return &cluster{T: t, api: api, helm: helm, kubeconfig: kubeconfig}
}

func (c *cluster) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *cluster) install(chart *helmchart.Chart, values map[string]any) {
	c.Helper()
	install := action.NewInstall(c.helm)
	install.ReleaseName, install.Namespace, install.CreateNamespace = Release, Namespace, true
	_, err := install.Run(chart, values)
	c.must(err)
}

func (c *cluster) upgrade(chart *helmchart.Chart, values map[string]any) {
	c.Helper()
	upgrade := action.NewUpgrade(c.helm)
	upgrade.Namespace = Namespace
	_, err := upgrade.Run(Release, chart, values)
	c.must(err)
}

func (c *cluster) uninstall() {
	c.Helper()
	_, err := action.NewUninstall(c.helm).Run(Release)
	c.must(err)
}

// replicas of the manager, 0 when it is not there.
func (c *cluster) replicas() int32 {
	c.Helper()
	var d appsv1.Deployment
	err := c.api.Get(c.Context(), client.ObjectKey{Namespace: Namespace, Name: "oabridge-manager"}, &d)
	if apierrors.IsNotFound(err) {
		return 0
	}
	c.must(err)
	return *d.Spec.Replicas
}

// create makes an object of a kind whose CRD was installed just now: the API server serves it a moment later.
func (c *cluster) create(o client.Object) {
	c.Helper()
	const soon, late = 100 * time.Millisecond, 2 * time.Minute
	c.must(wait.PollUntilContextTimeout(c.Context(), soon, late, true, func(ctx context.Context) (bool, error) {
		err := c.api.Create(ctx, o)
		if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
			return false, nil
		}
		return err == nil, err
	}))
}

// columns that `kubectl get oac` has; nil when there is no such kind.
func (c *cluster) columns() []string {
	c.Helper()
	var crd apiextensionsv1.CustomResourceDefinition
	err := c.api.Get(c.Context(), client.ObjectKey{Name: "oaconnectors.oabridge.dev"}, &crd)
	if apierrors.IsNotFound(err) {
		return nil
	}
	c.must(err)
	var names []string
	for _, column := range crd.Spec.Versions[0].AdditionalPrinterColumns {
		names = append(names, column.Name)
	}
	return names
}

// leftovers are the roles and bindings of OA Bridge.
func (c *cluster) leftovers() []string {
	c.Helper()
	var found []string
	for _, list := range []client.ObjectList{
		&rbacv1.ClusterRoleList{}, &rbacv1.ClusterRoleBindingList{}, &rbacv1.RoleList{}, &rbacv1.RoleBindingList{}, &appsv1.DeploymentList{},
	} {
		c.must(c.api.List(c.Context(), list))
		items, err := meta.ExtractList(list)
		c.must(err)
		for _, item := range items {
			if o := item.(client.Object); strings.HasPrefix(o.GetName(), "oabridge") {
				found = append(found, o.GetNamespace()+"/"+o.GetName())
			}
		}
	}
	return found
}

// previous is the chart as an older version of OA Bridge would have it: its CRDs lack the column OLDEST.
func previous(t *testing.T) *helmchart.Chart {
	t.Helper()
	chart, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	changed := false
	for _, file := range chart.Files {
		if !strings.HasSuffix(file.Name, "oaconnectors.yaml") {
			continue
		}
		before := string(file.Data)
		file.Data = []byte(strings.Replace(before, "name: Oldest\n", "name: Eldest\n", 1))
		changed = before != string(file.Data)
	}
	if !changed {
		t.Fatal("the CRD has no column Oldest")
	}
	return chart
}

// One command installs everything, CRDs and all. An upgrade brings the new CRDs, a rollback the old ones, and both leave the
// connectors alone. After an uninstall nothing is left but the CRDs and the connectors; the next install takes them up.
func TestInstallUpgradeRollbackUninstall(t *testing.T) {
	c := newCluster(t)
	current, err := loader.Load(chartDir)
	c.must(err)
	old := previous(t)

	c.install(old, nil)
	if c.replicas() != 1 || !has(c.columns(), "Eldest") {
		t.Fatalf("after install: %d replicas, columns %v", c.replicas(), c.columns())
	}
	connector := sample(t)
	c.create(connector)
	uid := connector.GetUID()
	same := func(when string) {
		t.Helper()
		live := connector.DeepCopy()
		if err := c.api.Get(c.Context(), client.ObjectKeyFromObject(connector), live); err != nil || live.GetUID() != uid {
			t.Fatalf("%s the connector is not the one that was there: %v", when, err)
		}
	}

	c.upgrade(current, map[string]any{"replicaCount": 2, "podDisruptionBudget": map[string]any{"enabled": true}})
	if c.replicas() != 2 || !has(c.columns(), "Oldest") {
		t.Errorf("after upgrade: %d replicas, columns %v", c.replicas(), c.columns())
	}
	same("after the upgrade")

	rollback := action.NewRollback(c.helm)
	rollback.Version = 1
	c.must(rollback.Run(Release))
	if c.replicas() != 1 || !has(c.columns(), "Eldest") {
		t.Errorf("after rollback: %d replicas, columns %v", c.replicas(), c.columns())
	}
	same("after the rollback")

	c.uninstall()
	if left := c.leftovers(); len(left) > 0 || c.replicas() != 0 {
		t.Errorf("after uninstall there still are %v", left)
	}
	same("after the uninstall")

	c.install(current, nil)
	if c.replicas() != 1 || !has(c.columns(), "Oldest") {
		t.Errorf("after the second install: %d replicas, columns %v", c.replicas(), c.columns())
	}
	same("after the second install")
}

// Whoever wants the CRDs gone with the release says so, and then they are.
func TestUninstallWithTheCRDs(t *testing.T) {
	c := newCluster(t)
	current, err := loader.Load(chartDir)
	c.must(err)
	c.install(current, map[string]any{"crds": map[string]any{"keep": false}})
	if c.columns() == nil {
		t.Fatal("no CRDs after install")
	}
	c.uninstall()
	var crds apiextensionsv1.CustomResourceDefinitionList
	c.must(c.api.List(c.Context(), &crds))
	for _, crd := range crds.Items {
		if crd.DeletionTimestamp == nil {
			t.Errorf("%s is still there", crd.Name)
		}
	}
}

func has(list []string, name string) bool {
	for _, s := range list {
		if s == name {
			return true
		}
	}
	return false
}

// sample is the connector of config/samples in the namespace default.
func sample(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	data, err := os.ReadFile(Root + "/config/samples/connector.yaml")
	if err != nil {
		t.Fatal(err)
	}
	objects, err := Objects(string(data))
	if err != nil || len(objects) != 1 {
		t.Fatalf("%d objects in the sample: %v", len(objects), err)
	}
	objects[0].SetNamespace("default")
	return objects[0]
}
