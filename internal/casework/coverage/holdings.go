package coverage

import (
	"cmp"
	"context"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
)

const (
	// lookBack is how long before the latest time seen is asked again, each time, for what changed: what is written may be seen a moment
	// after its time.
	lookBack = 5 * time.Second
	// wideBack is the same for what is asked again now and then (again), because servers' clocks differ.
	wideBack = 5 * time.Minute
)

// margin is how long a case or note may say that it changed before a rating it holds was given: a counter's clock may be ahead.
const margin = 24 * time.Hour

// holdings knows in memory what cases and notes hold, as far back as anybody asked: a rating is in no case, and under no note, of which
// nothing happened since it was given. Whoever asks first brings them up to date with what changed since.
type holdings struct {
	from   Cases
	stored store.Docs[Note]
	find   func(ctx context.Context, unit, rating string) (localday.Day, bool, error) // on which day a rating of a unit counts

	turn sync.Mutex // one brings them up to date
	lock sync.RWMutex
	book
	since   time.Time // all that changed at or after this is known; zero = nothing is
	latest  [2]time.Time
	version string // of the store when they were brought up to date; "" = not known
}

// book is what is known of cases and notes.
type book struct {
	cases     map[string]Case    // what coverage needs of it; by id
	holders   map[named][]string // rating → cases that hold it
	notes     map[string]Note
	noted     map[named][]string                 // rating → notes
	withdrawn map[string]bool                    // notes
	placed    map[string]map[string]localday.Day // unit → rating → the day it counts, once that is known
	unplaced  map[named]bool                     // days still to be looked up
}

// named is a rating as it is identified: by its unit and its id.
type named struct{ unit, id string }

func newHoldings(cases Cases, notes store.Docs[Note], find func(ctx context.Context, unit, rating string) (localday.Day, bool, error)) *holdings {
	return &holdings{from: cases, stored: notes, find: find, book: book{
		cases: map[string]Case{}, holders: map[named][]string{}, notes: map[string]Note{}, noted: map[named][]string{},
		withdrawn: map[string]bool{}, placed: map[string]map[string]localday.Day{}, unplaced: map[named]bool{},
	}}
}

// upTo brings holdings up to date for ratings of from and later. version is the store's now, "" = not known.
func (h *holdings) upTo(ctx context.Context, from localday.Day, version string) error {
	h.turn.Lock()
	defer h.turn.Unlock()
	since := from.Start().Add(-margin)
	known := !h.since.IsZero() && !since.Before(h.since)
	switch {
	case !known:
		return h.read(ctx, since, since, since, version)
	case version != "" && version == h.version:
		return nil
	}
	return h.read(ctx, h.since, later(h.latest[0].Add(-lookBack), h.since), later(h.latest[1].Add(-lookBack), h.since), version)
}

// again asks once more for what changed some time ago: a server whose clock is behind may have written it since.
func (h *holdings) again(ctx context.Context) error {
	h.turn.Lock()
	defer h.turn.Unlock()
	if h.since.IsZero() {
		return nil // nobody asked for anything yet
	}
	return h.read(ctx, h.since, later(h.latest[0].Add(-wideBack), h.since), later(h.latest[1].Add(-wideBack), h.since), "")
}

// read takes in what changed since two times, after which all since a third is known. It is called by one at a time.
func (h *holdings) read(ctx context.Context, since, caseSince, noteSince time.Time, version string) error {
	var cases []Case
	for c, err := range h.from.Changed(ctx, caseSince) {
		if err != nil {
			return err
		}
		cases = append(cases, c)
	}
	more, err := h.targets(ctx, cases)
	if err != nil {
		return err
	}
	var notes []Note
	for doc, err := range h.stored.Find(ctx, store.Query{Index: noteByTime, From: noteSince}) {
		if err != nil {
			return err
		}
		notes = append(notes, doc.Value)
	}
	h.lock.Lock()
	for _, c := range append(cases, more...) {
		h.takeCase(c)
	}
	for _, c := range cases {
		h.latest[0] = later(h.latest[0], c.ChangedAt)
	}
	for _, n := range notes {
		h.takeNote(n)
		h.latest[1] = later(h.latest[1], n.At)
	}
	unplaced := maps.Clone(h.unplaced)
	h.lock.Unlock()
	found, err := h.days(ctx, unplaced)
	if err != nil {
		return err
	}
	h.lock.Lock()
	defer h.lock.Unlock()
	for rating, day := range found {
		h.put(rating, day)
	}
	h.since = since
	for i := range h.latest {
		h.latest[i] = later(h.latest[i], h.since)
	}
	h.version = version
	return nil
}

// days finds out on which days ratings count. One that is not there, or not yet, is asked for again.
func (h *holdings) days(ctx context.Context, unplaced map[named]bool) (map[named]localday.Day, error) {
	var lock sync.Mutex
	found := map[named]localday.Day{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * readAtOnce)
	for rating := range unplaced {
		group.Go(func() error {
			day, ok, err := h.find(ctx, rating.unit, rating.id)
			if err == nil && ok {
				lock.Lock()
				defer lock.Unlock()
				found[rating] = day
			}
			return err
		})
	}
	return found, group.Wait()
}

// targets reads the cases that others were merged into and that are not known.
func (h *holdings) targets(ctx context.Context, cases []Case) (more []Case, err error) {
	known := make(map[string]bool, len(cases))
	for _, c := range cases {
		known[c.ID] = true
	}
	all := cases
	for i := 0; i < len(all); i++ {
		into := all[i].MergedInto
		if _, have := h.cases[into]; into == "" || known[into] || have { // nobody else writes now
			continue
		}
		target, ok, err := h.from.Get(ctx, into)
		if err != nil {
			return nil, err
		}
		if known[into] = true; ok {
			all = append(all[:len(all):len(all)], target)
			more = append(more, target)
		}
	}
	return more, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// takeCase keeps what coverage needs of a case. What a case holds only grows.
func (b *book) takeCase(c Case) {
	before := b.cases[c.ID]
	if before.ChangedAt.After(c.ChangedAt) {
		return // somebody read it a moment earlier
	}
	for _, id := range c.Attached[min(len(before.Attached), len(c.Attached)):] {
		rating := nameOf(id, c.About)
		b.holders[rating] = append(b.holders[rating], c.ID)
		if _, ok := b.placed[rating.unit][rating.id]; !ok {
			b.unplaced[rating] = true
		}
	}
	b.cases[c.ID] = Case{About: c.About, Case: casework.Case{
		Opening: casework.Opening{ID: c.ID, Collective: c.Collective}, State: c.State, ChangedAt: c.ChangedAt, Attached: c.Attached,
		Finding: c.Finding, Route: c.Route, MergedInto: c.MergedInto,
	}}
}

func (b *book) takeNote(n Note) {
	if n.Withdraws != "" {
		b.withdrawn[n.Withdraws] = true
		return
	}
	if _, ok := b.notes[n.ID]; ok {
		return
	}
	b.notes[n.ID] = n
	for _, r := range n.Ratings {
		rating := named{r.Unit, r.ID}
		b.noted[rating] = append(b.noted[rating], n.ID)
		b.put(rating, r.Day)
	}
}

// put says on which day a rating counts, which never changes.
func (b *book) put(rating named, day localday.Day) {
	delete(b.unplaced, rating)
	if b.placed[rating.unit] == nil {
		b.placed[rating.unit] = map[string]localday.Day{}
	}
	b.placed[rating.unit][rating.id] = day
}

// touched tells whether a case or a note that stands names a rating.
func (b *book) touched(rating named) bool {
	if len(b.holders[rating]) > 0 {
		return true
	}
	for _, note := range b.noted[rating] {
		if !b.withdrawn[note] {
			return true
		}
	}
	return false
}

// nameOf takes a rating's RecordID, as cases hold it, apart; of a bare id the unit is the one its case is about.
func nameOf(id, about string) named {
	_, unit, id := rating.SplitRecordID(id)
	return named{cmp.Or(unit, about), id}
}
