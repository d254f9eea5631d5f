package deadline

import (
	"cmp"
	"slices"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
)

// Kind of a mark.
type Kind string

// The kinds.
const (
	RemindBefore Kind = "remind_before" // it will be due, or is due today
	RemindAfter  Kind = "remind_after"  // it is late
	Escalate     Kind = "escalate"      // it is late, and those above are told
)

// Mark is a day on which a clock makes itself heard.
type Mark struct {
	Kind  Kind
	Day   localday.Day // a working day
	Days  int          // from the due day, in the deadline's own count
	Level int          // of Escalate: 1 = one level up, 2 = two
}

// Marks are the days on which a clock that runs makes itself heard by a rule, in order; none while it stands still or once it is
// done. Those before the due day that fall before its start are left out.
func (c Clock) Marks(hours officehours.Hours, rule Rule) ([]Mark, error) {
	due, err := c.Due(hours)
	if err != nil || due.Day == "" || !c.Running() || c.Suspended() {
		return nil, err
	}
	var marks []Mark
	for _, n := range rule.RemindBefore {
		if day := c.back(hours, due.Day, n); day > c.Start || n == 0 {
			marks = append(marks, Mark{Kind: RemindBefore, Day: day, Days: n})
		}
	}
	after := func(kind Kind, n, level int) error {
		at, err := After(hours, due.Day, Term{Days: n, Count: c.Term.Count})
		marks = append(marks, Mark{Kind: kind, Day: at.Day, Days: n, Level: level})
		return err
	}
	for _, n := range rule.RemindAfter {
		if err := after(RemindAfter, n, 0); err != nil {
			return nil, err
		}
	}
	for i, n := range rule.EscalateAfter {
		if err := after(Escalate, n, i+1); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(marks, func(a, b Mark) int { return cmp.Compare(a.Day, b.Day) })
	return marks, nil
}

// Next is the first mark after a day; false where none comes. What a timer waits for.
func (c Clock) Next(hours officehours.Hours, rule Rule, after localday.Day) (Mark, bool, error) {
	marks, err := c.Marks(hours, rule)
	for _, mark := range marks {
		if mark.Day > after {
			return mark, true, err
		}
	}
	return Mark{}, false, err
}

// back is the working day n counted days before another; where it would be closed, an earlier one: a reminder that is read too
// late is none.
func (c Clock) back(hours officehours.Hours, day localday.Day, n int) localday.Day {
	for n > 0 && day > c.Start {
		if day = day.Add(-1); c.counts(hours, day) {
			n--
		}
	}
	for day > c.Start && !hours.OpenOn(day) {
		day = day.Add(-1)
	}
	return day
}
