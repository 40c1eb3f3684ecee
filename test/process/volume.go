package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Volume is a file system of a limited size that can be filled up and freed again.
type Volume struct{ Dir string }

// MountVolume mounts a tmpfs of size bytes at dir, which needs the right to mount (root).
func MountVolume(dir string, size int64) (*Volume, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := syscall.Mount("oabridge-run", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size)); err != nil {
		return nil, fmt.Errorf("mount tmpfs at %s: %w", dir, err)
	}
	return &Volume{dir}, nil
}

// ReadOnly makes the volume read-only, or writable again. Nothing may be open for writing.
func (v *Volume) ReadOnly(yes bool) error {
	flags := uintptr(syscall.MS_REMOUNT)
	if yes {
		flags |= syscall.MS_RDONLY
	}
	if err := syscall.Mount("oabridge-run", v.Dir, "tmpfs", flags, ""); err != nil {
		return fmt.Errorf("remount %s: %w", v.Dir, err)
	}
	return nil
}

// Unmount takes the volume away with everything on it.
func (v *Volume) Unmount() error { return syscall.Unmount(v.Dir, syscall.MNT_DETACH) }

func (v *Volume) ballast() string { return filepath.Join(v.Dir, ".ballast") }

// Fill leaves no free byte. What is freed meanwhile is taken too when it is called again.
func (v *Volume) Fill() error {
	f, err := os.OpenFile(v.ballast(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	// Others write at the same time, so what is free now may be gone: take it in smaller and smaller pieces.
	for piece := int64(1 << 30); piece >= int64(os.Getpagesize()); {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		switch err := syscall.Fallocate(int(f.Fd()), 0, info.Size(), piece); {
		case errors.Is(err, syscall.ENOSPC):
			piece /= 2
		case err != nil && !errors.Is(err, syscall.EINTR):
			return err
		}
	}
	return nil
}

// Free gives the space back.
func (v *Volume) Free() error {
	if err := os.Remove(v.ballast()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
