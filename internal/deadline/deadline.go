// Package deadline counts the days within which something is due. Each deadline says whether it counts working or calendar
// days; working days are those of the calendar an office edits (package officehours: weeks, Tết, make-up Saturdays). It is
// pure: no clock, no store. All days are those of Asia/Ho_Chi_Minh.
//
// The day on which something happens is not counted; the next one is the first. A last day on which offices are closed rolls
// forward to the next on which they are open. Days on which time stands still are not counted, and nothing is due on them.
package deadline

import (
	"fmt"
	"strings"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
)

// Count is what a deadline counts.
type Count string

// What is counted.
const (
	Working  Count = "working"  // days on which offices are open
	Calendar Count = "calendar" // all days
)

// MaxDays is the longest term, and the longest extension.
const MaxDays = 1000

// lookAhead is how far a day is looked for before it is said that offices never open.
const lookAhead = 20 * 366

// Term is a length of time.
type Term struct {
	Days  int   `bson:"days" yaml:"days"`
	Count Count `bson:"count" yaml:"count"`
}

// Due is when something is due.
type Due struct {
	// Day is the last day in time. It is empty while time stands still and had not run out before: nobody can know it then.
	Day localday.Day
	// Last is the last day counted, from which Day was rolled forward; empty where Day is.
	Last localday.Day
	// Left is how many days are still to be counted once time goes on; 0 where Day is known.
	Left int
	// Missing are the years that were counted over and whose holidays nobody has written down yet, in order. Day may be too
	// early then. Whoever shows or stores Day shows Warning with it.
	Missing []int
}

// Sure tells that the day is known and no holidays are missing.
func (d Due) Sure() bool { return d.Day != "" && len(d.Missing) == 0 }

// Warning is nil where the calendar knew all years, otherwise Unavailable "deadline_calendar_missing" with the years, in
// words for whoever can write them down.
func (d Due) Warning() error {
	if len(d.Missing) == 0 {
		return nil
	}
	return fault.New(fault.Unavailable, "deadline_calendar_missing", "years", yearsText(d.Missing))
}

func yearsText(years []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(years), " ", ", "), "[]")
}

// After answers when something is due that begins on a day and may take a term. Invalid "deadline_days", "deadline_count",
// "deadline_day", "deadline_never_open".
func After(hours officehours.Hours, start localday.Day, term Term) (Due, error) {
	return Clock{Start: start, Term: term}.Due(hours)
}

// Between counts the days after one day up to and with another; 0 where the other is not later.
func Between(hours officehours.Hours, from, to localday.Day, count Count) int {
	n := 0
	for day := from.Add(1); day <= to; day = day.Add(1) {
		if count == Calendar || hours.OpenOn(day) {
			n++
		}
	}
	return n
}

func (t Term) check() error {
	switch {
	case t.Days < 0 || t.Days > MaxDays:
		return fault.New(fault.Invalid, "deadline_days", "days", t.Days, "limit", MaxDays)
	case t.Count != Working && t.Count != Calendar:
		return fault.New(fault.Invalid, "deadline_count")
	}
	return nil
}

func checkDay(day localday.Day) error {
	if _, err := localday.Parse(string(day)); err != nil {
		return fault.New(fault.Invalid, "deadline_day").Because(err)
	}
	return nil
}
