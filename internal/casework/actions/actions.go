// Package actions keeps corrective actions (việc chấn chỉnh) and contests: the store behind those two tables of package casework. One
// document is one action or one contest, written by compare-and-swap. Who is to be told of something stands in the document until it was
// told, and days on which an action does something by itself are an index, as in the book of cases; so any number of processes may keep
// them, and what one left undone another does (Run).
package actions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// Telling is that somebody is to be told of something; it may come more than once, always with the same ID.
type Telling struct {
	ID        string
	Action    *Kept              // nil = it is about a contest
	Contest   *KeptContest       // nil = it is about an action
	Event     string             // what happened: an event of the table, "contest.open" and the like; "" = a reminder
	By        string             // account that did it
	Reminder  *casework.Reminder // nil = something happened
	To        casework.Audience
	Unit      string // the audience belongs to
	Officials []string
	Level     int
	Clock     string
	At        time.Time
}

// Options of the actions. All but Logger and Now are required.
type Options struct {
	Machine func(ordering string) (casework.Machine, error)                                                     // as it holds for a unit
	Above   func(unitID string) []string                                                                        // "", the unit and every unit that holds it
	Due     func(ordering string, clocks []casework.Clock) localday.Day                                         // the most urgent day of clocks that run; "" = none
	Hold    func(ctx context.Context, owner string, files []casework.Attachment) ([]casework.Attachment, error) // makes sure of files that were attached before
	Tell    func(ctx context.Context, t []Telling) error
	Logger  *slog.Logger
	Now     func() time.Time
}

// Actions keeps them. Its methods may be called by many goroutines and processes.
type Actions struct {
	options  Options
	log      *slog.Logger
	now      func() time.Time
	actions  store.Docs[document]
	contests store.Docs[contestDoc]
}

// Kept is an action as it stands.
type Kept struct {
	casework.Action `bson:",inline"`
	Version         store.Version `bson:"-"`      // counts what happened
	Urgent          localday.Day  `bson:"urgent"` // the last day of the clock that runs; never where none does or no day can be found
}

// never is the urgent day of what has none.
const never localday.Day = "9999-12-31"

// Late tells that a clock is over on a day.
func (k Kept) Late(today localday.Day) bool { return !k.State.Terminal() && k.Urgent < today }

// document is an action as it is stored.
type document struct {
	Kept   `bson:",inline"`
	Above  []string     `bson:"above"`
	Open   bool         `bson:"open"`
	Next   localday.Day `bson:"next,omitempty"`
	Owed   []owed       `bson:"owed,omitempty"`
	OwedAt time.Time    `bson:"owed_at,omitempty"`
}

// owed is somebody who is still to be told of an entry of the history.
type owed struct {
	N         int               `bson:"n"`
	To        casework.Audience `bson:"to"`
	Unit      string            `bson:"unit,omitempty"`
	Officials []string          `bson:"officials,omitempty"`
	Level     int               `bson:"level,omitempty"`
	Clock     string            `bson:"clock,omitempty"`
}

const (
	byUrgency = "urgency"
	byCase    = "case"
	byOrder   = "order"
	byNext    = "next"
	byOwed    = "owed"
)

var actionType = store.Define[document]("actions",
	store.Index{Name: byUrgency, Fields: []string{"above", "open", "urgent"}, Multi: true},
	store.Index{Name: byCase, Fields: []string{"cases"}, Multi: true},
	store.Index{Name: byOrder, Fields: []string{"order"}},
	store.Index{Name: byNext, Fields: []string{"next"}},
	store.Index{Name: byOwed, Fields: []string{"owed_at"}},
)

// Kinds lists the kinds of documents kept here.
func Kinds() []store.Kind { return []store.Kind{actionType.Kind, contestType.Kind} }

// Open opens the actions of a store.
func Open(ctx context.Context, engine store.Engine, options Options) (*Actions, error) {
	a := &Actions{options: options, log: options.Logger, now: options.Now}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	var err error
	if a.actions, err = actionType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if a.contests, err = contestType.Open(ctx, engine); err != nil {
		return nil, err
	}
	return a, nil
}

// Get reads an action. NotFound "actions_unknown".
func (a *Actions) Get(ctx context.Context, id string) (Kept, error) {
	d, _, err := a.get(ctx, id)
	return d.kept(), err
}

func (a *Actions) get(ctx context.Context, id string) (document, store.Version, error) {
	d, version, err := a.actions.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return d, 0, fault.New(fault.NotFound, "actions_unknown")
	}
	return d, version, failed("read an action", err)
}

func (d document) kept() Kept {
	k := d.Kept
	k.Version = store.Version(len(d.History))
	return k
}

// failed makes a fault of what the store answers.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	var ours *fault.Error
	if errors.As(err, &ours) {
		return err
	}
	return store.Told(fmt.Errorf("%s: %w", doing, err), "actions_unavailable")
}

// after is a document with the action as it is after one more entry.
func (a *Actions) after(d document, next casework.Action, effects []casework.Effect, m casework.Machine) document {
	d.Action = next
	for _, effect := range effects {
		if effect.Kind == casework.Tell {
			d.Owed = append(d.Owed, owed{
				N: len(next.History) - 1, To: effect.To, Unit: effect.Unit, Officials: effect.Officials, Level: effect.Level, Clock: effect.Clock,
			})
		}
	}
	if len(d.Owed) > 0 && d.OwedAt.IsZero() {
		d.OwedAt = next.ChangedAt
	}
	d.Above = a.above(next)
	a.time(&d, m, localday.Day(""))
	return d
}

// above lists the units in whose lists an action stands.
func (a *Actions) above(action casework.Action) []string {
	seen := map[string]bool{}
	var all []string
	for _, id := range append(append([]string(nil), a.options.Above(action.Ordering)...), a.options.Above(action.Unit)...) {
		if !seen[id] {
			seen[id] = true
			all = append(all, id)
		}
	}
	return all
}

// time sets the urgent day and the next on which the action has something to say after a day; "" = from its last change on.
func (a *Actions) time(d *document, m casework.Machine, after localday.Day) {
	d.Open = !d.State.Terminal()
	d.Urgent, d.Next = never, ""
	if !d.Open {
		return
	}
	if due := a.options.Due(d.Ordering, d.Clocks); due != "" {
		d.Urgent = due
	}
	if after == "" {
		changed, _ := localday.Of(d.ChangedAt)
		after = changed.Add(-1)
	}
	next, ok, err := m.NextOf(d.Action, after)
	today, _ := localday.Of(a.now())
	switch {
	case err != nil: // asked again each day until the calendar is put right
		a.log.Warn("an action's next day cannot be found", "action", d.ID, "error", err)
		d.Next = today.Add(1)
	case ok:
		d.Next = next
	}
}
