package drivers

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/mounted"
)

// settled is how old a file must have been when it was read for its time stamp to tell a later change.
const settled = 2 * time.Second

// secretCache spares each push the reading of files that have not changed: a stat costs a tenth of it. It never
// serves a value that is not on disk any more.
type secretCache struct {
	dir string

	mu    sync.Mutex
	files map[[2]string]readFile
}

type readFile struct {
	info  os.FileInfo
	at    time.Time
	value string
}

// read returns the value of a key, as mounted.Read does.
func (c *secretCache) read(slot, key string) (string, error) {
	// The stat comes before the read: a change between them makes the next stat differ.
	info, err := os.Stat(filepath.Join(c.dir, slot, key))
	if err != nil {
		return mounted.Read(c.dir, slot, key) // which words the error
	}
	name := [2]string{slot, key}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.files[name]; ok && os.SameFile(f.info, info) && f.info.Size() == info.Size() &&
		f.info.ModTime().Equal(info.ModTime()) && f.at.Sub(info.ModTime()) > settled {
		return f.value, nil
	}
	at := time.Now() // the clock of the file system, not the injected one
	value, err := mounted.Read(c.dir, slot, key)
	if err != nil {
		return "", err
	}
	if c.files == nil {
		c.files = map[[2]string]readFile{}
	}
	c.files[name] = readFile{info, at, value}
	return value, nil
}
