package directory

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
)

// Options are what a directory is opened with; the zero value is useful.
type Options struct {
	Now       func() time.Time // nil = time.Now
	NewID     func() string    // ids of what is made without one; nil = random UUIDs without dashes
	Logger    *slog.Logger     // nil = nothing is logged
	PollEvery time.Duration    // how often Watch looks for changes made elsewhere; 0 = 3 s
	// Changed is told of each change made here, so that others can be told to Refresh. It must not block.
	Changed func(revision int64)
}

// Directory is one process's view. All methods may be called by many goroutines; those without a context answer from memory.
type Directory struct {
	options Options
	tables  *tables
	blobs   store.Blobs
	current atomic.Pointer[snapshot]
	turning sync.Mutex
	// portraits is held while a photo is made small.
	portraits chan struct{}
	lock      chan struct{} // held while the store is read or changed; a channel, so that waiting ends with its context
}

// Open reads everything. Call Watch to see what other processes change.
func Open(ctx context.Context, engine store.Engine, options Options) (*Directory, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.NewID == nil {
		options.NewID = func() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.PollEvery <= 0 {
		options.PollEvery = 3 * time.Second
	}
	if options.Changed == nil {
		options.Changed = func(int64) {}
	}
	tables, err := openTables(ctx, engine)
	if err != nil {
		return nil, fmt.Errorf("open directory: %w", err)
	}
	empty, err := emptySnapshot(options.Now())
	if err != nil {
		return nil, err
	}
	d := &Directory{options: options, tables: tables, blobs: engine.Blobs(), portraits: make(chan struct{}, 1), lock: make(chan struct{}, 1)}
	d.current.Store(empty)
	if err := d.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	return d, nil
}

// Tree is today's tree of units.
func (d *Directory) Tree() *unit.Tree { return d.today().tree }

// Revision is the revision answered from; it grows with every change.
func (d *Directory) Revision() int64 { return d.current.Load().revision }

// today answers the snapshot on the day it is now. At midnight one caller turns the tree; until it is done, the
// others go on with yesterday's.
func (d *Directory) today() *snapshot {
	s := d.current.Load()
	now := d.options.Now()
	if !now.Before(s.begins) && now.Before(s.ends) || !d.turning.TryLock() {
		return s
	}
	defer d.turning.Unlock()
	s = d.current.Load()
	if !now.Before(s.begins) && now.Before(s.ends) {
		return s
	}
	turned := s.turned(now)
	if d.current.CompareAndSwap(s, turned) {
		return turned
	}
	return d.current.Load()
}

// Questionnaire answers a published version.
func (d *Directory) Questionnaire(id string, version int32) (*questionnaire.Questionnaire, bool) {
	q, ok := d.current.Load().questionnaires[questionnaire.Key(id, version)]
	return q, ok
}

// Questionnaires lists all published versions, by id and version. The list must not be changed.
func (d *Directory) Questionnaires() []*questionnaire.Questionnaire { return d.current.Load().listed }

// Counter answers a counter.
func (d *Directory) Counter(id string) (Counter, bool) { return d.current.Load().counters.get(id) }

// Official answers an official.
func (d *Directory) Official(id string) (Official, bool) { return d.current.Load().officials.get(id) }

// Procedure answers a procedure by its code.
func (d *Directory) Procedure(code string) (Procedure, bool) {
	return d.current.Load().procedures.get(code)
}

// Refresh takes in what other processes changed. It is cheap where nothing did.
func (d *Directory) Refresh(ctx context.Context) error {
	if err := d.acquire(ctx); err != nil {
		return err
	}
	defer d.release()
	_, err := d.refresh(ctx)
	return told(err)
}

// Watch refreshes from time to time until ctx ends. A store that cannot be read is logged once and asked again.
func (d *Directory) Watch(ctx context.Context) {
	ticker := time.NewTicker(d.options.PollEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := d.Refresh(ctx)
		if ctx.Err() != nil {
			return
		}
		if failed := err != nil; failed != failing {
			if failing = failed; failing {
				d.options.Logger.WarnContext(ctx, "directory cannot be refreshed; the last known one serves", "error", err)
			} else {
				d.options.Logger.InfoContext(ctx, "directory is refreshed again")
			}
		}
	}
}

func (d *Directory) acquire(ctx context.Context) error {
	select {
	case d.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Directory) release() { <-d.lock }

// told makes the store's errors ours. Faults and a context's end stay what they are.
func told(err error) error { return store.Told(err, "directory_unavailable") }
