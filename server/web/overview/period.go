package overview

import (
	"cmp"
	"net/url"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// asked is the question a page's address holds: a bookmark shows the same question again.
type asked struct {
	From, To           string // local days yyyy-mm-dd; empty = the last 30 days
	Channel            string // number of a channel; empty = all
	Tree               string // "today": as the units stand today
	With               string // what the period is held against: "" = the one just before, "year" = a year before, "other"
	OtherFrom, OtherTo string
}

func ask(v *web.Visit) asked {
	return asked{
		From: clip(v.Value("from")), To: clip(v.Value("to")), Channel: v.Value("channel"), Tree: v.Value("tree"),
		With: v.Value("with"), OtherFrom: clip(v.Value("other_from")), OtherTo: clip(v.Value("other_to")),
	}
}

// clip leaves of what is no day as much as a day has letters: the services then say in words of ours that it is none.
func clip(day string) string {
	letters := []rune(day)
	return string(letters[:min(len(letters), len("yyyy-mm-dd"))])
}

// Link is a page's address with this question and more pairs of a name and a value.
func (a asked) Link(path string, more ...string) string {
	values := url.Values{}
	for name, value := range map[string]string{
		"from": a.From, "to": a.To, "channel": a.Channel, "tree": a.Tree, "with": a.With, "other_from": a.OtherFrom, "other_to": a.OtherTo,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

func (a asked) channels() []pb.Channel {
	for number := range pb.Channel_name {
		if number > 0 && a.Channel == pb.Channel(number).String() {
			return []pb.Channel{pb.Channel(number)}
		}
	}
	return nil
}

func (a asked) tree() pb.TreeView {
	if a.Tree == "today" {
		return pb.TreeView_TREE_VIEW_AS_TODAY
	}
	return pb.TreeView_TREE_VIEW_AS_AT_TIME
}

// periods are the periods one press away.
func (a asked) periods(path string, today localday.Day, more ...string) []web.Period {
	return web.Periods(today, a.From, a.To, func(from, to string) string {
		b := a
		b.From, b.To = from, to
		return b.Link(path, more...)
	})
}

// days is how many days lie between two days, both counted; 0 where either is none.
func days(from, to string) int {
	first, err := localday.Parse(from)
	if err != nil {
		return 0
	}
	last, err := localday.Parse(to)
	if err != nil {
		return 0
	}
	return int(last.Start().Sub(first.Start()).Hours()/24) + 1
}

// step is a length of steps that gives a drawing between about six and sixty points, each of which rests on enough ratings
// to say something.
func step(summary *pb.GetUnitSummaryResponse) pb.Step {
	const enough = 20
	n := days(summary.GetFrom(), summary.GetTo())
	aDay := float64(summary.GetPooled().GetN()) / float64(max(n, 1))
	switch {
	case n <= 45 && (aDay >= enough || n < 21):
		return pb.Step_STEP_DAY
	case n <= 200 && (aDay*7 >= enough || n < 120):
		return pb.Step_STEP_WEEK
	default:
		return pb.Step_STEP_MONTH
	}
}

// period resolves the days asked for: by default the last thirty days and today.
func (a asked) period(today localday.Day) (from, to string) {
	to = cmp.Or(a.To, string(today))
	if last, err := localday.Parse(to); a.From == "" && err == nil {
		return string(last.Add(-30)), to
	}
	return a.From, to
}

// other resolves the period that the asked one is held against: empty days let the service take the one just before.
func (a asked) other(from, to string) (string, string) {
	switch a.With {
	case "other":
		return a.OtherFrom, a.OtherTo
	case "year":
		first, firstErr := localday.Parse(from)
		last, lastErr := localday.Parse(to)
		if firstErr == nil && lastErr == nil {
			return yearBefore(first), yearBefore(last)
		}
	}
	return "", ""
}

func yearBefore(day localday.Day) string {
	return day.Start().AddDate(-1, 0, 0).Format("2006-01-02")
}
