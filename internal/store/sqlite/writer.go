package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
	sqlitelib "modernc.org/sqlite/lib"

	driver "modernc.org/sqlite"
)

const (
	queueLength = 1024             // calls that may wait; more wait at the door, with their context
	groupBytes  = 8 << 20          // about as much as one transaction takes
	groupCalls  = 512              // calls in one transaction
	lockWait    = 20 * time.Second // for another process that writes the same file
)

var errClosed = fmt.Errorf("%w: closed", store.ErrUnavailable)

// call is one change waiting for its transaction. run may be executed again after a rollback, so it sets its results
// anew each time. It answers only failures of the engine; what it says to its caller it keeps in its results.
type call struct {
	ctx    context.Context
	weight int // bytes, about
	run    func(*tx) error
	done   chan error
}

// writer is the only writer of this process. It executes the calls that wait together in one transaction, with one
// sync to disk: group commit.
type writer struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	queue      chan *call
	door       sync.RWMutex // held for reading while a call goes into the queue
	closed     bool
	finished   chan struct{}
	wal        wal

	seq     int64     // the largest seq of ratings given out in this transaction (tx.lastSeq)
	crowded bool      // another process was seen writing
	version int64     // PRAGMA data_version, which changes when another connection commits
	seen    time.Time // when it last changed
}

// newWriter starts a writer on a connection of its own, whose write-ahead log is the file walPath.
func newWriter(conn *sql.Conn, walPath string, log *slog.Logger) *writer {
	w := &writer{conn: conn, wal: wal{path: walPath, limit: walLimit, log: log}, statements: map[string]*sql.Stmt{}, queue: make(chan *call, queueLength), finished: make(chan struct{})}
	go w.work()
	return w
}

// do executes run in a transaction and waits until it is on disk. When ctx ends while run waits, do answers ctx's error, and
// the change may yet land. An error of the engine wraps store.ErrUnavailable.
func (w *writer) do(ctx context.Context, weight int, run func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &call{ctx: ctx, weight: weight, run: run, done: make(chan error, 1)}
	if err := w.enqueue(ctx, c); err != nil {
		return err
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) enqueue(ctx context.Context, c *call) error {
	w.door.RLock()
	defer w.door.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.queue <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close lets the waiting calls finish and refuses new ones.
func (w *writer) close() {
	w.door.Lock()
	already := w.closed
	w.closed = true
	w.door.Unlock()
	if !already {
		close(w.queue)
	}
	<-w.finished
}

func (w *writer) work() {
	defer close(w.finished)
	last := 1
	for first := range w.queue {
		group := w.gather(first, last)
		last = len(group)
		w.commit(group)
		w.giveWay()
		w.keepLogShort()
	}
	for _, statement := range w.statements {
		_ = statement.Close()
	}
	_ = w.conn.Close()
}

// gather takes what waits. Callers who have just been answered come back a moment later: while the group is smaller than the
// last one, they are given the processor a few times before the transaction starts without them.
func (w *writer) gather(first *call, last int) []*call {
	group, weight := []*call{first}, first.weight
	for patience := 0; len(group) < groupCalls && weight < groupBytes; {
		select {
		case c, open := <-w.queue:
			if !open {
				return group
			}
			group, weight = append(group, c), weight+c.weight
			patience = 0
		default:
			if len(group) >= last || patience > 3 {
				return group
			}
			patience++
			runtime.Gosched()
		}
	}
	return group
}

// commit executes a group. Where a call fails, the others are executed again without it.
func (w *writer) commit(group []*call) {
	waiting := group[:0:0]
	for _, c := range group {
		if err := c.ctx.Err(); err != nil { // nobody waits for it any more
			c.done <- err
			continue
		}
		waiting = append(waiting, c)
	}
	if len(waiting) == 0 {
		return
	}
	started, err := w.transact(waiting)
	if err != nil && started && len(waiting) > 1 {
		for _, c := range waiting {
			_, err := w.transact([]*call{c})
			c.done <- unavailable(err)
		}
		return
	}
	for _, c := range waiting {
		c.done <- unavailable(err)
	}
}

// transact executes calls in one transaction. failed tells that a call failed and everything was rolled back before COMMIT.
func (w *writer) transact(calls []*call) (failed bool, err error) {
	if err := w.begin(); err != nil {
		return false, err
	}
	t := &tx{w: w}
	for _, c := range calls {
		if err := c.run(t); err != nil {
			w.rollback()
			return true, err
		}
	}
	if err := w.exec("COMMIT"); err != nil {
		w.rollback()
		return false, err
	}
	return false, nil
}

// begin waits for the write lock. Polling it ourselves keeps two busy processes fair, which SQLite's own growing
// pauses do not.
func (w *writer) begin() error {
	for start, pause := time.Now(), time.Millisecond; ; {
		err := w.exec("BEGIN IMMEDIATE")
		if err == nil || !busy(err) || time.Since(start) > lockWait {
			return err
		}
		w.crowded, w.seen = true, time.Now()
		time.Sleep(pause)
		pause = min(2*pause, 4*time.Millisecond)
	}
}

// giveWay leaves another process that writes the same file a moment in which to take the lock.
func (w *writer) giveWay() {
	var version int64
	if _, err := (&tx{w: w}).row("PRAGMA data_version", nil, &version); err != nil {
		return
	}
	if version != w.version {
		w.crowded, w.seen = w.version != 0, time.Now()
		w.version = version
	}
	if w.crowded && time.Since(w.seen) > 5*time.Second {
		w.crowded = false
	}
	if w.crowded {
		time.Sleep(5 * time.Millisecond)
	}
}

func (w *writer) rollback() {
	// After some failures SQLite has rolled back already, and says so with an error.
	_ = w.exec("ROLLBACK")
}

func (w *writer) exec(query string) error {
	statement, err := w.statement(query) //nolint:sqlclosecheck // kept for the life of the writer, which closes it
	if err != nil {
		return err
	}
	_, err = statement.Exec()
	return err
}

func (w *writer) statement(query string) (*sql.Stmt, error) {
	if statement := w.statements[query]; statement != nil {
		return statement, nil
	}
	statement, err := w.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	w.statements[query] = statement
	return statement, nil
}

// tx is what a call may do within its transaction.
type tx struct {
	w        *writer
	seqKnown bool
}

// exec answers how many rows were changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	statement, err := t.w.statement(query) //nolint:sqlclosecheck // kept for the life of the writer, which closes it
	if err != nil {
		return 0, err
	}
	result, err := statement.Exec(args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row reads one row; found is false where there is none.
func (t *tx) row(query string, args []any, into ...any) (found bool, err error) {
	statement, err := t.w.statement(query) //nolint:sqlclosecheck // kept for the life of the writer, which closes it
	if err != nil {
		return false, err
	}
	err = statement.QueryRow(args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func busy(err error) bool {
	var failure *driver.Error
	return errors.As(err, &failure) && (failure.Code()&0xff == sqlitelib.SQLITE_BUSY || failure.Code()&0xff == sqlitelib.SQLITE_LOCKED)
}

// unavailable wraps a failure of the engine; the words the port knows and a context's end pass as they are.
func unavailable(err error) error {
	switch {
	case err == nil, errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrInvalid),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}
