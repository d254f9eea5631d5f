package opener

import (
	"context"
	"errors"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
)

// begin makes the mark where there is none, before the first rating is taken.
func (o *Opener) begin(ctx context.Context) error {
	now := store.Milliseconds(o.Now())
	err := o.marks.Insert(ctx, mark{ID: theMark, Through: now, Next: now})
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}

// Sweep looks at everything received since the mark and opens what is missing. One process does so at a time: whoever moved Next. The mark
// moves on only when everything was seen to; a process that ends before leaves it to the next.
func (o *Opener) Sweep(ctx context.Context) error {
	stands, version, err := o.marks.Get(ctx, theMark)
	if err != nil {
		return err
	}
	now := store.Milliseconds(o.Now())
	if now.Before(stands.Next) && stands.Next.Sub(now) <= o.Every { // a Next further ahead was written by a wrong clock
		return nil
	}
	claimed := stands
	claimed.Next = now.Add(o.Every)
	if _, err := o.marks.Replace(ctx, theMark, claimed, version); err != nil {
		if errors.Is(err, store.ErrStale) {
			return nil // another process does
		}
		return err
	}
	since := stands.Through
	if now.Before(since) {
		since = now
	}
	if err := o.since(ctx, since.Add(-margin)); err != nil {
		// The next sweep shall not wait for this one's time.
		_, _ = o.marks.Update(context.WithoutCancel(ctx), theMark, func(m *mark) (bool, error) {
			again := m.Next.Equal(claimed.Next)
			m.Next = now
			return again, nil
		})
		return err
	}
	_, err = o.marks.Update(ctx, theMark, func(m *mark) (bool, error) {
		forward := m.Through.Before(now) || m.Through.After(now.Add(margin))
		m.Through = now
		return forward, nil
	})
	return err
}

// looked is what the last sweep looked at, so that the minutes that are looked at twice cost little the second time. It holds for one
// revision of the rules: a change made elsewhere may have been heard of a moment late.
type looked struct {
	revision int64
	cells    map[string]uint32 // → records it had
	privates map[string]bool   // RecordIDs
}

func (o *Opener) since(ctx context.Context, since time.Time) error {
	o.sweeping.Lock()
	defer o.sweeping.Unlock()
	before, now := o.looked, looked{revision: o.Rules.Revision(), cells: map[string]uint32{}, privates: map[string]bool{}}
	if before.revision != now.revision {
		before = looked{}
	}
	defer func() { o.looked = now }()
	cells := map[string]bool{}
	var order []string
	for cell, err := range o.Engine.Ratings().Recent(ctx, since) {
		if err != nil {
			return err
		}
		if !cells[cell] {
			cells[cell] = true
			order = append(order, cell)
		}
	}
	// What fails does not keep the rest from being opened; the sweep as a whole has failed then.
	var failed error
	for _, cell := range order {
		count, err := o.count(ctx, cell) // first: what comes between is looked at again
		if known, ok := before.cells[cell]; err == nil && (!ok || known != count) {
			_, err = o.cell(ctx, cell, func(r *rating.Record) bool { return !r.ReceivedAt.Before(since) && r.Source == "" }, o.ruleThen)
		}
		if err != nil {
			failed = err
		} else {
			now.cells[cell] = count
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	// Words may come later than their rating, after a power cut between the two.
	for private, err := range o.Privates.PrivatesSince(ctx, since) {
		if err != nil {
			return err
		}
		if !before.privates[private.ID] {
			_, err = o.one(ctx, private.ID, o.ruleThen)
		}
		if err != nil {
			failed = err
		} else {
			now.privates[private.ID] = true
		}
	}
	return failed
}

func (o *Opener) count(ctx context.Context, cell string) (uint32, error) {
	for counted, err := range o.Engine.Ratings().CellCounts(ctx, cell, cell+"\x00") {
		return counted.Count, err
	}
	return 0, nil
}

// Backfill opens cases of the ratings of a unit's subtree ("" = of all) that count for from <= day <= to, imported ones too, by the rules that
// hold today. It answers how many ratings are cases then. What is open already stays as it is. progress, which may be nil, is told after each hour
// cell; the total is not known before the end.
func (o *Opener) Backfill(ctx context.Context, unitID string, from, to localday.Day, progress func(cells, cases int)) (int, error) {
	subtree := o.Directory.Tree().SubtreeToday(unitID)
	cells, cases := 0, 0
	for counted, err := range o.Engine.Ratings().CellCounts(ctx, string(from), string(to.Add(1))) {
		if err != nil {
			return cases, err
		}
		at, err := rating.ParseCell(counted.Cell)
		if err != nil || !subtree[at.Unit] {
			continue
		}
		n, err := o.cell(ctx, counted.Cell, func(*rating.Record) bool { return true }, o.ruleNow)
		cases += n
		if err != nil {
			return cases, err
		}
		cells++
		if progress != nil {
			progress(cells, cases)
		}
	}
	return cases, nil
}
