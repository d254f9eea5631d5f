package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"sync"
)

// statements keeps what was prepared for the readers, by its text. The texts are few: they come from code and declared kinds.
type statements struct {
	lock sync.RWMutex
	by   map[string]*sql.Stmt
}

func (s *statements) close() {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, statement := range s.by {
		_ = statement.Close()
	}
}

// reading answers a prepared statement of the readers.
func (e *Engine) reading(ctx context.Context, query string) (*sql.Stmt, error) {
	e.prepared.lock.RLock()
	statement := e.prepared.by[query]
	e.prepared.lock.RUnlock()
	if statement != nil {
		return statement, nil
	}
	e.prepared.lock.Lock()
	defer e.prepared.lock.Unlock()
	if statement := e.prepared.by[query]; statement != nil {
		return statement, nil
	}
	statement, err := e.read.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept for the engine's life and closed by statements.close
	if err != nil {
		return nil, unavailable(err)
	}
	e.prepared.by[query] = statement
	return statement, nil
}

// row reads one row; found is false where there is none.
func (e *Engine) row(ctx context.Context, query string, args []any, into ...any) (found bool, err error) {
	statement, err := e.reading(ctx, query) //nolint:sqlclosecheck // kept for the engine's life and closed by statements.close
	if err != nil {
		return false, err
	}
	err = statement.QueryRowContext(ctx, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, unavailable(err)
}

// errEnough ends the reading of rows without being a failure.
var errEnough = errors.New("enough rows")

// rows reads the rows of one statement, each by scan, until it answers errEnough.
func (e *Engine) rows(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	statement, err := e.reading(ctx, query) //nolint:sqlclosecheck // kept for the engine's life and closed by statements.close
	if err != nil {
		return err
	}
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return unavailable(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return unavailable(err)
		}
	}
	return unavailable(rows.Err())
}

// strings reads rows of one text each.
func (e *Engine) strings(ctx context.Context, query string, args ...any) (all []string, err error) {
	err = e.rows(ctx, query, args, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		all = append(all, text)
		return err
	})
	return all, err
}

// pages turns a function that reads a page after a place into a sequence. It answers where to go on, and false at the end.
func pages[T, P any](start P, read func(after P) (page []T, next P, more bool, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for at := start; ; {
			page, next, more, err := read(at)
			for _, item := range page {
				if !yield(item, nil) {
					return
				}
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if !more {
				return
			}
			at = next
		}
	}
}
