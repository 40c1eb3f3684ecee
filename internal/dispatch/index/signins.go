package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/audit"
)

// tableSignIns keeps what gateways tell. It is the only table that cannot be made again from the log: a file that is moved
// aside takes its sign-ins along. Its key is the order of time, and people look for the youngest, so it has no other index.
const tableSignIns = "oab_signins_v1"

// signInTexts are its columns for audit.SignIn.Texts.
const signInTexts = "mode, provider, code, reason, detail, oa_account, crm_account, trace, ip, user_agent, page, api_name, data_id, client"

func signInSchema(suffix string) string {
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (connector TEXT NOT NULL, at BIGINT NOT NULL, id TEXT NOT NULL, %s TEXT NOT NULL, PRIMARY KEY (connector, at, id))%s",
		tableSignIns, strings.ReplaceAll(signInTexts, ",", " TEXT NOT NULL,"), suffix)
}

// AddSignIns keeps finished sign-ins, in one transaction. One that is there already stays as it is.
func (x *Index) AddSignIns(ctx context.Context, batch []audit.SignIn) error {
	return x.use(ctx, func(ctx context.Context, s *store) error {
		tx, err := s.write.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to say
		for i := range batch {
			texts := batch[i].Texts()
			args := []any{x.connector, nanos(batch[i].At), clean(batch[i].ID)}
			for _, text := range texts {
				args = append(args, clean(*text))
			}
			if _, err := tx.ExecContext(ctx, x.dialect.bind("INSERT INTO "+tableSignIns+" (connector, at, id, "+signInTexts+") VALUES ("+
				marks(len(args))+") ON CONFLICT DO NOTHING"), args...); err != nil {
				return fmt.Errorf("index: %w", err)
			}
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		return nil
	})
}

// SignInFilter selects sign-ins. A list selects those that have one of its values; what is empty selects all.
type SignInFilter struct {
	// Accounts are OA or CRM accounts, CRMAccounts only the latter.
	Accounts, CRMAccounts []string
	Codes, Modes          []string
	// TraceEnds are ends of trace ids, in lower-case hex digits.
	TraceEnds []string
	// Since is within, Until is not.
	Since, Until time.Time
	// After is the place that SignInPlace gave for the last one of the page before.
	After string
	// Limit of the answer; 0 means DefaultLimit.
	Limit int
}

// SignInPlace is the place of a sign-in in the order of time.
func SignInPlace(s *audit.SignIn) string { return fmt.Sprintf("%d.%s", nanos(s.At), s.ID) }

// SignIns returns the sign-ins of a filter, the newest first. The error is ErrPlace when After is none.
func (x *Index) SignIns(ctx context.Context, f SignInFilter) (found []audit.SignIn, err error) {
	w := where{}
	w.add("connector = ?", x.connector)
	for _, list := range []struct {
		column string
		values []string
	}{{"crm_account", f.CRMAccounts}, {"code", f.Codes}, {"mode", f.Modes}} {
		if len(list.values) > 0 {
			w.in(list.column, list.values)
		}
	}
	if len(f.Accounts) > 0 {
		either := where{}
		either.in("oa_account", f.Accounts)
		either.in("crm_account", f.Accounts)
		w.either(either)
	}
	if len(f.TraceEnds) > 0 {
		either := where{}
		for _, end := range f.TraceEnds {
			either.add("trace LIKE ?", "%"+clean(end))
		}
		w.either(either)
	}
	if !f.Since.IsZero() {
		w.add("at >= ?", f.Since.UnixNano())
	}
	if !f.Until.IsZero() {
		w.add("at < ?", f.Until.UnixNano())
	}
	if f.After != "" {
		stamp, id, ok := strings.Cut(f.After, ".")
		at, err := strconv.ParseInt(stamp, 10, 64)
		if !ok || err != nil {
			return nil, ErrPlace
		}
		w.add("(at, id) < (?, ?)", at, clean(id))
	}
	limit := f.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	w.args = append(w.args, min(limit, MaxLimit))
	err = x.use(ctx, func(ctx context.Context, s *store) error {
		rows, err := s.read.QueryContext(ctx, x.dialect.bind("SELECT at, id, "+signInTexts+" FROM "+tableSignIns+" WHERE "+w.String()+
			" ORDER BY at DESC, id DESC LIMIT ?"), w.args...)
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var one audit.SignIn
			var at int64
			to := []any{&at, &one.ID}
			for _, text := range one.Texts() {
				to = append(to, text)
			}
			if err := rows.Scan(to...); err != nil {
				return fmt.Errorf("index: %w", err)
			}
			one.At = fromNanos(at)
			found = append(found, one)
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		return nil
	})
	return found, err
}

// CountSignIns counts the sign-ins since a time by code.
func (x *Index) CountSignIns(ctx context.Context, since time.Time) (counts map[string]int64, err error) {
	err = x.use(ctx, func(ctx context.Context, s *store) error {
		rows, err := s.read.QueryContext(ctx, x.dialect.bind("SELECT code, count(*) FROM "+tableSignIns+" WHERE connector = ? AND at >= ? GROUP BY code"),
			x.connector, nanos(since))
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		defer func() { _ = rows.Close() }()
		counts = map[string]int64{}
		for rows.Next() {
			var code string
			var n int64
			if err := rows.Scan(&code, &n); err != nil {
				return fmt.Errorf("index: %w", err)
			}
			counts[code] = n
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		return nil
	})
	return counts, err
}

// PruneSignIns removes the sign-ins before a time, and the oldest ones beyond most; 0 for most keeps any number.
func (x *Index) PruneSignIns(ctx context.Context, before time.Time, most int64) error {
	return x.use(ctx, func(ctx context.Context, s *store) error {
		remove := x.dialect.bind("DELETE FROM " + tableSignIns + " WHERE connector = ? AND at < ?")
		if _, err := s.write.ExecContext(ctx, remove, x.connector, nanos(before)); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		if most == 0 {
			return nil
		}
		var oldest int64
		err := s.read.QueryRowContext(ctx, x.dialect.bind("SELECT at FROM "+tableSignIns+" WHERE connector = ? ORDER BY at DESC LIMIT 1 OFFSET ?"),
			x.connector, most-1).Scan(&oldest)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			_, err = s.write.ExecContext(ctx, remove, x.connector, oldest)
		}
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		return nil
	})
}
