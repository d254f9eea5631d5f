package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strconv"
	"sync"
)

// witness is a connection that never writes: its data_version changes exactly when any other connection, of this process or
// another, committed something (https://www.sqlite.org/pragma.html#pragma_data_version).
type witness struct {
	lock sync.Mutex
	conn *sql.Conn
	// opened counts connections: versions of two cannot be compared.
	opened int64
}

// Version asks the witness.
func (r rollups) Version(ctx context.Context) (string, error) {
	w := &r.e.witness
	w.lock.Lock()
	defer w.lock.Unlock()
	for attempt := 0; ; attempt++ {
		version, err := w.ask(ctx, r.e.read)
		if err == nil {
			return strconv.FormatInt(w.opened, 10) + "." + strconv.FormatInt(version, 10), nil
		}
		w.close()
		if attempt > 0 || !errors.Is(err, driver.ErrBadConn) && !errors.Is(err, sql.ErrConnDone) {
			return "", unavailable(err)
		}
	}
}

func (w *witness) ask(ctx context.Context, read *sql.DB) (version int64, err error) {
	if w.conn == nil {
		if w.conn, err = read.Conn(ctx); err != nil {
			return 0, err
		}
		w.opened++
	}
	err = w.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version)
	return version, err
}

// close gives the connection up, also one that a caller's end interrupted.
func (w *witness) close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}
