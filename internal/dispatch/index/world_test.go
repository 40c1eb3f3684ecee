package index_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/index/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var start = time.Date(2026, 11, 22, 1, 30, 0, 0, time.UTC)

// engines are the two databases; each story is told with both.
var engines = []struct {
	name string
	// config of an empty index.
	config func(testing.TB) index.Config
}{
	{"SQLite", func(t testing.TB) index.Config {
		return index.Config{Connector: "crm/hq", File: filepath.Join(t.TempDir(), "records 记录.db"), Log: logr.Discard()}
	}},
	{"PostgreSQL", func(t testing.TB) index.Config {
		return index.Config{Connector: "crm/hq", URL: fixed(pgtest.Database(t)), Log: logr.Discard()}
	}},
}

func fixed(url string) func() (string, error) { return func() (string, error) { return url, nil } }

func open(t testing.TB, c index.Config) *index.Index {
	t.Helper()
	x, err := index.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}
