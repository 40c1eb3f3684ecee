package build

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Cache is ${XDG_CACHE_HOME:-~/.cache}/oabridge.
func Cache() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "oabridge"), err
}

// Dir is where the bundle's programs are, once built.
func (b Bundle) Dir(source string) (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	key, err := b.key(source)
	if err != nil {
		return "", err
	}
	version, _, _, err := Version(source)
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, b.Name, version+"-"+key, "bin"), nil
}

// Ensure returns the directory of the bundle's programs and builds them first if they are not there yet. Several may
// call it at once: one builds, the others wait.
func (b Bundle) Ensure(ctx context.Context, source string, progress io.Writer) (string, error) {
	bin, err := b.Dir(source)
	if err != nil {
		return "", err
	}
	if present(bin) {
		return bin, nil
	}
	final := filepath.Dir(bin)
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(final+".lock", progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	if present(bin) { // another built it while this one waited
		return bin, nil
	}
	temporary, err := os.MkdirTemp(filepath.Dir(final), ".building-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary)
	if err := os.Chmod(temporary, 0o755); err != nil {
		return "", err
	}
	if err := b.compile(ctx, source, filepath.Join(temporary, "bin"), progress); err != nil {
		return "", err
	}
	for target, names := range b.links {
		for _, name := range names {
			if err := os.Symlink(target, filepath.Join(temporary, "bin", name)); err != nil {
				return "", err
			}
		}
	}
	// The last act: a directory of this name is complete or not there.
	if err := os.Rename(temporary, final); err != nil {
		return "", err
	}
	return bin, nil
}

func present(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil
}

// lock holds a file lock, which the kernel gives back even when the process is killed.
func lock(path string, progress io.Writer) (func(), error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		fmt.Fprintln(progress, "        another build of the same is under way: waiting for it")
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
	}
	return func() { file.Close() }, nil
}
