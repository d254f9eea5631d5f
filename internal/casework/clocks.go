package casework

import (
	"cmp"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
)

// tick answers what a row does to the clocks of a case.
func (m Machine) tick(row Row, c Case, event Event, entry Entry) ([]ClockAfter, []Effect, error) {
	clocks := slices.Clone(c.Clocks)
	var changed []int
	var effects []Effect
	note := func(do Do, i int, clock Clock) {
		clocks[i] = clock
		if !slices.Contains(changed, i) {
			changed = append(changed, i)
		}
		effects = append(effects, m.changed(do, clock))
	}
	for _, t := range row.Clocks {
		if err := m.one(t, c, event, entry, &clocks, note); err != nil {
			return nil, nil, err
		}
	}
	var after []ClockAfter
	slices.Sort(changed)
	for _, i := range changed {
		after = append(after, ClockAfter{Index: i, Clock: clocks[i]})
	}
	return after, effects, nil
}

// changed is the effect on a clock. An opinion is taken up even where an office's calendar is broken: that no due day can be found is said beside it.
func (m Machine) changed(do Do, clock Clock) Effect {
	effect := Effect{Kind: ClockChanged, Clock: clock.Name, Do: do}
	if clock.Running() {
		effect.Due, effect.Trouble = clock.Due(m.world.Hours)
	}
	return effect
}

func (m Machine) one(t Tick, c Case, event Event, entry Entry, clocks *[]Clock, note func(Do, int, Clock)) error {
	on := entry.Day()
	name := t.Clock
	if name == NoticeByRoute || name == SettleByRoute {
		if name = c.Route.Kind.clock(name); name == "" {
			return nil
		}
	}
	if t.Do == Start {
		rule, _ := m.world.Rules.Rule(name)
		*clocks = append(*clocks, Clock{})
		note(Start, len(*clocks)-1, Clock{Clock: deadline.Begin(name, on, rule.Term)})
		return nil
	}
	if t.Do == SuspendAll {
		indexes, after, err := m.suspendable(c, entry.At)
		for n, i := range indexes {
			note(t.Do, i, after[n])
		}
		return err
	}
	for i, clock := range *clocks {
		var err error
		switch {
		case !clock.Running():
			continue
		case t.Do == StopAll || t.Do == Stop && clock.Name == name:
			clock.Clock, err = clock.Finish(on)
		case t.Do == ResumeAll && clock.Suspended():
			clock.Clock, err = clock.Resume(on)
		case t.Do == ExtendOne && clock.Name == event.Clock:
			rule, _ := m.world.Rules.Rule(clock.Name)
			clock.Clock, err = clock.Extend(m.world.Hours, on, event.Days, rule.Extension)
		case t.Do == RaiseOne && clock.Name == event.Clock:
			clock.Escalated++
		default:
			continue
		}
		if err != nil {
			return err
		}
		note(t.Do, i, clock)
	}
	return nil
}

// tell answers who hears of an entry.
func (m Machine) tell(row Row, c Case, e Entry) []Effect {
	var out []Effect
	inCharge := cmp.Or(c.Assigned, e.Unit)
	for _, to := range row.Tell {
		effect := Effect{Kind: Tell, To: to, Unit: c.Receiving}
		switch to {
		case TellUnit:
			effect.Unit = inCharge
		case TellAsked:
			effect.Unit, effect.Officials = inCharge, c.Asked
			if len(c.Asked) == 0 {
				continue
			}
		case TellAuthor:
			explained, ok := c.Explanation()
			if !ok {
				continue
			}
			effect.Unit, effect.Accounts = explained.Unit, unique([]string{explained.By.Account, explained.By.For}, []string{""})
		case TellSubjects:
			effect.Officials = c.About
			if len(c.About) == 0 {
				continue
			}
		case TellCitizen:
			if c.Code == "" { // nobody who could be told
				continue
			}
		case TellTarget:
			effect.Case = c.MergedInto
		case TellAbove:
			effect.Level = 1
			if i := c.running(e.Event.Clock); i >= 0 {
				effect.Level, effect.Clock = c.Clocks[i].Escalated, e.Event.Clock
				if e.Event.Clock == ClockExplain || e.Event.Clock == ClockRework {
					effect.Unit = inCharge
				}
			}
		}
		if effect.Unit != "" {
			out = append(out, effect)
		}
	}
	return out
}

// Running is how a running clock of a case stands.
type Running struct {
	Name string
	deadline.Standing
}

// Running lists how the running clocks of a case stand on a day, the most pressing first. Where holidays are missing a Standing's
// Warning says so.
func (m Machine) Running(c Case, today localday.Day) ([]Running, error) {
	return m.standings(c.Clocks, today)
}

func (m Machine) standings(clocks []Clock, today localday.Day) ([]Running, error) {
	var out []Running
	for _, clock := range clocks {
		if !clock.Running() {
			continue
		}
		standing, err := clock.On(m.world.Hours, today)
		if err != nil {
			return nil, err
		}
		out = append(out, Running{Name: clock.Name, Standing: standing})
	}
	slices.SortStableFunc(out, func(a, b Running) int {
		if (a.Day == "") != (b.Day == "") { // stands still
			return cmp.Compare(b.Day, a.Day)
		}
		return cmp.Compare(a.Day, b.Day)
	})
	return out, nil
}

// Waiting lists the events that are to happen by themselves by now, each to be applied by TheSystem, one after the other: clocks that are
// late escalate a level at a time, and a case whose citizen said nothing is closed.
func (m Machine) Waiting(c Case, at time.Time) ([]Event, error) {
	at = moment(at, c.last())
	var out []Event
	for _, clock := range c.Clocks {
		if !clock.Running() {
			continue
		}
		level, err := m.level(clock, at)
		if err != nil {
			return nil, err
		}
		for range level - clock.Escalated {
			if _, ok := find(m.rows, c.State, Escalate); ok {
				out = append(out, Event{Name: Escalate, Clock: clock.Name})
			}
		}
	}
	if c.State == Replied && m.guard(VerdictOver, c, Event{}, TheSystem(), at) == nil {
		out = append(out, Event{Name: Close})
	}
	return out, nil
}

// Reminder is a clock that makes itself heard.
type Reminder struct {
	Clock string
	deadline.Mark
}

// Reminders are what is to be said of a case on a day: that something will be due, is due, is late. Escalations are not among them;
// they are events: see Waiting.
func (m Machine) Reminders(c Case, on localday.Day) ([]Reminder, error) {
	return m.reminders(c.Clocks, on)
}

func (m Machine) reminders(clocks []Clock, on localday.Day) ([]Reminder, error) {
	var out []Reminder
	for _, clock := range clocks {
		rule, _ := m.world.Rules.Rule(clock.Name)
		marks, err := clock.Marks(m.world.Hours, rule)
		if err != nil {
			return nil, err
		}
		for _, mark := range marks {
			if mark.Day == on && mark.Kind != deadline.Escalate {
				out = append(out, Reminder{Clock: clock.Name, Mark: mark})
			}
		}
	}
	return out, nil
}

// Next is the first day after another on which a case has something to say or to do by itself; false where it never will. It is what a
// timer is set to.
func (m Machine) Next(c Case, after localday.Day) (localday.Day, bool, error) {
	day, ok, err := m.next(c.Clocks, after)
	if err != nil || c.State != Replied {
		return day, ok, err
	}
	if clock, runs := c.Clock(ClockVerdict); runs { // it is closed on the day after its last
		due, err := clock.Due(m.world.Hours)
		if err != nil {
			return "", false, err
		}
		if closes := max(due.Day.Add(1), after.Add(1)); !ok || closes < day {
			return closes, true, nil
		}
	}
	return day, ok, nil
}

func (m Machine) next(clocks []Clock, after localday.Day) (localday.Day, bool, error) {
	var first localday.Day
	for _, clock := range clocks {
		rule, ok := m.world.Rules.Rule(clock.Name)
		if !ok {
			return "", false, fault.New(fault.Invalid, "casework_rule_missing", "name", clock.Name)
		}
		mark, ok, err := clock.Next(m.world.Hours, rule, after)
		if err != nil {
			return "", false, err
		}
		if ok && (first == "" || mark.Day < first) {
			first = mark.Day
		}
	}
	return first, first != "", nil
}

func begin(name string, at time.Time, term deadline.Term) deadline.Clock {
	return deadline.Begin(name, dayOf(at), term)
}
