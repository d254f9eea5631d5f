// Package duty says who serves at a counter now: by the schedule, by what was set for now at the console. It is pure and small,
// because a kiosk decides by it without the network; internal/duty/roster keeps the duties. Days and minutes are those of
// Asia/Ho_Chi_Minh.
package duty

import (
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// EndOfDay is the minute at which a day ends, exclusive.
const EndOfDay = 24 * 60

// OnDuty answers who serves at a counter of a unit at an instant; "" where nobody does, or nobody was told. counterID may be
// empty: whoever serves for the unit as a whole.
func OnDuty(duties []*pb.Duty, unitID, counterID string, at time.Time) (officialID string) {
	return Deciding(duties, unitID, counterID, at).GetOfficialId()
}

// Deciding is the duty by which OnDuty decides; nil where none holds. Of those that hold, what was set for now goes before the
// schedule, then what is set for the counter before what is set for its unit, then what was set last (of two set at the same
// moment, the greater id, so that everybody decides alike).
func Deciding(duties []*pb.Duty, unitID, counterID string, at time.Time) *pb.Duty {
	var best *pb.Duty
	for _, d := range duties {
		if d.GetUnitId() != unitID || d.GetCounterId() != "" && d.GetCounterId() != counterID || !Holds(d, at) {
			continue
		}
		if best == nil || before(d, best) {
			best = d
		}
	}
	return best
}

func before(a, b *pb.Duty) bool {
	if a.GetNow() != b.GetNow() {
		return a.GetNow()
	}
	if ofA, ofB := a.GetCounterId() != "", b.GetCounterId() != ""; ofA != ofB {
		return ofA
	}
	if setA, setB := setAt(a), setAt(b); !setA.Equal(setB) {
		return setA.After(setB)
	}
	return a.GetId() > b.GetId()
}

// setAt is when a duty was set; one that does not say was set before all others.
func setAt(d *pb.Duty) time.Time {
	if d.GetSetAt() == nil {
		return time.Time{}
	}
	return d.GetSetAt().AsTime()
}

// Holds tells whether a duty holds at an instant.
func Holds(d *pb.Duty, at time.Time) bool {
	day, _ := localday.Of(at)
	minute := int32(at.Sub(day.Start()) / time.Minute) //nolint:gosec // of a day
	to := d.GetToMinute()
	if to == 0 {
		to = EndOfDay
	}
	return OnDay(d, day) && d.GetFromMinute() <= minute && minute < to
}

// OnDay tells whether a duty holds at some time of a day.
func OnDay(d *pb.Duty, day localday.Day) bool {
	if d.GetValidFrom() != "" && string(day) < d.GetValidFrom() || d.GetValidTo() != "" && string(day) > d.GetValidTo() {
		return false
	}
	weekday := int32((int(day.Start().Weekday())+6)%7 + 1) //nolint:gosec // 1 to 7
	return len(d.GetWeekdays()) == 0 || slices.Contains(d.GetWeekdays(), weekday)
}

// Ended tells whether a duty will not hold again at or after an instant.
func Ended(d *pb.Duty, at time.Time) bool {
	day, _ := localday.Of(at)
	switch to := d.GetValidTo(); {
	case to == "" || to > string(day):
		return false
	case to < string(day):
		return true
	}
	return d.GetToMinute() != 0 && at.Sub(day.Start()) >= time.Duration(d.GetToMinute())*time.Minute
}
