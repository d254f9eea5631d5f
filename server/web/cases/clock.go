package cases

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
	Left string // "còn 3 ngày làm việc"
	Tone string // "good", "warn" or "bad", beside the words
	Used int    // of a hundred: how much of the time is over
}

func clockOf(v *web.Visit, c *pb.CaseClock) clock {
	count := v.Text("deadline.count." + c.GetCount())
	left := int(c.GetLeft())
	shown := clock{CaseClock: c, Name: v.Text("casespage.clock." + c.GetName()), Tone: "good"}
	switch {
	case c.GetSuspended():
		shown.Left, shown.Tone = v.Text("casespage.suspended"), ""
	case c.GetDueOn() == "":
		shown.Left, shown.Tone = v.Text("casespage.no_day"), "bad"
	case c.GetLate():
		shown.Left, shown.Tone = v.Text("casespage.late_by", "n", web.Count(v.Language, max(-left, 1)), "count", count), "bad"
	case left < 0: // of the citizen's time to answer
		shown.Left, shown.Tone = v.Text("casespage.over"), ""
	case left == 0:
		shown.Left, shown.Tone = v.Text("casespage.today"), "warn"
	default:
		shown.Left = v.Text("casespage.left", "n", web.Count(v.Language, left), "count", count)
		if left <= 1 || int32(left)*4 <= c.GetDays() { //nolint:gosec // days of a deadline
			shown.Tone = "warn"
		}
	}
	if days := int(c.GetDays()); days > 0 {
		shown.Used = min(100, max(0, 100*(days-left)/days))
	}
	return shown
}

// urgent is the clock of a case that ends first; nil where none runs.
func urgent(v *web.Visit, c *pb.Case) *clock {
	if len(c.GetClocks()) == 0 {
		return nil
	}
	shown := clockOf(v, c.GetClocks()[0])
	return &shown
}

// since is how many days a case has been late, as days go by: what bars are drawn by, so that they can be set beside each other.
func since(v *web.Visit, c *pb.Case) int {
	most := 0
	for _, running := range c.GetClocks() {
		due, err := localday.Parse(running.GetDueOn())
		if err != nil || !running.GetLate() {
			continue
		}
		most = max(most, int(v.Today().Start().Sub(due.Start())/(24*time.Hour)))
	}
	return most
}
