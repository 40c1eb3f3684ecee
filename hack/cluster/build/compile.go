package build

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// compile runs the Go toolchain with a line of progress every few seconds.
func (b Bundle) compile(ctx context.Context, source, out string, progress io.Writer) error {
	flags, err := ldflags(source)
	if err != nil {
		return err
	}
	dir := filepath.Join(source, b.module)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	total, err := b.stale(ctx, dir, flags)
	if err != nil {
		return err
	}
	args := append([]string{"build", "-v", "-trimpath", "-ldflags", flags, "-o", out + "/"}, b.packages...)
	cmd := command(ctx, dir, args...)
	output, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start go: %w", err)
	}
	said := report(output, total, progress)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("build %s in %s: %w\n%s", b.Name, dir, err, said)
	}
	return nil
}

func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	// No workspace: the modules here are built each with its own versions.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-buildvcs=false")
	return cmd
}

// stale counts the packages that are not in the toolchain's own cache: the work that is left.
func (b Bundle) stale(ctx context.Context, dir, flags string) (int, error) {
	args := append([]string{"list", "-deps", "-trimpath", "-ldflags", flags, "-f", "{{if .Stale}}{{.ImportPath}}{{end}}"}, b.packages...)
	cmd := command(ctx, dir, args...)
	var failed bytes.Buffer
	cmd.Stderr = &failed
	list, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("list the packages of %s: %w\n%s", b.Name, err, failed.String())
	}
	return len(strings.Fields(string(list))), nil
}

// report counts the package names that the toolchain prints, and returns every line that is not one: those say what
// went wrong.
func report(output io.Reader, total int, progress io.Writer) string {
	const every = 10 * time.Second
	var said strings.Builder
	began, last, done := time.Now(), time.Now(), 0
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		line := lines.Text()
		if strings.ContainsAny(line, " :") {
			if !strings.HasPrefix(line, "go: downloading") {
				fmt.Fprintln(&said, line)
			}
			continue
		}
		done++
		if time.Since(last) < every {
			continue
		}
		last = time.Now()
		fmt.Fprintf(progress, "        %d of %d packages, %s\n", done, max(done, total), estimate(time.Since(began), done, total))
	}
	return said.String()
}

// estimate says how much longer, on the guess that packages take alike. Linking comes after them.
func estimate(elapsed time.Duration, done, total int) string {
	if done >= total {
		return "linking"
	}
	left := time.Duration(float64(elapsed) / float64(done) * float64(total-done))
	return fmt.Sprintf("about %s left", left.Round(10*time.Second))
}
