package store_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.mau.fi/util/dbutil"
)

// shape is how much stands in a table and of what, as expressions in SQL of the
// number i of the row. Columns that are not named get a value by fallback.
type shape struct {
	percent int // rows for each 100 projects
	columns map[string]string
}

// A person is in many projects, an agent's phone gets most of what is sent, and most
// of what stands in a table is over.
const (
	aProject = "'p'||i"
	aUser    = "'@u'||(i%({n}/100))"
	aPhone   = "'+49'||(i%10)"
)

// shapes of the tables. One that is not here gets as many rows as there are
// projects.
var shapes = map[string]shape{
	"project":       {100, map[string]string{"id": aProject, "slug": "'slug'||i", "status": "'active'", "creator": aUser, "keeper": "'@lanekeeper'"}},
	"person":        {200, map[string]string{"project": "'p'||((i+1)/2)", "user_id": "'@u'||((i*7)%({n}/100))", "slug": "'slug'||((i+1)/2)"}},
	"lane_grant":    {50, map[string]string{"project": aProject, "user_id": aUser, "lane": "'customer'"}},
	"request":       {100, map[string]string{"number": "i", "project": "'p'||(i%(1+{n}/4))", "user_id": aUser, "state": "CASE WHEN i%10=0 THEN 'open' ELSE 'approved' END"}},
	"guest":         {30, map[string]string{"project": aProject, "user_id": aUser, "lane": "'customer'"}},
	"room":          {140, map[string]string{"alias": "'a'||i", "id": "'!r'||i", "kind": "CASE WHEN i>{n} THEN 'direct' WHEN i%2=0 THEN 'customer' ELSE 'internal' END", "project": "CASE WHEN i>{n} THEN '' ELSE 'p'||i END", "user_id": "CASE WHEN i>{n} THEN '@u'||i ELSE '' END"}},
	"room_state":    {100, map[string]string{"room": "'!r'||((i+1)/2)", "type": "'m.room.member'", "skey": "'@u'||((i*7)%({n}/100))", "sender": "'@u'||((i*7)%({n}/100))", "ts": "i", "came": "i", "raw": `'{"type":"m.room.member","state_key":"@u","sender":"@u","content":{"membership":"join"}}'`}},
	"message":       {100, map[string]string{"room": "'!r'||(i%(1+{n}/5))", "sender": aUser, "ts": "i", "came": "i", "thread": "''", "reply_to": "''"}},
	"sent":          {50, nil},
	"answer":        {20, map[string]string{"project": aProject, "revision": "1"}},
	"seen":          {100, map[string]string{"event_id": "'$'||i", "at": "i"}},
	"meta":          {50, nil},
	"handoff":       {100, map[string]string{"number": "i", "asker": "'@u'||((i/7)%({n}/100))", "owner": aPhone, "reach": "CASE WHEN i%2=0 THEN 'whatsapp' ELSE 'matrix' END", "direct": "i%2=0", "state": "CASE WHEN i%1000=0 THEN 'open' WHEN i%1000=1 THEN 'taken' ELSE 'closed' END"}},
	"handoff_event": {100, map[string]string{"handoff": "i", "kind": "'said'", "ts": "i", "user_id": aUser}},
	"wa_inbound":    {100, map[string]string{"phone": aPhone, "handoff": "i", "at": "i"}},
	"wa_line":       {100, map[string]string{"id": "i", "handoff": "i", "kind": "'ask'", "asker": aUser, "created": "i"}},
	"wa_source":     {100, map[string]string{"line": "i"}},
	"wa_send":       {100, map[string]string{"line": "i", "phone": aPhone, "state": "CASE WHEN i%1000=0 THEN 'waiting' ELSE 'done' END"}},
	"wa_part":       {100, map[string]string{"id": "i", "line": "CASE WHEN i%20=0 THEN NULL ELSE i END", "handoff": "i", "phone": aPhone, "sid": "'SM'||i", "state": "CASE WHEN i%2000=0 THEN 'trying' WHEN i%2000=1 THEN 'sent' ELSE 'read' END", "started": "i", "changed": "i"}},
	"wa_phone":      {20, map[string]string{"phone": "'+49'||i", "user_id": "CASE WHEN i%2=0 THEN '' ELSE 'bs'||i END"}},
	"ghost":         {20, nil},
	"gap":           {10, map[string]string{"key": "'project:p'||i", "room": "'!r'||i"}},
	"held":          {100, map[string]string{"key": "'project:p'||(i%(1+{n}/100))", "room": "'!r'||(i%(1+{n}/100))", "gap": "i%10", "behind": "i%2"}},
	"visit":         {20, map[string]string{"user_id": aUser}},
	"job":           {100, map[string]string{"id": "i", "queue": "CASE WHEN i%2=0 THEN 'in' ELSE 'matrix' END", "key": "'k'||(i%(1+{n}/50))", "part": "i%256", "state": "CASE WHEN i%50=0 THEN 2 WHEN i%50=1 THEN 0 ELSE 1 END", "at": "i", "payload": "{bytes}"}},
	"parked":        {50, map[string]string{"id": "i", "parked": "i", "payload": "{bytes}"}},
}

// few are columns that hold few values, where a table has no shape that says more.
var few = []string{"kind", "state", "status", "type", "queue", "role", "tier", "profile", "lane", "what"}

// column is one of a table, as the database describes it.
type column struct {
	name, kind string // lower case
	optional   bool   // NULL or a default will do
}

func (c column) fallback() string {
	switch {
	case strings.Contains(c.kind, "bool"):
		return "false"
	case strings.Contains(c.kind, "bytea"), strings.Contains(c.kind, "blob"):
		return "{bytes}"
	case c.name == "user_id":
		return aUser
	case c.name == "project":
		return aProject
	case c.name == "phone":
		return aPhone
	case slices.Contains(few, c.name):
		return "'x'||(i%5)"
	case strings.Contains(c.kind, "text"):
		return "'" + c.name[:1] + "'||i"
	}
	return "i"
}

// fill writes what a system with n projects has, in a few seconds.
func fill(t testing.TB, db *dbutil.Database, n int) {
	t.Helper()
	ctx := t.Context()
	series, bytes := "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s WHERE i<%d) SELECT i FROM s) s", "x'7b7d'"
	if db.Dialect == dbutil.Postgres {
		series, bytes = "generate_series(1, %d) s(i)", "'{}'::bytea"
	} else {
		mustExec(t, db, "PRAGMA foreign_keys=off")
		mustExec(t, db, "PRAGMA synchronous=off")
		mustExec(t, db, "PRAGMA cache_size=-200000")
	}
	err := db.DoTxn(ctx, nil, func(ctx context.Context) error {
		if db.Dialect == dbutil.Postgres {
			if _, err := db.Exec(ctx, "SET LOCAL session_replication_role=replica"); err != nil {
				return err
			}
		}
		for table, columns := range tables(t, ctx, db) {
			s := shapes[table]
			rows := n * cmp.Or(s.percent, 100) / 100
			var names, values []string
			for _, c := range columns {
				value, given := s.columns[c.name]
				if !given && c.optional {
					continue
				}
				names, values = append(names, c.name), append(values, cmp.Or(value, c.fallback()))
			}
			text := strings.NewReplacer("{n}", fmt.Sprint(n), "{bytes}", bytes).Replace(strings.Join(values, ", "))
			query := fmt.Sprintf("INSERT INTO %s (%s) %s SELECT %s FROM "+series, table, strings.Join(names, ", "), overriding(db), text, rows)
			if _, err := db.Exec(ctx, query+" WHERE true ON CONFLICT DO NOTHING"); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// overriding lets ids be given that PostgreSQL counts itself.
func overriding(db *dbutil.Database) string {
	if db.Dialect == dbutil.Postgres {
		return "OVERRIDING SYSTEM VALUE"
	}
	return ""
}

func mustExec(t testing.TB, db *dbutil.Database, query string) {
	t.Helper()
	if _, err := db.Exec(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// tables gives the columns of every table of ours.
func tables(t testing.TB, ctx context.Context, db *dbutil.Database) map[string][]column {
	t.Helper()
	query := `SELECT m.name, lower(c.name), lower(c.type), c."notnull"=0 AND c.pk=0 OR c.dflt_value IS NOT NULL
		FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type='table' AND m.name NOT LIKE 'sqlite%'`
	if db.Dialect == dbutil.Postgres {
		query = `SELECT table_name, column_name, lower(data_type), is_nullable='YES' OR column_default IS NOT NULL OR is_identity='YES'
			FROM information_schema.columns WHERE table_schema=current_schema()`
	}
	rows, err := db.Query(ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string][]column{}
	for rows.Next() {
		var table string
		var c column
		if err := rows.Scan(&table, &c.name, &c.kind, &c.optional); err != nil {
			t.Fatal(err)
		}
		all[table] = append(all[table], c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(all, func(table string, _ []column) bool {
		return table == "version" || table == "database_owner" || table == "owner"
	})
	return all
}
