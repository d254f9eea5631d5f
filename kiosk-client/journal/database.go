package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
)

const fileName = "journal.db"

// schema is of one version so far. Sequences are the row ids, so that the queue is read and pruned in the order of
// the file. acknowledgements tells when everything through a sequence had arrived: a row a hour, so that an acknowledgement rewrites no rating.
const schema = `
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS position (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (n INTEGER PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS ratings (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, rating BLOB NOT NULL, private BLOB, previous BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS ratings_id ON ratings (id);
CREATE TABLE IF NOT EXISTS former (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, rating BLOB NOT NULL, private BLOB);
CREATE TABLE IF NOT EXISTS held (sequence INTEGER PRIMARY KEY, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS holes (first INTEGER PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS acknowledgements (hour INTEGER PRIMARY KEY, through INTEGER NOT NULL);
PRAGMA user_version = 1;
`

const (
	schemaVersion = 1
	maxVersion    = 1000 // what is above is no version but noise
	// checkpointAt is the size of the write-ahead log, in pages of 4 KB, from which it is moved into the file: in the
	// background, so that no touch waits for it.
	checkpointAt = 1000
)

// database is an opened file: one connection that writes, one that reads.
type database struct {
	path  string // "" = in memory, and both are one
	write *conn
	read  *conn
}

// conn is one connection with its prepared statements.
type conn struct {
	pool     *sql.DB
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

func openDatabase(ctx context.Context, path string, volatile bool) (*database, error) {
	d := &database{path: path}
	sync := "synchronous(FULL)"
	if volatile {
		sync = "synchronous(OFF)"
	}
	name := ":memory:"
	if path != "" {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite itself would make it readable for others
		if err != nil {
			return nil, err
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
		// incremental: what pruning frees can be given back to a disk that is nearly full.
		name = source(path, "auto_vacuum(INCREMENTAL)", "journal_mode(WAL)", sync, "wal_autocheckpoint(0)", "busy_timeout(5000)",
			"cache_size(-2000)", "journal_size_limit(16777216)", "temp_store(MEMORY)")
	}
	var err error
	if d.write, err = connect(ctx, name); err != nil {
		return nil, err
	}
	var version int
	if err := d.write.conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return nil, errors.Join(err, d.close())
	}
	switch {
	case version > maxVersion || version < 0:
		return nil, errors.Join(fmt.Errorf("version %d: %w", version, errDamaged), d.close())
	case version > schemaVersion:
		return nil, errors.Join(fmt.Errorf("the journal was written by a later version (%d)", version), d.close())
	case version < schemaVersion:
		if _, err := d.write.conn.ExecContext(ctx, "BEGIN; "+schema+" COMMIT"); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	if d.read = d.write; path != "" {
		if d.read, err = connect(ctx, source(path, "query_only(1)", "busy_timeout(5000)", "cache_size(-1000)", "temp_store(MEMORY)")); err != nil {
			d.read = d.write
			return nil, errors.Join(err, d.close())
		}
	}
	return d, nil
}

func source(path string, pragmas ...string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: url.Values{"_pragma": pragmas}.Encode()}
	return u.String()
}

func connect(ctx context.Context, name string) (*conn, error) {
	pool, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &conn{pool: pool, conn: c, prepared: map[string]*sql.Stmt{}}, nil
}

func (c *conn) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := c.prepared[query]; s != nil {
		return s, nil
	}
	s, err := c.conn.PrepareContext(ctx, query)
	if err == nil {
		c.prepared[query] = s
	}
	return s, err
}

func (c *conn) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := c.statement(ctx, query) //nolint:sqlclosecheck // kept until the connection is closed
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// rows calls each once a row.
func (c *conn) rows(ctx context.Context, each func(scan func(...any) error) error, query string, args ...any) error {
	s, err := c.statement(ctx, query) //nolint:sqlclosecheck // kept until the connection is closed
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.prepared {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.conn.Close(), c.pool.Close())...)
}

func (d *database) close() error {
	var errs []error
	if d.read != nil && d.read != d.write {
		errs = append(errs, d.read.close())
	}
	if d.write != nil {
		errs = append(errs, d.write.close()) // the last connection moves the log into the file
	}
	return errors.Join(errs...)
}

// SQLite's result codes (sqlite.org/rescode.html).
const (
	codeError     = 1 // our statements are right: the file's head or schema is not
	codeCorrupt   = 11
	codeFull      = 13
	codeNotADB    = 26
	codeShortRead = 522
	codeCorruptFS = 8458
)

func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

func isDamage(err error) bool {
	c := code(err)
	switch c & 0xff { // the primary code
	case codeError, codeCorrupt, codeNotADB:
		return true
	}
	return c == codeShortRead || c == codeCorruptFS || errors.Is(err, errDamaged)
}

func isFull(err error) bool { return code(err)&0xff == codeFull || errors.Is(err, syscall.ENOSPC) }

// errDamaged says that a row does not hold what we wrote.
var errDamaged = errors.New("the journal holds what it cannot")
