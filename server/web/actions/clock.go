package actions

import (
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// clock is a deadline as a person reads it.
type clock struct {
	*pb.CaseClock
	Name string // what it is for, in words
	Left string // "còn 3 ngày"
	Tone string // "good", "warn" or "bad", beside the words
	Days int    // left as days go by, negative = late: what bars are drawn by, so that they can be set beside each other
}

func clockOf(v *web.Visit, c *pb.CaseClock) *clock {
	count := v.Text("deadline.count." + c.GetCount())
	left := int(c.GetLeft())
	shown := &clock{CaseClock: c, Name: v.Text("casespage.clock." + c.GetName()), Tone: "good"}
	switch {
	case c.GetSuspended():
		shown.Left, shown.Tone = v.Text("casespage.suspended"), ""
	case c.GetDueOn() == "":
		shown.Left, shown.Tone = v.Text("casespage.no_day"), "bad"
	case c.GetLate():
		shown.Left, shown.Tone = v.Text("casespage.late_by", "n", web.Count(v.Language, max(-left, 1)), "count", count), "bad"
	case left == 0:
		shown.Left, shown.Tone = v.Text("casespage.today"), "warn"
	default:
		shown.Left = v.Text("casespage.left", "n", web.Count(v.Language, left), "count", count)
		if left <= 1 || int32(left)*4 <= c.GetDays() { //nolint:gosec // days of a deadline
			shown.Tone = "warn"
		}
	}
	if due, err := localday.Parse(c.GetDueOn()); err == nil {
		shown.Days = int(due.Start().Sub(v.Today().Start()) / (24 * time.Hour))
	}
	return shown
}

// urgent is the first clock that runs; nil where none does.
func urgent(v *web.Visit, clocks []*pb.CaseClock) *clock {
	if len(clocks) == 0 {
		return nil
	}
	return clockOf(v, clocks[0])
}
