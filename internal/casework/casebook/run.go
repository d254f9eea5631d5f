package casebook

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

const (
	settleEvery = 5 * time.Second
	ringEvery   = time.Minute
	atOnce      = 8 // cases written at the same time by a sweep
	saidBefore  = 7 // days for which a reminder is still worth telling
)

// Run keeps the book until ctx ends: it tells who is to be told, lets cases do what they do by themselves when its day comes, and
// clears away. Any number of processes may run it; each case is written by compare-and-swap, so one of them wins.
func (b *Book) Run(ctx context.Context) {
	var all sync.WaitGroup
	for range tellers {
		all.Go(func() { b.work(ctx) })
	}
	all.Go(func() { b.every(ctx, settleEvery, "outbox", b.settle) })
	all.Go(func() { b.every(ctx, ringEvery, "timers", b.ring) })
	all.Go(func() {
		b.every(ctx, ringEvery, "housekeeping", func(ctx context.Context) error { return errors.Join(b.restamp(ctx), b.daily(ctx)) })
	})
	all.Wait()
}

func (b *Book) every(ctx context.Context, period time.Duration, what string, do func(context.Context) error) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			b.log.WarnContext(ctx, "not all of the casework that happens by itself was done", "what", what, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Sweep does once everything that Run does again and again, as far as it is due.
func (b *Book) Sweep(ctx context.Context) error {
	return errors.Join(b.settle(ctx), b.ring(ctx), b.restamp(ctx), b.daily(ctx))
}

// each lets do have the cases of a query, some at once. One that fails keeps no other from its turn.
func (b *Book) each(ctx context.Context, query store.Query, do func(context.Context, store.Doc[document]) error) error {
	group, inner := errgroup.WithContext(context.WithoutCancel(ctx))
	group.SetLimit(atOnce)
	var mu sync.Mutex
	var failed error
	for doc, err := range b.cases.Find(ctx, query) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			failed = told("find cases", err)
			break
		}
		group.Go(func() error {
			if err := do(inner, doc); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if failed == nil {
					failed = err // of many the first is enough
				}
			}
			return nil
		})
	}
	_ = group.Wait() // none answers an error
	return failed
}

// ring wakes the cases whose day has come.
func (b *Book) ring(ctx context.Context) error {
	today, _ := localday.Of(b.now())
	return b.each(ctx, store.Query{Index: byNext, From: "", To: string(today.Add(1))}, func(ctx context.Context, doc store.Doc[document]) error {
		return b.wake(ctx, doc, today)
	})
}

// wake lets a case do what it does by itself: reminders are told, clocks that are late escalate, a case whose citizen said nothing is closed.
func (b *Book) wake(ctx context.Context, doc store.Doc[document], today localday.Day) error {
	d := doc.Value
	m, err := b.Machine(d.Receiving)
	if err != nil {
		return err
	}
	if err := b.tell(ctx, b.remindersUntil(d, m, today)); err != nil {
		return err // and told with the same ids the next time
	}
	next := d
	events, err := m.Waiting(d.Case, b.now())
	for _, event := range events {
		c, effects, failed := m.Apply(next.Case, event, casework.TheSystem(), b.now())
		if failed != nil {
			err = failed
			break
		}
		next = b.after(next, c, effects, m)
	}
	if err != nil { // such as a calendar that tells no days; time notes it on the case
		b.log.WarnContext(ctx, "a case could not do what it does by itself", "case", d.ID, "error", err)
	}
	b.time(&next, m, today)
	if _, err := b.cases.Replace(ctx, d.ID, next, doc.Version); err != nil {
		if errors.Is(err, store.ErrStale) { // somebody was first; where its day still is today, the next round finds it
			return nil
		}
		return told("write a case", err)
	}
	b.struck(d, next)
	if len(events) > 0 {
		b.written(ctx, next, len(d.History))
	}
	return nil
}

// remindersUntil are the reminders of the days since the case's timer was set, of each clock the last one.
func (b *Book) remindersUntil(d document, m casework.Machine, today localday.Day) []Telling {
	last := map[string]casework.Reminder{}
	changed, _ := localday.Of(d.ChangedAt)
	for day := max(min(d.Next, changed), today.Add(-saidBefore)); day <= today; day = day.Add(1) {
		list, err := m.Reminders(d.Case, day)
		if err != nil {
			break // noted on the case by time
		}
		for _, r := range list {
			last[r.Clock] = r
		}
	}
	var out []Telling
	for _, clock := range d.Clocks {
		r, ok := last[clock.Name]
		if !ok || !clock.Running() {
			continue
		}
		due, err := clock.Due(b.options.Hours(d.Receiving))
		if err == nil {
			out = append(out, reminders(d, r, due.Day, b.now())...)
		}
	}
	return out
}

// Retime works out again when open cases are due, because an office changed its calendar or its deadlines.
func (b *Book) Retime(ctx context.Context) error {
	return b.each(ctx, store.Query{Index: byWaits, Equal: []any{""}}, b.refresh)
}

// refresh writes what follows from calendar, deadlines and units anew where it changed.
func (b *Book) refresh(ctx context.Context, doc store.Doc[document]) error {
	d, version := doc.Value, doc.Version
	for {
		next := d
		if err := b.stamp(&next); err != nil {
			return err
		}
		if next.stamped(d) {
			return nil
		}
		_, err := b.cases.Replace(ctx, d.ID, next, version)
		var stale *store.StaleError[document]
		if !errors.As(err, &stale) {
			return told("write a case", err)
		}
		d, version = stale.Current.Value, stale.Current.Version
	}
}
