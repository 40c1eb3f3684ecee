package controllers_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/oabridge/oabridge/controllers"
)

// With protection, whom the API server does not know gets nothing, and whom it knows only what they may: neither metrics nor
// profiles. Without it, there are no profiles either, unless somebody asked for them.
func TestWhoReadsTheManager(t *testing.T) {
	w := newWorld(t)
	token := func(name string) string {
		w.Expect(admin.Create(w.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name}})).To(Succeed())
		request := &authenticationv1.TokenRequest{}
		w.Expect(admin.SubResource("token").Create(w.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name}}, request)).To(Succeed())
		return request.Status.Token
	}
	reader, stranger := token("prometheus"), token("stranger")
	w.Expect(admin.Create(w.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: w.ns + "-reader"},
		Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics", "/debug/pprof/*"}, Verbs: []string{"get"}}},
	})).To(Succeed())
	w.Expect(admin.Create(w.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: w.ns + "-reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: w.ns + "-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.ns, Name: "prometheus"}},
	})).To(Succeed())

	protected := serve(w, true, true)
	for _, c := range []struct {
		who, token string
		status     int
	}{{"nobody", "", http.StatusUnauthorized}, {"a made-up token", "canary", http.StatusInternalServerError /* as controller-runtime has it */}, {"a stranger", stranger, http.StatusForbidden}, {"a reader", reader, http.StatusOK}} {
		for _, path := range []string{"/metrics", "/debug/pprof/heap?debug=1"} {
			status, body := protected("https", path, c.token)
			w.Expect(status).To(Equal(c.status), "%s gets %s: %.200s", c.who, path, body)
		}
	}
	status, body := protected("https", "/metrics", reader)
	w.Expect(status).To(Equal(http.StatusOK))
	w.Expect(body).To(ContainSubstring("go_goroutines"))

	open := serve(w, false, false)
	status, _ = open("http", "/metrics", "")
	w.Expect(status).To(Equal(http.StatusOK))
	status, _ = open("http", "/debug/pprof/heap", "")
	w.Expect(status).To(Equal(http.StatusNotFound))
}

// serve runs a server of metrics and returns how to ask it.
func serve(w *world, protected, profiles bool) func(scheme, path, token string) (int, string) {
	w.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.Expect(err).NotTo(HaveOccurred())
	address := listener.Addr().String()
	o := controllers.MetricsOptions(address, protected, profiles)
	o.ListenConfig = net.ListenConfig{}
	w.Expect(listener.Close()).To(Succeed())
	client, err := rest.HTTPClientFor(adminConfig)
	w.Expect(err).NotTo(HaveOccurred())
	s, err := server.NewServer(o, adminConfig, client)
	w.Expect(err).NotTo(HaveOccurred())
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Start(ctx) }()
	w.Cleanup(func() {
		stop()
		w.Expect(<-ended).To(Succeed())
	})
	asker := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // made at its start
	ask := func(scheme, path, token string) (int, string, error) {
		req, err := http.NewRequestWithContext(w.Context(), http.MethodGet, scheme+"://"+address+path, nil)
		if err != nil {
			return 0, "", err
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := asker.Do(req)
		if err != nil {
			return 0, "", err
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body), err
	}
	scheme := map[bool]string{true: "https", false: "http"}[protected]
	w.Eventually(func() error { _, _, err := ask(scheme, "/metrics", ""); return err }).WithTimeout(patience).Should(Succeed())
	return func(scheme, path, token string) (int, string) {
		status, body, err := ask(scheme, path, token)
		w.Expect(err).NotTo(HaveOccurred())
		return status, strings.TrimSpace(body)
	}
}
