// Package machine is what the cluster needs from the Debian machine under it, and how to give everything back.
package machine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// ErrElsewhere is the answer where a cluster cannot be made.
var ErrElsewhere = errors.New("a cluster from source needs Linux on Debian, as root: " +
	"use `make demo CLUSTER=current` instead, which takes the cluster that kubectl points at")

// Supported tells whether a cluster can be made here.
func Supported() error {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		return ErrElsewhere
	}
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		return ErrElsewhere
	}
	// Debian keeps these outside of the PATH of some logins.
	return os.Setenv("PATH", os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin")
}

// programs that are needed, and the Debian package of each.
var programs = []struct{ program, pkg string }{
	{"containerd", "containerd"}, {"ctr", "containerd"}, {"runc", "runc"},
	{"ip", "iproute2"}, {"nft", "nftables"}, {"unshare", "util-linux"}, {"nsenter", "util-linux"}, {"mount", "mount"},
}

// Install gets the Debian packages that are missing.
func Install(progress io.Writer) error {
	var missing []string
	for _, p := range programs {
		if _, err := exec.LookPath(p.program); err != nil && !slices.Contains(missing, p.pkg) {
			missing = append(missing, p.pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	fmt.Fprintf(progress, "        apt-get install %s\n", strings.Join(missing, " "))
	install := append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)
	if apt(install...) == nil {
		return nil
	}
	fmt.Fprintln(progress, "        apt-get update")
	if err := apt("update", "-qq"); err != nil {
		return err
	}
	return apt(install...)
}

func apt(args ...string) error {
	cmd := exec.Command("apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	return quiet(cmd)
}

// run runs a command that says nothing when all is well.
func run(name string, args ...string) error { return quiet(exec.Command(name, args...)) }

func quiet(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
}

// output is what a command prints, or nothing when it fails.
func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// HasOverlay tells whether overlay mounts work under dir. Without them images are copied for every container.
func HasOverlay(dir string) bool {
	script := `cd "$1" && mkdir -p l u w m && mount -t overlay overlay -o lowerdir=l,upperdir=u,workdir=w m`
	err := run("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", dir)
	_ = os.RemoveAll(dir)
	return err == nil
}
