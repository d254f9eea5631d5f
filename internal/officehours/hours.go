// Package officehours says when offices are open: what usually holds in a week, and single days that differ (holidays, make-up
// days). It is pure; internal/officehours/calendar keeps the hours an office edits. All days and minutes are those of
// Asia/Ho_Chi_Minh.
package officehours

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
)

// Hours are opening times as Check made them: in order, nothing overlapping, no day twice. They are never changed.
type Hours struct {
	Week []Opening `bson:"week" yaml:"week"`
	Days []Special `bson:"days" yaml:"days"`
}

// Opening is a stretch of a weekday.
type Opening struct {
	Weekday int `bson:"weekday" yaml:"weekday"` // 1 (Monday) to 7 (Sunday)
	From    int `bson:"from" yaml:"from"`       // minute of the day, 0 to 1439
	To      int `bson:"to" yaml:"to"`           // exclusive, up to 1440
}

// Special is a day that differs from its weekday.
type Special struct {
	Day    localday.Day `bson:"day" yaml:"day"`
	Name   string       `bson:"name" yaml:"name"`
	OpenAs int          `bson:"open_as,omitempty" yaml:"open_as"` // 0 = closed; 1 to 7 = open as on that weekday
}

// Limits of what is kept.
const (
	MaxOpenings = 50
	MaxDays     = 1000
	maxName     = 200 // characters
)

const minutes = 24 * 60

// OpenAt tells whether offices are open at an instant.
func (h Hours) OpenAt(at time.Time) bool {
	day, _ := localday.Of(at)
	minute := int(at.Sub(day.Start()) / time.Minute)
	return slices.ContainsFunc(h.On(day), func(o Opening) bool { return o.From <= minute && minute < o.To })
}

// OpenOn tells whether offices are open on a day at all: whether it is a working day.
func (h Hours) OpenOn(day localday.Day) bool { return len(h.On(day)) > 0 }

// On are the opening times of a day, in order; none where it is closed.
func (h Hours) On(day localday.Day) []Opening {
	weekday := Weekday(day)
	if special, ok := h.Special(day); ok {
		weekday = special.OpenAs
	}
	from, _ := slices.BinarySearchFunc(h.Week, weekday, func(o Opening, weekday int) int { return cmp.Compare(o.Weekday, weekday) })
	to := from
	for to < len(h.Week) && h.Week[to].Weekday == weekday {
		to++
	}
	return h.Week[from:to:to]
}

// Special is what a day is where it differs from its weekday.
func (h Hours) Special(day localday.Day) (Special, bool) {
	at, found := slices.BinarySearchFunc(h.Days, day, func(s Special, day localday.Day) int { return cmp.Compare(s.Day, day) })
	if !found {
		return Special{}, false
	}
	return h.Days[at], true
}

// Missing tells whether the holidays of a year are not written down yet: no day at which Tết can be is closed. Tết Nguyên đán
// begins between 21 January and 20 February, and which days are off is decided anew each year, so a year that has it was looked
// after.
func (h Hours) Missing(year int) bool {
	first := localday.Day(time.Date(year, time.January, 19, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	last := first.Add(40)
	return !slices.ContainsFunc(h.Days, func(s Special) bool { return s.OpenAs == 0 && first <= s.Day && s.Day <= last })
}

// Weekday is 1 for Monday to 7 for Sunday.
func Weekday(day localday.Day) int { return (int(day.Start().Weekday())+6)%7 + 1 }

// Check puts hours in order. Invalid: "officehours_weekday", "officehours_minutes", "officehours_overlap", "officehours_many",
// "officehours_day", "officehours_day_twice", "officehours_name", "officehours_open_as".
func (h Hours) Check() (Hours, error) {
	if len(h.Week) > MaxOpenings || len(h.Days) > MaxDays {
		return h, fault.New(fault.Invalid, "officehours_many", "openings", MaxOpenings, "days", MaxDays)
	}
	out := Hours{Week: slices.Clone(h.Week), Days: slices.Clone(h.Days)}
	slices.SortFunc(out.Week, func(a, b Opening) int { return cmp.Or(cmp.Compare(a.Weekday, b.Weekday), cmp.Compare(a.From, b.From)) })
	for i, o := range out.Week {
		switch {
		case o.Weekday < 1 || o.Weekday > 7:
			return h, fault.New(fault.Invalid, "officehours_weekday")
		case o.From < 0 || o.To <= o.From || o.To > minutes:
			return h, fault.New(fault.Invalid, "officehours_minutes")
		case i > 0 && out.Week[i-1].Weekday == o.Weekday && out.Week[i-1].To > o.From:
			return h, fault.New(fault.Invalid, "officehours_overlap")
		}
	}
	for i := range out.Days {
		s := &out.Days[i]
		s.Name = strings.TrimSpace(norm.NFC.String(s.Name))
		if _, err := localday.Parse(string(s.Day)); err != nil {
			return h, fault.New(fault.Invalid, "officehours_day", "day", clip(string(s.Day)))
		}
		if n := utf8.RuneCountInString(s.Name); n == 0 || n > maxName || !utf8.ValidString(s.Name) || strings.ContainsFunc(s.Name, unicode.IsControl) {
			return h, fault.New(fault.Invalid, "officehours_name", "day", s.Day, "limit", maxName)
		}
		if s.OpenAs < 0 || s.OpenAs > 7 {
			return h, fault.New(fault.Invalid, "officehours_open_as", "day", s.Day)
		}
	}
	slices.SortFunc(out.Days, func(a, b Special) int { return cmp.Compare(a.Day, b.Day) })
	for i, s := range out.Days {
		if i > 0 && out.Days[i-1].Day == s.Day {
			return h, fault.New(fault.Invalid, "officehours_day_twice", "day", s.Day)
		}
	}
	return out, nil
}

func clip(text string) string {
	if len(text) > 20 {
		text = text[:20]
	}
	return strings.ToValidUTF8(text, "")
}
