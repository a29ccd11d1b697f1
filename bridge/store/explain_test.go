package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/store/storetest"
)

const (
	// manyProjects is what every statement has to be good for.
	manyProjects = 100_000
	// fewRows is how many rows a statement may visit on average without a LIMIT.
	fewRows = 50
	// maxCost is what PostgreSQL may think that a statement costs: 8 is one row by an
	// index, thousands are a table.
	maxCost = 1000
	// maxCostShort is the same for a tenth of the rows.
	maxCostShort = 250
	// page stands for a LIMIT that is a parameter; for one PostgreSQL would expect a
	// tenth of the table.
	page = "LIMIT 20"
)

// bounded are statements whose rows are bounded by something else than their
// tables' size, and by what.
var bounded = map[string]string{
	"SELECT version FROM version":                     "one row",
	"FROM agent":                                      "the agents who were changed at run time, when one is and at the start",
	"WHERE keeper=''":                                 "projects of versions that knew no keepers, once",
	"SELECT (SELECT COUNT(*) FROM handoff":            "counts for the metrics, from indexes that hold no closed handoffs",
	"UPDATE job SET at=$1 WHERE queue=$2 AND state=2": "jobs that wait for the homeserver, when it is back",
}

func exempt(sql string) bool {
	for part := range bounded {
		if strings.Contains(sql, part) {
			return true
		}
	}
	return false
}

// TestStatementsUseIndexes explains every statement of the project on both
// databases, each with the rows of 100,000 projects: M5. A statement that visits a
// table, or the part of one that grows with all projects or all history, is refused.
func TestStatementsUseIndexes(t *testing.T) {
	all, problems := collect("..")
	for _, p := range problems {
		t.Error(p)
	}
	if len(all) < 100 {
		t.Fatalf("only %d statements found", len(all))
	}
	eachFilled(t, func(t *testing.T, explain func(string) (string, error)) {
		for _, s := range all {
			if !explainable(s.sql) || foreign(t, s.sql) {
				continue
			}
			why, err := explain(s.sql)
			if err != nil {
				t.Errorf("%s: %s\n%v", s.at, s.sql, err)
			} else if why != "" && !exempt(s.sql) {
				t.Errorf("%s: %s\n%s", s.at, s.sql, why)
			}
		}
		testRefusals(t, explain)
	})
}

// foreign statements are in the words of the other database.
func foreign(t *testing.T, sql string) bool {
	inPostgres := regexp.MustCompile(`::|\bpg_|\bFOR (SHARE|UPDATE)\b|LATERAL|\bLEAST\(`).MatchString(sql)
	inSQLite := strings.Contains(sql, "PRAGMA") || strings.Contains(sql, "sqlite_") || strings.Contains(sql, "INDEXED BY")
	if strings.HasSuffix(t.Name(), "sqlite") {
		return inPostgres
	}
	return inSQLite
}

// testRefusals: the test would notice.
func testRefusals(t *testing.T, explain func(string) (string, error)) {
	for sql, good := range map[string]bool{
		"SELECT id FROM project WHERE name=$1":                                         false, // no index
		"SELECT id FROM project ORDER BY slug":                                         false, // the whole table
		"SELECT id FROM project ORDER BY name LIMIT $1":                                false, // sorted first
		"SELECT alias FROM room WHERE kind=$1 AND version=$2":                          false, // a prefix that says little
		"SELECT id FROM wa_part WHERE phone=$1 AND body=$2 ORDER BY handoff LIMIT 1":   false, // the same with a LIMIT
		"UPDATE job SET at=0 WHERE queue=$1 AND attempts=$2":                           false,
		"DELETE FROM message WHERE sender=$1":                                          false,
		"SELECT m.name FROM person p JOIN meta m ON m.value=p.role WHERE p.project=$1": false, // the second table
		"SELECT name FROM project WHERE slug>$1 ORDER BY slug LIMIT $2":                true,
		"SELECT alias FROM room WHERE kind=$1 AND project=$2":                          true,
	} {
		if testing.Short() && strings.Contains(sql, "body") {
			continue // a tenth of an agent's messages is not many
		}
		why, err := explain(sql)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
		} else if (why == "") != good {
			t.Errorf("%s: good: %v, refused because %q", sql, good, why)
		}
	}
}

// eachFilled runs fn with both databases; explain says what is wrong with a
// statement, "" if nothing.
func eachFilled(t *testing.T, fn func(t *testing.T, explain func(string) (string, error))) {
	n := manyProjects
	if testing.Short() {
		n /= 10
	}
	storetest.EachURI(t, func(t *testing.T, kind, uri string) {
		t.Parallel()
		db := storetest.Open(t, kind, uri)
		began := time.Now()
		fill(t, db, n)
		filled := time.Since(began)
		if db.Dialect == dbutil.SQLite {
			fn(t, newSQLite(t, db).judge)
		} else {
			fn(t, newPostgres(t, db).judge)
		}
		t.Logf("%d projects: filled in %.1f s, explained in %.1f s", n, filled.Seconds(), (time.Since(began) - filled).Seconds())
	})
}

// inPostgres explains on one connection of PostgreSQL, by its statistics.
type inPostgres struct {
	ctx  context.Context
	conn *sql.Conn
}

func newPostgres(t *testing.T, db *dbutil.Database) inPostgres {
	t.Helper()
	mustExec(t, db, "ANALYZE")
	conn, err := db.RawDB.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	for _, set := range []string{
		"SET plan_cache_mode=force_generic_plan", // for any value of the parameters
		"SET enable_seqscan=off",                 // what scans all the same has no index
	} {
		if _, err := conn.ExecContext(t.Context(), set); err != nil {
			t.Fatal(err)
		}
	}
	return inPostgres{t.Context(), conn}
}

// node is a step of a plan: https://www.postgresql.org/docs/current/using-explain.html
type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Cond     string  `json:"Index Cond"`
	Filter   string  `json:"Filter"`
	Cost     float64 `json:"Total Cost"`
	Plans    []node
}

func (n node) lines(indent string) string {
	s := fmt.Sprintf("%s%s %s %s [%s] filter [%s] cost %.0f\n", indent, n.Type, n.Relation, n.Index, n.Cond, n.Filter, n.Cost)
	for _, p := range n.Plans {
		s += p.lines(indent + "  ")
	}
	return s
}

func (n node) scans() bool {
	return n.Type == "Seq Scan" || slices.ContainsFunc(n.Plans, node.scans)
}

func (p inPostgres) judge(sql string) (string, error) {
	n, err := p.plan(sql)
	most := float64(maxCost)
	if testing.Short() {
		most = maxCostShort
	}
	if err == nil && (n.scans() || n.Cost > most) {
		return n.lines("  "), nil
	}
	return "", err
}

func (p inPostgres) plan(sql string) (node, error) {
	sql, n := numbered(sql)
	if _, err := p.conn.ExecContext(p.ctx, "PREPARE statement AS "+sql); err != nil {
		return node{}, err
	}
	defer func() { _, _ = p.conn.ExecContext(p.ctx, "DEALLOCATE statement") }()
	execute := "EXECUTE statement"
	if n > 0 {
		execute += "(NULL" + strings.Repeat(", NULL", n-1) + ")"
	}
	var raw []byte
	if err := p.conn.QueryRowContext(p.ctx, "EXPLAIN (FORMAT JSON) "+execute).Scan(&raw); err != nil {
		return node{}, err
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal(raw, &plans); err != nil {
		return node{}, err
	}
	return plans[0].Plan, nil
}

// inSQLite explains on SQLite, which plans without statistics: those are only for
// judging what the plan visits.
type inSQLite struct {
	ctx     context.Context
	db      *dbutil.Database
	columns map[string][]column // by table
	indexes map[string]index
}

type index struct {
	text string // its columns and condition
	rows []int  // on average for each prefix of its columns, from none on
}

func newSQLite(t *testing.T, db *dbutil.Database) *inSQLite {
	t.Helper()
	s := &inSQLite{ctx: t.Context(), db: db, columns: tables(t, t.Context(), db), indexes: map[string]index{}}
	mustExec(t, db, "ANALYZE")
	rows, err := db.Query(t.Context(), `SELECT coalesce(st.idx, st.tbl), coalesce(m.sql, '') || ' ' || (SELECT coalesce(group_concat(name), '') FROM pragma_index_info(st.idx)), st.stat
		FROM sqlite_stat1 st LEFT JOIN sqlite_schema m ON m.name=st.idx`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name, text, stat string
		if err := rows.Scan(&name, &text, &stat); err != nil {
			t.Fatal(err)
		}
		i := index{text: text}
		for _, word := range strings.Fields(stat) {
			if n, err := strconv.Atoi(word); err == nil {
				i.rows = append(i.rows, n)
			}
		}
		s.indexes[name] = i
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	_ = rows.Close()
	// Plan as in production, where nobody runs ANALYZE.
	mustExec(t, db, "DELETE FROM sqlite_stat1")
	mustExec(t, db, "ANALYZE sqlite_schema") // which reads what is left, that is nothing
	return s
}

var (
	search = regexp.MustCompile(`^SEARCH (\w+)(?: AS (\w+))? USING (?:COVERING )?INDEX (\w+) \((.*)\)`)
	scan   = regexp.MustCompile(`^SCAN (\w+)(.*)`)
)

// judge: https://www.sqlite.org/eqp.html
func (s *inSQLite) judge(sql string) (string, error) {
	sql, n := numbered(sql)
	plan, err := s.plan(sql, n)
	if err != nil {
		return "", err
	}
	limited := strings.Contains(sql, "LIMIT") || strings.Contains(sql, "EXISTS") || strings.HasPrefix(sql, "SELECT MIN(")
	sorted := slices.ContainsFunc(plan, func(line string) bool { return strings.Contains(line, "TEMP B-TREE FOR ORDER BY") })
	for _, line := range plan {
		bad := strings.Contains(line, "AUTOMATIC") // an index made for this one time
		if m := scan.FindStringSubmatch(line); m != nil && s.columns[s.table(sql, m[1])] != nil {
			bad = !limited || !strings.Contains(m[2], "INDEX") || sorted
		}
		if m := search.FindStringSubmatch(line); m != nil && s.visits(m[3], m[4]) > fewRows {
			bad = !limited || sorted || s.filters(sql, s.table(sql, m[1]), m[3])
		}
		if bad {
			return "  " + strings.Join(plan, "\n  "), nil
		}
	}
	return "", nil
}

// table gives the table that a name in a plan stands for.
func (s *inSQLite) table(sql, name string) string {
	for _, m := range regexp.MustCompile(`(\w+)(?: AS)? `+name+`\b`).FindAllStringSubmatch(sql, -1) {
		if s.columns[m[1]] != nil {
			return m[1]
		}
	}
	return name
}

// visits gives how many rows a search by an index visits: all that have its first
// columns. A range does not narrow it.
func (s *inSQLite) visits(name, conditions string) int {
	i := s.indexes[name]
	equal := strings.Count(conditions, "=?")
	if equal < len(i.rows) {
		return i.rows[equal]
	}
	return 1
}

// filters: the statement asks for something that the index does not know, so a
// LIMIT does not bound how many rows are visited.
func (s *inSQLite) filters(sql, table, index string) bool {
	if at := strings.LastIndex(sql, "FROM "+table); at >= 0 {
		sql, _, _ = strings.Cut(sql[at:], "LIMIT")
	}
	for _, c := range s.columns[table] {
		asked := regexp.MustCompile(`\b` + c.name + ` *(=|<|>|IS|IN)`).MatchString(sql)
		if asked && !regexp.MustCompile(`\b`+c.name+`\b`).MatchString(s.indexes[index].text) && c.name != "id" {
			return true
		}
	}
	return false
}

func (s *inSQLite) plan(sql string, n int) (plan []string, err error) {
	rows, err := s.db.Query(s.ctx, "EXPLAIN QUERY PLAN "+sql, make([]any, n)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return nil, err
		}
		plan = append(plan, detail)
	}
	return plan, rows.Err()
}
