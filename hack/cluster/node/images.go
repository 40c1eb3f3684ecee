package node

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/oabridge/oabridge/hack/cluster/image"
)

// Load imports an image tar, as `image` and `docker save` write it, and returns the names in it.
func (c Cluster) Load(ctx context.Context, tar string) ([]string, error) {
	if _, err := os.Stat(tar); err != nil {
		return nil, err
	}
	out, err := c.ctr(ctx, "images", "import", tar)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, line := range strings.Split(out, "\n") {
		// unpacking docker.io/library/hello:1 (sha256:…)...done
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "unpacking" {
			names = append(names, fields[1])
		}
	}
	return names, nil
}

// ctr runs containerd's client on the cluster's images.
func (c Cluster) ctr(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "ctr", append([]string{"--address", c.socket(), "--namespace", "k8s.io"}, args...)...)
	cmd.Env = append(os.Environ(), "CONTAINERD_SNAPSHOTTER="+c.snapshotter())
	var out, failed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failed
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("ctr %s: %w\n%s", strings.Join(args, " "), err, failed.String())
	}
	return out.String(), nil
}

// snapshotter is the one that containerd was configured with.
func (c Cluster) snapshotter() string {
	raw, _ := os.ReadFile(c.path("etc", "containerd.toml"))
	if bytes.Contains(raw, []byte(`snapshotter = "native"`)) {
		return "native"
	}
	return "overlayfs"
}

// loadPause gives containerd the image that every pod begins with.
func (c Cluster) loadPause(ctx context.Context) error {
	tar := c.path("run", "pause.tar")
	if err := image.Write(image.Options{Name: pauseImage, Binaries: []string{filepath.Join(c.Addons, "pause")}, Bare: true}, tar); err != nil {
		return err
	}
	_, err := c.Load(ctx, tar)
	return err
}
