package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// client speaks to the node's programs as the administrator. A few reads need no client library, which would make this
// tool slow to build.
func (c Cluster) client() (*http.Client, error) {
	pair, err := tls.LoadX509KeyPair(c.pki("admin.crt"), c.pki("admin.key"))
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(c.pki("ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		Proxy:             nil, // these addresses are on this machine, whatever the environment says
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
	}}, nil
}

// get reads a URL; into may be nil.
func (c Cluster) get(ctx context.Context, url string, into any) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// healthy asks a component.
func (c Cluster) healthy(ctx context.Context, component component) error {
	switch {
	case component.health == "":
		return nil
	case strings.HasPrefix(component.health, "tcp://"):
		dialer := net.Dialer{Timeout: time.Second}
		connection, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(component.health, "tcp://"))
		if err != nil {
			return err
		}
		return connection.Close()
	}
	return c.get(ctx, component.health, nil)
}

// nodeReady tells whether the node takes pods, and why not.
func (c Cluster) nodeReady(ctx context.Context) error {
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
		Spec struct {
			Taints []struct{ Key string }
		}
	}
	if err := c.get(ctx, Server+"/api/v1/nodes/"+Name, &node); err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type != "Ready" {
			continue
		}
		if condition.Status != "True" {
			return errors.New("the node is not Ready: " + condition.Message)
		}
		if len(node.Spec.Taints) > 0 {
			return errors.New("the node is still tainted with " + node.Spec.Taints[0].Key)
		}
		return nil
	}
	return errors.New("the node says nothing about itself yet")
}

// resolves asks cluster DNS for the API server.
func (c Cluster) resolves(ctx context.Context) error {
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, network, DNSIP+":53")
	}}
	found, err := resolver.LookupHost(ctx, "kubernetes.default.svc."+domain+".")
	if err != nil {
		return err
	}
	if len(found) != 1 || found[0] != firstIP {
		return fmt.Errorf("cluster DNS says that the API server is at %v", found)
	}
	return nil
}

// hasClass tells whether the default StorageClass is there.
func (c Cluster) hasClass(ctx context.Context) error {
	return c.get(ctx, Server+"/apis/storage.k8s.io/v1/storageclasses/"+Class, nil)
}

// hasAccount tells whether pods of the first namespace can be made yet.
func (c Cluster) hasAccount(ctx context.Context) error {
	return c.get(ctx, Server+"/api/v1/namespaces/default/serviceaccounts/default", nil)
}

// kubectl runs kubectl as the administrator.
func (c Cluster) kubectl(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.Kube, "kubectl"), append([]string{"--kubeconfig", c.Kubeconfig()}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
