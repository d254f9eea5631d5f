package casework

import (
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
)

// guard answers why something is not so, or nil.
func (m Machine) guard(guard Guard, c Case, event Event, actor Actor, at time.Time) error {
	switch guard {
	case NotAuthor, NotSubject, NotHead:
		for _, person := range actor.both() {
			if err := bond(guard, c, person); err != nil {
				return err
			}
		}
	case AskedOnly:
		_, person, err := actor.signs(at)
		if err != nil {
			return err
		}
		if person.Role == Official && len(c.Asked) > 0 && !person.among(c.Asked) {
			return fault.New(fault.Denied, "casework_not_asked")
		}
	case OnceReopened, NeverReopened:
		if c.Reopened != (guard == OnceReopened) {
			return fault.New(fault.Invalid, "casework_"+string(guard))
		}
	case VerdictOver:
		clock, ok := c.Clock(ClockVerdict)
		if !ok {
			return nil
		}
		now, err := clock.On(m.world.Hours, dayOf(at))
		if err != nil {
			return err
		}
		if now.State != deadline.Late {
			return fault.New(fault.Invalid, "casework_verdict_runs", "day", now.Day)
		}
	case CollectiveOnly:
		if c.Collective == nil {
			return fault.New(fault.Invalid, "casework_collective_only")
		}
	case NotHandedOver, IsHandedOver:
		if c.Route.HandedOver != (guard == IsHandedOver) {
			return fault.New(fault.Invalid, "casework_"+string(guard))
		}
	case NotTakenUp:
		if c.Route.TakenUp {
			return fault.New(fault.Invalid, "casework_not_taken_up")
		}
	case IsSuspended:
		if !c.Suspended() {
			return fault.New(fault.Invalid, "casework_not_suspended")
		}
	case MaySuspend:
		if c.Suspended() {
			return fault.New(fault.Invalid, "casework_suspended")
		}
		if _, _, err := m.suspendable(c, at); err != nil {
			return err
		}
	case ClockLate:
		i := c.running(event.Clock)
		if i < 0 {
			return missing(NeedClock)
		}
		due, err := m.level(c.Clocks[i], at)
		if err != nil {
			return err
		}
		if due <= c.Clocks[i].Escalated {
			return fault.New(fault.Invalid, "casework_not_late")
		}
	case Earlier:
		return earlier(c, event.Into)
	}
	return nil
}

// bond tells why somebody may not judge the explanations of a case.
func bond(guard Guard, c Case, person Person) error {
	switch guard {
	case NotAuthor:
		for _, explained := range c.Explanations() {
			if person.is(explained.By) {
				return fault.New(fault.Denied, "casework_own_explanation")
			}
		}
	case NotSubject:
		if person.among(c.About) || person.among(c.Asked) {
			return fault.New(fault.Denied, "casework_about_you")
		}
		for _, explained := range c.Explanations() {
			if person.among(explained.Responsible) {
				return fault.New(fault.Denied, "casework_about_you")
			}
		}
	case NotHead:
		if slices.Contains(person.Heads, c.Assigned) {
			return fault.New(fault.Denied, "casework_your_unit")
		}
		for _, explained := range c.Explanations() {
			if slices.Contains(person.Heads, explained.Unit) {
				return fault.New(fault.Denied, "casework_your_unit")
			}
		}
	}
	return nil
}

// earlier lets a case be merged only into one that was opened before it (or at the same time, with the lesser id). Whatever two people
// do at once, the older case is never merged into the younger one, so there are no cycles.
func earlier(c Case, into Target) error {
	switch {
	case into.ID == c.ID:
		return fault.New(fault.Invalid, "casework_merge_self")
	case into.State == Duplicate || into.MergedInto != "":
		return fault.New(fault.Invalid, "casework_merge_merged", "case", into.MergedInto)
	case into.State == "" || into.State == Withdrawn:
		return fault.New(fault.Invalid, "casework_merge_ended")
	case into.Receiving != c.Receiving:
		return fault.New(fault.Invalid, "casework_merge_unit")
	case into.OpenedAt.After(c.OpenedAt) || into.OpenedAt.Equal(c.OpenedAt) && into.ID > c.ID:
		return fault.New(fault.Invalid, "casework_merge_later")
	}
	return nil
}

// level is how many levels up should know by now that a clock is late.
func (m Machine) level(clock Clock, at time.Time) (int, error) {
	rule, _ := m.world.Rules.Rule(clock.Name)
	marks, err := clock.Marks(m.world.Hours, rule)
	level := 0
	for _, mark := range marks {
		if mark.Kind == deadline.Escalate && mark.Day <= dayOf(at) {
			level = max(level, mark.Level)
		}
	}
	return level, err
}

// suspendable lists the running clocks that may stand still, as they would be, with their places.
func (m Machine) suspendable(c Case, at time.Time) (indexes []int, after []Clock, err error) {
	err = fault.New(fault.Invalid, "casework_nothing_to_suspend")
	for i, clock := range c.Clocks {
		rule, _ := m.world.Rules.Rule(clock.Name)
		if !clock.Running() || !rule.Suspends {
			continue
		}
		stopped, failed := clock.Suspend(m.world.Hours, dayOf(at))
		if failed != nil { // such as one that ran out; the others may
			err = failed
			continue
		}
		clock.Clock = stopped
		indexes, after = append(indexes, i), append(after, clock)
	}
	if len(after) > 0 {
		return indexes, after, nil
	}
	return nil, nil, err
}
