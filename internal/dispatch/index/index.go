// Package index answers questions about what became of items. It is a projection of the outcome log (package record) into
// SQL: it holds the columns that people filter by and where in the log the whole record is, not the bodies.
//
// The log is the truth and the index of the records can always be made again from it: a damaged file is moved aside, and the
// caller applies the log again from Position. Only the sign-ins, which are in no log of ours, go with such a file. There are two dialects and one code path: SQLite, a file beside the queue, and
// PostgreSQL, which several replicas of several connectors may share.
package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/outbound"
)

const (
	// requestTimeout bounds one call of the index, whatever context it is given.
	requestTimeout = 30 * time.Second
	// maxMessage bounds the message in a row, in bytes; the whole one is in the log.
	maxMessage = 256
)

// ErrRestarted is returned by the call that found the file damaged: it was replaced by an empty one. Ask for the position
// of each partition again and apply the log from there.
var ErrRestarted = errors.New("the index was damaged and starts again from the log")

// Config of an index. Either File or URL is set.
type Config struct {
	// Connector is namespace/name. Everything in a shared database is keyed by it.
	Connector string
	// File is the path of the SQLite file. Its directory exists; nobody else writes into the file.
	File string
	// URL returns the connection URL of a PostgreSQL database. It is asked for every new connection, so that a replaced
	// password counts without a restart.
	URL func() (string, error)
	// AllowedCIDRs opens ranges that the egress policy refuses otherwise, for URL.
	AllowedCIDRs []string
	Log          logr.Logger
}

// Index is an open index. Its methods may be called by several goroutines.
type Index struct {
	connector string
	dialect   dialect
	log       logr.Logger

	// mu is held for reading while store is used, and for writing while it is replaced.
	mu    sync.RWMutex
	store *store
}

// dialect is where the two databases differ.
type dialect interface {
	// open connects and makes sure that the schema is there.
	open(ctx context.Context) (*store, error)
	// bind writes the parameters of a query, "?", as the database wants them.
	bind(query string) string
	// broken reports whether an error means that the stored data is damaged.
	broken(err error) bool
	// discard moves damaged data out of the way and says where to.
	discard() (string, error)
	// bytes returns the size of what is stored.
	bytes(ctx context.Context, s *store) (int64, error)
}

// store is an open database.
type store struct {
	// write has room for one transaction at a time where the database has; read may be the same.
	write, read *sql.DB
	inserts     []insert
	people      people
}

func (s *store) close() error {
	var errs []error
	for _, i := range s.inserts {
		errs = append(errs, i.statement.Close())
	}
	if s.read != s.write {
		errs = append(errs, s.read.Close())
	}
	return errors.Join(append(errs, s.write.Close())...)
}

// Open opens the index and makes what is missing. A SQLite file that is not an index, is of another version or is damaged
// is moved aside with a line in the log. An error names the file or the database, never the password.
func Open(ctx context.Context, c Config) (*Index, error) {
	x := &Index{connector: clean(c.Connector), log: c.Log}
	switch {
	case c.Connector == "":
		return nil, errors.New("index: Connector is empty: give namespace/name")
	case (c.File == "") == (c.URL == nil):
		return nil, errors.New("index: give either File, for SQLite, or URL, for PostgreSQL")
	case c.URL != nil:
		dialer, err := outbound.NewDialer(outbound.Config{AllowedCIDRs: c.AllowedCIDRs, Field: "spec.dispatcher.records.allowedCIDRs"})
		if err != nil {
			return nil, fmt.Errorf("index: %w", err)
		}
		x.dialect = &postgres{url: c.URL, dialer: dialer}
	default:
		x.dialect = &sqlite{file: c.File}
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	s, err := x.dialect.open(ctx)
	if err != nil && x.dialect.broken(err) {
		s, err = x.replace(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	x.store = s
	return x, nil
}

// Close ends all connections.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.store == nil {
		return nil
	}
	return x.store.close()
}

// use runs f with the store. When f finds it damaged, the store is replaced by an empty one.
func (x *Index) use(ctx context.Context, f func(context.Context, *store) error) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	x.mu.RLock()
	s := x.store
	var err error
	if s != nil {
		err = f(ctx, s)
	}
	x.mu.RUnlock()
	if s != nil && (err == nil || !x.dialect.broken(err)) {
		return err
	}
	return x.restart(ctx, s, err)
}

// restart replaces the store s, or opens one where an earlier replacement failed.
func (x *Index) restart(ctx context.Context, s *store, cause error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.store != s {
		return ErrRestarted // somebody else was first
	}
	if s != nil {
		_ = s.close()
		x.store = nil
	}
	fresh, err := x.replace(ctx, cause)
	if err != nil {
		return err
	}
	x.store = fresh
	return ErrRestarted
}

// replace moves a damaged store aside and opens an empty one.
func (x *Index) replace(ctx context.Context, cause error) (*store, error) {
	aside, err := x.dialect.discard()
	if err != nil {
		return nil, err
	}
	s, err := x.dialect.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("a fresh index: %w", err)
	}
	why := "it could not be opened"
	if cause != nil {
		why = cause.Error()
	}
	x.log.Info("the index of the records cannot be used: it was moved aside and is made again from the log", "why", why, "movedTo", aside)
	return s, nil
}
