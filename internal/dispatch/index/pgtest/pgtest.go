// Package pgtest runs a real PostgreSQL server for tests: the one that is installed on the machine, in a directory of its
// own, on a Unix socket. hack/postgres.sh installs it.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver pgx
)

// startTimeout bounds the making and the start of the server.
const startTimeout = time.Minute

// server is started by the first test that asks and serves all tests of the process.
var server struct {
	once      sync.Once
	dir       string
	err       error
	stop      func()
	databases int
	mu        sync.Mutex
}

// errNotInstalled says that there is no server to run.
var errNotInstalled = errors.New("no PostgreSQL server was found in /usr/lib/postgresql/*/bin or in PATH: hack/postgres.sh installs it")

// Main runs the tests of a package and stops the server after them.
func Main(m *testing.M) {
	code := m.Run()
	if server.stop != nil {
		server.stop()
	}
	os.Exit(code)
}

// Database returns the URL of a new, empty database. The test is skipped where PostgreSQL is not installed. The package's
// TestMain must call Main.
func Database(t testing.TB) string {
	t.Helper()
	server.once.Do(func() { server.dir, server.stop, server.err = start() })
	if errors.Is(server.err, errNotInstalled) {
		t.Skip(server.err)
	}
	if server.err != nil {
		t.Fatal(server.err)
	}
	server.mu.Lock()
	server.databases++
	name := fmt.Sprintf("test%d", server.databases)
	server.mu.Unlock()
	db, err := sql.Open("pgx", location(server.dir, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return location(server.dir, name)
}

// location of a database of the server in dir.
func location(dir, database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: url.Values{"host": {dir}}.Encode()}).String()
}

// start makes a server and returns its directory, which holds the socket, and what stops it.
func start() (dir string, stop func(), err error) {
	bin, err := binaries()
	if err != nil {
		return "", nil, err
	}
	// Not testing's directory: it is closed to the user that the server runs as.
	if dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		return "", nil, err
	}
	as, err := account(dir)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = &syscall.SysProcAttr{Credential: as}, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), os.RemoveAll(dir))
	}
	process := exec.CommandContext(context.Background(), filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+dir, "-c", "fsync=off")
	process.Dir = dir
	// It ends with the tests, however those end.
	process.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGINT}
	var log strings.Builder
	process.Stderr = &log
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the death signal is that of the thread
		defer close(ended)
		err := process.Start()
		started <- err
		if err == nil {
			_ = process.Wait()
		}
	}()
	if err := <-started; err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop = func() {
		_ = process.Process.Signal(syscall.SIGINT) // fast shutdown
		<-ended
		_ = os.RemoveAll(dir)
	}
	if err := ready(ctx, dir, ended); err != nil {
		stop()
		return "", nil, fmt.Errorf("postgres did not start: %w\n%s", err, log.String())
	}
	return dir, stop, nil
}

// ready waits until the server answers.
func ready(ctx context.Context, dir string, ended <-chan struct{}) error {
	db, err := sql.Open("pgx", location(dir, "postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-ended:
			return err
		case <-tick.C:
		}
	}
}

// binaries returns the directory of initdb and postgres, of the newest version that is installed.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		slices.SortFunc(found, func(a, b string) int { return major(a) - major(b) })
		return filepath.Dir(found[len(found)-1]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errNotInstalled
}

// major is the version in a path such as /usr/lib/postgresql/15/bin/initdb.
func major(path string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	if err != nil {
		return 0
	}
	return n
}

// account is whom the server runs as: it refuses to be root. Nil means whoever runs the tests.
func account(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and its usual user is missing: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}
