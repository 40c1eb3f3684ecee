package stage

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// GatewayNamespace has the Gateway: it belongs to other people than the connectors.
const GatewayNamespace = "edge"

// ApplyGateway puts a Gateway with TLS for all hosts of the demo on the cluster. from says whose routes it takes: Same, All.
func (s *Stage) ApplyGateway(ctx context.Context, from string) error {
	if err := s.applyAll(ctx, []client.Object{restricted(GatewayNamespace), typed(tlsSecret(GatewayNamespace, "tls", s.keys))}); err != nil {
		return err
	}
	_, err := s.KubectlApply(ctx, fmt.Sprintf(`apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: %s}
spec:
  gatewayClassName: oabridge
  listeners:
  - name: tls
    port: 443
    protocol: HTTPS
    hostname: "*.%s"
    tls: {certificateRefs: [{name: tls}]}
    allowedRoutes: {namespaces: {from: %s}}
`, GatewayNamespace, Domain, from))
	return err
}

// DeleteGateway takes it away, with its namespace.
func (s *Stage) DeleteGateway(ctx context.Context) error {
	_, err := s.Kubectl(ctx, "delete", "namespace", GatewayNamespace, "--timeout=60s")
	return err
}
