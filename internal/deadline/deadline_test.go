package deadline_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
)

// office: Monday to Friday; Tết 2026 (16 to 20 February) and 2027 (5 to 11 February), with the Saturday before each made up.
func office(t testing.TB) officehours.Hours {
	t.Helper()
	var h officehours.Hours
	for weekday := 1; weekday <= 5; weekday++ {
		h.Week = append(h.Week, officehours.Opening{Weekday: weekday, From: 450, To: 1020})
	}
	closed := func(days ...localday.Day) {
		for _, day := range days {
			h.Days = append(h.Days, officehours.Special{Day: day, Name: "Nghỉ"})
		}
	}
	closed("2026-01-01", "2026-02-16", "2026-02-17", "2026-02-18", "2026-02-19", "2026-02-20", "2026-04-30", "2026-05-01", "2026-09-02", "2027-01-01",
		"2027-02-05", "2027-02-08", "2027-02-09", "2027-02-10", "2027-02-11", "2028-01-25", "2028-01-26")
	for _, day := range []localday.Day{"2026-02-14", "2027-01-30"} {
		h.Days = append(h.Days, officehours.Special{Day: day, Name: "Làm bù", OpenAs: 1})
	}
	h, err := h.Check()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAfter(t *testing.T) {
	h := office(t)
	for name, c := range map[string]struct {
		start localday.Day
		days  int
		count deadline.Count
		want  localday.Day
		years []int
	}{
		"the next day is the first":              {"2026-11-23", 1, deadline.Working, "2026-11-24", nil},
		"over a weekend":                         {"2026-11-20", 1, deadline.Working, "2026-11-23", nil},
		"begun on a Saturday":                    {"2026-11-21", 1, deadline.Working, "2026-11-23", nil},
		"nothing on a closed day rolls":          {"2026-11-21", 0, deadline.Working, "2026-11-23", nil},
		"nothing on an open day is today":        {"2026-11-20", 0, deadline.Calendar, "2026-11-20", nil},
		"calendar days count Sundays":            {"2026-11-20", 4, deadline.Calendar, "2026-11-24", nil},
		"a last day on Saturday rolls":           {"2026-11-20", 1, deadline.Calendar, "2026-11-23", nil},
		"Tết and a make-up Saturday":             {"2026-02-13", 2, deadline.Working, "2026-02-23", nil},
		"the make-up Saturday is a working day":  {"2026-02-13", 1, deadline.Working, "2026-02-14", nil},
		"calendar days end in Tết":               {"2026-02-11", 5, deadline.Calendar, "2026-02-23", nil},
		"a make-up Saturday needs no rolling":    {"2026-02-12", 2, deadline.Calendar, "2026-02-14", nil},
		"two holidays and a weekend":             {"2026-04-29", 1, deadline.Working, "2026-05-04", nil},
		"over New Year":                          {"2026-12-30", 2, deadline.Working, "2027-01-04", nil},
		"a leap day is a day":                    {"2028-02-28", 1, deadline.Working, "2028-02-29", nil},
		"calendar days over a leap day":          {"2028-02-28", 2, deadline.Calendar, "2028-03-01", nil},
		"a year without a leap day":              {"2027-02-26", 1, deadline.Working, "2027-03-01", nil},
		"a year nobody wrote down":               {"2028-12-29", 2, deadline.Working, "2029-01-02", []int{2029}},
		"calendar days over it do not need it":   {"2027-12-28", 2, deadline.Calendar, "2027-12-30", nil},
		"calendar days that end in it":           {"2028-12-29", 5, deadline.Calendar, "2029-01-03", []int{2029}},
		"two years nobody wrote down":            {"2028-12-29", 270, deadline.Working, "2030-01-11", []int{2029, 2030}},
		"a year that is missing before it began": {"2025-12-31", 1, deadline.Working, "2026-01-02", []int{2025}},
	} {
		t.Run(name, func(t *testing.T) {
			due, err := deadline.After(h, c.start, deadline.Term{Days: c.days, Count: c.count})
			if err != nil || due.Day != c.want || !slices.Equal(due.Missing, c.years) {
				t.Fatalf("got %+v, %v; want %s, missing %v", due, err, c.want, c.years)
			}
			if due.Sure() != (c.years == nil) || (due.Warning() == nil) != due.Sure() {
				t.Errorf("sure %v, warning %v", due.Sure(), due.Warning())
			}
		})
	}
	due, _ := deadline.After(h, "2028-12-29", deadline.Term{Days: 270, Count: deadline.Working})
	if warning := fault.Of(due.Warning()); warning.Reason != "deadline_calendar_missing" || warning.Args[1] != "2029, 2030" {
		t.Errorf("warning %v", warning)
	}
}

func TestAfterRefuses(t *testing.T) {
	never := officehours.Hours{}
	for name, c := range map[string]struct {
		hours officehours.Hours
		start localday.Day
		term  deadline.Term
		want  string
	}{
		"never open":       {never, "2026-11-23", deadline.Term{Days: 1, Count: deadline.Working}, "deadline_never_open"},
		"never open, roll": {never, "2026-11-23", deadline.Term{Days: 1, Count: deadline.Calendar}, "deadline_never_open"},
		"no such day":      {office(t), "2026-02-29", deadline.Term{Days: 1, Count: deadline.Calendar}, "deadline_day"},
		"no day":           {office(t), "", deadline.Term{Days: 1, Count: deadline.Calendar}, "deadline_day"},
		"negative":         {office(t), "2026-02-28", deadline.Term{Days: -1, Count: deadline.Calendar}, "deadline_days"},
		"too long":         {office(t), "2026-02-28", deadline.Term{Days: deadline.MaxDays + 1, Count: deadline.Calendar}, "deadline_days"},
		"counts nothing":   {office(t), "2026-02-28", deadline.Term{Days: 1}, "deadline_count"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := deadline.After(c.hours, c.start, c.term); fault.Of(err).Reason != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Reason
}

func TestClock(t *testing.T) {
	h := office(t)
	begun := deadline.Begin("explain", "2026-11-20", deadline.Term{Days: 5, Count: deadline.Working}) // a Friday; due on Friday 27
	must := func(c deadline.Clock, err error) deadline.Clock {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	stopped := must(begun.Suspend(h, "2026-11-25")) // two days counted
	resumed := must(stopped.Resume("2026-11-30"))   // three days did not count
	extended := must(resumed.Extend(h, "2026-12-02", 2, 5))
	done := must(begun.Finish("2026-11-26"))
	for name, c := range map[string]struct {
		clock              deadline.Clock
		on, due            localday.Day
		state              deadline.State
		remaining, overdue int
	}{
		"begins":                     {begun, "2026-11-20", "2026-11-27", deadline.InTime, 5, 0},
		"asked before it began":      {begun, "2026-11-01", "2026-11-27", deadline.InTime, 5, 0},
		"on a Sunday":                {begun, "2026-11-22", "2026-11-27", deadline.InTime, 5, 0},
		"on the due day":             {begun, "2026-11-27", "2026-11-27", deadline.InTime, 0, 0},
		"on the Saturday after":      {begun, "2026-11-28", "2026-11-27", deadline.Late, 0, 1},
		"two working days after":     {begun, "2026-12-01", "2026-11-27", deadline.Late, 0, 2},
		"stands still":               {stopped, "2027-11-28", "", deadline.Suspended, 3, 0},
		"goes on":                    {resumed, "2026-11-30", "2026-12-02", deadline.InTime, 2, 0},
		"more time":                  {extended, "2026-12-02", "2026-12-04", deadline.InTime, 2, 0},
		"done in time":               {done, "2027-01-01", "2026-11-27", deadline.Met, 1, 0},
		"done late":                  {must(begun.Finish("2026-11-30")), "2027-01-01", "2026-11-27", deadline.Missed, 0, 1},
		"done while it stands still": {must(stopped.Finish("2026-12-30")), "2027-06-01", "2027-01-04", deadline.Met, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.clock.On(h, c.on)
			if err != nil || got.Day != c.due || got.State != c.state || got.Remaining != c.remaining || got.Overdue != c.overdue {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	same := must(must(begun.Suspend(h, "2026-11-25")).Resume("2026-11-25"))
	if diff := cmp.Diff(begun, same); diff != "" {
		t.Errorf("suspended and resumed on one day leaves something behind: %s", diff)
	}
	second := func(_ deadline.Clock, err error) string { return reason(err) }
	for name, c := range map[string]struct{ got, want string }{
		"suspended twice":          {second(stopped.Suspend(h, "2026-11-26")), "deadline_suspended"},
		"suspended when over":      {second(begun.Suspend(h, "2026-11-28")), "deadline_passed"},
		"suspended before it is":   {second(begun.Suspend(h, "2026-11-19")), "deadline_order"},
		"suspended on the due day": {second(begun.Suspend(h, "2026-11-27")), ""},
		"resumed while it runs":    {second(begun.Resume("2026-11-24")), "deadline_not_suspended"},
		"resumed before":           {second(stopped.Resume("2026-11-24")), "deadline_order"},
		"extended twice":           {second(extended.Extend(h, "2026-12-02", 1, 5)), "deadline_extended"},
		"extended too far":         {second(begun.Extend(h, "2026-11-24", 6, 5)), "deadline_extension_days"},
		"extended by nothing":      {second(begun.Extend(h, "2026-11-24", 0, 5)), "deadline_extension_days"},
		"none allowed":             {second(begun.Extend(h, "2026-11-24", 1, 0)), "deadline_extension_days"},
		"extended when over":       {second(begun.Extend(h, "2026-11-28", 1, 5)), "deadline_passed"},
		"extended while it stands": {second(stopped.Extend(h, "2026-11-28", 1, 5)), "deadline_suspended"},
		"finished twice":           {second(done.Finish("2026-11-27")), "deadline_done"},
		"finished before it began": {second(begun.Finish("2026-11-19")), "deadline_order"},
		"suspended when done":      {second(done.Suspend(h, "2026-11-27")), "deadline_done"},
		"no day":                   {second(begun.Finish("27/11/2026")), "deadline_day"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", name, c.got, c.want)
		}
	}
}

func TestMarks(t *testing.T) {
	h := office(t)
	rule := deadline.Rule{RemindBefore: []int{9, 2, 0}, RemindAfter: []int{1}, EscalateAfter: []int{2, 5}}
	clock := deadline.Begin("explain", "2026-11-20", deadline.Term{Days: 5, Count: deadline.Working})
	marks, err := clock.Marks(h, rule)
	if err != nil {
		t.Fatal(err)
	}
	want := []deadline.Mark{
		{Kind: deadline.RemindBefore, Day: "2026-11-25", Days: 2}, {Kind: deadline.RemindBefore, Day: "2026-11-27"},
		{Kind: deadline.RemindAfter, Day: "2026-11-30", Days: 1}, {Kind: deadline.Escalate, Day: "2026-12-01", Days: 2, Level: 1},
		{Kind: deadline.Escalate, Day: "2026-12-04", Days: 5, Level: 2},
	}
	if diff := cmp.Diff(want, marks); diff != "" {
		t.Fatal(diff)
	}
	for after, want := range map[localday.Day]localday.Day{"2026-11-20": "2026-11-25", "2026-11-25": "2026-11-27", "2026-12-01": "2026-12-04"} {
		if next, ok, err := clock.Next(h, rule, after); err != nil || !ok || next.Day != want {
			t.Errorf("after %s comes %+v", after, next)
		}
	}
	if next, ok, _ := clock.Next(h, rule, "2026-12-04"); ok {
		t.Errorf("after the last comes %+v", next)
	}
	stopped, _ := clock.Suspend(h, "2026-11-24")
	done, _ := clock.Finish("2026-11-24")
	for _, quiet := range []deadline.Clock{stopped, done} {
		if marks, err := quiet.Marks(h, rule); len(marks) != 0 || err != nil {
			t.Errorf("%+v makes itself heard: %v, %v", quiet, marks, err)
		}
	}
	calendar := deadline.Begin("verdict", "2026-02-11", deadline.Term{Days: 5, Count: deadline.Calendar}) // due on Monday 23 February, after Tết
	marks, _ = calendar.Marks(h, deadline.Rule{RemindBefore: []int{1, 0}, EscalateAfter: []int{5}})
	for _, mark := range marks {
		if !h.OpenOn(mark.Day) {
			t.Errorf("%+v comes when offices are closed", mark)
		}
	}
	if marks[0].Day != "2026-02-14" || marks[2].Day != "2026-03-02" {
		t.Errorf("marks %+v", marks)
	}
}

func drawHours(r *rapid.T) officehours.Hours {
	var h officehours.Hours
	for weekday := 1; weekday <= 7; weekday++ {
		if weekday == 1 || rapid.Bool().Draw(r, "open") {
			h.Week = append(h.Week, officehours.Opening{Weekday: weekday, From: 450, To: 1020})
		}
	}
	day := localday.Day("2027-01-20")
	for range rapid.IntRange(0, 30).Draw(r, "special days") {
		day = day.Add(rapid.IntRange(1, 40).Draw(r, "gap"))
		h.Days = append(h.Days, officehours.Special{Day: day, Name: "x", OpenAs: rapid.SampledFrom([]int{0, 0, 1}).Draw(r, "as")})
	}
	h, err := h.Check()
	if err != nil {
		r.Fatal(err)
	}
	return h
}

func drawTerm(r *rapid.T) deadline.Term {
	return deadline.Term{Days: rapid.IntRange(0, 60).Draw(r, "days"), Count: rapid.SampledFrom([]deadline.Count{deadline.Working, deadline.Calendar}).Draw(r, "count")}
}

// TestDueIsRight: the due day is open, never before the start, holds exactly the days of the term, and grows with them.
func TestDueIsRight(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h, term := drawHours(r), drawTerm(r)
		start := localday.Day("2026-12-20").Add(rapid.IntRange(0, 800).Draw(r, "start"))
		due, err := deadline.After(h, start, term)
		if err != nil {
			r.Fatal(err)
		}
		if !h.OpenOn(due.Day) || due.Last < start || due.Day < due.Last {
			r.Fatalf("%+v", due)
		}
		if n := deadline.Between(h, start, due.Last, term.Count); n != term.Days {
			r.Fatalf("%d days were counted for %d", n, term.Days)
		}
		for day := due.Last; day < due.Day; day = day.Add(1) {
			if h.OpenOn(day) {
				r.Fatalf("it rolled over %s, which is open", day)
			}
		}
		for year := due.Last.Year(); year <= due.Day.Year(); year++ {
			if h.Missing(year) != slices.Contains(due.Missing, year) {
				r.Fatalf("year %d: missing is %v", year, due.Missing)
			}
		}
		term.Days++
		more, err := deadline.After(h, start, term)
		if err != nil || more.Day < due.Day || more.Last <= due.Last {
			r.Fatalf("a day more is %+v after %+v, %v", more, due, err)
		}
		later, err := deadline.After(h, start.Add(1), deadline.Term{Days: term.Days - 1, Count: term.Count})
		if err != nil || later.Day < due.Day {
			r.Fatalf("begun a day later it is due on %s, before %s", later.Day, due.Day)
		}
	})
}

// TestSuspensionAndExtension: k counted days that stand still move the last day by exactly k counted days, the due day never backward; so do
// k days more. Nothing is ever negative, and remaining only falls.
func TestSuspensionAndExtension(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h, term := drawHours(r), drawTerm(r)
		start := localday.Day("2026-12-20").Add(rapid.IntRange(0, 800).Draw(r, "start"))
		clock := deadline.Begin("x", start, term)
		before, err := clock.Due(h)
		if err != nil {
			r.Fatal(err)
		}
		from := start.Add(rapid.IntRange(1, 70).Draw(r, "from"))
		to := from.Add(rapid.IntRange(0, 40).Draw(r, "k"))
		stopped, err := clock.Suspend(h, from)
		if from > before.Day {
			if reason(err) != "deadline_passed" {
				r.Fatalf("suspended on %s, due on %s: %v", from, before.Day, err)
			}
			return
		}
		if err != nil {
			r.Fatal(err)
		}
		still, err := stopped.On(h, from)
		if err != nil || still.State != deadline.Suspended || still.Day != "" || still.Remaining != still.Left {
			r.Fatalf("%+v, %v", still, err)
		}
		resumed, err := stopped.Resume(to)
		if err != nil {
			r.Fatal(err)
		}
		after, err := resumed.Due(h)
		if err != nil || after.Day < before.Day {
			r.Fatalf("due on %+v, before %+v, %v", after, before, err)
		}
		k := deadline.Between(h, from.Add(-1), to.Add(-1), term.Count)
		if from <= before.Last {
			if n := deadline.Between(h, start, after.Last, term.Count); n != term.Days+k {
				r.Fatalf("%d days stood still and %d were counted for %d", k, n, term.Days)
			}
		}
		if from < to && from <= after.Day && after.Day < to {
			r.Fatalf("due on %s while time stood still", after.Day)
		}
		extra := rapid.IntRange(1, 20).Draw(r, "extra")
		extended, err := resumed.Extend(h, to, extra, 20)
		if err != nil {
			if reason(err) != "deadline_passed" || to <= after.Day {
				r.Fatal(err)
			}
			return
		}
		last, _ := extended.Due(h)
		if last.Last <= after.Last || last.Day < after.Day {
			r.Fatalf("with more time due on %+v, before %+v", last, after)
		}
		previous := 1 << 30
		for day := start; day <= last.Day.Add(10); day = day.Add(1) {
			now, err := extended.On(h, day)
			switch {
			case err != nil || now.Remaining < 0 || now.Overdue < 0 || now.Remaining > 0 && now.Overdue > 0:
				r.Fatalf("on %s: %+v, %v", day, now, err)
			case now.Remaining > previous:
				r.Fatalf("on %s: remaining rose to %d", day, now.Remaining)
			case (now.State == deadline.Late) != (day > last.Day) || (now.Overdue > 0) != (day > last.Day):
				r.Fatalf("on %s, due on %s: %+v", day, last.Day, now)
			}
			previous = now.Remaining
		}
	})
}

func TestDefaults(t *testing.T) {
	rules, err := deadline.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	law := []string{"complaint_notice", "complaint_settle", "denunciation_settle", "request_notice", "request_explain"}
	for _, rule := range rules.All() {
		if rule.NotLaw == slices.Contains(law, rule.ID) {
			t.Errorf("%s: not law is %v", rule.ID, rule.NotLaw)
		}
		if rule.Title("vi") == "" || rule.Title("en") == "" || rule.Title("fr") != rule.Title("vi") {
			t.Errorf("%s: titles %v", rule.ID, rule.Titles)
		}
	}
	explain, ok := rules.Rule("request_explain")
	if !ok || explain.Term != (deadline.Term{Days: 15, Count: deadline.Calendar}) || explain.Extension != 15 || !explain.Suspends || !strings.Contains(explain.Source, "59/2019") {
		t.Errorf("%+v", explain)
	}
	if notice, _ := rules.Rule("request_notice"); notice.Term != (deadline.Term{Days: 5, Count: deadline.Working}) {
		t.Errorf("%+v", notice)
	}
	if _, ok := rules.Rule("nothing"); ok || !strings.Contains(rules.YAML(), "NOT LAW") {
		t.Error("a rule that is not there, or a text that is not kept")
	}
}

const good = `rules:
  - id: explain
    titles: {vi: Giải trình, en: Explain}
    days: 5
    count: working
    escalate_after: [1, 3]
    not_law: true
`

func TestParse(t *testing.T) {
	if _, err := deadline.Parse([]byte("\ufeff" + strings.ReplaceAll(good, "\n", "\r\n"))); err != nil {
		t.Fatal(err)
	}
	change := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	for name, c := range map[string]struct {
		text, reason string
		line         int
	}{
		"not YAML":               {"rules: [", "deadline_text_yaml", 1},
		"nothing":                {"", "deadline_text_yaml", 1},
		"two documents":          {good + "---\n" + good, "deadline_text_yaml", 1},
		"a list":                 {"- a", "deadline_field_kind", 1},
		"too long":               {good + strings.Repeat("#", deadline.MaxBytes), "deadline_text_long", 0},
		"not UTF-8":              {"rules: \xff", "deadline_text_not_utf8", 0},
		"rules are missing":      {"{}", "deadline_field_missing", 1},
		"rules are no list":      {"rules: a", "deadline_field_kind", 1},
		"a rule is no mapping":   {"rules:\n  - a", "deadline_field_kind", 2},
		"an id with marks":       {change("id: explain", "id: Giải trình"), "deadline_field_id", 2},
		"no days":                {change("    days: 5\n", ""), "deadline_field_missing", 2},
		"days below nothing":     {change("days: 5", "days: -5"), "deadline_field_number", 4},
		"days in words":          {change("days: 5", "days: năm"), "deadline_field_number", 4},
		"too many days":          {change("days: 5", "days: 1001"), "deadline_field_number", 4},
		"counts weeks":           {change("working", "weeks"), "deadline_field_count", 5},
		"no English":             {change(", en: Explain", ""), "deadline_field_missing", 3},
		"an empty title":         {change("Explain", "' '"), "deadline_field_text", 3},
		"falls":                  {change("[1, 3]", "[3, 1]"), "deadline_field_order", 6},
		"escalates on the day":   {change("[1, 3]", "[0]"), "deadline_field_number", 6},
		"many marks":             {change("[1, 3]", "[1,2,3,4,5,6,7,8,9,10,11]"), "deadline_field_many", 6},
		"law without a source":   {change("not_law: true", "not_law: false"), "deadline_source_missing", 2},
		"neither law nor not":    {change("    not_law: true\n", ""), "deadline_field_missing", 2},
		"perhaps law":            {change("not_law: true", "not_law: perhaps"), "deadline_field_kind", 7},
		"a field nobody knows":   {good + "    day: 5\n", "deadline_field_unknown", 8},
		"a field twice":          {good + "    days: 5\n", "deadline_field_twice", 8},
		"a rule twice":           {good + good[len("rules:\n"):], "deadline_rule_twice", 8},
		"an alias is no mapping": {"a: &a [1]\nrules: *a", "deadline_field_kind", 2},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := deadline.Parse([]byte(c.text))
			faults, ok := err.(deadline.Faults) //nolint:errorlint // Parse answers Faults themselves
			if !ok {
				t.Fatalf("got %v", err)
			}
			at := slices.IndexFunc(faults, func(f *fault.Error) bool {
				return f.Reason == c.reason && (c.line == 0 || f.Args[0] == "line" && f.Args[1] == c.line)
			})
			if at < 0 {
				t.Errorf("got %v, want %s on line %d", err, c.reason, c.line)
			}
			for _, f := range faults {
				for _, l := range language.All {
					if text := l.Text("fault."+f.Reason, f.Args...); text == "fault."+f.Reason || strings.ContainsAny(text, "{}") {
						t.Errorf("%s: %s in words is %q", l, f.Reason, text)
					}
				}
			}
		})
	}
}

var named = regexp.MustCompile(`"(deadline_[a-z0-9_]+)"`)

// TestEveryReasonHasWords looks at the sources: what can be said can be read.
func TestEveryReasonHasWords(t *testing.T) {
	for _, file := range sources(t) {
		for _, found := range named.FindAllStringSubmatch(file, -1) {
			if language.Vietnamese.Text("fault."+found[1]) == "fault."+found[1] {
				t.Errorf("%s has no words", found[1])
			}
		}
	}
	for _, state := range []deadline.State{deadline.InTime, deadline.Suspended, deadline.Late, deadline.Met, deadline.Missed} {
		if key := "deadline.state." + string(state); language.Vietnamese.Text(key) == key {
			t.Errorf("%s has no words", key)
		}
	}
}

func FuzzParse(f *testing.F) {
	rules, err := deadline.Defaults()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(good))
	f.Add([]byte(rules.YAML()))
	f.Add([]byte("a: &a [*a]\nrules: *a"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rules, err := deadline.Parse(text)
		if err != nil {
			return
		}
		again, err := deadline.Parse([]byte(rules.YAML()))
		if err != nil || !cmp.Equal(rules.All(), again.All()) {
			t.Errorf("its own text is read otherwise: %v", err)
		}
	})
}
