package casework_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
)

// TestALife follows one case: returned once, accepted, reopened once, accepted again, and not liked still.
func TestALife(t *testing.T) {
	m := machine(t)
	c := explained(t, m)
	back := full(casework.Return)
	back.Reasons = []casework.Reason{casework.TooGeneral, casework.Copied, casework.TooGeneral}
	c = step(t, m, c, back, deputy(), days(2))
	if c.State != casework.Returned || c.Returns != 1 || c.Answered() {
		t.Fatalf("after a return: %+v", c)
	}
	if diff := cmp.Diff([]casework.Reason{casework.TooGeneral, casework.Copied}, c.History[len(c.History)-1].Event.Reasons); diff != "" {
		t.Error(diff)
	}
	c = step(t, m, c, full(casework.Submit), head(), days(3))
	partly := full(casework.Accept)
	partly.Finding = casework.Partly
	c = step(t, m, c, partly, deputy(), days(4))
	if !c.Answered() || c.Finding != casework.Partly || !c.ResultMissing() {
		t.Fatalf("after it was accepted: %+v", c)
	}
	c = step(t, m, c, full(casework.Reply), operator(), days(4))
	if _, running := c.Clock(casework.ClockReply); running || c.ResultMissing() {
		t.Error("the reply is given and its clock runs")
	}
	c = step(t, m, c, full(casework.Reopen), casework.TheCitizen(), days(5))
	if c.Answered() || !c.Reopened || c.State != casework.Reopened {
		t.Fatalf("after it was reopened: %+v", c)
	}
	c = step(t, m, c, full(casework.RequestExplanation), deputy(), days(6))
	c = step(t, m, c, full(casework.Submit), writer(), days(7))
	c = step(t, m, c, full(casework.Accept), deputy(), days(8))
	c = step(t, m, c, full(casework.Reply), deputy(), days(8))
	if _, _, err := m.Apply(c, full(casework.Reopen), casework.TheCitizen(), days(9)); reason(err) != "casework_never_reopened" {
		t.Errorf("reopened twice: %v", err)
	}
	if _, _, err := m.Apply(c, casework.Event{Name: casework.Close}, casework.TheSystem(), days(9)); reason(err) != "casework_verdict_runs" {
		t.Errorf("closed while the citizen may answer: %v", err)
	}
	c = step(t, m, c, full(casework.StillDissatisfied), casework.TheCitizen(), days(9))
	if c.State != casework.Closed || !c.Answered() || len(c.Explanations()) != 3 {
		t.Errorf("at the end: %+v", c)
	}
	for _, clock := range c.Clocks {
		if clock.Running() {
			t.Errorf("%s runs on", clock.Name)
		}
	}
	again, err := casework.Replay(c.Opening, c.History)
	if diff := cmp.Diff(c, again); err != nil || diff != "" {
		t.Errorf("replayed: %v %s", err, diff)
	}
	turned := slices.Clone(c.History)
	turned[1], turned[2] = turned[2], turned[1]
	if _, err := casework.Replay(c.Opening, turned); err == nil {
		t.Error("a history that was turned is believed")
	}
}

func TestNobodyJudgesTheirOwn(t *testing.T) {
	m := machine(t)
	c := explained(t, m) // by hoa, of the office; about o-about, responsible o-resp
	standIn := func(by, of casework.Actor) casework.Actor {
		by.For = &casework.StandIn{Person: of.Person, From: "2026-11-20", To: "2026-11-30"}
		return by
	}
	leads := func(account, official string, heads ...string) casework.Actor {
		return actor(account, official, casework.Leader, commune, heads...)
	}
	for name, c2 := range map[string]struct {
		by   casework.Actor
		want string
	}{
		"a deputy who has no part in it":            {deputy(), ""},
		"the leader, who heads the commune":         {leader(), ""},
		"a leader of everything":                    {actor("tinh", "", casework.Leader, ""), ""},
		"the writer as a leader":                    {leads("hoa", "o-hoa"), "casework_own_explanation"},
		"the writer by another account":             {leads("hoa2", "o-hoa"), "casework_own_explanation"},
		"whom it is about":                          {leads("about", "o-about"), "casework_about_you"},
		"who is responsible":                        {leads("resp", "o-resp"), "casework_about_you"},
		"who heads the unit":                        {leads("minh", "o-minh", office), "casework_your_unit"},
		"who heads the unit among others":           {leads("minh", "o-minh", culture, office), "casework_your_unit"},
		"the writer standing in for a deputy":       {standIn(writer(), deputy()), "casework_own_explanation"},
		"a deputy standing in for the writer":       {standIn(deputy(), leads("hoa", "o-hoa")), "casework_own_explanation"},
		"a deputy standing in for the head":         {standIn(deputy(), leads("minh", "o-minh", office)), "casework_your_unit"},
		"an official standing in for the leader":    {standIn(actor("nga", "o-nga", casework.Official, culture), leader()), ""},
		"a stand-in of whom it is about":            {standIn(deputy(), leads("about", "o-about")), "casework_about_you"},
		"nobody stands in for itself":               {standIn(deputy(), deputy()), "casework_stand_in_self"},
		"a leader elsewhere":                        {stranger(), "casework_denied"},
		"an inspector":                              {actor("i", "", casework.Inspector, ""), "casework_denied"},
		"an administrator":                          {actor("a", "", casework.Administrator, ""), "casework_denied"},
		"nobody":                                    {actor("", "", casework.Leader, ""), "casework_actor"},
		"a stand-in without an account":             {standIn(actor("", "", casework.Official, office), deputy()), "casework_actor"},
		"a stand-in for the system":                 {standIn(deputy(), casework.TheSystem()), "casework_actor"},
		"a head standing in for the deputy, denied": {standIn(head(), deputy()), "casework_your_unit"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, event := range []casework.Name{casework.Accept, casework.Return} {
				_, _, err := m.Apply(c, full(event), c2.by, days(2))
				if reason(err) != c2.want {
					t.Errorf("%s: got %v, want %q", event, err, c2.want)
				}
			}
			keys := m.Choices(c, c2.by, days(2))
			if offered := slices.ContainsFunc(keys, func(r casework.Row) bool { return r.Event == casework.Accept }); offered != (c2.want == "") {
				t.Errorf("offered is %v", offered)
			}
		})
	}
	// who was asked does not judge, even where another wrote it
	asked, _, err := m.Open(opening("c9"), operator(), start)
	if err != nil {
		t.Fatal(err)
	}
	request := full(casework.RequestExplanation)
	request.Officials = []string{"o-asked", "o-hoa"}
	asked = step(t, m, asked, request, deputy(), start)
	if _, _, err := m.Apply(asked, full(casework.Submit), actor("nga", "o-nga", casework.Official, office), start); reason(err) != "casework_not_asked" {
		t.Errorf("an official who was not asked explains: %v", err)
	}
	asked = step(t, m, asked, full(casework.Submit), writer(), start)
	if _, _, err := m.Apply(asked, full(casework.Accept), leads("x", "o-asked"), start); reason(err) != "casework_about_you" {
		t.Errorf("who was asked judges: %v", err)
	}
	// a stand-in's writing is also that of the one who was away
	away := standIn(actor("nga", "o-nga", casework.Official, culture), head())
	c = step(t, m, step(t, m, c, full(casework.Return), deputy(), days(2)), full(casework.Submit), away, days(2))
	if _, _, err := m.Apply(c, full(casework.Accept), leads("minh", "o-minh"), days(3)); reason(err) != "casework_own_explanation" {
		t.Errorf("who was away judges what was written for it: %v", err)
	}
	if _, _, err := m.Apply(c, full(casework.Accept), leads("nga", ""), days(3)); reason(err) != "casework_own_explanation" {
		t.Errorf("the stand-in judges: %v", err)
	}
	if by := c.History[len(c.History)-1].By; by.Account != "nga" || by.For != "minh" || by.Role != casework.Head {
		t.Errorf("the history keeps %+v", by)
	}
}

func TestStandInHasDays(t *testing.T) {
	m := machine(t)
	c := explained(t, m)
	by := actor("nga", "o-nga", casework.Official, culture)
	by.For = &casework.StandIn{Person: deputy().Person, From: "2026-11-25", To: "2026-11-26"}
	for at, want := range map[string]string{
		"2026-11-24T16:59:59Z": "casework_stand_in_over", "2026-11-24T17:00:00Z": "", "2026-11-26T16:59:59Z": "", "2026-11-26T17:00:00Z": "casework_stand_in_over",
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := m.Apply(c, full(casework.Accept), by, moment); reason(err) != want {
			t.Errorf("at %s: %v, want %q", at, err, want)
		}
	}
}

func TestClocksOfACase(t *testing.T) {
	m := machine(t)
	c, effects, err := m.Open(opening("c1"), operator(), start)
	if err != nil {
		t.Fatal(err)
	}
	var due []localday.Day
	for _, effect := range effects {
		if effect.Kind == casework.ClockChanged {
			due = append(due, effect.Due.Day)
		}
	}
	if diff := cmp.Diff([]localday.Day{"2026-11-24", "2026-12-14"}, due); diff != "" {
		t.Error(diff)
	}
	if next, ok, err := m.Next(c, "2026-11-23"); err != nil || !ok || next != "2026-11-24" {
		t.Errorf("wakes on %s", next)
	}
	if reminders, _ := m.Reminders(c, "2026-11-24"); len(reminders) != 1 || reminders[0].Clock != casework.ClockAssign {
		t.Errorf("reminders %+v", reminders)
	}
	// nobody assigns it: it escalates a level at a time, each once
	waiting, err := m.Waiting(c, days(7))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]casework.Event{{Name: casework.Escalate, Clock: casework.ClockAssign}, {Name: casework.Escalate, Clock: casework.ClockAssign}}, waiting); diff != "" {
		t.Fatal(diff)
	}
	for level, event := range waiting {
		var effects []casework.Effect
		if c, effects, err = m.Apply(c, event, casework.TheSystem(), days(7)); err != nil {
			t.Fatal(err)
		}
		if at := slices.IndexFunc(effects, func(e casework.Effect) bool { return e.To == casework.TellAbove }); at < 0 || effects[at].Level != level+1 || effects[at].Unit != commune {
			t.Errorf("level %d: %+v", level+1, effects)
		}
	}
	if waiting, _ := m.Waiting(c, days(7)); len(waiting) != 0 {
		t.Errorf("it escalates again: %+v", waiting)
	}
	if _, _, err := m.Apply(c, casework.Event{Name: casework.Escalate, Clock: casework.ClockAssign}, casework.TheSystem(), days(7)); reason(err) != "casework_not_late" {
		t.Errorf("escalated a third time: %v", err)
	}
	c = step(t, m, c, full(casework.RequestExplanation), deputy(), days(7)) // Monday 30 November; explain is due on 7 December, reply on 14 December
	c = step(t, m, c, full(casework.Suspend), deputy(), days(9))
	running, err := m.Running(c, "2026-12-03")
	if err != nil || len(running) != 2 || running[0].State != deadline.Suspended || running[1].State != deadline.Suspended {
		t.Fatalf("%+v, %v", running, err)
	}
	if _, _, err := m.Apply(c, full(casework.Suspend), deputy(), days(9)); reason(err) != "casework_suspended" {
		t.Errorf("suspended twice: %v", err)
	}
	c = step(t, m, c, full(casework.Resume), deputy(), days(14)) // 7 December: three working days did not count
	running, _ = m.Running(c, "2026-12-07")
	if running[0].Name != casework.ClockExplain || running[0].Day != "2026-12-10" || running[1].Day != "2026-12-17" || running[0].Remaining != 3 {
		t.Errorf("after three days that did not count: %+v", running)
	}
	more := full(casework.Extend)
	more.Clock, more.Days = casework.ClockExplain, 6
	if _, _, err := m.Apply(c, more, deputy(), days(14)); reason(err) != "deadline_extension_days" {
		t.Errorf("extended beyond the rule: %v", err)
	}
	more.Days = 5
	c = step(t, m, c, more, deputy(), days(14))
	if running, _ = m.Running(c, "2026-12-07"); running[0].Day != "2026-12-17" {
		t.Errorf("extended: %+v", running)
	}
	if _, _, err := m.Apply(c, more, deputy(), days(14)); reason(err) != "deadline_extended" {
		t.Errorf("extended twice: %v", err)
	}
	c = step(t, m, c, full(casework.Submit), writer(), days(15))
	c = step(t, m, c, full(casework.Accept), deputy(), days(15))
	c = step(t, m, c, full(casework.Reply), deputy(), days(15)) // 8 December; the citizen has until 23 December
	if next, ok, err := m.Next(c, "2026-12-08"); err != nil || !ok || next != "2026-12-24" {
		t.Errorf("wakes on %s, %v", next, err)
	}
	if waiting, _ := m.Waiting(c, days(30)); len(waiting) != 0 {
		t.Errorf("closed on the last day: %+v", waiting)
	}
	waiting, _ = m.Waiting(c, days(31))
	if diff := cmp.Diff([]casework.Event{{Name: casework.Close}}, waiting); diff != "" {
		t.Fatal(diff)
	}
	c = step(t, m, c, waiting[0], casework.TheSystem(), days(31))
	if _, ok, _ := m.Next(c, "2026-12-24"); ok || c.State != casework.Closed {
		t.Error("a closed case waits for something")
	}
	// a year nobody wrote down is said
	late, effects, err := m.Open(opening("c8"), operator(), time.Date(2028, 12, 28, 2, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(effects, func(e casework.Effect) bool { return e.Kind == casework.ClockChanged && e.Due.Warning() != nil }) {
		t.Error("nobody is told that 2029 is missing")
	}
	if running, _ := m.Running(late, "2028-12-28"); running[len(running)-1].Sure() {
		t.Errorf("%+v is sure", running)
	}
}

func TestOutOfScopeHasClocksOfItsOwn(t *testing.T) {
	m := machine(t)
	for kind, want := range map[casework.RouteKind][]string{
		casework.Complaint: {"forward", "complaint_notice", "complaint_settle"}, casework.Denunciation: {"forward", "", "denunciation_settle"},
		casework.LegalRequest: {"forward", "request_notice", "request_explain"}, casework.Elsewhere: {"forward", "", ""},
	} {
		t.Run(string(kind), func(t *testing.T) {
			c, _, err := m.Open(opening("c1"), operator(), start)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			note := func() {
				running, err := m.Running(c, "2026-11-23")
				if err != nil || len(running) > 1 {
					t.Fatalf("%+v, %v", running, err)
				}
				name := ""
				if len(running) == 1 {
					name = running[0].Name
				}
				got = append(got, name)
			}
			route := full(casework.PutOutOfScope)
			route.Route.Kind = kind
			c = step(t, m, step(t, m, c, full(casework.Assign), operator(), start), route, deputy(), start)
			note()
			if _, _, err := m.Apply(c, full(casework.RouteResult), operator(), start); reason(err) != "casework_handed_over" {
				t.Errorf("settled before it was handed over: %v", err)
			}
			c = step(t, m, c, full(casework.HandOver), operator(), start)
			note()
			c = step(t, m, c, full(casework.TakenUp), operator(), days(1))
			note()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			back := step(t, m, c, full(casework.PutBack), deputy(), days(2))
			if back.Route != (casework.Route{}) || back.State != casework.Received || back.Assigned != "" {
				t.Errorf("put back: %+v", back)
			}
			if c = step(t, m, c, full(casework.RouteResult), operator(), days(2)); c.State != casework.Closed || c.Answered() {
				t.Errorf("settled: %+v", c)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	m := machine(t)
	c, _, err := m.Open(opening("c5"), operator(), start)
	if err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]struct {
		into casework.Target
		want string
	}{
		"one with its explanation": {casework.Target{ID: "c1", Receiving: commune, State: casework.Closed, OpenedAt: start.AddDate(0, 0, -1)}, ""},
		"an earlier case":          {casework.Target{ID: "c1", Receiving: commune, State: casework.Explained, OpenedAt: start.AddDate(0, 0, -1)}, ""},
		"one of the same moment":   {casework.Target{ID: "c4", Receiving: commune, State: casework.Received, OpenedAt: start}, ""},
		"the other of the moment":  {casework.Target{ID: "c6", Receiving: commune, State: casework.Received, OpenedAt: start}, "casework_merge_later"},
		"a later one":              {casework.Target{ID: "c1", Receiving: commune, State: casework.Received, OpenedAt: days(1)}, "casework_merge_later"},
		"itself":                   {casework.TargetOf(c), "casework_merge_self"},
		"a duplicate":              {casework.Target{ID: "c1", Receiving: commune, State: casework.Duplicate, MergedInto: "c0", OpenedAt: start.AddDate(0, 0, -1)}, "casework_merge_merged"},
		"one that was withdrawn":   {casework.Target{ID: "c1", Receiving: commune, State: casework.Withdrawn, OpenedAt: start.AddDate(0, 0, -1)}, "casework_merge_ended"},
		"one nobody knows":         {casework.Target{ID: "c1"}, "casework_merge_ended"},
		"another unit's":           {casework.Target{ID: "c1", Receiving: other, State: casework.Received, OpenedAt: start.AddDate(0, 0, -1)}, "casework_merge_unit"},
	} {
		t.Run(name, func(t *testing.T) {
			next, effects, err := m.Apply(c, casework.Event{Name: casework.Merge, Into: one.into}, operator(), days(1))
			if reason(err) != one.want {
				t.Fatalf("got %v", err)
			}
			moved := slices.ContainsFunc(effects, func(e casework.Effect) bool {
				return e.Kind == casework.MoveRatings && e.Case == one.into.ID && slices.Equal(e.Ratings, []string{"r1"})
			})
			if err == nil && (next.MergedInto != one.into.ID || moved != (one.into.State != casework.Closed)) {
				t.Errorf("%+v, %+v", next, effects)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	m := machine(t)
	c := explained(t, m)
	back := full(casework.Return)
	back.Reasons, back.Reason = []casework.Reason{casework.Other}, " "
	if _, _, err := m.Apply(c, back, deputy(), days(2)); reason(err) != "casework_missing_return_reasons" {
		t.Errorf("another reason without words: %v", err)
	}
	back.Reasons = []casework.Reason{casework.NotTrue}
	if _, _, err := m.Apply(c, back, deputy(), days(2)); reason(err) != "casework_missing_return_reasons" {
		t.Errorf("a citizen's reason: %v", err)
	}
	for range casework.MaxReturns {
		c = step(t, m, step(t, m, c, full(casework.Return), deputy(), days(2)), full(casework.Submit), writer(), days(2))
	}
	if _, _, err := m.Apply(c, full(casework.Return), deputy(), days(2)); reason(err) != "casework_returns_many" {
		t.Errorf("returned once more: %v", err)
	}
	for i := len(c.History); i < casework.MaxHistory; i++ {
		event := casework.Event{Name: casework.Attach, Ratings: []string{"x" + string(rune('一'+i))}}
		c = step(t, m, c, event, operator(), days(2))
	}
	if _, _, err := m.Apply(c, casework.Event{Name: casework.Attach, Ratings: []string{"more"}}, operator(), days(2)); reason(err) != "casework_history_full" {
		t.Errorf("one entry more: %v", err)
	}
	step(t, m, c, full(casework.Accept), deputy(), days(2)) // it can always go on
	if _, _, err := m.Apply(c, casework.Event{Name: casework.Attach, Ratings: []string{"r1"}}, operator(), days(2)); reason(err) != "casework_ratings_held" {
		t.Errorf("a rating twice: %v", err)
	}
	long := full(casework.Accept)
	long.Reason = "\xff"
	if _, _, err := m.Apply(c, long, deputy(), days(2)); reason(err) != "casework_text_unreadable" {
		t.Errorf("a text that is none: %v", err)
	}
}

// TestABrokenCalendarLosesNoOpinion: where offices never open nobody knows a due day, but what citizens say is still taken up and explained.
func TestABrokenCalendarLosesNoOpinion(t *testing.T) {
	rules, err := deadline.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	m, err := casework.New(casework.World{Rules: rules, Within: within})
	if err != nil {
		t.Fatal(err)
	}
	c, effects, err := m.Open(opening("c1"), operator(), start)
	if err != nil || !slices.ContainsFunc(effects, func(e casework.Effect) bool { return reason(e.Trouble) == "deadline_never_open" }) {
		t.Fatalf("%+v, %v", effects, err)
	}
	c = step(t, m, c, full(casework.RequestExplanation), deputy(), start)
	c = step(t, m, c, full(casework.Submit), writer(), start)
	c = step(t, m, c, full(casework.Accept), deputy(), start)
	c = step(t, m, c, full(casework.Reply), deputy(), start)
	if c = step(t, m, c, full(casework.Satisfied), casework.TheCitizen(), start); c.State != casework.Closed {
		t.Errorf("%s", c.State)
	}
	if _, _, err := m.Order(ordered(), actionEvent(casework.Order), deputy(), start); err != nil {
		t.Error(err)
	}
}

// TestCitizensWordsAreKeptApart: what a citizen writes is only named in the case.
func TestCitizensWordsAreKeptApart(t *testing.T) {
	m := machine(t)
	c, _, err := m.Open(opening("c1"), operator(), start)
	if err != nil {
		t.Fatal(err)
	}
	said := casework.Event{Name: casework.Withdraw, Reason: "Tôi là Nguyễn Văn A, 0912345678"}
	if _, _, err := m.Apply(c, said, casework.TheCitizen(), days(1)); reason(err) != "casework_missing_withdrawal" {
		t.Errorf("withdrawn with words in the case: %v", err)
	}
	said.Private = "p1"
	next := step(t, m, c, said, casework.TheCitizen(), days(1))
	if kept := next.History[1].Event; kept.Reason != "" || kept.Private != "p1" {
		t.Errorf("kept %+v", kept)
	}
	if kept := step(t, m, c, casework.Event{Name: casework.Withdraw, Reason: "Gọi điện xin rút"}, operator(), days(1)).History[1].Event; kept.Reason == "" {
		t.Errorf("kept %+v", kept)
	}
	// what a row does not need is not kept
	if kept := step(t, m, c, full(casework.Assign), operator(), days(1)).History[1].Event; kept.Explanation != nil || kept.Text != "" || kept.Private != "" || kept.Days != 0 {
		t.Errorf("kept %+v", kept)
	}
}

func TestOpeningIsChecked(t *testing.T) {
	m := machine(t)
	for name, change := range map[string]func(*casework.Opening){
		"no id":            func(o *casework.Opening) { o.ID = "" },
		"no unit":          func(o *casework.Opening) { o.Receiving = "" },
		"a source unknown": func(o *casework.Opening) { o.Source = "fax" },
		"an empty rating":  func(o *casework.Opening) { o.Ratings = []string{""} },
		"many ratings":     func(o *casework.Opening) { o.Ratings = slices.Repeat([]string{"r"}, casework.MaxRatings+1) },
		"a number of 0":    func(o *casework.Opening) { o.Number.N = 0 },
		"a wrong code":     func(o *casework.Opening) { o.Code = "572493816507" },
		"a period reversed": func(o *casework.Opening) {
			o.Collective = &casework.Scope{Unit: office, From: "2026-11-02", To: "2026-11-01"}
		},
		"an id of control": func(o *casework.Opening) { o.About = []string{"a\x00"} },
	} {
		t.Run(name, func(t *testing.T) {
			o := opening("c1")
			change(&o)
			if _, _, err := m.Open(o, operator(), start); !fault.Is(err, fault.Invalid) {
				t.Errorf("opened: %v", err)
			}
		})
	}
	if _, _, err := m.Open(opening("c1"), stranger(), start); reason(err) != "casework_denied" {
		t.Errorf("opened by a stranger: %v", err)
	}
	if _, err := casework.New(casework.World{}); reason(err) != "casework_rule_missing" {
		t.Errorf("a machine without rules: %v", err)
	}
}

// TestRandomWalks: whoever tries whatever, whenever, nothing happens outside the table; history only grows, in the order of time, and makes the same case
// again; a case given is never changed; ends stay ends; clocks are never negative; nobody judges its own; at most one clock of a name runs.
func TestRandomWalks(t *testing.T) {
	m, h := machine(t), hours(t)
	people := cast()
	events := []casework.Name{"nothing"}
	exits := []casework.State{casework.OutOfScope, casework.Duplicate, casework.Withdrawn}
	allowed := map[string]casework.State{}
	for _, row := range casework.Rows() {
		events = append(events, row.Event)
		allowed[rowKey(row)] = row.To
	}
	ways := map[string]int{}
	rapid.Check(t, func(r *rapid.T) {
		c, _, err := m.Open(opening("c1"), operator(), start)
		if err != nil {
			r.Fatal(err)
		}
		at, diligent := start, rapid.Bool().Draw(r, "diligent")
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			by := rapid.SampledFrom(people).Draw(r, "by")
			possible := events
			if rapid.IntRange(0, 9).Draw(r, "any") > 0 { // mostly what can be, so that walks go far
				var can []casework.Name
				for _, person := range people {
					for _, row := range m.Choices(c, person, at) {
						if !diligent || row.From != row.To && !slices.Contains(exits, row.To) && row.Event != casework.Reassign {
							can, by = append(can, row.Event), person
						}
					}
					if len(can) > 0 && rapid.Bool().Draw(r, "this one") {
						break
					}
				}
				if len(can) > 0 {
					possible = can
				}
			}
			event := full(rapid.SampledFrom(possible).Draw(r, "event"))
			event.Unit = rapid.SampledFrom([]string{office, culture, ""}).Draw(r, "unit")
			event.Clock = rapid.SampledFrom(append(casework.Clocks(), "")).Draw(r, "clock")
			event.Route.Kind = rapid.SampledFrom(casework.RouteKinds()).Draw(r, "kind")
			event.Into.OpenedAt = start.Add(time.Duration(rapid.IntRange(-2, 2).Draw(r, "into")) * time.Hour)
			at = at.Add(time.Duration(rapid.IntRange(-30, 72*60).Draw(r, "minutes")) * time.Minute)
			before, _ := casework.Replay(c.Opening, c.History)
			next, _, err := m.Apply(c, event, by, at)
			if diff := cmp.Diff(before, c); diff != "" {
				r.Fatalf("%s changed the case it was given: %s", event.Name, diff)
			}
			if err != nil {
				if diff := cmp.Diff(c, next); diff != "" || fault.Of(err).Code == fault.Internal {
					r.Fatalf("%s was refused (%v) and changed: %s", event.Name, err, diff)
				}
				continue
			}
			to, ok := allowed[string(c.State)+" "+string(event.Name)]
			if !ok || next.State != to || c.State.Terminal() {
				r.Fatalf("%s led from %s to %s", event.Name, c.State, next.State)
			}
			if len(next.History) != len(c.History)+1 || !cmp.Equal(next.History[:len(c.History)], c.History) || next.ChangedAt.Before(c.ChangedAt) {
				r.Fatal("history was lost or turned")
			}
			if event.Name == casework.Accept || event.Name == casework.Return {
				for _, person := range []string{by.Account, by.Official} {
					if slices.Contains([]string{"hoa", "o-hoa", "hoa2", "o-minh", "minh2", "o-about"}, person) && person != "" {
						// hoa and minh may judge only what neither wrote nor belongs to the unit that minh heads
						for _, explained := range c.Explanations() {
							if explained.By.Official == by.Official || explained.By.ForOfficial == by.Official && by.Official != "" || by.Official == "o-minh" && explained.Unit == office {
								r.Fatalf("%s judged its own", by.Account)
							}
						}
						if person == "o-about" || person == "o-minh" && c.Assigned == office {
							r.Fatalf("%s judged", person)
						}
					}
				}
				if by.Role == casework.Official && by.For == nil {
					r.Fatal("an official judged")
				}
			}
			c = next
			ways[string(c.State)]++
			again, err := casework.Replay(c.Opening, c.History)
			if diff := cmp.Diff(c, again); err != nil || diff != "" {
				r.Fatalf("replayed otherwise: %v %s", err, diff)
			}
			running := map[string]bool{}
			for _, clock := range c.Clocks {
				standing, err := clock.On(h, localdayOf(at))
				if err != nil || standing.Remaining < 0 || standing.Overdue < 0 || clock.Escalated < 0 {
					r.Fatalf("%+v: %v", standing, err)
				}
				if clock.Running() && running[clock.Name] {
					r.Fatalf("two clocks %s run in %s", clock.Name, c.State)
				}
				running[clock.Name] = running[clock.Name] || clock.Running()
				if clock.Running() && c.State.Terminal() {
					r.Fatalf("%s runs in %s", clock.Name, c.State)
				}
			}
			if c.State.Terminal() != (len(running) > 0 && !slices.Contains(values(running), true)) && c.State != casework.OutOfScope {
				r.Fatalf("no clock runs in %s, or one in an end", c.State)
			}
			if _, _, err := m.Next(c, localdayOf(at)); err != nil {
				r.Fatal(err)
			}
			waiting, err := m.Waiting(c, at)
			if err != nil {
				r.Fatal(err)
			}
			still := c
			for _, one := range waiting {
				if still, _, err = m.Apply(still, one, casework.TheSystem(), at); err != nil {
					r.Fatalf("what waits is refused: %+v: %v", one, err)
				}
			}
		}
	})
	if ways[string(casework.Accepted)] == 0 { // a hundred walks, half of them by people who want to come to an end
		t.Errorf("no walk came to an accepted explanation: %v", ways)
	}
}

func values(m map[string]bool) []bool {
	var out []bool
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

func localdayOf(at time.Time) localday.Day {
	day, _ := localday.Of(at)
	return day
}
