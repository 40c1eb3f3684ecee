package process

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// NATSServer is the place of one server of a NATS cluster: it can be started there again and again.
type NATSServer struct {
	// Name in the cluster, and URL for clients.
	Name, URL string
	// Dir holds what the server keeps.
	Dir string

	bin, config, log, health string
}

// natsConfig of one server: name, client address, monitoring address, store, cluster address, routes. Every message is
// synced before it is acknowledged, as a cluster for OA Bridge must do.
const natsConfig = `server_name: %s
listen: "%s"
http: "%s"
max_payload: 8MB
jetstream {
  store_dir: "%s"
  sync_interval: always
}
cluster {
  name: runs
  listen: "%s"
  routes: [%s]
}
`

// NewNATSCluster prepares a cluster of n servers with everything they keep below dir.
func NewNATSCluster(b Binaries, dir string, n int) ([]*NATSServer, error) {
	at, err := FreeAddresses(3 * n)
	if err != nil {
		return nil, err
	}
	clients, monitors, peers := at[:n], at[n:2*n], at[2*n:]
	routes := `"nats://` + strings.Join(peers, `", "nats://`) + `"`
	out := make([]*NATSServer, n)
	for i := range out {
		name := fmt.Sprintf("n%d", i+1)
		s := &NATSServer{
			Name: name, URL: "nats://" + clients[i], Dir: filepath.Join(dir, name), bin: b.path(natsd), health: "http://" + monitors[i] + "/healthz",
			config: filepath.Join(dir, name+".conf"), log: filepath.Join(dir, name+".log"),
		}
		text := fmt.Sprintf(natsConfig, name, clients[i], monitors[i], s.Dir, peers[i], routes)
		if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

// Start runs the server.
func (s *NATSServer) Start(ctx context.Context) (*Process, error) {
	return Start(ctx, "nats "+s.Name, s.log, s.bin, s.config)
}

// Ready waits until the server is healthy: it is in the cluster and has caught up with its streams. While a cluster starts
// for the first time, that needs more than half of its servers.
func (s *NATSServer) Ready(ctx context.Context, p *Process) error {
	_, err := p.Answers(ctx, s.health)
	return err
}
