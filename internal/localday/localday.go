// Package localday turns instants into the days and hours of Vietnam. Times are stored in UTC; the days
// people speak of, and that figures are kept by, are those of Asia/Ho_Chi_Minh.
package localday

import (
	"fmt"
	"time"
)

// Zone is Asia/Ho_Chi_Minh: UTC+7, without daylight saving since 1975, which is why it may be fixed here
// and a machine without a time zone database still counts right.
var Zone = time.FixedZone("Asia/Ho_Chi_Minh", 7*60*60)

// Day is a local calendar day written yyyy-mm-dd, so that its order as text is its order in time.
type Day string

// Of answers the local day and hour (0 to 23) of an instant.
func Of(t time.Time) (Day, int) {
	local := t.In(Zone)
	return Day(local.Format(time.DateOnly)), local.Hour()
}

// Parse reads yyyy-mm-dd and nothing else.
func Parse(text string) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 1900 || t.Year() > 2999 {
		return "", fmt.Errorf("not a day yyyy-mm-dd: %q", text)
	}
	return Day(text), nil
}

// Start is the instant the day begins.
func (d Day) Start() time.Time {
	t, _ := time.ParseInLocation(time.DateOnly, string(d), Zone)
	return t
}

// Add answers the day n days later.
func (d Day) Add(n int) Day { return Day(d.Start().AddDate(0, 0, n).Format(time.DateOnly)) }

// Year is the calendar year.
func (d Day) Year() int { return d.Start().Year() }

// Month is yyyy-mm.
func (d Day) Month() string { return string(d)[:7] }

// OfYear is the day's place in its year, from 0 (1 January) to 365.
func (d Day) OfYear() int { return d.Start().YearDay() - 1 }
