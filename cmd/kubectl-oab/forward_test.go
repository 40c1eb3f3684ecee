package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
)

// kubelet is the far end of a port-forward, as an API server shows it: the streams of a connection come in pairs, and the
// data of each goes to a port of the pod. It knows SPDY only, as older clusters do.
type kubelet struct {
	t    *testing.T
	port string // of the pod, host:port
	path string
	mu   sync.Mutex
}

func (k *kubelet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	k.path = r.URL.Path
	k.mu.Unlock()
	if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer canary" {
		http.Error(w, "no such pod, or not allowed", http.StatusForbidden)
		return
	}
	if _, err := httpstream.Handshake(r, w, []string{"portforward.k8s.io"}); err != nil {
		return
	}
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, replied <-chan struct{}) error {
		if s.Headers().Get(corev1.PortHeader) != "8083" {
			return errors.New("nothing listens there")
		}
		go func() {
			<-replied
			if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeData {
				k.carry(s)
			}
			_ = s.Close()
		}()
		return nil
	})
	if conn == nil {
		return
	}
	defer func() { _ = conn.Close() }()
	<-conn.CloseChan()
}

func (k *kubelet) carry(s httpstream.Stream) {
	var dialer net.Dialer
	c, err := dialer.DialContext(context.Background(), "tcp", k.port)
	if err != nil {
		k.t.Errorf("the pod's port: %v", err)
		return
	}
	defer func() { _ = c.Close() }()
	go func() { _, _ = io.Copy(c, s) }()
	_, _ = io.Copy(s, c)
}

// The way to a dispatcher is a port-forward through the API server, with the credentials of the kubeconfig.
func TestForward(t *testing.T) {
	w := newWorld(t)
	w.serve("hq-dispatcher-0", 8083, map[string]any{lookup.PathSummary: lookup.Summary{DeliveredLate: 7}})
	k := &kubelet{t: t, port: strings.TrimPrefix(w.ports["hq-dispatcher-0/8083"], "http://")}
	api := httptest.NewServer(k)
	defer api.Close()
	reach := forwarder(&rest.Config{Host: api.URL, BearerToken: "canary"})
	address, end, err := reach(t.Context(), pod("hq-dispatcher-0", v1alpha1.ComponentDispatcher), 8083)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // each request has a stream of its own
		got, err := (&lookup.Client{URL: address, HTTP: newHTTPClient()}).Summary(t.Context(), url.Values{})
		if err != nil || got.DeliveredLate != 7 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	end()
	if _, err := (&lookup.Client{URL: address, HTTP: newHTTPClient()}).Summary(t.Context(), url.Values{}); err == nil {
		t.Error("the way is still open")
	}
	if k.path != "/api/v1/namespaces/crm/pods/hq-dispatcher-0/portforward" {
		t.Errorf("asked %s", k.path)
	}
	// Who may not forward ports is told so.
	_, _, err = forwarder(&rest.Config{Host: api.URL, BearerToken: "wrong"})(t.Context(), pod("hq-dispatcher-0", v1alpha1.ComponentDispatcher), 8083)
	if err == nil || !strings.Contains(err.Error(), "port-forward to pod hq-dispatcher-0") {
		t.Errorf("error: %v", err)
	}
}
