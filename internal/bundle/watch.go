package bundle

import (
	"context"

	"github.com/oabridge/oabridge/internal/mounted"
)

// Watch loads the bundle of a directory, and again after every change, until ctx ends; then it returns nil. loaded is
// called with each bundle that differs from the last one; failed is called when the files cannot be used, and what was
// loaded before stays valid. After a failure loaded is called again even when the files are back to what they were.
// Neither is called concurrently.
func Watch(ctx context.Context, dir string, loaded func(*Loaded), failed func(error)) error {
	live, broken := "", false
	load := func() {
		l, err := Load(dir)
		if err != nil {
			broken = true
			failed(err)
			return
		}
		if l.Hash == live && !broken {
			return
		}
		live, broken = l.Hash, false
		loaded(l)
	}
	return mounted.Watch(ctx, dir, load)
}
