package sqlite

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
)

// sweepRows is how many expired documents one transaction removes.
const sweepRows = 500

// sweepEvery removes expired documents until ctx ends: when a kind was opened, and then every pause.
func (e *Engine) sweepEvery(ctx context.Context, pause time.Duration) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-e.opened:
		}
		if err := e.Sweep(ctx); err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "expired documents were not removed; the next sweep tries again", "error", err)
		}
	}
}

func (e *Engine) sweepSoon() {
	select {
	case e.opened <- struct{}{}:
	default: // one is to come anyway
	}
}

// Sweep removes the expired documents of every kind that was opened.
func (e *Engine) Sweep(ctx context.Context) error {
	e.lock.Lock()
	kinds := slices.Collect(maps.Values(e.kinds))
	e.lock.Unlock()
	var failures []error
	for _, d := range kinds {
		failures = append(failures, d.sweep(ctx))
	}
	return errors.Join(failures...)
}

func (d *documents) sweep(ctx context.Context) error {
	now := d.e.now()
	for i := range d.kind.indexes {
		x := &d.kind.indexes[i]
		if !x.Expire {
			continue
		}
		for more := true; more; {
			var err error
			if more, err = d.sweepSome(ctx, x.no, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *documents) sweepSome(ctx context.Context, no int64, now time.Time) (more bool, err error) {
	expired, err := d.e.strings(ctx, "SELECT id FROM entries WHERE no = ? AND key >= ? AND key <= ? ORDER BY key LIMIT ?",
		no, []byte{tagTime}, appendTime(nil, now.UnixMilli()), sweepRows)
	if err != nil || len(expired) == 0 {
		return false, err
	}
	err = d.e.writer.do(ctx, 0, func(t *tx) error {
		for _, id := range expired {
			if err := d.expireOne(t, no, id, now); err != nil {
				return err
			}
		}
		return nil
	})
	return len(expired) == sweepRows, err
}

// expireOne removes a document, if nobody has given it more time meanwhile.
func (d *documents) expireOne(t *tx, no int64, id string, now time.Time) error {
	var version store.Version
	var body []byte
	found, err := t.row(d.selectOne, []any{id}, &version, &body)
	if err != nil || !found {
		return err
	}
	entries, err := d.kind.entries(body)
	if err != nil {
		return err
	}
	limit := string(appendTime(nil, now.UnixMilli()))
	for _, entry := range entries {
		if entry.no == no && entry.key[0] == tagTime && string(entry.key) <= limit {
			_, err := d.deleteOne(t, id, version)
			return err
		}
	}
	return nil
}
