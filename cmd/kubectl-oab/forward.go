package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// forwardPatience bounds the opening of a port-forward.
const forwardPatience = 15 * time.Second

// forwarder reaches ports of pods by port-forward: over a websocket, or over SPDY where that is not understood.
func forwarder(config *rest.Config) func(context.Context, *corev1.Pod, int) (string, func(), error) {
	return func(ctx context.Context, pod *corev1.Pod, port int) (string, func(), error) {
		fail := func(err error) (string, func(), error) {
			return "", nil, fmt.Errorf("port-forward to pod %s: %w", pod.Name, err)
		}
		base, err := url.Parse(strings.TrimSuffix(hostURL(config), "/"))
		if err != nil {
			return fail(err)
		}
		target := base.JoinPath("api/v1/namespaces", pod.Namespace, "pods", pod.Name, "portforward")
		transport, upgrader, err := spdy.RoundTripperFor(config)
		if err != nil {
			return fail(err)
		}
		overSPDY := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
		overWebsocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(target, config)
		if err != nil {
			return fail(err)
		}
		dialer := portforward.NewFallbackDialerForStreaming(overWebsocket, overSPDY, func(err error) bool {
			return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
		})
		stop, ready := make(chan struct{}), make(chan struct{})
		f, err := portforward.NewOnAddressesForStreaming(dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", port)}, stop, ready, io.Discard, io.Discard)
		if err != nil {
			return fail(err)
		}
		ended := make(chan struct{})
		var failure error
		go func() {
			defer close(ended)
			failure = f.ForwardPorts()
		}()
		patience := time.NewTimer(forwardPatience)
		defer patience.Stop()
		select {
		case <-ready:
		case <-ended:
			return fail(failure)
		case <-ctx.Done():
			close(stop)
			return fail(ctx.Err())
		case <-patience.C:
			close(stop)
			return fail(fmt.Errorf("no connection within %s", forwardPatience))
		}
		ports, err := f.GetPorts()
		if err != nil {
			close(stop)
			return fail(err)
		}
		return fmt.Sprintf("http://127.0.0.1:%d", ports[0].Local), func() { close(stop); <-ended }, nil
	}
}

// hostURL of the API server; a host alone means https.
func hostURL(config *rest.Config) string {
	if strings.Contains(config.Host, "://") {
		return config.Host
	}
	return "https://" + config.Host
}
