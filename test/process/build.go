package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Binaries are the programs that a run starts.
type Binaries struct {
	// Root of the checkout, for the presets.
	Root string
	// Dir holds them, by the name of their folder.
	Dir string
}

// The programs by their package below the root.
const (
	oabridge = "./cmd/oabridge"
	oasim    = "./cmd/oasim"
	natsd    = "./test/process/natsd"
)

// Build compiles the programs into dir. With a prebuilt folder nothing is compiled.
func Build(ctx context.Context, dir, prebuilt string, withNATS bool) (Binaries, error) {
	packages := []string{oabridge, oasim}
	if withNATS {
		packages = append(packages, natsd)
	}
	return build(ctx, dir, prebuilt, packages...)
}

// BuildNATS compiles the NATS server alone into dir.
func BuildNATS(ctx context.Context, dir string) (Binaries, error) { return build(ctx, dir, "", natsd) }

func build(ctx context.Context, dir, prebuilt string, packages ...string) (Binaries, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return Binaries{}, fmt.Errorf("go list -m: %w: run this inside the checkout", err)
	}
	b := Binaries{Root: strings.TrimSpace(string(out)), Dir: dir}
	if prebuilt != "" {
		b.Dir, err = filepath.Abs(prebuilt)
		return b, err
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-o", dir + "/"}, packages...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build does: what that compiled is in the cache
	cmd.Dir = b.Root
	if text, err := cmd.CombinedOutput(); err != nil {
		return b, fmt.Errorf("go build: %w\n%s", err, text)
	}
	return b, nil
}

func (b Binaries) path(name string) string { return filepath.Join(b.Dir, filepath.Base(name)) }
