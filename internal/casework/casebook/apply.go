package casebook

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// ChangedError is a fault.Stale "casebook_changed": somebody else was first. Nothing was written.
type ChangedError struct {
	fault *fault.Error
	Now   Kept             // the case as it stands
	Since []casework.Entry // what happened since the version that was seen: who, when, what
}

// Error is for the log.
func (e *ChangedError) Error() string { return e.fault.Error() }

// Unwrap answers the fault.
func (e *ChangedError) Unwrap() error { return e.fault }

func changed(d document, seen store.Version) error {
	since := d.History[min(max(int(seen), 0), len(d.History)):]
	args := []any{"state", string(d.State)}
	if len(since) > 0 {
		last := since[len(since)-1]
		args = append(args, "event", string(last.Event.Name), "account", last.By.Account, "at", last.At)
	}
	return &ChangedError{fault: fault.New(fault.Stale, "casebook_changed", args...), Now: d.kept(), Since: since}
}

// overtaken tells whether something happened that whoever saw a version should know of before it decides. That a clock was late
// and those above were told changes nothing anybody decides by.
func (d document) overtaken(seen store.Version) bool {
	if seen == 0 {
		return false
	}
	if int(seen) > len(d.History) || seen < 0 {
		return true
	}
	return slices.ContainsFunc(d.History[seen:], func(e casework.Entry) bool { return e.Event.Name != casework.Escalate })
}

// Apply lets an event happen to a case. seen is the version on which whoever does it decided; where anything happened since (but for
// escalations by the clock), the answer is a *ChangedError and nothing is written. seen 0 decides on whatever stands: of what happens by itself.
//
// words are the citizen's own, of an event that keeps such (a reopening, a withdrawal). Of a Merge the caller gives Into.ID alone. Attachments
// of an explanation must have been attached to this case before; what is kept of them is what is known of the bytes.
//
// NotFound "casebook_unknown", "unit_unknown", "casebook_file_unknown"; Invalid "casebook_words_not_here"; and the faults of casework.Machine.Apply.
func (b *Book) Apply(ctx context.Context, id string, seen store.Version, event casework.Event, words string, by casework.Actor) (Kept, error) {
	words, err := tidy("words", words, MaxWords, true)
	if err != nil {
		return Kept{}, err
	}
	if event, err = b.prepare(ctx, id, event); err != nil {
		return Kept{}, err
	}
	if event.Private = ""; words != "" {
		event.Private = uuid.Must(uuid.NewV7()).String()
	}
	said := false
	d, version, fromMemory := b.recent.get(id)
	if fromMemory = fromMemory && version != 0; !fromMemory {
		d, version, err = b.get(ctx, id)
	}
	for err == nil {
		var next document
		if d.overtaken(seen) {
			err = changed(d, seen)
		} else {
			next, err = b.applied(d, event, by)
		}
		if err != nil && fromMemory { // which may be old
			fromMemory = false
			d, version, err = b.get(ctx, id)
			continue
		}
		if err != nil {
			return Kept{}, err
		}
		if words != "" && !said {
			entry := next.History[len(next.History)-1]
			if entry.Event.Private != event.Private {
				return Kept{}, fault.New(fault.Invalid, "casebook_words_not_here", "event", string(event.Name))
			}
			if err := b.say(ctx, wordsDoc{ID: event.Private, Case: id, Unit: d.Receiving, Kind: saidEvent, At: entry.At, Text: words}); err != nil {
				return Kept{}, told("keep what a citizen said", err)
			}
			said = true
		}
		if version, err = b.cases.Replace(ctx, id, next, version); err == nil {
			b.recent.keep(next, version)
			b.struck(d, next)
			b.written(ctx, next, len(d.History))
			return next.kept(), nil
		}
		b.recent.drop(id)
		fromMemory = false
		var stale *store.StaleError[document]
		if errors.As(err, &stale) {
			d, version, err = stale.Current.Value, stale.Current.Version, nil
		}
	}
	return Kept{}, told("write a case", err)
}

// prepare completes an event with what the book knows.
func (b *Book) prepare(ctx context.Context, id string, event casework.Event) (casework.Event, error) {
	if event.Unit != "" {
		if _, there := b.options.Tree().Get(event.Unit); !there {
			return event, fault.New(fault.NotFound, "unit_unknown", "unit", event.Unit)
		}
	}
	if event.Name == casework.Merge && event.Into.ID != "" {
		into, err := b.Get(ctx, event.Into.ID)
		if err != nil {
			return event, err
		}
		event.Into = casework.TargetOf(into.Case)
	}
	if event.Explanation != nil && len(event.Explanation.Attachments) > 0 {
		explanation := *event.Explanation
		var err error
		if explanation.Attachments, err = b.attached(ctx, id, explanation.Attachments); err != nil {
			return event, err
		}
		event.Explanation = &explanation
	}
	return event, nil
}

// applied is the document after an event.
func (b *Book) applied(d document, event casework.Event, by casework.Actor) (document, error) {
	m, err := b.Machine(d.Receiving)
	if err != nil {
		return document{}, err
	}
	next, effects, err := m.Apply(d.Case, event, by, b.now())
	if err != nil {
		return document{}, err
	}
	return b.after(d, next, effects, m), nil
}

// after is a document with the case as it is after one more entry, and all that follows from it.
func (b *Book) after(d document, c casework.Case, effects []casework.Effect, m casework.Machine) document {
	before := d.Assigned
	d.Case = c
	entry := c.History[len(c.History)-1]
	if before != c.Assigned || len(d.Above) == 0 {
		d.Above = b.aboveCase(c)
	}
	floor, next, day := d.Floor, d.Next, entry.Day()
	d.Owed = b.unpaid(d)
	for _, effect := range effects {
		switch effect.Kind {
		case casework.Tell:
			d.Owed = append(d.Owed, owed{
				N: len(c.History) - 1, Do: tell, To: effect.To, Unit: effect.Unit, Accounts: effect.Accounts, Officials: effect.Officials,
				Level: effect.Level, Clock: effect.Clock, Case: effect.Case,
			})
		case casework.MoveRatings:
			d.Owed = append(d.Owed, owed{N: len(c.History) - 1, Do: move, Case: effect.Case, Ratings: effect.Ratings})
		case casework.ClockChanged: // its day is worked out below, for all clocks
		}
	}
	d.More = d.More || entry.Event.Private != ""
	if entry.Event.Name == casework.Submit {
		d.Owed = append(d.Owed, owed{N: len(c.History) - 1, Do: remember})
	}
	d.owe(entry.At)
	b.dues(&d)
	if d.State.Terminal() || next == "" || next > day.Add(1) {
		b.wakes(&d, m, day.Add(-1)) // what is to be said on the very day is not left out
	}
	if !d.State.Terminal() && floor != "" {
		d.Floor = min(floor, d.Floor)
		if next != "" && (d.Next == "" || next < d.Next) {
			d.Next = next // the clock finds nothing to do then, and sets it anew
		}
	}
	return d
}

// owe notes since when somebody is to be told.
func (d *document) owe(at time.Time) {
	d.Tries = 0
	switch {
	case len(d.Owed) == 0:
		d.Owed, d.OwedAt = nil, time.Time{}
	case d.OwedAt.IsZero() || at.Sub(d.OwedAt).Abs() > takeAfter/2: // else the time that stands does, and no index is written
		d.OwedAt = at
	}
}

// time works out what the clocks of a case say: when it is due, and when it has something to say next after a day.
func (b *Book) time(d *document, m casework.Machine, after localday.Day) {
	b.dues(d)
	b.wakes(d, m, after)
}

// dues sets the most urgent day and what is doubtful about it.
func (b *Book) dues(d *document) {
	hours := b.options.Hours(d.Receiving)
	d.Due, d.Missing, d.Trouble = "", nil, ""
	for _, clock := range d.Clocks {
		if !clock.Running() {
			continue
		}
		due, err := b.due(clock.Clock, hours)
		if err != nil {
			d.Trouble = fault.Of(err).Reason
		}
		d.Missing = append(d.Missing, due.Missing...)
		day := due.Day
		if day == "" {
			day = NoDue
		}
		if d.Due == "" || day < d.Due {
			d.Due = day
		}
	}
	if !d.State.Terminal() && d.Due == "" {
		d.Due = NoDue
	}
	slices.Sort(d.Missing)
	d.Missing = slices.Compact(d.Missing)
	if d.Waits, d.Floor = d.Above, d.Due; d.State.Terminal() {
		d.Waits = nil
	}
}

// wakes sets the next day after one on which the case has something to say or to do by itself.
func (b *Book) wakes(d *document, m casework.Machine, after localday.Day) {
	d.Next = ""
	next, ok, err := m.Next(d.Case, after)
	switch {
	case err != nil: // asked again each day until the calendar is put right
		d.Trouble, d.Next = fault.Of(err).Reason, b.today().Add(1)
	case ok:
		d.Next = next
	}
}
