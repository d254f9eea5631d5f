package analysis

import (
	"strconv"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
)

// thirtyDays and aYear are the default first days.
func thirtyDays(to localday.Day) localday.Day { return to.Add(-30) }

func aYear(to localday.Day) localday.Day { return yearsBefore(to, 1) }

// resolve reads a period. It may lie in the future, where nothing is yet.
func resolve(from, to string, today localday.Day, back func(localday.Day) localday.Day) (Period, error) {
	last, err := day("to", to)
	if err != nil {
		return Period{}, err
	}
	if last == "" {
		last = today
	}
	first, err := day("from", from)
	if err != nil {
		return Period{}, err
	}
	if first == "" {
		first = back(last)
	}
	if first > last {
		return Period{}, fault.New(fault.Invalid, "period_reversed", "from", first, "to", last)
	}
	if yearsBefore(last, MaxYears) > first {
		return Period{}, fault.New(fault.Invalid, "period_too_long", "years", MaxYears)
	}
	return Period{first, last}, nil
}

func day(name, text string) (localday.Day, error) {
	if text == "" {
		return "", nil
	}
	day, err := localday.Parse(text)
	if err != nil {
		if len(text) > 40 {
			text = text[:40]
		}
		return "", fault.New(fault.Invalid, "period_day_invalid", "field", name, "day", text).Because(err)
	}
	return day, nil
}

// yearsBefore is the same day some years earlier; from 29 February it is 1 March.
func yearsBefore(day localday.Day, years int) localday.Day {
	return localday.Day(day.Start().AddDate(-years, 0, 0).Format(time.DateOnly))
}

// days is how many days a period has.
func (p Period) days() int {
	return int(p.To.Start().Sub(p.From.Start())/(24*time.Hour)) + 1 // the zone knows no daylight saving
}

// dayOf is the first day of a year.
func dayOf(year int) localday.Day { return localday.Day(strconv.Itoa(year) + "-01-01") }
