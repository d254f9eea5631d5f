package duty

import (
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Check tells whether a duty can be. Invalid: "duty_minutes", "duty_weekday", "duty_day", "duty_days_turned".
func Check(d *pb.Duty) error {
	if d.GetFromMinute() < 0 || d.GetFromMinute() >= EndOfDay || d.GetToMinute() < 0 || d.GetToMinute() > EndOfDay ||
		d.GetToMinute() != 0 && d.GetToMinute() <= d.GetFromMinute() {
		return fault.New(fault.Invalid, "duty_minutes")
	}
	seen := map[int32]bool{}
	for _, weekday := range d.GetWeekdays() {
		if weekday < 1 || weekday > 7 || seen[weekday] {
			return fault.New(fault.Invalid, "duty_weekday")
		}
		seen[weekday] = true
	}
	for _, day := range []string{d.GetValidFrom(), d.GetValidTo()} {
		if _, err := localday.Parse(day); day != "" && err != nil {
			return fault.New(fault.Invalid, "duty_day", "day", day)
		}
	}
	if d.GetValidFrom() != "" && d.GetValidTo() != "" && d.GetValidTo() < d.GetValidFrom() {
		return fault.New(fault.Invalid, "duty_days_turned")
	}
	return nil
}
