package index

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// version of the schema. The tables of another version are left alone, so that replicas of two releases can work beside
// one another while they are exchanged.
const version = 1

// The tables.
const (
	tableRecords   = "oab_records_v1"
	tablePositions = "oab_positions_v1"
	// tablePeople knows which CRM accounts an OA account stood for.
	tablePeople = "oab_people_v1"
	// tablePendings is the list of open items that an OA reads.
	tablePendings = "oab_pendings_v1"
)

// columns of tableRecords, in the order of row. Times are nanoseconds since 1970 (UTC), 0 for none.
var columns = []struct{ name, kind string }{
	{"connector", "TEXT"}, {"part", "INTEGER"}, {"frame", "BIGINT"}, {"idx", "INTEGER"},
	{"seq", "BIGINT"}, {"kind", "TEXT"}, {"event", "TEXT"}, {"item", "TEXT"}, {"version", "BIGINT"}, {"action", "TEXT"},
	{"receiver", "TEXT"}, {"receiver_oa", "TEXT"}, {"attempt", "INTEGER"}, {"outcome", "TEXT"}, {"reason", "TEXT"},
	{"class", "TEXT"}, {"message", "TEXT"}, {"template", "TEXT"}, {"revision", "TEXT"}, {"status", "INTEGER"},
	{"latency_ms", "DOUBLE PRECISION"}, {"accepted_at", "BIGINT"}, {"at", "BIGINT"}, {"trace", "TEXT"},
	{"replay", "TEXT"}, {"replay_of", "BIGINT"}, {"scenario", "TEXT DEFAULT ''"}, {"about", "TEXT DEFAULT ''"},
}

// younger are the columns that joined later, the youngest last. A table that was made before gets them empty: its records are of a
// time when they meant nothing or served nobody, and they leave with the others.
var younger = []string{"scenario", "about"}

// addColumn is the statement that adds one.
func addColumn(name string) string {
	return "ALTER TABLE " + tableRecords + " ADD COLUMN " + name + " TEXT DEFAULT '' NOT NULL"
}

// indexes of tableRecords. Nearly all records say Delivered and have neither class nor reason, so what people look for
// when something is wrong is kept apart in small partial indexes. A query repeats the condition word for word. There is
// none for traces and events: they are random, and keeping random values in order would cost more than all the rest (measured with SQLite at 300,000 records:
// twice the CPU, five times the writing and a third more disk for each record).
//
// shape tells SQLite how selective an index is, in the format of its table sqlite_stat1: rows, and rows for each value of
// the first column, of the first two and so on. Without it SQLite guesses wrong, and counting for itself would take longer
// the larger the index is.
var indexes = []struct{ name, columns, where, shape string }{
	{"at", "connector, at", "", "1000000 1000000 1"},
	{"item", "connector, item, at", "", "1000000 1000000 5 1"},
	{"receiver", "connector, receiver, at", "", "1000000 1000000 500 1"},
	{"outcome", "connector, outcome, at", notDelivered, "20000 20000 5000 1"},
	{"reason", "connector, reason, at", "reason <> ''", "20000 20000 2000 1"},
	{"class", "connector, class, at", "class <> ''", "20000 20000 2000 1"},
	{"replay", "connector, replay, at", "replay <> ''", "2000 2000 200 1"},
	{"replay_of", "connector, part, replay_of", "replay_of <> 0", "2000 2000 2000 1"},
}

// keyShape is the shape of the primary key.
const keyShape = "1000000 1000000 1000000 100 1"

const notDelivered = "outcome <> 'Delivered'"

// schema returns the statements that make what is missing. suffix is what the dialect adds to a table that is kept in the
// order of its key.
func schema(suffix string) []string {
	var c []string
	for _, col := range columns {
		c = append(c, col.name+" "+col.kind+" NOT NULL")
	}
	out := []string{
		fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (%s, PRIMARY KEY (connector, part, frame, idx))%s", tableRecords, strings.Join(c, ", "), suffix),
		fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (connector TEXT NOT NULL, part INTEGER NOT NULL, frame BIGINT NOT NULL, PRIMARY KEY (connector, part))%s",
			tablePositions, suffix),
		fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (connector TEXT NOT NULL, receiver_oa TEXT NOT NULL, receiver TEXT NOT NULL, PRIMARY KEY (connector, receiver_oa, receiver))%s",
			tablePeople, suffix),
	}
	out = append(out,
		fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (connector TEXT NOT NULL, lane TEXT NOT NULL, part INTEGER NOT NULL, receiver TEXT NOT NULL, receiver_oa TEXT NOT NULL, "+
			"accepted_at BIGINT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (connector, lane))%s", tablePendings, suffix),
		fmt.Sprintf("CREATE INDEX IF NOT EXISTS %s_receiver ON %s (connector, receiver, accepted_at)", tablePendings, tablePendings))
	for _, i := range indexes {
		s := fmt.Sprintf("CREATE INDEX IF NOT EXISTS %s_%s ON %s (%s)", tableRecords, i.name, tableRecords, i.columns)
		if i.where != "" {
			s += " WHERE " + i.where
		}
		out = append(out, s)
	}
	return append(out, signInSchema(suffix))
}

// insert is a prepared statement for a fixed number of rows.
type insert struct {
	rows      int
	statement *sql.Stmt
}

// insertSizes are the numbers of rows that statements are prepared for, the largest first. SQLite takes at most 32,766
// parameters and PostgreSQL 65,535.
var insertSizes = []int{200, 20, 1}

// prepare prepares the statements of a store.
func (s *store) prepare(ctx context.Context, bind func(string) string) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
	for _, n := range insertSizes {
		// A record that is there already is the same record.
		query := fmt.Sprintf("INSERT INTO %s (%s) VALUES %s ON CONFLICT DO NOTHING", tableRecords, strings.Join(names, ", "),
			strings.TrimSuffix(strings.Repeat(row+",", n), ","))
		st, err := s.write.PrepareContext(ctx, bind(query))
		if err != nil {
			return err
		}
		s.inserts = append(s.inserts, insert{rows: n, statement: st})
	}
	return nil
}
