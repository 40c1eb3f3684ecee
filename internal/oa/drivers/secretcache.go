package drivers

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/mounted"
)

// lookAgain is how long a value is served without a look at its file: at thousands of pushes a second the looks are worth
// saving, and a rotated Secret takes longer to come into the pod. It is less than a folder must be quiet before its change
// is reported (internal/mounted), so who is told of a change sees it.
const lookAgain = 25 * time.Millisecond

// settled is how old a file must have been when it was read for its time stamp to tell a later change.
const settled = 2 * time.Second

// secretCache spares each push the reading of files that have not changed: a stat costs a tenth of it, and is made every
// lookAgain at most. No value is served for longer that is not on disk any more.
type secretCache struct {
	dir string
	// lookAgain is the constant of that name, less in tests.
	lookAgain time.Duration

	mu    sync.Mutex
	files map[[2]string]readFile
	// looks at the slots: what was looked at in the same one belongs together, as far as the next value of a key is read before
	// the current one. Otherwise a value that has just moved from one to the other could be seen in neither.
	looks map[string]look
}

type look struct {
	at     time.Time
	number int
}

// look returns the number of the look at a slot that counts now, or of a new one.
func (c *secretCache) look(slot string, now time.Time, anew bool) int {
	l, known := c.looks[slot]
	if !known || anew || now.Sub(l.at) >= c.lookAgain {
		l = look{now, l.number + 1}
		if c.looks == nil {
			c.looks = map[string]look{}
		}
		c.looks[slot] = l
	}
	return l.number
}

type readFile struct {
	info os.FileInfo
	// read is when the file was read, looked the look at the slot in which it was last looked at.
	read   time.Time
	looked int
	value  string
	// missing is why there is no value of a next key: most keys have none.
	missing error
}

// old reports whether the time stamp of the file tells a later change.
func (f readFile) old() bool { return f.read.Sub(f.info.ModTime()) > settled }

// changed reports whether a stat finds something else than what was read.
func (f readFile) changed(info os.FileInfo, err error) bool {
	if f.missing != nil || err != nil {
		return f.missing == nil || err == nil
	}
	return !os.SameFile(f.info, info) || f.info.Size() != info.Size() || !f.info.ModTime().Equal(info.ModTime())
}

// read returns the value of a key, as mounted.Read does.
func (c *secretCache) read(slot, key string) (string, error) {
	name := [2]string{slot, key}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now() // the clock of the file system, not the injected one
	f, known := c.files[name]
	number := c.look(slot, now, false)
	if known && (f.missing != nil || f.old()) && f.looked == number {
		return f.value, f.missing
	}
	// The stat comes before the read: a change between them makes the next stat differ.
	info, err := os.Stat(filepath.Join(c.dir, slot, key))
	changed := known && f.changed(info, err)
	if changed { // what was looked at before is of another time
		number = c.look(slot, now, true)
	}
	if err != nil {
		delete(c.files, name)
		value, err := mounted.Read(c.dir, slot, key) // which words the error
		if err != nil && strings.HasSuffix(key, v1alpha1.SuffixNext) {
			c.keep(name, readFile{looked: number, missing: err})
		}
		return value, err
	}
	if !known || changed || !f.old() {
		f = readFile{info: info, read: now}
		if f.value, err = mounted.Read(c.dir, slot, key); err != nil {
			delete(c.files, name)
			return "", err
		}
	}
	f.looked = number
	c.keep(name, f)
	return f.value, nil
}

func (c *secretCache) keep(name [2]string, f readFile) {
	if c.files == nil {
		c.files = map[[2]string]readFile{}
	}
	c.files[name] = f
}
