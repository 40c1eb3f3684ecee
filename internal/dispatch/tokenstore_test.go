package dispatch

import (
	"errors"
	"testing"

	"github.com/oabridge/oabridge/internal/oa/tokens"
)

// An OA with two kinds of tokens, such as DingTalk, has a place for each, which outlives a restart.
func TestEachKindOfTokenHasItsPlace(t *testing.T) { // F80
	w := newWorld(t)
	w.start()
	kinds := []string{"", "v1"}
	for _, name := range kinds {
		if _, err := w.d.tokenStore(name).Save(t.Context(), []byte("sealed "+name), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := w.d.tokenStore(name).Save(t.Context(), []byte("late"), 0); !errors.Is(err, tokens.ErrConflict) {
			t.Errorf("%q: a second first writer got %v", name, err)
		}
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	for _, name := range kinds {
		sealed, revision, err := w.d.tokenStore(name).Load(t.Context())
		if err != nil || string(sealed) != "sealed "+name || revision == 0 {
			t.Errorf("%q: got %q, revision %d, %v", name, sealed, revision, err)
		}
	}
}
