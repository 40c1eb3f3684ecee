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
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/controllers"
)

const (
	// systemNamespace is that of the manager and its presets.
	systemNamespace = "oabridge-system"
	// operatorAccount is the manager's ServiceAccount, and operatorUser who it is to the API server; the audit log has nobody else.
	operatorAccount = "perf-operator"
	operatorUser    = "system:serviceaccount:" + systemNamespace + ":" + operatorAccount
	// tokenSeconds is for how long tokens are good: longer than a run takes.
	tokenSeconds = 4 * 3600
	// services is room for one Service for each of many connectors: the default of envtest has room for 254.
	services = "10.0.0.0/12"
)

var operatorSubject = rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: systemNamespace, Name: operatorAccount}

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
	token, err := c.tokenOf(ctx, operatorAccount)
	if err != nil {
		return c, err
	}
	c.kubeconfig = filepath.Join(dir, "kubeconfig")
	const only = "perf"
	return c, clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{only: {Server: c.config.Host, CertificateAuthorityData: c.config.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{only: {Token: token}},
		Contexts:       map[string]*clientcmdapi.Context{only: {Cluster: only, AuthInfo: only}},
		CurrentContext: only,
	}, c.kubeconfig)
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
	manager := []rbacv1.Subject{operatorSubject}
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
	for _, o := range []client.Object{
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
			Subjects:   []rbacv1.Subject{operatorSubject},
		},
	} {
		if err := c.admin.Create(ctx, o); err != nil {
			return err
		}
	}
	var err error
	c.token, err = c.tokenOf(ctx, who)
	return err
}

// tokenOf a new ServiceAccount, as pods have one.
func (c *cluster) tokenOf(ctx context.Context, name string) (string, error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: name}}
	if err := c.admin.Create(ctx, account); err != nil {
		return "", err
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](tokenSeconds)}}
	err := c.admin.SubResource("token").Create(ctx, account, request)
	return request.Status.Token, err
}

func (c *cluster) close() { _ = c.env.Stop() }
