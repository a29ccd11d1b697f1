package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"net/url"
	"strings"

	"github.com/lib/pq"
)

// postgresDSN lets lib/pq send a statement and its parameters in one round trip
// instead of two. It also sends []byte in binary form: a JSONB column needs a
// string. A server that takes a connection and says nothing is given up after 10 s.
// (https://pkg.go.dev/github.com/lib/pq#hdr-Connection_String_Parameters)
func postgresDSN(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" { // "host=… dbname=…"
		if !strings.Contains(uri, "connect_timeout") {
			uri += " connect_timeout=10"
		}
		return uri + " binary_parameters=yes"
	}
	values := u.Query()
	values.Set("binary_parameters", "yes")
	values.Set("connect_timeout", cmp.Or(values.Get("connect_timeout"), "10"))
	u.RawQuery = values.Encode()
	return u.String()
}

// openPostgres makes a pool of connections to a server.
func openPostgres(uri string) (*sql.DB, error) {
	cfg, err := pq.NewConfig(postgresDSN(uri))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{cfg}), nil
}

// connector makes connections that end soon after the context they work for.
type connector struct{ cfg pq.Config }

// Driver is part of driver.Connector.
func (c connector) Driver() driver.Driver { return &pq.Driver{} }

// Connect is part of driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	maker, err := pq.NewConnectorConfig(c.cfg)
	if err != nil {
		return nil, err
	}
	l := &line{ctx: ctx}
	maker.Dialer(l)
	made, err := maker.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn := &conn{made.(pqConn), l}
	_, _ = conn.ExecContext(ctx, noticeSoon, nil) // a server that does not know them works, too
	return conn, nil
}

// noticeSoon lets the server notice within a minute that we are gone without a word: by
// default it would keep our lock, and what our transactions hold, for two hours after
// our machine lost its power. They are no parameters of the connection because poolers
// refuse those.
const noticeSoon = "SET tcp_keepalives_idle=15; SET tcp_keepalives_interval=5; SET tcp_keepalives_count=3; SET tcp_user_timeout=30000"

// pqConn is what a connection of lib/pq can do.
type pqConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
}

// conn tells the line below which context it works for.
type conn struct {
	pqConn
	line *line
}

func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.line.workFor(ctx)
	began, err := c.pqConn.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	return &tx{began, ctx, c.line}, nil
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	c.line.workFor(ctx)
	return c.pqConn.PrepareContext(ctx, query)
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.line.workFor(ctx)
	return c.pqConn.ExecContext(ctx, query, args)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.line.workFor(ctx)
	return c.pqConn.QueryContext(ctx, query, args)
}

func (c *conn) Ping(ctx context.Context) error {
	c.line.workFor(ctx)
	return c.pqConn.Ping(ctx)
}

// IsValid keeps a line that ends out of the pool.
func (c *conn) IsValid() bool { return c.pqConn.IsValid() && !c.line.ending() }

// tx ends for the context that it began with: that of its last statement may be over.
type tx struct {
	driver.Tx
	ctx  context.Context
	line *line
}

func (t *tx) Commit() error {
	t.line.workFor(t.ctx)
	return t.Tx.Commit()
}

func (t *tx) Rollback() error {
	t.line.workFor(t.ctx)
	return t.Tx.Rollback()
}
