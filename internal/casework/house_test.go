package casework_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
)

// The units of the tests: a commune with two offices, and another commune.
const (
	commune = "commune"
	office  = "office" // of the commune
	culture = "culture"
	other   = "other"
)

func within(unit, scope string) bool {
	return unit == scope || scope == commune && (unit == office || unit == culture)
}

var start = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC) // a Monday, 09:00 in Vietnam

func days(n int) time.Time { return start.AddDate(0, 0, n) }

func hours(t testing.TB) officehours.Hours {
	t.Helper()
	var h officehours.Hours
	for weekday := 1; weekday <= 5; weekday++ {
		h.Week = append(h.Week, officehours.Opening{Weekday: weekday, From: 450, To: 1020})
	}
	for _, day := range []localday.Day{"2026-02-17", "2027-02-08", "2027-02-09", "2028-01-26"} {
		h.Days = append(h.Days, officehours.Special{Day: day, Name: "Tết Nguyên đán"})
	}
	h, err := h.Check()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func machine(t testing.TB) casework.Machine {
	t.Helper()
	rules, err := deadline.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	m, err := casework.New(casework.World{Rules: rules, Hours: hours(t), Within: within})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func actor(account, official string, role casework.Role, scope string, heads ...string) casework.Actor {
	return casework.Actor{Person: casework.Person{Account: account, Official: official, Role: role, Scope: scope, Heads: heads}}
}

// The people of the tests.
func operator() casework.Actor { return actor("lan", "o-lan", casework.Operator, commune) }
func writer() casework.Actor   { return actor("hoa", "o-hoa", casework.Official, office) }
func head() casework.Actor     { return actor("minh", "o-minh", casework.Head, office, office) }
func leader() casework.Actor   { return actor("dung", "o-dung", casework.Leader, commune, commune) }
func deputy() casework.Actor   { return actor("thu", "o-thu", casework.Leader, commune) }
func stranger() casework.Actor { return actor("xa", "o-xa", casework.Leader, other) }

func cast() []casework.Actor {
	return []casework.Actor{
		operator(), writer(), head(), leader(), deputy(), stranger(), casework.TheCitizen(), casework.TheSystem(),
		actor("thanhtra", "", casework.Inspector, ""), actor("quantri", "", casework.Administrator, ""),
		actor("hoa2", "o-hoa", casework.Leader, commune),           // the writer's second account
		actor("minh2", "o-minh", casework.Leader, commune, office), // the head as a leader
		actor("about", "o-about", casework.Leader, commune),        // whom the case is about
		{Person: casework.Person{Account: "thu", Official: "o-thu", Role: casework.Official, Scope: office}, For: &casework.StandIn{Person: leader().Person, From: "2026-11-01", To: "2027-12-31"}},
		{Person: writer().Person, For: &casework.StandIn{Person: deputy().Person, From: "2026-11-01", To: "2027-12-31"}},
	}
}

func opening(id string) casework.Opening {
	return casework.Opening{
		ID: id, Code: "572493816508", Number: casework.Number{Unit: commune, Year: 2026, N: 7}, Source: casework.FromRating,
		Receiving: commune, About: []string{"o-about"}, Ratings: []string{"r1"},
	}
}

func explanation() casework.Explanation {
	return casework.Explanation{
		Cause: "guidance", Analysis: "Cán bộ hướng dẫn thiếu một thành phần hồ sơ nên người dân phải đi lại hai lần.",
		Remedy: "Niêm yết lại thành phần hồ sơ, tập huấn cho bộ phận một cửa.", Responsible: []string{"o-resp"},
		Apology: casework.Apologised, Finding: casework.Upheld,
	}
}

// full is an event that brings everything any row needs.
func full(name casework.Name) casework.Event {
	x := explanation()
	return casework.Event{
		Name: name, Unit: office, Reason: "Có lý do", Reasons: reasonsOf(name), Explanation: &x, Finding: casework.Upheld, Text: "Chúng tôi đã sửa.", Document: "12/TB-UBND ngày 24/11/2026",
		Route: casework.Route{Kind: casework.Complaint, To: "Thanh tra tỉnh"}, Ratings: []string{"r2", "r3"}, Clock: casework.ClockReply, Days: 2, Private: "p1",
		Into: casework.Target{ID: "earlier", Receiving: commune, State: casework.Received, OpenedAt: start.AddDate(0, 0, -1)},
	}
}

func reasonsOf(name casework.Name) []casework.Reason {
	if name == casework.Return {
		return []casework.Reason{casework.NoCause}
	}
	return []casework.Reason{casework.NotDone}
}

// step applies an event and fails the test where it is refused.
func step(t testing.TB, m casework.Machine, c casework.Case, event casework.Event, by casework.Actor, at time.Time) casework.Case {
	t.Helper()
	next, _, err := m.Apply(c, event, by, at)
	if err != nil {
		t.Fatalf("%s in %s: %v", event.Name, c.State, err)
	}
	return next
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Reason
}

// explained is a case whose explanation waits.
func explained(t testing.TB, m casework.Machine) casework.Case {
	t.Helper()
	c, _, err := m.Open(opening("c1"), operator(), start)
	if err != nil {
		t.Fatal(err)
	}
	c = step(t, m, c, full(casework.Assign), operator(), start)
	c = step(t, m, c, full(casework.RequestExplanation), deputy(), start)
	return step(t, m, c, full(casework.Submit), writer(), days(1))
}

// taken is a row as it was taken once.
type taken struct {
	before casework.Case
	event  casework.Event
	by     casework.Actor
	at     time.Time
}

// explore takes every row that can be taken, from two openings, and answers one way for each.
func explore(t testing.TB, m casework.Machine) map[string]taken {
	t.Helper()
	collective := opening("c2")
	collective.Source, collective.Collective = casework.FromFollowUp, &casework.Scope{Unit: office, From: "2026-11-01", To: "2026-11-20", Reason: "slow"}
	found, seen := map[string]taken{}, map[string]bool{}
	queue := []casework.Case{{Opening: opening("c1")}, {Opening: collective}}
	for len(queue) > 0 {
		c := queue[0]
		queue = queue[1:]
		key := fmt.Sprint(c.State, c.Reopened, c.Route, c.Suspended(), c.Collective != nil, len(c.Attached) > 1)
		if seen[key] {
			continue
		}
		seen[key] = true
		for _, row := range casework.Rows() {
			if row.From != c.State {
				continue
			}
			for _, by := range cast() {
				done := false
				for _, later := range []int{0, 1, 40} {
					at := max(c.ChangedAt.Unix(), start.Unix())
					way := taken{c, full(row.Event), by, time.Unix(at, 0).AddDate(0, 0, later)}
					if row.Event == casework.Escalate {
						for _, clock := range c.Clocks {
							if clock.Running() {
								way.event.Clock = clock.Name
							}
						}
					}
					if row.Event == casework.Extend {
						for _, name := range []string{"reply", "complaint_settle"} {
							if _, ok := c.Clock(name); ok {
								way.event.Clock = name
							}
						}
					}
					next, _, err := m.Apply(c, way.event, by, way.at)
					if err != nil {
						continue
					}
					if _, ok := found[rowKey(row)]; !ok {
						found[rowKey(row)] = way
					}
					queue, done = append(queue, next), true
					break
				}
				if done {
					break
				}
			}
		}
	}
	return found
}

func rowKey(row casework.Row) string { return string(row.From) + " " + string(row.Event) }
