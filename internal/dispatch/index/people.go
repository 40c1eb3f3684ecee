package index

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"

	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// maxPeople bounds the pairs that are remembered in memory; one takes about 100 bytes.
const maxPeople = 50_000

// people keeps the pairs of accounts that occur in the records, so that people are found by their OA account without a
// second large index of the records. There are few pairs and they hardly change: each is written once, and stays.
type people struct {
	mu    sync.Mutex
	known map[pair]bool
}

type pair struct{ oa, crm string }

// add writes the pairs of a batch that are not known to be there, and returns them.
func (p *people) add(ctx context.Context, tx *sql.Tx, x *Index, batch []Located) ([]pair, error) {
	fresh := p.unknown(batch)
	for _, f := range fresh {
		if _, err := tx.ExecContext(ctx, x.dialect.bind("INSERT INTO "+tablePeople+" (connector, receiver_oa, receiver) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"),
			x.connector, f.oa, f.crm); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

// unknown returns the pairs in a fixed order, for the same reason as the rows have one.
func (p *people) unknown(batch []Located) []pair {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := map[pair]bool{}
	for _, l := range batch {
		if q := pairOf(l.Record); q.oa != "" && q.oa != q.crm && !p.known[q] {
			seen[q] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b pair) int { return cmp.Or(cmp.Compare(a.oa, b.oa), cmp.Compare(a.crm, b.crm)) })
}

func pairOf(r *record.Record) pair { return pair{oa: clean(r.ReceiverOA), crm: clean(r.Receiver)} }

// remember is called when the pairs are committed.
func (p *people) remember(pairs []pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known)+len(pairs) > maxPeople {
		p.known = make(map[pair]bool, len(pairs))
	}
	for _, q := range pairs {
		p.known[q] = true
	}
}

// named returns the CRM accounts that some accounts may mean: each of them, and those for which it is the OA account.
func (*people) named(ctx context.Context, db *sql.DB, x *Index, accounts []string) ([]string, error) {
	if len(accounts) == 0 {
		return nil, nil
	}
	w := where{}
	w.add("connector = ?", x.connector)
	w.in("receiver_oa", accounts)
	rows, err := db.QueryContext(ctx, x.dialect.bind("SELECT receiver FROM "+tablePeople+" WHERE "+w.String()), w.args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	found := slices.Clone(accounts)
	for rows.Next() {
		var account string
		if err := rows.Scan(&account); err != nil {
			return nil, err
		}
		found = append(found, account)
	}
	return found, rows.Err()
}
