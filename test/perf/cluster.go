package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/controllers"
)

const (
	// operatorUser is who the manager is to the API server; the audit log has nobody else.
	operatorUser = "perf-operator"
	// systemNamespace is that of the manager and its presets.
	systemNamespace = "oabridge-system"
	// services is room for one Service for each of many connectors: the default of envtest has room for 254.
	services = "10.0.0.0/12"
)

// auditPolicy has the API server write down each answered request of the manager. Watches are no requests until they end.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted, Panic]
rules:
- {level: None, verbs: [watch]}
- {level: None, resources: [{group: authentication.k8s.io}, {group: authorization.k8s.io}]} # who reads its profiles
- {level: Metadata, users: [` + operatorUser + `]}
- {level: None}
`

// cluster is a real API server with a real etcd, without nodes and without other controllers.
type cluster struct {
	env        *envtest.Environment
	admin      client.WithWatch
	config     *rest.Config
	kubeconfig string
	etcd       *url.URL
	// token of somebody who may read the manager's profiles.
	token string
	audit *auditLog
}

// root of the checkout.
func root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w: run this inside the checkout", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func buildManager(ctx context.Context, dir string) (string, error) {
	home, err := root(ctx)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir+"/", "./cmd/oabridge")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build does: what that compiled is in the cache
	cmd.Dir = home
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, text)
	}
	return filepath.Join(dir, "oabridge"), nil
}

func startCluster(ctx context.Context, dir string) (*cluster, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set: it names the directory with kube-apiserver and etcd; make perf sets it")
	}
	home, err := root(ctx)
	if err != nil {
		return nil, err
	}
	policy, logFile := filepath.Join(dir, "audit-policy.yaml"), filepath.Join(dir, "audit.log")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return nil, err
	}
	c := &cluster{audit: &auditLog{path: logFile}, env: &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join(home, "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
		Scheme:                controllers.Scheme(),
	}}
	const noRotation = "100000" // MB
	c.env.ControlPlane.GetAPIServer().Configure().
		Set("service-cluster-ip-range", services).
		Set("audit-policy-file", policy).
		Set("audit-log-path", logFile).
		Set("audit-log-maxsize", noRotation)
	if c.config, err = c.env.Start(); err != nil {
		return c, fmt.Errorf("start the API server: %w", err)
	}
	c.etcd = c.env.ControlPlane.Etcd.URL
	c.config.QPS = -1
	if c.admin, err = client.NewWithWatch(c.config, client.Options{Scheme: controllers.Scheme()}); err != nil {
		return c, err
	}
	if err := c.admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: systemNamespace}}); err != nil {
		return c, err
	}
	if err := c.grant(ctx, home); err != nil {
		return c, err
	}
	if err := c.profiler(ctx); err != nil {
		return c, err
	}
	user, err := c.env.AddUser(envtest.User{Name: operatorUser}, nil)
	if err != nil {
		return c, err
	}
	text, err := user.KubeConfig()
	if err != nil {
		return c, err
	}
	c.kubeconfig = filepath.Join(dir, "kubeconfig")
	return c, os.WriteFile(c.kubeconfig, text, 0o600)
}

// grant gives the manager what config/rbac gives it.
func (c *cluster) grant(ctx context.Context, home string) error {
	role, own := &rbacv1.ClusterRole{}, &rbacv1.Role{}
	for file, into := range map[string]any{"role.yaml": role, "presets_role.yaml": own} {
		data, err := os.ReadFile(filepath.Join(home, "config", "rbac", file))
		if err != nil {
			return err
		}
		if err := yaml.UnmarshalStrict(data, into); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	manager := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}}
	for _, o := range []client.Object{
		role, own,
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role.Name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}, Subjects: manager,
		},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: own.Name, Namespace: own.Namespace},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: own.Name}, Subjects: manager,
		},
	} {
		if err := c.admin.Create(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// profiler lets the manager ask who somebody is, and makes somebody who may read its profiles.
func (c *cluster) profiler(ctx context.Context) error {
	const who = "perf-profiler"
	reader := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: who}}
	for _, o := range []client.Object{
		reader,
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: who}, Rules: []rbacv1.PolicyRule{
			{NonResourceURLs: []string{"/metrics", "/debug/pprof/*"}, Verbs: []string{"get"}},
		}},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: who},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: who},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: systemNamespace, Name: who}},
		},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: who + "-asks"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:auth-delegator"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}},
		},
	} {
		if err := c.admin.Create(ctx, o); err != nil {
			return err
		}
	}
	request := &authenticationv1.TokenRequest{}
	err := c.admin.SubResource("token").Create(ctx, reader, request)
	c.token = request.Status.Token
	return err
}

func (c *cluster) close() { _ = c.env.Stop() }
