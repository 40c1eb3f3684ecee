// Package mounted reads and watches the folders that Kubernetes mounts into a pod: Secrets and ConfigMaps whose files
// change while the pod runs.
package mounted

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// MaxFile bounds a file that Read reads, in bytes.
const MaxFile = 64 << 10

// ErrMissing is wrapped by Read's error when the file is not there.
var ErrMissing = errors.New("missing")

// Read returns the content of dir/slot/key without one newline at its end. It reads the file each time, so a replaced
// Secret counts at once. Errors name slot and key, and never hold content. A file that is not there is ErrMissing.
func Read(dir, slot, key string) (string, error) {
	for _, name := range []string{slot, key} {
		if name == "" || name != filepath.Base(name) || strings.HasPrefix(name, "..") || name == "." {
			return "", fmt.Errorf("%q is not the name of a mounted file", slot+"/"+key)
		}
	}
	f, err := os.Open(filepath.Join(dir, slot, key))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%s/%s: %w", slot, key, ErrMissing)
	}
	if err != nil {
		return "", fmt.Errorf("%s/%s cannot be read: %w", slot, key, err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return "", fmt.Errorf("%s/%s cannot be read: %w", slot, key, err)
	}
	if len(data) > MaxFile {
		return "", fmt.Errorf("%s/%s has more than %d bytes", slot, key, MaxFile)
	}
	text, cut := strings.CutSuffix(string(data), "\n")
	if cut {
		text = strings.TrimSuffix(text, "\r")
	}
	return text, nil
}
