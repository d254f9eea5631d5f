package duty_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/duty"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// at is a moment in Vietnam, such as "2026-11-23 07:30" (a Monday).
func at(t testing.TB, text string) time.Time {
	t.Helper()
	moment, err := time.ParseInLocation("2006-01-02 15:04", text, localday.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func set(d *pb.Duty, id, official string, minute int) *pb.Duty {
	d.Id, d.OfficialId, d.UnitId = id, official, "u"
	d.SetAt = timestamppb.New(time.Date(2026, 11, 1, 0, minute, 0, 0, time.UTC))
	return d
}

func TestOnDuty(t *testing.T) {
	monday := []int32{1}
	for _, c := range []struct {
		name    string
		duties  []*pb.Duty
		counter string
		at      string
		want    string
	}{
		{"nobody was set", nil, "c", "2026-11-23 08:00", ""},
		{"for ever, all day", []*pb.Duty{set(&pb.Duty{CounterId: "c"}, "1", "an", 1)}, "c", "2031-01-01 03:00", "an"},
		{"another counter", []*pb.Duty{set(&pb.Duty{CounterId: "d"}, "1", "an", 1)}, "c", "2026-11-23 08:00", ""},
		{"the unit serves every counter", []*pb.Duty{set(&pb.Duty{}, "1", "an", 1)}, "c", "2026-11-23 08:00", "an"},
		{"a counter's duty is not the unit's", []*pb.Duty{set(&pb.Duty{CounterId: "c"}, "1", "an", 1)}, "", "2026-11-23 08:00", ""},
		{"the first minute", []*pb.Duty{set(&pb.Duty{FromMinute: 450, ToMinute: 690}, "1", "an", 1)}, "c", "2026-11-23 07:30", "an"},
		{"the minute before", []*pb.Duty{set(&pb.Duty{FromMinute: 450, ToMinute: 690}, "1", "an", 1)}, "c", "2026-11-23 07:29", ""},
		{"the last minute", []*pb.Duty{set(&pb.Duty{FromMinute: 450, ToMinute: 690}, "1", "an", 1)}, "c", "2026-11-23 11:29", "an"},
		{"the end is exclusive", []*pb.Duty{set(&pb.Duty{FromMinute: 450, ToMinute: 690}, "1", "an", 1)}, "c", "2026-11-23 11:30", ""},
		{"until midnight, told as 0", []*pb.Duty{set(&pb.Duty{FromMinute: 1380}, "1", "an", 1)}, "c", "2026-11-23 23:59", "an"},
		{"until midnight, told as 1440", []*pb.Duty{set(&pb.Duty{FromMinute: 1380, ToMinute: 1440}, "1", "an", 1)}, "c", "2026-11-23 23:59", "an"},
		{"midnight is the next day", []*pb.Duty{set(&pb.Duty{Weekdays: monday, FromMinute: 1380}, "1", "an", 1)}, "c", "2026-11-24 00:00", ""},
		{"its weekday", []*pb.Duty{set(&pb.Duty{Weekdays: monday}, "1", "an", 1)}, "c", "2026-11-23 00:00", "an"},
		{"another weekday", []*pb.Duty{set(&pb.Duty{Weekdays: monday}, "1", "an", 1)}, "c", "2026-11-22 23:59", ""},
		{"Sunday is 7", []*pb.Duty{set(&pb.Duty{Weekdays: []int32{7}}, "1", "an", 1)}, "c", "2026-11-22 09:00", "an"},
		{"its first day", []*pb.Duty{set(&pb.Duty{ValidFrom: "2026-11-23"}, "1", "an", 1)}, "c", "2026-11-23 00:00", "an"},
		{"before its first day", []*pb.Duty{set(&pb.Duty{ValidFrom: "2026-11-24"}, "1", "an", 1)}, "c", "2026-11-23 23:59", ""},
		{"its last day", []*pb.Duty{set(&pb.Duty{ValidTo: "2026-11-23"}, "1", "an", 1)}, "c", "2026-11-23 23:59", "an"},
		{"after its last day", []*pb.Duty{set(&pb.Duty{ValidTo: "2026-11-22"}, "1", "an", 1)}, "c", "2026-11-23 00:00", ""},
		{"the counter goes before the unit, though set earlier",
			[]*pb.Duty{set(&pb.Duty{}, "1", "bình", 9), set(&pb.Duty{CounterId: "c"}, "2", "an", 1)}, "c", "2026-11-23 08:00", "an"},
		{"set last goes before", []*pb.Duty{set(&pb.Duty{CounterId: "c"}, "1", "an", 1), set(&pb.Duty{CounterId: "c"}, "2", "bình", 2)}, "c", "2026-11-23 08:00", "bình"},
		{"now goes before the schedule, though set earlier",
			[]*pb.Duty{set(&pb.Duty{CounterId: "c"}, "1", "an", 9), set(&pb.Duty{CounterId: "c", Now: true}, "2", "bình", 1)}, "c", "2026-11-23 08:00", "bình"},
		{"now for the unit goes before the counter's schedule",
			[]*pb.Duty{set(&pb.Duty{CounterId: "c"}, "1", "an", 9), set(&pb.Duty{Now: true}, "2", "bình", 1)}, "c", "2026-11-23 08:00", "bình"},
		{"now is over", []*pb.Duty{set(&pb.Duty{CounterId: "c"}, "1", "an", 1), set(&pb.Duty{CounterId: "c", Now: true, ValidTo: "2026-11-22"}, "2", "bình", 2)}, "c", "2026-11-23 08:00", "an"},
		{"set at the same moment", []*pb.Duty{set(&pb.Duty{}, "2", "an", 1), set(&pb.Duty{}, "1", "bình", 1)}, "c", "2026-11-23 08:00", "an"},
		{"one that does not say when it was set is the oldest", []*pb.Duty{{Id: "9", UnitId: "u", OfficialId: "bình"}, set(&pb.Duty{}, "1", "an", 1)}, "c", "2026-11-23 08:00", "an"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := duty.OnDuty(c.duties, "u", c.counter, at(t, c.at)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got := duty.OnDuty(c.duties, "another", c.counter, at(t, c.at)); got != "" {
				t.Errorf("another unit is served by %q", got)
			}
		})
	}
}

func draw(r *rapid.T) *pb.Duty {
	some := func(from, to int, name string) int32 { return int32(rapid.IntRange(from, to).Draw(r, name)) }
	days := []string{"", "2026-11-22", "2026-11-23", "2026-11-24"}
	d := &pb.Duty{
		Id: rapid.StringMatching(`[a-f]{2}`).Draw(r, "id"), UnitId: rapid.SampledFrom([]string{"u", "v"}).Draw(r, "unit"),
		CounterId: rapid.SampledFrom([]string{"", "c", "d"}).Draw(r, "counter"), OfficialId: rapid.StringMatching(`[a-z]{3}`).Draw(r, "official"),
		FromMinute: some(0, 1439, "from"), ToMinute: some(0, 1440, "to"), ValidFrom: rapid.SampledFrom(days).Draw(r, "first"), ValidTo: rapid.SampledFrom(days).Draw(r, "last"),
		Now: rapid.Bool().Draw(r, "now"), SetAt: timestamppb.New(time.Unix(int64(some(0, 3, "set")), 0)),
	}
	for weekday := int32(1); weekday <= 7; weekday++ {
		if rapid.Bool().Draw(r, "weekday") {
			d.Weekdays = append(d.Weekdays, weekday)
		}
	}
	return d
}

// TestWhoIsOnDutyDoesNotHangOnTheOrder: every kiosk and every page decide alike, whatever order they were told in; and who is on duty
// is somebody whose duty holds, before whom no other goes.
func TestWhoIsOnDutyDoesNotHangOnTheOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		duties := rapid.SliceOfNDistinct(rapid.Custom(draw), 0, 8, (*pb.Duty).GetId).Draw(r, "duties")
		moment := time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 4*1440).Draw(r, "minute")) * time.Minute)
		first := duty.Deciding(duties, "u", "c", moment)
		if again := duty.Deciding(rapid.Permutation(duties).Draw(r, "again"), "u", "c", moment); again != first {
			r.Fatalf("%v, in another order %v", first, again)
		}
		for _, d := range duties {
			applies := d.GetUnitId() == "u" && (d.GetCounterId() == "" || d.GetCounterId() == "c") && duty.Holds(d, moment)
			switch {
			case d == first && !applies:
				r.Fatalf("%v does not hold", d)
			case first == nil && applies:
				r.Fatalf("nobody is on duty, though %v holds", d)
			case applies && d.GetNow() && !first.GetNow():
				r.Fatalf("%v is set for now, %v is not", d, first)
			}
			if duty.Holds(d, moment) && duty.Ended(d, moment) {
				r.Fatalf("%v holds and has ended", d)
			}
		}
	})
}

// TestWhatEndedNeverHoldsAgain: what is left out of a kiosk's configuration would not have decided anything later.
func TestWhatEndedNeverHoldsAgain(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := draw(r)
		start := time.Date(2026, 11, 20, 17, 0, 0, 0, time.UTC)
		first, second := rapid.IntRange(0, 6*1440).Draw(r, "first"), rapid.IntRange(0, 6*1440).Draw(r, "second")
		early, late := start.Add(time.Duration(min(first, second))*time.Minute), start.Add(time.Duration(max(first, second))*time.Minute)
		if duty.Ended(d, early) && duty.Holds(d, late) {
			r.Fatalf("%v ended by %v and holds at %v", d, early, late)
		}
	})
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		duty *pb.Duty
		want string
	}{
		"all day":                {&pb.Duty{}, ""},
		"a morning":              {&pb.Duty{FromMinute: 450, ToMinute: 690, Weekdays: []int32{1, 3}, ValidFrom: "2026-01-01", ValidTo: "2026-01-01"}, ""},
		"to the end of the day":  {&pb.Duty{FromMinute: 450, ToMinute: 1440}, ""},
		"no minute":              {&pb.Duty{FromMinute: 450, ToMinute: 450}, "duty_minutes"},
		"over midnight":          {&pb.Duty{FromMinute: 1320, ToMinute: 360}, "duty_minutes"},
		"a day of 25 hours":      {&pb.Duty{ToMinute: 1500}, "duty_minutes"},
		"before the day":         {&pb.Duty{FromMinute: -1}, "duty_minutes"},
		"an eighth weekday":      {&pb.Duty{Weekdays: []int32{8}}, "duty_weekday"},
		"a weekday twice":        {&pb.Duty{Weekdays: []int32{2, 2}}, "duty_weekday"},
		"no day":                 {&pb.Duty{ValidFrom: "2026-02-30"}, "duty_day"},
		"ends before it begins":  {&pb.Duty{ValidFrom: "2026-11-23", ValidTo: "2026-11-22"}, "duty_days_turned"},
		"a day written as today": {&pb.Duty{ValidTo: "23/11/2026"}, "duty_day"},
	} {
		t.Run(name, func(t *testing.T) {
			err := duty.Check(c.duty)
			if c.want == "" && err != nil || c.want != "" && (!fault.Is(err, fault.Invalid) || fault.Of(err).Reason != c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
