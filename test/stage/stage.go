// Package stage sets the scene for the demo and the end-to-end tests: OA Bridge, the simulators and the samples on a
// real cluster, the simulators' control APIs, and a browser in front of the Ingress.
package stage

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Names of what the samples and the simulators bring.
const (
	Namespace          = "crm"
	Connector          = "hq"
	OperatorNamespace  = "oabridge-system"
	SimulatorNamespace = "oasim"

	// Domain holds everything that a browser sees: the gateway, and each simulator under its name.
	Domain  = "oabridge.test"
	HostSSO = "sso." + Domain
	HostOA  = "oa." + Domain // Seeyon
	HostCRM = "crm." + Domain
)

// Stage is a cluster with everything on it.
type Stage struct {
	client.Client
	// Root of the checkout, Out for files that a person may look at afterwards.
	Root, Out string
	// Image and SimImage are the images of OA Bridge and of the simulators.
	Image, SimImage string
	// Log tells a person what happens.
	Log io.Writer

	keys    *Keys
	ingress string
}

// New connects to the cluster that KUBECONFIG points at.
func New(log io.Writer) (*Stage, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("no cluster to talk to (is KUBECONFIG set?): %w", err)
	}
	config.QPS = -1 // it asks often and alone
	scheme := clientgoscheme.Scheme
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..")
	s := &Stage{
		Client: c, Root: root, Out: filepath.Join(root, "out"), Log: log,
		Image: os.Getenv("IMAGE"), SimImage: os.Getenv("SIM_IMAGE"),
	}
	if s.Image == "" || s.SimImage == "" {
		return nil, errors.New("IMAGE and SIM_IMAGE are not set: run this through make")
	}
	return s, os.MkdirAll(s.Out, 0o755)
}

// Step says what happens now and how long it took.
func (s *Stage) Step(name string, do func() error) error {
	_, _ = fmt.Fprintf(s.Log, "── %s …\n", name)
	start := time.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, _ = fmt.Fprintf(s.Log, "   %s (%.1f s)\n", name, time.Since(start).Seconds())
	return nil
}

// Kubectl runs kubectl and returns what it printed.
func (s *Stage) Kubectl(ctx context.Context, args ...string) (string, error) {
	return s.kubectl(ctx, nil, args...)
}

// KubectlApply applies a manifest given as text, server-side.
func (s *Stage) KubectlApply(ctx context.Context, manifest string) (string, error) {
	return s.kubectl(ctx, strings.NewReader(manifest), "apply", "--server-side", "--force-conflicts", "-f", "-")
}

func (s *Stage) kubectl(ctx context.Context, in io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "kubectl", args...)
	cmd.Dir, cmd.Stdin = s.Root, in
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// HTTP is a client that resolves the demo's hosts to the Ingress, trusts the demo's certificates, follows no redirects.
func (s *Stage) HTTP() *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.keys.CA)
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &http.Client{
		Timeout: 60 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				host, port, err := net.SplitHostPort(address)
				if err != nil {
					return nil, err
				}
				if strings.HasSuffix(host, "."+Domain) {
					host = s.ingress
				}
				return dialer.DialContext(ctx, network, net.JoinHostPort(host, port))
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Until calls check every 200 ms until it returns nil; at the end of ctx it returns what check said last.
func Until(ctx context.Context, check func() error) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		err := check()
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err // what is said after the end is only about the end
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}
