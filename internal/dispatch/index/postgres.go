package index

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// connections of one replica, at most.
	connections = 4
	// connectTimeout bounds a connection where the URL does not say connect_timeout.
	connectTimeout = 10 * time.Second
	// connectionLifetime makes a replaced password and a moved database count.
	connectionLifetime = 30 * time.Minute
	// schemaLock is the advisory lock under which the schema is made: any number that nobody else uses ("OABIndex").
	schemaLock = 0x4F4142496E646578
)

// postgres keeps the index in a database that may be shared.
type postgres struct {
	url func() (string, error)
	// dialer keeps the egress policy; pgx bounds it by ConnectTimeout.
	dialer *net.Dialer
}

// dial opens each connection. A Unix socket leads nowhere outside of the pod.
func (d *postgres) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network == "unix" {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return d.dialer.DialContext(ctx, network, address)
}

// bind numbers the parameters. No statement of this package has a question mark anywhere else.
func (*postgres) bind(query string) string {
	var b strings.Builder
	b.Grow(len(query) + 64)
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// config reads the URL as it is now. The parser's own errors quote parts of the URL, so they are not passed on.
func (d *postgres) config() (*pgx.ConnConfig, error) {
	u, err := d.url()
	if err != nil {
		return nil, fmt.Errorf("index: connection URL: %w", err)
	}
	c, err := pgx.ParseConfig(strings.TrimSpace(u))
	if err != nil {
		return nil, errors.New("index: the connection URL cannot be read: it must look like postgres://user:password@host:5432/database?sslmode=verify-full, " +
			"with special characters in the password percent-encoded")
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	c.DialFunc = d.dial
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "oabridge"
	}
	return c, nil
}

// Connect implements driver.Connector.
func (d *postgres) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := d.config()
	if err != nil {
		return nil, err
	}
	return stdlib.GetConnector(*c).Connect(ctx)
}

// Driver implements driver.Connector.
func (*postgres) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

func (d *postgres) open(ctx context.Context) (*store, error) {
	db := sql.OpenDB(d)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxLifetime(connectionLifetime)
	s := &store{write: db, read: db}
	err := d.migrate(ctx, db)
	if err == nil {
		err = s.prepare(ctx, d.bind)
	}
	if err != nil {
		_ = s.close()
		return nil, fmt.Errorf("index database: %w", err)
	}
	return s, nil
}

// migrate makes the schema. Several replicas may do so at the same moment: one of them does and the others wait.
func (*postgres) migrate(ctx context.Context, db *sql.DB) error {
	// All of it is made in one transaction, so the youngest parts stand for the whole. Looking first spares a lock on a table
	// that others write into, and a user who may not create tables can work with tables that are there.
	var there bool
	if err := db.QueryRowContext(ctx, "SELECT to_regclass($1) IS NOT NULL AND EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass($2) AND attname = $3)",
		tableSignIns, tableRecords, younger[len(younger)-1]).Scan(&there); err != nil || there {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to say
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(schemaLock)); err != nil {
		return err
	}
	statements := schema("")
	for _, column := range younger {
		statements = append(statements, strings.Replace(addColumn(column), "ADD COLUMN", "ADD COLUMN IF NOT EXISTS", 1))
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			var p *pgconn.PgError
			if errors.As(err, &p) && p.Code == "42501" { // insufficient_privilege
				return fmt.Errorf("%w: grant CREATE on the schema to the user of the connection URL", err)
			}
			return err
		}
	}
	return tx.Commit()
}

// broken is never true: a database is repaired by whoever runs it, not by us.
func (*postgres) broken(error) bool { return false }

func (*postgres) discard() (string, error) {
	return "", errors.New("index: a database is not moved aside")
}

// bytes counts the tables of all connectors together.
func (*postgres) bytes(ctx context.Context, s *store) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT pg_total_relation_size($1::regclass)", tableRecords).Scan(&n)
	return n, err
}
