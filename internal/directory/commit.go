package directory

import (
	"context"
	"errors"
	"fmt"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Limits of one change: the revision document carries it.
const (
	maxWrites = 500
	maxBytes  = 4 << 20 // well under what an engine takes in a document
)

// refresh brings the snapshot to the newest revision and answers the version of its document. The lock is held.
func (d *Directory) refresh(ctx context.Context) (store.Version, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		newest, version, err := d.tables.revisions.Get(ctx, revisionID)
		if errors.Is(err, store.ErrNotFound) {
			if err = d.tables.revisions.Insert(ctx, revision{ID: revisionID}); err != nil && !errors.Is(err, store.ErrExists) {
				return 0, err
			}
			continue
		}
		if err != nil {
			return 0, err
		}
		base := d.current.Load()
		switch {
		case newest.N == base.revision:
			return version, nil
		case newest.N < base.revision: // the store was put back to an older copy
			d.options.Logger.WarnContext(ctx, "directory went back; reading all of it", "known", base.revision, "found", newest.N)
			if base, err = emptySnapshot(d.options.Now()); err != nil {
				return 0, err
			}
		}
		changed, seen, err := d.tables.since(ctx, base.revision)
		if err != nil {
			return 0, err
		}
		if seen.newest > newest.N { // somebody went on meanwhile: what was read may be half of the next change
			continue
		}
		var missing []write
		for _, w := range newest.Pending {
			if seen.at[[2]string{w.Kind, w.ID}] < newest.N {
				missing = append(missing, w)
			}
		}
		if len(missing) > 0 {
			if err := d.tables.apply(ctx, missing); err != nil {
				return 0, err
			}
			continue
		}
		next, err := base.with(changed, newest.N, d.options.Now())
		if err != nil {
			return 0, err
		}
		d.current.Store(next)
		return version, nil
	}
}

// commit makes one change. plan looks at the newest state and says what to write; it runs again where another process
// came between. Nothing to write is no change.
func (d *Directory) commit(ctx context.Context, plan func(*snapshot) (change, error)) error {
	if err := d.acquire(ctx); err != nil {
		return err
	}
	defer d.release()
	for {
		version, err := d.refresh(ctx)
		if err != nil {
			return told(err)
		}
		base := d.current.Load()
		planned, err := plan(base)
		if err != nil {
			return told(err)
		}
		next := revision{ID: revisionID, N: base.revision + 1}
		if next.Pending, err = d.encode(planned, next.N); err != nil || len(next.Pending) == 0 {
			return told(err)
		}
		_, err = d.tables.revisions.Replace(ctx, revisionID, next, version)
		if errors.Is(err, store.ErrStale) {
			continue
		}
		if err != nil {
			return told(err)
		}
		// From here on the change is made; whoever refreshes next would write it.
		_, err = d.refresh(ctx)
		d.options.Changed(next.N)
		return told(err)
	}
}

func (d *Directory) encode(c change, revision int64) ([]write, error) {
	writes, err := d.tables.writes(c, revision)
	if err != nil {
		return nil, fmt.Errorf("encode change: %w", err)
	}
	size := 0
	for _, w := range writes {
		size += len(w.Body)
	}
	if len(writes) > maxWrites || size > maxBytes {
		return nil, fault.New(fault.Invalid, "directory_change_too_large", "limit", maxWrites)
	}
	return writes, nil
}
