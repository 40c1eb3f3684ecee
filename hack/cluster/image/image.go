// Package image makes container images from static programs, without a registry and without a container engine.
package image

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// nonroot is the user that "distroless" images made customary.
const nonroot = "65532:65532"

// Options of an image.
type Options struct {
	Name       string   // as pods write it, with a tag
	Binaries   []string // each becomes /BASENAME
	Entrypoint []string // empty: the first binary
	Bare       bool     // nothing but the binaries
}

// Write makes the image and keeps it as a tar that containerd and docker load. The same inputs give the same bytes.
func Write(o Options, out string) error {
	if len(o.Binaries) == 0 {
		return fmt.Errorf("an image needs at least one --binary")
	}
	tag, err := name.NewTag(o.Name)
	if err != nil {
		return fmt.Errorf("image name: %w", err)
	}
	var layers []v1.Layer
	if !o.Bare {
		layer, err := base()
		if err != nil {
			return err
		}
		layers = append(layers, layer)
	}
	programs, err := programs(o.Binaries)
	if err != nil {
		return err
	}
	built, err := mutate.AppendLayers(empty.Image, append(layers, programs)...)
	if err != nil {
		return err
	}
	if built, err = configure(built, o); err != nil {
		return err
	}
	temporary := out + ".new"
	defer os.Remove(temporary)
	if err := tarball.WriteToFile(temporary, tag, built); err != nil {
		return err
	}
	return os.Rename(temporary, out)
}

func configure(image v1.Image, o Options) (v1.Image, error) {
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config.User = nonroot
	file.Config.WorkingDir = "/"
	file.Config.Env = []string{"PATH=/", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"}
	if o.Bare {
		file.Config.Env = nil
	}
	file.Config.Entrypoint = o.Entrypoint
	if len(o.Entrypoint) == 0 {
		file.Config.Entrypoint = []string{"/" + filepath.Base(o.Binaries[0])}
	}
	return mutate.ConfigFile(image, file)
}

func programs(binaries []string) (v1.Layer, error) {
	files := newArchive()
	for _, binary := range binaries {
		if err := static(binary); err != nil {
			return nil, err
		}
		if err := files.copy(binary, filepath.Base(binary), 0o755); err != nil {
			return nil, err
		}
	}
	return files.layer()
}

// static refuses a program that would look for a loader and libraries that the image does not have.
func static(path string) error {
	file, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("%s is no Linux program: %w", path, err)
	}
	defer file.Close()
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is linked dynamically: build it with CGO_ENABLED=0", path)
		}
	}
	return nil
}

// base is what programs look for besides themselves: who they are, whom to trust, what time it is elsewhere.
func base() (v1.Layer, error) {
	files := newArchive()
	files.add("etc/passwd", 0o644, []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"))
	files.add("etc/group", 0o644, []byte("root:x:0:\nnonroot:x:65532:\n"))
	const certificates = "/etc/ssl/certs/ca-certificates.crt"
	if _, err := os.Stat(certificates); err == nil {
		if err := files.copy(certificates, certificates[1:], 0o644); err != nil {
			return nil, err
		}
	}
	const zones = "/usr/share/zoneinfo"
	if _, err := os.Stat(zones); err == nil {
		if err := files.tree(zones); err != nil {
			return nil, err
		}
	}
	files.directory("tmp", 0o1777)
	return files.layer()
}

// archive is a tar in which every time is zero and every owner root.
type archive struct {
	buffer bytes.Buffer
	tar    *tar.Writer
	made   map[string]bool
	err    error
}

func newArchive() *archive {
	a := &archive{made: map[string]bool{".": true}}
	a.tar = tar.NewWriter(&a.buffer)
	return a
}

func (a *archive) header(h tar.Header) {
	h.ModTime, h.Format = time.Unix(0, 0), tar.FormatPAX
	if a.err == nil {
		a.err = a.tar.WriteHeader(&h)
	}
}

func (a *archive) directory(name string, mode int64) {
	if a.made[name] {
		return
	}
	a.directory(path.Dir(name), 0o755)
	a.made[name] = true
	a.header(tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode})
}

func (a *archive) add(name string, mode int64, content []byte) {
	a.directory(path.Dir(name), 0o755)
	a.header(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))})
	if a.err == nil {
		_, a.err = a.tar.Write(content)
	}
}

func (a *archive) copy(from, name string, mode int64) error {
	content, err := os.ReadFile(from)
	if err == nil {
		a.add(name, mode, content)
	}
	return err
}

// tree copies a directory. Links are followed, since what they lead to may lie outside.
func (a *archive) tree(root string) error {
	return filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			return nil // a link to nothing or to a directory: not needed to name a zone
		}
		return a.copy(file, file[1:], 0o644)
	})
}

func (a *archive) layer() (v1.Layer, error) {
	if a.err != nil {
		return nil, a.err
	}
	if err := a.tar.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(a.buffer.Bytes())), nil
	})
}
