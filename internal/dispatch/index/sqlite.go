package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// applicationID marks the files of this package ("OABI"); a file with another mark belongs to somebody else.
	applicationID = 0x4F414249
	// lockWait is how long SQLite waits for a lock, in milliseconds.
	lockWait = 10_000
	// checkpointPages is the size of the write-ahead log after which it is folded into the file, in pages of 4 KiB. Only
	// then is the disk waited for.
	checkpointPages = 4096
	// writeCache and readCache bound the pages in memory for each connection, in KiB.
	writeCache = 16 << 10
	readCache  = 2 << 10
	// readers bounds the queries at the same time.
	readers = 4
	// suffixAside is appended to the name of a file that was moved aside. The one before is overwritten, so that a fault
	// that comes back does not fill the volume.
	suffixAside = ".broken"
)

// errForeign says that the file is not an index of this version.
var errForeign = errors.New("the file is not an index of this version")

// sqlite keeps the index in a file.
type sqlite struct{ file string }

func (*sqlite) bind(query string) string { return query }

func (d *sqlite) open(ctx context.Context) (*store, error) {
	// The write-ahead log with synchronous=NORMAL never damages the file when the power goes; it loses the last
	// transactions with the positions in them, and those are applied again.
	write, err := d.connect(writeCache, "journal_mode(WAL)", "synchronous(NORMAL)", "temp_store(MEMORY)", fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages),
		fmt.Sprintf("journal_size_limit(%d)", checkpointPages*4096))
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	s := &store{write: write, read: write}
	if err := d.prepare(ctx, s); err != nil {
		_ = s.close()
		if code(err) == sqlite3.SQLITE_ERROR {
			err = fmt.Errorf("%w: %w", errForeign, err) // a table without a column that we know, for example
		}
		return nil, fmt.Errorf("index file %s: %w", d.file, err)
	}
	if s.read, err = d.connect(readCache, "query_only(true)"); err != nil {
		s.read = write
		_ = s.close()
		return nil, err
	}
	s.read.SetMaxOpenConns(readers)
	return s, nil
}

// connect opens the file with pragmas for each connection.
func (d *sqlite) connect(cache int, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_txlock": {"immediate"}}
	// Waiting for a lock comes first: the pragmas after it may need one.
	for _, p := range append([]string{fmt.Sprintf("busy_timeout(%d)", lockWait)}, append(pragmas, fmt.Sprintf("cache_size(-%d)", cache))...) {
		query.Add("_pragma", p)
	}
	path, err := filepath.Abs(d.file)
	if err != nil {
		return nil, fmt.Errorf("index file %s: %w", d.file, err)
	}
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String())
}

// prepare checks whose file it is and makes the schema in an empty one.
func (d *sqlite) prepare(ctx context.Context, s *store) error {
	var id, v, tables int
	if err := s.write.QueryRowContext(ctx, "SELECT * FROM pragma_application_id, pragma_user_version, (SELECT count(*) FROM sqlite_schema)").
		Scan(&id, &v, &tables); err != nil {
		return err
	}
	if tables > 0 && (id != applicationID || v != version) {
		return errForeign
	}
	statements := append(schema(" WITHOUT ROWID"), statistics()...)
	statements = append(statements, fmt.Sprintf("PRAGMA application_id = %d", applicationID), fmt.Sprintf("PRAGMA user_version = %d", version))
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to say
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	for _, column := range younger {
		var there bool
		if err := tx.QueryRowContext(ctx, "SELECT count(*) > 0 FROM pragma_table_info(?) WHERE name = ?", tableRecords, column).Scan(&there); err != nil {
			return err
		}
		if there {
			continue
		}
		if _, err := tx.ExecContext(ctx, addColumn(column)); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return s.prepare(ctx, d.bind)
}

// statistics returns the statements that store the shapes of the indexes; they are read when a connection is opened.
func statistics() []string {
	out := []string{
		"ANALYZE sqlite_schema", "DELETE FROM sqlite_stat1",
		// The primary key has the name of the table.
		fmt.Sprintf("INSERT INTO sqlite_stat1 VALUES ('%s', '%s', '%s')", tableRecords, tableRecords, keyShape),
	}
	for _, i := range indexes {
		out = append(out, fmt.Sprintf("INSERT INTO sqlite_stat1 VALUES ('%s', '%s_%s', '%s')", tableRecords, tableRecords, i.name, i.shape))
	}
	return out
}

func (*sqlite) broken(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return errors.Is(err, errForeign)
}

// code is the primary result code of SQLite, 0 when the error is not SQLite's.
func code(err error) int {
	var e *driver.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xFF // the rest says more about it
}

func (d *sqlite) discard() (string, error) {
	aside := d.file + suffixAside
	// A directory of that name would be in the way for ever.
	if err := os.RemoveAll(aside); err != nil {
		return "", fmt.Errorf("index: remove the older %s: %w", aside, err)
	}
	if err := os.Rename(d.file, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("index: move the damaged file aside: %w", err)
	}
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		if err := os.RemoveAll(d.file + suffix); err != nil {
			return "", fmt.Errorf("index: remove the rest of the damaged file: %w", err)
		}
	}
	return aside, nil
}

// bytes leaves out the pages that are free again: the file does not become smaller, but new rows use them.
func (d *sqlite) bytes(ctx context.Context, s *store) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size").Scan(&n)
	return n, err
}
