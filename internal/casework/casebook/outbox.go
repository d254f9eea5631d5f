package casebook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// Telling is that somebody is to be told of something. It may come more than once, always with the same ID; who is meant (which accounts
// an audience is) the receiver finds out.
type Telling struct {
	ID        string             // of what happened and the audience: "case/entry/audience", or "case/clock/start/kind/days/audience" of a reminder
	Case      Kept               // as it stood when it was told
	Entry     *casework.Entry    // what happened; nil = a reminder
	Reminder  *casework.Reminder // nil = something happened
	Due       localday.Day       // of a reminder: the last day of its clock
	To        casework.Audience
	Unit      string   // the audience belongs to
	Accounts  []string // authors, where they are meant
	Officials []string // who is asked, or whom it is about
	Level     int      // of casework.TellAbove: so many levels above Unit
	Clock     string   // that is late, of an escalation
	Into      string   // of casework.TellTarget: the case it was merged into
	At        time.Time
}

// Topic is where the bus hears of every Change.
const Topic = "cases"

// Change is what is published there. It names nobody.
type Change struct {
	Case      string        `json:"case"`
	Receiving string        `json:"receiving"`
	Assigned  string        `json:"assigned,omitempty"`
	About     string        `json:"about,omitempty"` // unit
	Version   store.Version `json:"version"`
	State     string        `json:"state"`
}

const (
	maxQueued = 4096    // tellings that wait in this process; what finds no room the sweep tells
	maxTold   = 100_000 // remembered as told
	tellers   = 4

	strikeAfter = 5 * time.Second  // after an event, what this process told is struck out
	takeAfter   = 30 * time.Second // and what no process seems to have told is told
	giveTime    = 30 * time.Second // for one telling
)

// job is a case of which something is owed since an entry.
type job struct {
	document document
	from     int
}

type toldKey struct {
	id string
	n  int
}

// outbox is what this process still has to tell, and what it told and has not struck out yet.
type outbox struct {
	queue chan job
	mu    sync.Mutex
	told  map[toldKey]struct{}
}

// written follows a write: others hear of it, and who is to be told soon is. from is the first new entry.
func (b *Book) written(ctx context.Context, d document, from int) {
	b.publish(ctx, d)
	if len(d.Owed) == 0 {
		return
	}
	select {
	case b.outbox.queue <- job{d, from}:
	default: // the sweep does it
	}
}

func (b *Book) publish(ctx context.Context, d document) {
	if b.options.Feed == nil {
		return
	}
	body, err := json.Marshal(Change{Case: d.ID, Receiving: d.Receiving, Assigned: d.Assigned, About: d.About, Version: d.version(), State: string(d.State)})
	if err == nil {
		err = b.options.Feed.Publish(context.WithoutCancel(ctx), Topic, body)
	}
	if err != nil { // watchers read again by themselves
		b.log.WarnContext(ctx, "a change of a case was not published", "case", d.ID, "error", err)
	}
}

// unpaid is what of a document's outbox this process does not know to be told.
func (b *Book) unpaid(d document) []owed {
	b.outbox.mu.Lock()
	defer b.outbox.mu.Unlock()
	var out []owed
	for _, o := range d.Owed {
		if _, is := b.outbox.told[toldKey{d.ID, o.N}]; !is {
			out = append(out, o)
		}
	}
	return out
}

func (b *Book) remember(key toldKey) {
	b.outbox.mu.Lock()
	defer b.outbox.mu.Unlock()
	if len(b.outbox.told) >= maxTold {
		clear(b.outbox.told) // the sweep tells again what it finds; receivers know the ids
	}
	b.outbox.told[key] = struct{}{}
}

// forget forgets what a document does not owe any more.
func (b *Book) forget(id string, all []owed) {
	b.outbox.mu.Lock()
	defer b.outbox.mu.Unlock()
	for _, o := range all {
		delete(b.outbox.told, toldKey{id, o.N})
	}
}

// struck forgets what was told and stands in the document after a write no more.
func (b *Book) struck(before, after document) {
	b.forget(before.ID, slices.DeleteFunc(slices.Clone(before.Owed), func(o owed) bool {
		return slices.ContainsFunc(after.Owed, func(left owed) bool { return left.N == o.N })
	}))
}

// work tells what comes into the queue until ctx ends.
func (b *Book) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-b.outbox.queue:
			if err := b.pay(ctx, j.document, j.from); err != nil && ctx.Err() == nil {
				b.log.WarnContext(ctx, "who is to be told of a case was not told yet", "case", j.document.ID, "error", err)
			}
		}
	}
}

// pay tells and does what is owed from an entry on, entry by entry.
func (b *Book) pay(ctx context.Context, d document, from int) error {
	ctx, cancel := context.WithTimeout(ctx, giveTime)
	defer cancel()
	for start := 0; start < len(d.Owed); {
		n := d.Owed[start].N
		end := start + 1
		for end < len(d.Owed) && d.Owed[end].N == n {
			end++
		}
		if n >= from {
			if err := b.payEntry(ctx, d, d.Owed[start:end]); err != nil {
				return err
			}
			b.remember(toldKey{d.ID, n})
		}
		start = end
	}
	return nil
}

func (b *Book) payEntry(ctx context.Context, d document, list []owed) error {
	var tellings []Telling
	for _, o := range list {
		if o.N < 0 || o.N >= len(d.History) {
			continue
		}
		switch o.Do {
		case tell:
			tellings = append(tellings, o.telling(d))
		case move:
			if err := b.moveRatings(ctx, o); err != nil {
				return err
			}
		case remember:
			if err := b.rememberExplanation(ctx, d, o.N); err != nil {
				return err
			}
			if by := d.History[o.N].By; by.Account != "" {
				if err := b.DropDraft(ctx, d.ID, by.Account); err != nil {
					return err
				}
			}
		}
	}
	return b.tell(ctx, tellings)
}

func (b *Book) tell(ctx context.Context, tellings []Telling) error {
	if len(tellings) == 0 || b.options.Tell == nil {
		return nil
	}
	return b.options.Tell(ctx, tellings)
}

func (o owed) telling(d document) Telling {
	entry := d.History[o.N]
	id := d.ID + "/" + strconv.Itoa(o.N) + "/" + string(o.To)
	return Telling{
		ID: id, Case: d.kept(), Entry: &entry, To: o.To, Unit: o.Unit, Accounts: o.Accounts, Officials: o.Officials,
		Level: o.Level, Clock: o.Clock, Into: o.Case, At: entry.At,
	}
}

// moveRatings gives the ratings of a case that was merged to the one it was merged into. Where that takes none any more (it has its
// explanation), they stay where they are and count as what the other counts.
func (b *Book) moveRatings(ctx context.Context, o owed) error {
	target := casework.Root(o.Case, func(id string) string {
		d, _, err := b.get(ctx, id)
		if err != nil {
			return ""
		}
		return d.MergedInto
	})
	_, err := b.Apply(ctx, target, 0, casework.Event{Name: casework.Attach, Ratings: o.Ratings}, "", casework.TheSystem())
	var f *fault.Error
	if errors.As(err, &f) && f.Code != fault.Unavailable && f.Code != fault.Internal {
		return nil
	}
	return err
}

// reminders are who is to be told that a clock makes itself heard.
func reminders(d document, r casework.Reminder, due localday.Day, at time.Time) []Telling {
	clock, _ := d.Clock(r.Clock)
	base := fmt.Sprintf("%s/%s/%s/%s/%d", d.ID, r.Clock, clock.Start, r.Kind, r.Days)
	var out []Telling
	add := func(to casework.Audience, unit string, officials []string) {
		reminder := r
		out = append(out, Telling{ID: base + "/" + string(to), Case: d.kept(), Reminder: &reminder, Due: due, To: to, Unit: unit, Officials: officials, Clock: r.Clock, At: at})
	}
	switch r.Clock {
	case casework.ClockExplain, casework.ClockRework:
		add(casework.TellUnit, d.Assigned, nil)
		if len(d.Asked) > 0 {
			add(casework.TellAsked, d.Assigned, d.Asked)
		}
	case casework.ClockRequest, casework.ClockReview:
		add(casework.TellLeaders, d.Receiving, nil)
	case casework.ClockVerdict:
		if d.Code != "" && r.Kind == deadline.RemindBefore {
			add(casework.TellCitizen, d.Receiving, nil)
		}
	default: // the desk's own work: to assign, to reply, to hand over, to ask what became of it
		add(casework.TellDesk, d.Receiving, nil)
		if r.Kind == deadline.RemindAfter {
			add(casework.TellLeaders, d.Receiving, nil)
		}
	}
	return out
}

// settle looks through what is owed: what this process told is struck out, and what nobody seems to have told is told.
func (b *Book) settle(ctx context.Context) error {
	query := store.Query{Index: byOwed, From: time.UnixMilli(0), To: b.now().Add(-strikeAfter)}
	return b.each(ctx, query, b.settleOne)
}

// settleOne strikes out what of a case was told.
func (b *Book) settleOne(ctx context.Context, doc store.Doc[document]) error {
	d := doc.Value
	if left := b.unpaid(d); len(left) > 0 {
		if b.now().Sub(d.OwedAt) < takeAfter {
			return nil // whoever wrote it may be telling it
		}
		d.Owed = left
		if err := b.pay(ctx, d, 0); err != nil {
			return errors.Join(err, b.later(ctx, doc))
		}
	}
	paid := doc.Value.Owed
	d.Owed, d.OwedAt, d.Tries = nil, time.Time{}, 0
	_, err := b.cases.Replace(ctx, d.ID, d, doc.Version)
	if errors.Is(err, store.ErrStale) { // the next event strikes out
		return nil
	}
	if err == nil {
		b.forget(d.ID, paid)
	}
	return told("strike out who was told", err)
}

// later puts off what could not be told, so that it does not stand before everything else.
func (b *Book) later(ctx context.Context, doc store.Doc[document]) error {
	d := doc.Value
	d.Owed = slices.Clone(d.Owed)
	d.Tries++
	d.OwedAt = store.Milliseconds(b.now().Add(min(time.Duration(d.Tries)*time.Minute, 10*time.Minute) - takeAfter))
	if _, err := b.cases.Replace(ctx, d.ID, d, doc.Version); err != nil && !errors.Is(err, store.ErrStale) {
		return err
	}
	return nil
}
