package coverage

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

const eighth = localday.Day("2026-11-08")

// A process that is started again reads what was folded and folds nothing; a rating that is corrected later is counted as it was corrected,
// under the case that holds what it was before; units that were merged count with their heir.
func TestWhatWasFoldedIsKeptAndFoldedAgain(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		o := newOffice(t, t.Context(), engine, "k")
		held := o.give(opinion{unit: "a", day: eighth, hour: 8, score: 2, official: "an", reasons: []string{"waiting"}})
		o.give(opinion{unit: "d", day: eighth, hour: 9, score: 1})
		o.give(opinion{unit: "d", day: eighth, hour: 9, score: 5})
		o.give(opinion{unit: "d", day: eighth, hour: 9, score: 1, again: true})
		o.fold(eighth, eighth)
		o.cases.put(casework.Case{Opening: casework.Opening{ID: "one"}, State: casework.Explained, Attached: []string{"P/ka/" + held}}, "")
		want := casework.Coverage{All: 2, InHand: 1, Untouched: 1}
		if got := o.of("p", "2026-11-01", today); got != want {
			t.Errorf("%+v", got)
		}
		if got := o.of("c", "2026-11-01", today); got != (casework.Coverage{All: 1, InHand: 1}) {
			t.Errorf("the heir has %+v", got)
		}
		stands, _, err := o.coverage.stored.Get(t.Context(), "ka/2026-11-08/1/kiosk@1")
		if err != nil || stands.n() != 1 || stands.Groups[0].Official != "an" || stands.Groups[0].Reasons[0] != "reasons:waiting" {
			t.Errorf("kept %+v %v", stands, err)
		}
		o.coverage = o.another()
		o.coverage.ratings = unreadable{o.coverage.ratings}
		if got := o.of("p", "2026-11-01", today); got != want {
			t.Errorf("started again: %+v", got)
		}

		o.coverage = o.another()
		o.of("p", "2026-11-01", today)
		worse := o.give(opinion{unit: "a", day: eighth, hour: 8, score: 1, reasons: []string{"attitude"}, revises: held})
		o.fold(eighth, eighth)
		if got := o.of("p", "2026-11-01", today); got != want {
			t.Errorf("corrected, and still not content: %+v", got)
		}
		o.cases.put(casework.Case{Opening: casework.Opening{ID: "two", Collective: &casework.Scope{Unit: "kp", From: eighth, To: eighth, Reason: "reasons:attitude"}}, State: casework.Accepted, Finding: casework.Upheld}, "")
		if got := o.of("p", "2026-11-01", today); got != (casework.Coverage{All: 2, Answered: 1, Untouched: 1}) {
			t.Errorf("under the reason it was corrected to: %+v", got)
		}
		o.give(opinion{unit: "a", day: eighth, hour: 8, score: 4, revises: worse})
		o.fold(eighth, eighth)
		if got := o.of("p", "2026-11-01", today); got != (casework.Coverage{All: 1, Untouched: 1}) {
			t.Errorf("content in the end: %+v", got)
		}
	})
}

// unreadable has no records: whoever asks it folds.
type unreadable struct{ store.Ratings }

func (unreadable) CellCounts(context.Context, string, string) iter.Seq2[store.CellCount, error] {
	return func(yield func(store.CellCount, error) bool) {
		yield(store.CellCount{}, fmt.Errorf("records are read: %w", store.ErrUnavailable))
	}
}

// Of any number of workers that fold the same at once, before and after more came, the one that has seen more stands.
func TestWorkersFoldAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		o := newOffice(t, t.Context(), engine, "w")
		key := tally.LeafKey{Unit: "wd", Day: eighth, Channel: 1, Questionnaire: "kiosk", QVersion: 1}
		seen := func(n uint32) *digest {
			d := &digest{ID: key.ID(), LeafKey: key, Version: tally.Version{Epoch: 1, Seen: n}, Home: "P"}
			for i := range n {
				d.Groups = append(d.Groups, group{Reasons: []string{fmt.Sprint(i)}, Bare: []string{fmt.Sprint("r", i)}})
			}
			return d
		}
		var workers sync.WaitGroup
		for i := range 8 {
			workers.Go(func() {
				for n := uint32(1); n <= 10; n++ {
					mine := seen((n*uint32(i+1))%10 + 1) //nolint:gosec // small
					if err := o.coverage.raise(t.Context(), *mine); err != nil {
						t.Error(err)
					}
				}
			})
		}
		workers.Wait()
		stands, _, err := o.coverage.stored.Get(t.Context(), key.ID())
		if err != nil || stands.Seen != 10 || stands.n() != 10 {
			t.Errorf("stands %+v %v", stands.Version, err)
		}
	})
}

func TestPiles(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		o := newOffice(t, t.Context(), engine, "m")
		for i := range 7 {
			o.give(opinion{unit: "d", day: eighth.Add(i % 3), hour: 8, score: 1, official: "an", reasons: []string{"waiting"}})
		}
		for range 3 {
			o.give(opinion{unit: "d", day: eighth, hour: 9, score: 2, official: "bình", reasons: []string{"waiting", "attitude"}})
		}
		o.give(opinion{unit: "o", day: eighth, hour: 9, score: 2})
		o.fold(eighth, eighth.Add(3))
		period := Period{"2026-11-01", today}
		piles, err := o.coverage.Uncovered(t.Context(), "mp", period, 10)
		o.check(err)
		var got []string
		for _, p := range piles {
			got = append(got, fmt.Sprintf("%d %s %s%s %s-%s", p.N, p.Unit, p.Reason, p.Official, p.From[8:], p.To[8:]))
		}
		want := []string{"10 md  08-10", "10 md reasons:waiting 08-10", "7 md an 08-10", "3 md reasons:attitude 08-08", "1 mo  08-08"} // and nothing of the official with three
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		n, err := o.coverage.Count(t.Context(), casework.Scope{Unit: "mp", From: eighth, To: eighth, Reason: "reasons:attitude"})
		if err != nil || n != 3 {
			t.Errorf("counted %d %v", n, err)
		}
		page, next, err := o.coverage.Ratings(t.Context(), "mp", period, "", 4)
		o.check(err)
		seen := map[string]bool{}
		for pages := 0; ; pages++ {
			for _, one := range page {
				if seen[one.ID] {
					t.Errorf("%s comes twice", one.ID)
				}
				seen[one.ID] = true
			}
			if next == "" || pages > 5 {
				break
			}
			page, next, err = o.coverage.Ratings(t.Context(), "mp", period, next, 4)
			o.check(err)
		}
		if len(seen) != 11 {
			t.Errorf("%d ratings were listed", len(seen))
		}
	})
}

func TestNotes(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		o := newOffice(t, t.Context(), engine, "n")
		scope := &casework.Scope{Unit: "nd", From: "2026-11-01", To: eighth}
		note := Note{ID: noteID(1, 1), Unit: "nd", Scope: scope, Reason: " Máy hỏng cả buổi ", Account: "l", By: "lan"}
		for name, c := range map[string]struct {
			change func(*Note)
			reason string
		}{
			"no id":            {func(n *Note) { n.ID = "x" }, "coverage_note_id"},
			"nothing":          {func(n *Note) { n.Scope = nil }, "coverage_note_what"},
			"both":             {func(n *Note) { n.Ratings = []Rated{{"r", "nd", eighth}} }, "coverage_note_what"},
			"many":             {func(n *Note) { n.Scope, n.Ratings = nil, make([]Rated, MaxRatings+1) }, "coverage_note_ratings"},
			"no reason":        {func(n *Note) { n.Reason = " \n" }, "coverage_note_reason"},
			"control":          {func(n *Note) { n.Reason = "a\x00" }, "coverage_note_reason"},
			"reversed":         {func(n *Note) { n.Scope = &casework.Scope{Unit: "nd", From: eighth, To: "2026-11-01"} }, "coverage_reversed"},
			"to come":          {func(n *Note) { n.Scope = &casework.Scope{Unit: "nd", From: eighth, To: today.Add(1)} }, "coverage_future"},
			"no day":           {func(n *Note) { n.Scope = &casework.Scope{Unit: "nd", From: "08/11/2026", To: eighth} }, "coverage_day"},
			"twenty years ago": {func(n *Note) { n.Scope = &casework.Scope{Unit: "nd", From: "2006-11-08", To: eighth} }, "coverage_long"},
		} {
			t.Run(name, func(t *testing.T) {
				bad := note
				c.change(&bad)
				if _, err := o.coverage.AddNote(t.Context(), bad); fault.Of(err).Reason != c.reason {
					t.Errorf("got %v", err)
				}
			})
		}
		for range 2 {
			kept, err := o.coverage.AddNote(t.Context(), note)
			if err != nil || kept.Reason != "Máy hỏng cả buổi" || fmt.Sprint(kept.Above) != "[ nd np]" {
				t.Errorf("kept %+v %v", kept, err)
			}
			note.Reason = kept.Reason
		}
		other := note
		other.Reason = "khác"
		if _, err := o.coverage.AddNote(t.Context(), other); fault.Of(err).Reason != "coverage_note_id" {
			t.Errorf("another note under its id: %v", err)
		}
		for range 2 {
			if _, err := o.coverage.WithdrawNote(t.Context(), note.ID, "nhầm", "l", "lan"); err != nil {
				t.Error(err)
			}
		}
		if _, err := o.coverage.WithdrawNote(t.Context(), note.ID, "cũng nhầm", "m", "mai"); !fault.Is(err, fault.Stale) {
			t.Errorf("taken back by another: %v", err)
		}
		list, next, err := o.coverage.Notes(t.Context(), "np", "", 10)
		if err != nil || len(list) != 1 || next != "" || list[0].Withdrawal == nil || list[0].Withdrawal.Reason != "nhầm" {
			t.Errorf("%+v %q %v", list, next, err)
		}
		if _, err := o.coverage.GetNote(t.Context(), noteID(9, 9)); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}

// An effect is the share before against the share after, and claims nothing it cannot.
func TestEffect(t *testing.T) {
	accepted := today.Add(-70)
	type weekly struct{ of, slow int } // ratings a week, and dissatisfied ones because of waiting
	for name, c := range map[string]struct {
		accepted      localday.Day
		before, after weekly
		verdict       Verdict
		left          int
	}{
		"less":      {accepted, weekly{10, 5}, weekly{10, 1}, Less, 0},
		"more":      {accepted, weekly{10, 1}, weekly{10, 6}, More, 0},
		"chance":    {accepted, weekly{10, 3}, weekly{10, 2}, Unclear, 0},
		"few":       {accepted, weekly{3, 1}, weekly{10, 1}, TooFew, 0},
		"too early": {today.Add(-20), weekly{10, 5}, weekly{10, 1}, TooEarly, 37},
		"no rating": {accepted, weekly{}, weekly{}, TooFew, 0},
	} {
		t.Run(name, func(t *testing.T) {
			engine := openSQLite(t)
			o := newOffice(t, t.Context(), engine, "e")
			var k, n [2]int
			first, last := c.accepted.Add(-57), c.accepted.Add(57)
			for week := range 2 * EffectWeeks {
				of, from := c.before, c.accepted.Add(-56+7*week)
				if week >= EffectWeeks {
					of, from = c.after, from.Add(1)
				}
				if from.Add(2) > today {
					continue
				}
				for i := range of.of {
					score, reasons := int32(5), []string(nil)
					if i < of.slow {
						score, reasons = 1, []string{"waiting"}
						k[week/EffectWeeks]++
					}
					n[week/EffectWeeks]++
					o.give(opinion{unit: "o", day: from.Add(i % 3), hour: 8, score: score, reasons: reasons})
				}
			}
			for _, day := range []localday.Day{first, c.accepted, last} { // in neither
				if day <= today {
					o.give(opinion{unit: "o", day: day, hour: 8, score: 1, reasons: []string{"waiting"}})
				}
			}
			o.fold(first, min(last, today))
			e, err := o.coverage.Effect(t.Context(), "ed", "reasons:waiting", c.accepted)
			o.check(err)
			if e.Verdict != c.verdict || e.DaysLeft != c.left || len(e.Weeks) != 16 {
				t.Errorf("%s, %d days left, %d weeks", e.Verdict, e.DaysLeft, len(e.Weeks))
			}
			if want := figure.Wilson(uint32(k[0]), uint32(n[0])); e.Before != want { //nolint:gosec // small
				t.Errorf("before %+v, want %+v", e.Before, want)
			}
			if want := figure.Wilson(uint32(k[1]), uint32(n[1])); e.After != want { //nolint:gosec // small
				t.Errorf("after %+v, want %+v", e.After, want)
			}
			for _, w := range e.Weeks {
				if w.Share.N > 0 && w.Share.N < LeastShown && !w.Share.Suppressed {
					t.Errorf("a week of %d is shown", w.Share.N)
				}
			}
			if other, err := o.coverage.Effect(t.Context(), "ed", "reasons:attitude", c.accepted); err != nil || other.Before.Value != 0 {
				t.Errorf("of another reason: %+v %v", other.Before, err)
			}
		})
	}
}

// The reason of a case is that of its request, or what most of its ratings have in common.
func TestReasonOfACase(t *testing.T) {
	o := newOffice(t, t.Context(), openSQLite(t), "r")
	var ids []string
	for _, reasons := range [][]string{{"waiting"}, {"waiting", "attitude"}, {"papers"}, nil} {
		ids = append(ids, "P/ro/"+o.give(opinion{unit: "o", day: eighth, hour: 8, score: 1, reasons: reasons}))
	}
	o.fold(eighth, eighth)
	for name, c := range map[string]struct {
		one  casework.Case
		want string
	}{
		"a request": {casework.Case{Opening: casework.Opening{ID: "1", Collective: &casework.Scope{Unit: "ro", From: eighth, To: eighth, Reason: "reasons:papers"}}}, "reasons:papers"},
		"most":      {casework.Case{Opening: casework.Opening{ID: "2"}, OpenedAt: today.Start(), Attached: ids}, "reasons:waiting"},
		"none most": {casework.Case{Opening: casework.Opening{ID: "3"}, OpenedAt: today.Start(), Attached: ids[3:]}, ""},
		"nothing":   {casework.Case{Opening: casework.Opening{ID: "4"}, OpenedAt: today.Start()}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o.cases.put(c.one, "")
			got, err := o.coverage.ReasonOf(t.Context(), o.cases.all[c.one.ID])
			if err != nil || got != c.want {
				t.Errorf("%q %v", got, err)
			}
		})
	}
}

// Whoever may not read single ratings is told of none by subtraction.
func TestFewAreWithheld(t *testing.T) {
	child := func(n int) Child { return Child{Coverage: casework.Coverage{All: n, Untouched: n}} }
	for name, c := range map[string]struct {
		all      int
		children []int
		hidden   int
	}{
		"few in all": {4, []int{4}, 0}, "none": {0, nil, 0}, "many": {30, []int{10, 20}, 0}, "one few": {33, []int{3, 10, 20}, 2}, "two few": {27, []int{3, 4, 20}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			a := Answer{Coverage: casework.Coverage{All: c.all}}
			for _, n := range c.children {
				a.Children = append(a.Children, child(n))
			}
			told := a.Withhold()
			hidden := 0
			for _, one := range told.Children {
				if one.Withheld {
					hidden++
					if one.Coverage != (casework.Coverage{}) {
						t.Errorf("told of %+v", one)
					}
				}
			}
			if hidden != c.hidden || told.Withheld != (c.all > 0 && c.all < LeastShown) {
				t.Errorf("%+v", told)
			}
		})
	}
}

func TestWords(t *testing.T) {
	list, err := questionnaire.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	if got := ReasonText(list, "reasons:waiting", language.English); got != "Long wait" {
		t.Errorf("a reason is called %q", got)
	}
	if got := ReasonText(list, "nobody:knows", language.Vietnamese); got != "knows" {
		t.Errorf("one of no form is called %q", got)
	}
	if got := Title("xã An", "", "", Period{"2026-11-01", "2026-11-22"}); got != "Yêu cầu giải trình: đánh giá không hài lòng tại xã An, từ 01/11/2026 đến 22/11/2026" {
		t.Error(got)
	}
	for _, v := range Verdicts() {
		if key := "coveragepage.verdict." + string(v); language.Vietnamese.Text(key) == key {
			t.Errorf("%s has no words", v)
		}
	}
}
