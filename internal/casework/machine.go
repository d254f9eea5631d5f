package casework

import (
	"fmt"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/officehours"
)

// World is what a machine knows of the office it works in.
type World struct {
	Rules  deadline.Rules
	Hours  officehours.Hours
	Within func(unit, scope string) bool // whether a unit is the scope or below it, as unit.Tree.Within says; not asked for scope ""
}

// Machine applies the tables. It is never changed; its methods may be called by many goroutines if World.Within may.
type Machine struct {
	world         World
	rows, actions []Row
}

// New makes a machine. Invalid "casework_rule_missing" where the rules lack one of Clocks.
func New(world World) (Machine, error) {
	for _, name := range Clocks() {
		if _, ok := world.Rules.Rule(name); !ok {
			return Machine{}, fault.New(fault.Invalid, "casework_rule_missing", "name", name)
		}
	}
	if world.Within == nil {
		world.Within = func(unit, scope string) bool { return unit == scope }
	}
	return Machine{world: world, rows: Rows(), actions: ActionRows()}, nil
}

// Effect is something that follows from what happened, for others to carry out after the case is written.
type Effect struct {
	Kind      EffectKind
	To        Audience     // of Tell
	Unit      string       // of Tell: the unit the audience belongs to
	Accounts  []string     // of Tell: authors
	Officials []string     // of Tell: who is asked, or whom it is about
	Level     int          // of Tell to TellAbove: so many levels above Unit
	Clock     string       // of ClockChanged
	Do        Do           // of ClockChanged
	Due       deadline.Due // of ClockChanged, while the clock runs; its Warning belongs beside the day
	Trouble   error        // of ClockChanged: why there is no Due, such as a calendar by which offices never open; the event happened all the same
	Case      string       // of MoveRatings: the case that takes them; of Tell to TellTarget
	Ratings   []string     // of MoveRatings
}

// EffectKind is what kind of effect it is.
type EffectKind string

// The kinds.
const (
	Tell         EffectKind = "tell"
	ClockChanged EffectKind = "clock"
	MoveRatings  EffectKind = "move_ratings" // attach these, as TheSystem, to the case this one was merged into; not where that has its explanation
)

// Open opens a case. Invalid "casework_opening" with "field" where the opening cannot be, Denied "casework_denied".
func (m Machine) Open(opening Opening, actor Actor, at time.Time) (Case, []Effect, error) {
	return m.Apply(Case{Opening: opening}, Event{Name: Open}, actor, at)
}

func (o Opening) check() error {
	wrong := func(field string) error { return fault.New(fault.Invalid, "casework_opening", "field", field) }
	switch {
	case !isID(o.ID):
		return wrong("id")
	case !isID(o.Receiving):
		return wrong("receiving")
	case !slices.Contains(Sources(), o.Source):
		return wrong("source")
	case !areIDs(o.About, MaxOfficials):
		return wrong("about")
	case !areIDs(o.Ratings, MaxRatings):
		return wrong("ratings")
	case o.Number != (Number{}) && !o.Number.valid():
		return wrong("number")
	case o.Collective != nil && !o.Collective.valid():
		return wrong("collective")
	}
	if o.Code != "" {
		if _, err := ParseCode(string(o.Code)); err != nil {
			return err
		}
	}
	return nil
}

// Apply lets an event happen to a case, by somebody, at a time, and answers the case after it; the one given is unchanged. A time
// before the last entry counts as that entry's, because the clocks of two servers never quite agree.
//
// Stale "casework_not_now" where the table has no such event in the case's state; Denied "casework_denied" where the actor may
// not, "casework_own_explanation", "casework_about_you", "casework_your_unit" where it may not judge this one, "casework_not_asked";
// otherwise Invalid, by what is missing or wrong.
func (m Machine) Apply(c Case, event Event, actor Actor, at time.Time) (Case, []Effect, error) {
	at = moment(at, c.last())
	row, ok := find(m.rows, c.State, event.Name)
	if !ok || (event.Name == Open) != (len(c.History) == 0) {
		return c, nil, fault.New(fault.Stale, "casework_not_now", "state", c.State, "event", event.Name)
	}
	if event.Name == Open {
		if err := c.check(); err != nil {
			return c, nil, err
		}
	}
	signature, person, err := actor.signs(at)
	if err != nil {
		return c, nil, err
	}
	if !m.may(row, person, c.Receiving, c.Assigned) {
		return c, nil, fault.New(fault.Denied, "casework_denied", "event", event.Name)
	}
	if signature.Role == Citizen {
		event.Reason = "" // the citizen's own words are kept apart
	}
	kept, err := row.take(event, c)
	if err != nil {
		return c, nil, err
	}
	for _, guard := range row.Guards {
		if err := m.guard(guard, c, kept, actor, at); err != nil {
			return c, nil, err
		}
	}
	into := kept.Into
	if into.ID != "" {
		kept.Into = Target{ID: into.ID}
	}
	if len(c.History) >= MaxHistory && row.From == row.To && event.Name != Escalate && event.Name != Resume {
		return c, nil, fault.New(fault.Exhausted, "casework_history_full", "limit", MaxHistory)
	}
	entry := Entry{At: at, By: signature, From: c.State, To: row.To, Unit: c.Assigned, Event: kept}
	var effects []Effect
	entry.Clocks, effects, err = m.tick(row, c, kept, entry)
	if err != nil {
		return c, nil, err
	}
	next := c.with(entry)
	effects = append(effects, m.tell(row, next, entry)...)
	if _, can := find(m.rows, into.State, Attach); can && len(c.Attached) > 0 {
		effects = append(effects, Effect{Kind: MoveRatings, Case: into.ID, Ratings: slices.Clone(c.Attached)})
	}
	return next, effects, nil
}

// moment is a time as it is kept.
func moment(at, last time.Time) time.Time {
	at = at.UTC().Truncate(time.Millisecond)
	if at.Before(last) {
		return last
	}
	return at
}

func find(rows []Row, from State, event Name) (Row, bool) {
	i := slices.IndexFunc(rows, func(row Row) bool { return row.From == from && row.Event == event })
	if i < 0 {
		return Row{}, false
	}
	return rows[i], true
}

// may tells whether a row lets somebody act on units.
func (m Machine) may(row Row, person Person, receiving, assigned string) bool {
	return slices.ContainsFunc(row.Who, func(who Who) bool {
		if who.Role != person.Role {
			return false
		}
		switch who.Relation {
		case Anyone:
			return true
		case OfReceivingUnit:
			return m.within(receiving, person.Scope)
		case OfAssignedUnit:
			return assigned != "" && m.within(assigned, person.Scope)
		}
		return false
	})
}

func (m Machine) within(unit, scope string) bool { return scope == "" || m.world.Within(unit, scope) }

// Choices are the rows an actor may take now, for the keys of a screen: everything was looked at but what the event itself brings.
func (m Machine) Choices(c Case, actor Actor, at time.Time) []Row {
	at = moment(at, c.last())
	_, person, err := actor.signs(at)
	if err != nil {
		return nil
	}
	var out []Row
	for _, row := range m.rows {
		if row.From != c.State || row.Event == Open || !m.may(row, person, c.Receiving, c.Assigned) {
			continue
		}
		stopped := slices.ContainsFunc(row.Guards, func(guard Guard) bool {
			return guard != ClockLate && guard != Earlier && m.guard(guard, c, Event{}, actor, at) != nil
		})
		if !stopped {
			out = append(out, row)
		}
	}
	return out
}

// with is the case after an entry. Replay does the same, so it looks at nothing but the two.
func (c Case) with(e Entry) Case {
	c.History = append(slices.Clip(c.History), e)
	c.State, c.ChangedAt = e.To, e.At
	ev := e.Event
	switch ev.Name {
	case Open:
		c.OpenedAt, c.Attached = e.At, slices.Clone(c.Ratings)
	case Assign, Reassign:
		c.Assigned, c.Asked = ev.Unit, nil
	case RequestExplanation:
		if ev.Unit != "" {
			c.Assigned = ev.Unit
		}
		c.Asked = ev.Officials
	case Return:
		c.Returns++
	case Accept:
		c.Finding = ev.Finding
	case Reopen:
		c.Reopened, c.Finding = true, ""
	case PutOutOfScope:
		c.Route = ev.Route
	case HandOver:
		c.Route.HandedOver = true
	case TakenUp:
		c.Route.HandedOver, c.Route.TakenUp = true, true
	case PutBack:
		c.Route, c.Assigned, c.Asked = Route{}, "", nil
	case Merge:
		c.MergedInto = ev.Into.ID
	case Attach:
		c.Attached = append(slices.Clip(c.Attached), ev.Ratings...)
	}
	if len(e.Clocks) > 0 {
		c.Clocks = slices.Clone(c.Clocks)
	}
	for _, after := range e.Clocks {
		if after.Index == len(c.Clocks) {
			c.Clocks = append(c.Clocks, after.Clock)
		} else {
			c.Clocks[after.Index] = after.Clock
		}
	}
	return c
}

// Replay makes a case again from its opening and its history, and tells where the history is not one the table can have made.
func Replay(opening Opening, history []Entry) (Case, error) {
	c, rows := Case{Opening: opening}, Rows()
	for i, e := range history {
		row, ok := find(rows, c.State, e.Event.Name)
		if !ok || e.From != c.State || e.To != row.To || (i == 0) != (e.Event.Name == Open) {
			return c, fmt.Errorf("entry %d: %s from %q to %q is not in the table of cases, state %q", i, e.Event.Name, e.From, e.To, c.State)
		}
		if e.At.Before(c.last()) {
			return c, fmt.Errorf("entry %d: %v is before the entry before", i, e.At)
		}
		clocks := len(c.Clocks)
		for _, after := range e.Clocks {
			if after.Index < 0 || after.Index > clocks {
				return c, fmt.Errorf("entry %d: there is no clock %d", i, after.Index)
			}
			clocks = max(clocks, after.Index+1)
		}
		c = c.with(e)
	}
	return c, nil
}
