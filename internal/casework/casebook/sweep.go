package casebook

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
)

const (
	lease      = 15 * time.Minute // for which one process has a sweep to itself
	settledFor = time.Minute      // a tree of units must stand before cases are stamped by it: another process may still hold an older one
	askAgain   = 30               // days, of a contact whose case goes on
)

// The sweeps of which something is kept.
const (
	sweepAbove = "above"
	sweepDaily = "daily"
)

// sweepDoc is how far a sweep over the whole book got.
type sweepDoc struct {
	ID    string       `bson:"_id"`
	Until time.Time    `bson:"until,omitempty"` // some process is at it until then
	Shape string       `bson:"shape,omitempty"` // of the units by which all cases are stamped
	Doing string       `bson:"doing,omitempty"` // of those by which they are being stamped
	After string       `bson:"after,omitempty"` // the last case that is
	Day   localday.Day `bson:"day,omitempty"`   // the last day for which the daily round was done
}

// claim takes a sweep for this process; false where another has it, or there is nothing to do.
func (b *Book) claim(ctx context.Context, id string, needed func(sweepDoc) bool) (doc sweepDoc, claimed bool, err error) {
	if err := b.sweeps.Insert(ctx, sweepDoc{ID: id}); err != nil && !errors.Is(err, store.ErrExists) {
		return doc, false, told("begin a sweep", err)
	}
	doc, err = b.sweeps.Update(ctx, id, func(s *sweepDoc) (bool, error) {
		now := b.now()
		claimed = needed(*s) && !s.Until.After(now)
		if claimed {
			s.Until = store.Milliseconds(now.Add(lease))
		}
		return claimed, nil
	})
	return doc, claimed, told("begin a sweep", err)
}

func (b *Book) noted(ctx context.Context, id string, change func(*sweepDoc)) error {
	_, err := b.sweeps.Update(ctx, id, func(s *sweepDoc) (bool, error) {
		change(s)
		return true, nil
	})
	return told("note a sweep", err)
}

// stamp sets what of a document follows from units, calendar and deadlines.
func (b *Book) stamp(d *document) error {
	m, err := b.Machine(d.Receiving)
	if err != nil {
		return err
	}
	d.Above = b.aboveCase(d.Case)
	if d.Collective != nil {
		d.Asks = b.above(d.Collective.Unit)
	}
	next := d.Next
	today, _ := localday.Of(b.now())
	b.time(d, m, today)
	if next != "" && next <= today { // its day came and nobody woke it yet
		d.Next = next
	}
	return nil
}

// stamped tells whether two documents are the same in that.
func (d document) stamped(other document) bool {
	return slices.Equal(d.Above, other.Above) && slices.Equal(d.Waits, other.Waits) && d.Floor == other.Floor && slices.Equal(d.Asks, other.Asks) && d.Due == other.Due && d.Next == other.Next &&
		slices.Equal(d.Missing, other.Missing) && d.Trouble == other.Trouble
}

// shapes remembers the shape of the units as this process saw them last.
type shapes struct {
	tree  *unit.Tree
	shape string
	since time.Time
}

// shape stands for which unit counts with which: it changes where units are merged, split or moved, and not where one is renamed.
func (b *Book) shape() (shape string, settled bool) {
	tree, now := b.options.Tree(), b.now()
	b.branches.mu.Lock()
	same := b.branches.shapes.tree == tree
	b.branches.mu.Unlock()
	if !same {
		sum := sha256.New()
		for _, id := range tree.IDs() {
			_, _ = io.WriteString(sum, id+"\x00"+strings.Join(b.above(id), "\x00")+"\n") // never fails
		}
		shape := fmt.Sprintf("%x", sum.Sum(nil)[:12])
		b.branches.mu.Lock()
		if b.branches.shapes.shape != shape {
			b.branches.shapes.since = now
		}
		b.branches.shapes.tree, b.branches.shapes.shape = tree, shape
		b.branches.mu.Unlock()
	}
	b.branches.mu.Lock()
	defer b.branches.mu.Unlock()
	return b.branches.shapes.shape, now.Sub(b.branches.shapes.since) >= settledFor
}

// restamp writes anew in whose lists cases stand, after units were merged, split or moved. It costs nothing while none was.
func (b *Book) restamp(ctx context.Context) error {
	shape, settled := b.shape()
	if !settled {
		return nil
	}
	sweep, claimed, err := b.claim(ctx, sweepAbove, func(s sweepDoc) bool { return s.Shape != shape })
	if err != nil || !claimed {
		return err
	}
	if sweep.Doing != shape {
		sweep.Doing, sweep.After = shape, ""
	}
	n := 0
	for doc, err := range b.cases.Find(ctx, store.Query{From: sweep.After + "\x01"}) {
		if err == nil {
			err = b.refresh(ctx, doc)
		}
		if err != nil {
			return told("stamp cases", err)
		}
		if n++; n%sweepBatch == 0 {
			if err := b.noted(ctx, sweepAbove, func(s *sweepDoc) {
				s.Doing, s.After, s.Until = shape, doc.Value.ID, store.Milliseconds(b.now().Add(lease))
			}); err != nil {
				return err
			}
		}
	}
	return b.noted(ctx, sweepAbove, func(s *sweepDoc) { s.Shape, s.Doing, s.After, s.Until = shape, "", "", time.Time{} })
}

const sweepBatch = 500

// daily clears away and looks at all open cases once a day.
func (b *Book) daily(ctx context.Context) error {
	today, _ := localday.Of(b.now())
	_, claimed, err := b.claim(ctx, sweepDaily, func(s sweepDoc) bool { return s.Day < today })
	if err != nil || !claimed {
		return err
	}
	if err := errors.Join(b.orphans(ctx), b.expire(ctx, today), b.loose(ctx), b.Retime(ctx)); err != nil {
		return err // and again when the lease is over
	}
	return b.noted(ctx, sweepDaily, func(s *sweepDoc) { s.Day, s.Until = today, time.Time{} })
}

// orphans removes words and contacts that no case names: what is left where a process died, or lost, between writing them and the case.
func (b *Book) orphans(ctx context.Context) error {
	from, to := b.now().AddDate(0, 0, -8), b.now().AddDate(0, 0, -1)
	for doc, err := range b.words.Find(ctx, store.Query{Index: "at", From: from, To: to}) {
		if err != nil {
			return told("find words", err)
		}
		d, there, err := b.find(ctx, doc.Value.Case)
		if err != nil {
			return err
		}
		if !there || !d.names(doc.Value) {
			if err := remove(ctx, b.words, doc.Value.ID, doc.Version); err != nil {
				return err
			}
		}
	}
	for doc, err := range b.contacts.Find(ctx, store.Query{Index: "at", From: from, To: to}) {
		if err != nil {
			return told("find contacts", err)
		}
		d, there, err := b.find(ctx, doc.Value.Case)
		if err != nil {
			return err
		}
		if !there || d.Reach != doc.Value.ID {
			if err := remove(ctx, b.contacts, doc.Value.ID, doc.Version); err != nil {
				return err
			}
		}
	}
	return nil
}

// find is get of a case that may not be there.
func (b *Book) find(ctx context.Context, id string) (document, bool, error) {
	d, _, err := b.cases.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return d, false, nil
	}
	return d, err == nil, told("read a case", err)
}

func remove[T any](ctx context.Context, docs store.Docs[T], id string, version store.Version) error {
	if err := docs.Delete(ctx, id, version); err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrStale) {
		return told("clear away", err)
	}
	return nil
}

// expire erases contacts whose case ended, or was replied to, long enough ago.
func (b *Book) expire(ctx context.Context, today localday.Day) error {
	for doc, err := range b.contacts.Find(ctx, store.Query{Index: "erase_on", From: "", To: string(today.Add(1))}) {
		if err != nil {
			return told("find contacts", err)
		}
		d, there, err := b.find(ctx, doc.Value.Case)
		if err != nil {
			return err
		}
		again := today.Add(askAgain)
		if there && !d.ResultMissing() {
			ended, _ := localday.Of(d.ChangedAt)
			again = ended.Add(b.options.ContactDays(d.Receiving))
		}
		if !there || again <= today {
			if _, err := b.eraseContact(ctx, doc.Value.ID); err != nil {
				return told("erase a contact", err)
			}
			continue
		}
		next := doc.Value
		next.EraseOn = again
		if _, err := b.contacts.Replace(ctx, next.ID, next, doc.Version); err != nil && !errors.Is(err, store.ErrStale) && !errors.Is(err, store.ErrNotFound) {
			return told("note a contact", err)
		}
	}
	return nil
}

// loose removes attachments that nothing names.
func (b *Book) loose(ctx context.Context) error {
	for doc, err := range b.files.Find(ctx, store.Query{Index: "loose", From: time.UnixMilli(0), To: b.now().Add(-looseFor)}) {
		if err != nil {
			return told("find attachments", err)
		}
		f := doc.Value
		d, _, err := b.find(ctx, f.Case)
		if err != nil {
			return err
		}
		if d.attaches(f.ID) {
			err = b.hold(ctx, f.ID)
		} else if draft, there, failed := b.Draft(ctx, f.Case, f.By); failed != nil {
			err = failed
		} else if there && slices.ContainsFunc(draft.Attachments, f.is) {
			f.LooseSince = store.Milliseconds(b.now())
			_, err = b.files.Replace(ctx, f.ID, f, doc.Version)
		} else {
			err = b.removeFile(ctx, f)
		}
		if err != nil && !errors.Is(err, store.ErrStale) && !errors.Is(err, store.ErrNotFound) {
			return told("clear away attachments", err)
		}
	}
	return nil
}
