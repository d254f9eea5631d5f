package deadline

import (
	"slices"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
)

// Clock is one deadline that runs, stands still or is done. It holds all that its due day follows from, apart from the
// calendar: a change of the office's rules never moves a clock that runs. Its methods answer a changed copy.
type Clock struct {
	Name      string       `bson:"name"`                // of the rule that started it
	Start     localday.Day `bson:"start"`               // not counted itself
	Term      Term         `bson:"term"`                //
	Extension Extension    `bson:"extension,omitempty"` // the zero value = none; there is one at most
	Stops     []Stop       `bson:"stops,omitempty"`     // in order; only the last may be open
	Done      localday.Day `bson:"done,omitempty"`      // when what it waits for was there; "" = not yet
}

// Extension is more time, given once. Its days are added to those of the term and counted as those are.
type Extension struct {
	Days int          `bson:"days"`
	On   localday.Day `bson:"on"` // when it was given
}

// Stop is a stretch in which time stands still.
type Stop struct {
	From localday.Day `bson:"from"`         // first day that does not count
	To   localday.Day `bson:"to,omitempty"` // first day that counts again; "" = it still stands still
}

// Begin starts a clock.
func Begin(name string, start localday.Day, term Term) Clock {
	return Clock{Name: name, Start: start, Term: term}
}

// Running tells that the clock is not done; it may stand still.
func (c Clock) Running() bool { return c.Done == "" }

// Suspended tells that time stands still.
func (c Clock) Suspended() bool {
	return c.Running() && len(c.Stops) > 0 && c.Stops[len(c.Stops)-1].To == ""
}

// Extended tells that more time was given.
func (c Clock) Extended() bool { return c.Extension.Days > 0 }

// stopped tells whether a day falls in a stop, and whether that stop is open.
func (c Clock) stopped(day localday.Day) (still, open bool) {
	for _, s := range c.Stops {
		if s.From <= day && (s.To == "" || day < s.To) {
			return true, s.To == ""
		}
	}
	return false, false
}

func (c Clock) counts(hours officehours.Hours, day localday.Day) bool {
	still, _ := c.stopped(day)
	return !still && (c.Term.Count == Calendar || hours.OpenOn(day))
}

// Due answers when it is due. Errors as those of After.
func (c Clock) Due(hours officehours.Hours) (Due, error) {
	if err := c.Term.check(); err != nil {
		return Due{}, err
	}
	if err := checkDay(c.Start); err != nil {
		return Due{}, err
	}
	left, day, limit := c.Term.Days+c.Extension.Days, c.Start, c.Start.Add(lookAhead)
	unknown := func() (Due, error) { return Due{Left: left, Missing: missing(hours, c.Start, day)}, nil }
	for left > 0 {
		if day = day.Add(1); day > limit {
			return Due{}, fault.New(fault.Invalid, "deadline_never_open")
		}
		if _, open := c.stopped(day); open {
			return unknown()
		}
		if c.counts(hours, day) {
			left--
		}
	}
	last := day
	for {
		still, open := c.stopped(day)
		if open {
			return unknown()
		}
		if !still && hours.OpenOn(day) {
			break
		}
		if day = day.Add(1); day > limit {
			return Due{}, fault.New(fault.Invalid, "deadline_never_open")
		}
	}
	from := c.Start
	if c.Term.Count == Calendar {
		from = last // holidays matter only to the rolling
	}
	return Due{Day: day, Last: last, Missing: missing(hours, from, day)}, nil
}

func missing(hours officehours.Hours, from, to localday.Day) []int {
	var years []int
	for year := from.Year(); year <= to.Year(); year++ {
		if hours.Missing(year) {
			years = append(years, year)
		}
	}
	return years
}

// State is how a clock stands on a day.
type State string

// The states.
const (
	InTime    State = "in_time"   // runs; the due day is not over
	Suspended State = "suspended" // stands still
	Late      State = "late"      // runs; the due day is over
	Met       State = "met"       // done in time
	Missed    State = "missed"    // done late
)

// Standing is how a clock stands on a day. Remaining and Overdue are never negative and never both more than 0.
type Standing struct {
	Due
	State State
	// Remaining is how many days of the deadline's own count come after the day asked about, up to and with the due day; 0 on the
	// due day. Of a clock that is done: how many there were left.
	Remaining int
	// Overdue is how many days of the deadline's own count are over since the due day; at least 1 where it is late.
	Overdue int
}

// On answers how the clock stands on a day; a clock that is done stands as on the day it was. Errors as those of After.
func (c Clock) On(hours officehours.Hours, today localday.Day) (Standing, error) {
	due, err := c.Due(hours)
	if err != nil {
		return Standing{}, err
	}
	if err := checkDay(today); err != nil {
		return Standing{}, err
	}
	out, at, late := Standing{Due: due, State: InTime}, max(today, c.Start), Late
	if !c.Running() {
		out.State, at, late = Met, c.Done, Missed
	}
	if due.Day == "" {
		out.Remaining = due.Left
		if c.Running() {
			out.State = Suspended
		}
		return out, nil
	}
	if at <= due.Day {
		out.Remaining = c.between(hours, at, due.Day)
		return out, nil
	}
	out.State, out.Overdue = late, max(1, c.between(hours, due.Day, at))
	return out, nil
}

func (c Clock) between(hours officehours.Hours, from, to localday.Day) int {
	n := 0
	for day := from.Add(1); day <= to; day = day.Add(1) {
		if c.counts(hours, day) {
			n++
		}
	}
	return n
}

// Finish ends the clock on a day. Invalid "deadline_done" where it was, "deadline_order" before its start or its last change.
func (c Clock) Finish(on localday.Day) (Clock, error) {
	if err := c.changeable(on); err != nil {
		return c, err
	}
	if c.Suspended() {
		c.Stops = slices.Clone(c.Stops)
		c.Stops[len(c.Stops)-1].To = on
	}
	c.Done = on
	return c, nil
}

// Suspend lets time stand still from a day on, which is not counted any more. Invalid "deadline_done", "deadline_order",
// "deadline_suspended" where it does already, "deadline_passed" where the due day is over: time that ran out cannot be stopped.
func (c Clock) Suspend(hours officehours.Hours, on localday.Day) (Clock, error) {
	if err := c.open(hours, on); err != nil {
		return c, err
	}
	c.Stops = append(slices.Clip(c.Stops), Stop{From: on})
	return c, nil
}

// Resume lets time go on; the day itself counts again. Invalid "deadline_done", "deadline_order", "deadline_not_suspended".
func (c Clock) Resume(on localday.Day) (Clock, error) {
	if err := c.changeable(on); err != nil {
		return c, err
	}
	if !c.Suspended() {
		return c, fault.New(fault.Invalid, "deadline_not_suspended")
	}
	c.Stops = slices.Clone(c.Stops)
	last := len(c.Stops) - 1
	if c.Stops[last].From == on { // no day stood still
		if c.Stops = c.Stops[:last:last]; last == 0 {
			c.Stops = nil // as it was before, and as a store gives it back
		}
		return c, nil
	}
	c.Stops[last].To = on
	return c, nil
}

// Extend gives more time, once, limit days at most. Invalid "deadline_done", "deadline_order", "deadline_extended" where it was
// given before, "deadline_extension_days", "deadline_suspended", "deadline_passed" where the due day is over.
func (c Clock) Extend(hours officehours.Hours, on localday.Day, days, limit int) (Clock, error) {
	if c.Extended() {
		return c, fault.New(fault.Invalid, "deadline_extended")
	}
	limit = min(limit, MaxDays)
	if days < 1 || days > limit {
		return c, fault.New(fault.Invalid, "deadline_extension_days", "days", days, "limit", limit)
	}
	if err := c.open(hours, on); err != nil {
		return c, err
	}
	c.Extension = Extension{Days: days, On: on}
	return c, nil
}

// open tells that the clock runs, does not stand still and has not run out.
func (c Clock) open(hours officehours.Hours, on localday.Day) error {
	if err := c.changeable(on); err != nil {
		return err
	}
	if c.Suspended() {
		return fault.New(fault.Invalid, "deadline_suspended")
	}
	due, err := c.Due(hours)
	if err != nil {
		return err
	}
	if on > due.Day {
		return fault.New(fault.Invalid, "deadline_passed", "day", due.Day)
	}
	return nil
}

func (c Clock) changeable(on localday.Day) error {
	if err := checkDay(on); err != nil {
		return err
	}
	if !c.Running() {
		return fault.New(fault.Invalid, "deadline_done")
	}
	since := max(c.Start, c.Extension.On)
	for _, s := range c.Stops {
		since = max(since, s.From, s.To)
	}
	if on < since {
		return fault.New(fault.Invalid, "deadline_order", "day", since)
	}
	return nil
}
