// Package audit keeps who did what: entries are added and never changed or removed, by anybody, and the engine itself refuses
// it. What changes something is written before the answer goes out; what only looked, a moment later. Neither fails a call:
// where the store is away, entries wait in memory, and the log has what finds no room there.
package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Entry is one thing done, or refused.
type Entry struct {
	ID      string    `bson:"_id"` // UUIDv7
	At      time.Time `bson:"at"`
	Account string    `bson:"account"` // "" = nobody was signed in
	Name    string    `bson:"name"`    // the account's, then
	Unit    string    `bson:"unit"`    // top of the account's subtree, then; "" = everywhere
	Action  string    `bson:"action"`
	Subject string    `bson:"subject"`
	Outcome string    `bson:"outcome"` // "OK", or the code it was refused with
	Address string    `bson:"address"`
	Reason  string    `bson:"reason,omitempty"` // why, where one must be given
}

var entryType = store.Define[Entry]("audit",
	store.Index{Name: "time", Fields: []string{"at"}},
	store.Index{Name: "account", Fields: []string{"account", "at"}},
	store.Index{Name: "action", Fields: []string{"action", "at"}},
	store.Index{Name: "account_action", Fields: []string{"account", "action", "at"}},
).AppendOnly()

// Kinds lists the kinds of documents kept here.
func Kinds() []store.Kind { return []store.Kind{entryType.Kind} }

// Options of an audit.
type Options struct {
	Logger *slog.Logger     // nil = nothing is logged
	Now    func() time.Time // nil = time.Now
}

// Audit keeps the entries. Its methods may be called by many goroutines.
type Audit struct {
	entries store.Docs[Entry]
	log     *slog.Logger
	now     func() time.Time
	mu      sync.Mutex
	waiting []Entry
	writing int // taken from waiting and not yet known to be written
	signal  chan struct{}
	stop    context.CancelFunc
	done    sync.WaitGroup
}

const (
	maxWaiting  = 5_000           // entries in memory while the store is away
	maxText     = 300             // bytes of one field
	writeWithin = 2 * time.Second // how long an answer waits for its entry
	retryPause  = 2 * time.Second
	closeWithin = 5 * time.Second
)

// Open opens the audit of a store. Close writes what waits.
func Open(ctx context.Context, engine store.Engine, options Options) (*Audit, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	entries, err := entryType.Open(ctx, engine)
	if err != nil {
		return nil, err
	}
	a := &Audit{entries: entries, log: options.Logger, now: options.Now, signal: make(chan struct{}, 1)}
	writing, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	a.done.Go(func() { a.write(writing) })
	return a, nil
}

// Close writes what waits, for some seconds, and ends.
func (a *Audit) Close() {
	a.stop()
	a.done.Wait()
}

// Add writes an entry before it returns. Where the store does not take it in time, it is written later.
func (a *Audit) Add(ctx context.Context, entry Entry) {
	entry = a.complete(entry)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWithin) // the caller may have gone; what was done was done
	defer cancel()
	if err := a.entries.Insert(ctx, entry); err != nil && !errors.Is(err, store.ErrExists) {
		a.log.WarnContext(ctx, "an audit entry waits for the store", "error", err)
		a.enqueue(entry)
	}
}

// AddLater writes an entry soon, without making the caller wait.
func (a *Audit) AddLater(entry Entry) { a.enqueue(a.complete(entry)) }

func (a *Audit) complete(entry Entry) Entry {
	entry.ID = uuid.Must(uuid.NewV7()).String()
	entry.At = store.Milliseconds(a.now())
	for _, text := range []*string{&entry.Name, &entry.Action, &entry.Subject, &entry.Outcome, &entry.Address, &entry.Reason} {
		*text = store.Clip(*text, maxText)
	}
	return entry
}

func (a *Audit) enqueue(entry Entry) {
	a.mu.Lock()
	full := len(a.waiting)+a.writing >= maxWaiting
	if !full {
		a.waiting = append(a.waiting, entry)
	}
	a.mu.Unlock()
	if full {
		a.log.Error("an audit entry found no room; this line is all that is left of it", "entry", entry)
		return
	}
	select {
	case a.signal <- struct{}{}:
	default:
	}
}

// write writes what waits until ctx ends, and then once more.
func (a *Audit) write(ctx context.Context) {
	for {
		select {
		case <-a.signal:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
			defer cancel()
			if err := a.flush(last); err != nil {
				for _, entry := range a.take() {
					a.log.Error("an audit entry was not written; this line is all that is left of it", "entry", entry, "error", err)
				}
			}
			return
		}
		for a.flush(ctx) != nil && ctx.Err() == nil {
			select {
			case <-time.After(retryPause):
			case <-ctx.Done():
			}
		}
	}
}

func (a *Audit) take() []Entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.waiting
	a.waiting, a.writing = nil, len(taken)
	return taken
}

// flush writes what waits; what was not written waits on.
func (a *Audit) flush(ctx context.Context) error {
	entries := a.take()
	errs, err := a.entries.InsertAll(ctx, entries)
	a.mu.Lock()
	a.writing = 0
	if err != nil {
		a.waiting = append(entries, a.waiting...)
	}
	a.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			a.log.WarnContext(ctx, "audit entries wait for the store", "entries", len(entries), "error", err)
		}
		return err
	}
	for i, err := range errs {
		if err != nil && !errors.Is(err, store.ErrExists) { // there: it landed before
			a.log.ErrorContext(ctx, "an audit entry was refused; this line is all that is left of it", "entry", entries[i], "error", err)
		}
	}
	return nil
}

// Query says which entries to list.
type Query struct {
	Account string // only by this account; "" = all
	Action  string // only of this action; "" = all
	Size    int
	After   store.Cursor
}

// List answers one page of entries, newest first, of those that show answers true for, and the place of the next page; a page
// may hold fewer than Size and still have a next one. Invalid "audit_page_invalid".
func (a *Audit) List(ctx context.Context, ask Query, show func(Entry) bool) ([]Entry, store.Cursor, error) {
	query := store.Query{Index: "time", After: ask.After, Desc: true}
	switch {
	case ask.Account != "" && ask.Action != "":
		query.Index, query.Equal = "account_action", []any{ask.Account, ask.Action}
	case ask.Account != "":
		query.Index, query.Equal = "account", []any{ask.Account}
	case ask.Action != "":
		query.Index, query.Equal = "action", []any{ask.Action}
	}
	entries, next, err := a.entries.Page(ctx, query, ask.Size)
	switch {
	case errors.Is(err, store.ErrInvalid):
		return nil, "", fault.New(fault.Invalid, "audit_page_invalid").Because(err)
	case errors.Is(err, store.ErrUnavailable):
		return nil, "", fault.New(fault.Unavailable, "store_unavailable").Because(fmt.Errorf("list audit: %w", err))
	case err != nil:
		return nil, "", fmt.Errorf("list audit: %w", err)
	}
	shown := entries[:0]
	for _, entry := range entries {
		if show == nil || show(entry) {
			shown = append(shown, entry)
		}
	}
	return shown, next, nil
}
