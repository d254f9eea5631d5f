package officehours

import (
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Of reads hours from the contract; Check says whether they can be.
func Of(of *pb.OfficeHours) Hours {
	var h Hours
	for _, o := range of.GetWeek() {
		h.Week = append(h.Week, Opening{Weekday: int(o.GetWeekday()), From: int(o.GetFromMinute()), To: int(o.GetToMinute())})
	}
	for _, s := range of.GetSpecialDays() {
		h.Days = append(h.Days, Special{Day: localday.Day(s.GetDay()), Name: s.GetName(), OpenAs: int(s.GetOpenAsWeekday())})
	}
	return h
}

// Proto is the hours as the contract shows them.
func (h Hours) Proto(version string) *pb.OfficeHours {
	out := &pb.OfficeHours{Version: version}
	for _, o := range h.Week { //nolint:gosec // checked: none is over 1440
		out.Week = append(out.Week, &pb.OpeningTime{Weekday: int32(o.Weekday), FromMinute: int32(o.From), ToMinute: int32(o.To)})
	}
	for _, s := range h.Days {
		out.SpecialDays = append(out.SpecialDays, &pb.SpecialDay{Day: string(s.Day), Name: s.Name, OpenAsWeekday: int32(s.OpenAs)}) //nolint:gosec // at most 7
	}
	return out
}
