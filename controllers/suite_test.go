package controllers_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/controllers"
)

// presetsNamespace is where the operator of these tests lives, secondNamespace where the one of another class does.
const (
	presetsNamespace = "oabridge-system"
	secondNamespace  = "oabridge-second"
)

// secondScope is that of an operator beside the first one: it has a class, and works in enabled namespaces only.
var secondScope = controllers.Scope{
	Class: "second", NamespaceSelector: labels.SelectorFromSet(labels.Set{"oabridge.dev/enabled": "true"}),
}

// patience is how long a test waits for what the operator does on a busy machine.
const patience = time.Minute

// The cluster of this package: a real API server and etcd, with an operator in it, and a second one of another class that
// only the tests of scopes use. There are no nodes and no other
// controllers: tests play the kubelet, the Deployment controller and the ingress controller. Each test has a namespace.
var (
	admin       client.WithWatch
	adminConfig *rest.Config
	requests    *counter
	second      *counter
	used        = &rights{used: map[string]bool{}}
	// resync has the operator look at a connector again.
	resync func(ctx context.Context, key client.ObjectKey) error
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return 0, fmt.Errorf("KUBEBUILDER_ASSETS is not set: it names the directory with kube-apiserver and etcd; make test sets it")
	}
	ctrl.SetLogger(logr.Discard())
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
		Scheme:                controllers.Scheme(),
	}
	config, err := environment.Start()
	if err != nil {
		return 0, fmt.Errorf("start the API server: %w", err)
	}
	defer func() { _ = environment.Stop() }()
	config.QPS = -1
	adminConfig = config
	if admin, err = client.NewWithWatch(config, client.Options{Scheme: controllers.Scheme()}); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, name := range []string{presetsNamespace, secondNamespace} {
		if err := admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return 0, err
		}
	}
	operator, err := restricted(ctx, environment)
	if err != nil {
		return 0, err
	}
	reports := controllers.NewReports(fakeReportURL)
	resync = reports.Resync
	requests, second = &counter{}, &counter{}
	stopped, err := startOperator(ctx, operator, requests, controllers.Options{PresetsNamespace: presetsNamespace, Reports: reports})
	if err != nil {
		return 0, err
	}
	secondStopped, err := startOperator(ctx, operator, second, controllers.Options{
		PresetsNamespace: secondNamespace, Reports: controllers.NewReports(fakeReportURL), Scope: secondScope,
	})
	if err != nil {
		return 0, err
	}
	seen, err := watchStatuses(ctx)
	if err != nil {
		return 0, err
	}
	code := m.Run()
	wrong := seen.err()
	if everything() && code == 0 {
		role, own, namespaces, err := shippedRoles()
		wrong = errors.Join(wrong, err, used.idle(slices.Concat(role.Rules, own.Rules, namespaces.Rules)))
	}
	cancel()
	return code, errors.Join(<-stopped, <-secondStopped, wrong)
}

func readPresets(names ...string) ([]*unstructured.Unstructured, error) {
	var found []*unstructured.Unstructured
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("..", "config", "presets", name+".yaml"))
		if err != nil {
			return nil, err
		}
		template := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(data, &template.Object); err != nil {
			return nil, err
		}
		found = append(found, template)
	}
	return found, nil
}

func shippedPresets(t *testing.T, names ...string) []*unstructured.Unstructured {
	t.Helper()
	found, err := readPresets(names...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// shippedRoles are the operator's: everywhere, in its own namespace, and what the namespace selector needs.
func shippedRoles() (role *rbacv1.ClusterRole, own *rbacv1.Role, namespaces *rbacv1.ClusterRole, err error) {
	role, own, namespaces = &rbacv1.ClusterRole{}, &rbacv1.Role{}, &rbacv1.ClusterRole{}
	for file, into := range map[string]any{
		"rbac/role.yaml": role, "rbac/presets_role.yaml": own, "components/namespace-selector/role.yaml": namespaces,
	} {
		data, err := os.ReadFile(filepath.Join("..", "config", filepath.FromSlash(file)))
		if err != nil {
			return role, own, namespaces, err
		}
		if err := yaml.UnmarshalStrict(data, into); err != nil {
			return role, own, namespaces, fmt.Errorf("%s: %w", file, err)
		}
	}
	return role, own, namespaces, nil
}

// restricted returns the access of a user who may do what config/rbac allows the operator, and nothing else: a verb that is
// missing there fails these tests.
func restricted(ctx context.Context, environment *envtest.Environment) (*rest.Config, error) {
	role, own, namespaces, err := shippedRoles()
	if err != nil {
		return nil, err
	}
	operator := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "operator"}}
	var grants []client.Object
	for _, r := range []*rbacv1.ClusterRole{role, namespaces} {
		grants = append(grants, r, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: r.Name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: r.Name},
			Subjects:   operator,
		})
	}
	for _, ns := range []string{own.Namespace, secondNamespace} {
		there := own.DeepCopy()
		there.Namespace = ns
		grants = append(grants, there, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: own.Name, Namespace: ns},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: own.Name},
			Subjects:   operator,
		})
	}
	for _, o := range grants {
		if err := admin.Create(ctx, o); err != nil {
			return nil, err
		}
	}
	user, err := environment.AddUser(envtest.User{Name: "operator"}, &rest.Config{QPS: -1})
	if err != nil {
		return nil, err
	}
	return user.Config(), nil
}

// startOperator runs a manager as cmd/oabridge does, with a transport that counts its requests.
func startOperator(ctx context.Context, config *rest.Config, counted *counter, o controllers.Options) (<-chan error, error) {
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			counted.note(r)
			answer, err := next.RoundTrip(r)
			if err == nil {
				used.note(r, answer.StatusCode)
			}
			return answer, err
		})
	})
	mgr, err := ctrl.NewManager(config, manager.Options{
		Scheme:     controllers.Scheme(),
		Cache:      controllers.CacheOptions(o.Scope, o.PresetsNamespace),
		Client:     client.Options{FieldValidation: metav1.FieldValidationStrict},
		Controller: ctrlconfig.Controller{SkipNameValidation: ptr.To(true)}, // the operators share the process
		Metrics:    server.Options{BindAddress: "0"},
		Logger:     logr.Discard(),
	})
	if err != nil {
		return nil, err
	}
	if o.Presets, err = readPresets("seeyon-todo", "seeyon-reminder", "wecom-todo", "welink-todo"); err != nil {
		return nil, err
	}
	o.Image, o.MaxConcurrent, o.OperatorNamespace, o.Build = "oabridge:test", 4, o.PresetsNamespace, cmp.Or(o.Build, "tested")
	if err := controllers.Setup(ctx, mgr, o); err != nil {
		return nil, err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- mgr.Start(ctx) }()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return nil, fmt.Errorf("the caches did not fill")
	}
	return stopped, wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		var there v1alpha1.ScenarioTemplateList
		err := admin.List(ctx, &there, client.InNamespace(o.PresetsNamespace))
		return len(there.Items) == len(o.Presets), err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// counter notes the operator's requests other than those of its caches (lists and watches).
type counter struct {
	mu   sync.Mutex
	seen []string
}

func (c *counter) note(r *http.Request) {
	query := r.URL.Query()
	if r.Method == http.MethodGet && (query.Has("watch") || query.Has("limit") || query.Has("resourceVersion")) {
		return
	}
	if strings.Contains(r.URL.Path, "/events") && strings.Contains(r.URL.Path, "events.k8s.io") {
		return // written in the background, after the fact
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, r.Method+" "+r.URL.Path)
}

// in returns the requests for a namespace so far.
func (c *counter) in(namespace string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []string
	for _, s := range c.seen {
		if strings.Contains(s, "/namespaces/"+namespace+"/") {
			found = append(found, s)
		}
	}
	return found
}
