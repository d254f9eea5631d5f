package coverage

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// person is somebody who rated, and what they said in the end.
type person struct {
	ids   []string // the rating and what corrected it
	last  opinion
	first opinion
}

func (p person) dissatisfied() bool {
	return Dissatisfied(p.last.score) && !p.last.again
}

// model is the same told in the plainest way: every person is looked at alone, every case and note held against each.
type model struct {
	o       *office
	persons []person
	cases   []casework.Case
	notes   []Note // that stand
}

func (m *model) within(of, scope string) bool {
	return m.o.units.tree.Within(m.o.prefix+of, scope)
}

func (m *model) standing(p person) string {
	best := 0
	names := []string{"untouched", "set aside", "noted", "in hand", "answered"}
	raise := func(to string) { best = max(best, slices.Index(names, to)) }
	holds := func(ratings []string, scope *casework.Scope) bool {
		for _, id := range ratings {
			if slices.Contains(p.ids, id) {
				return true
			}
		}
		return scope != nil && scope.From <= p.first.day && p.first.day <= scope.To && m.within(p.first.unit, scope.Unit) &&
			(scope.Official == "" || scope.Official == p.last.official) &&
			(scope.Reason == "" || slices.Contains(p.last.reasons, scope.Reason[len("reasons:"):]))
	}
	for _, c := range m.cases {
		if !holds(c.Attached, c.Collective) {
			continue
		}
		for c.State == casework.Duplicate {
			c = m.cases[slices.IndexFunc(m.cases, func(other casework.Case) bool { return other.ID == c.MergedInto })]
		}
		switch {
		case c.Finding != "":
			raise("answered")
		case c.State == casework.Withdrawn || c.Route.Kind != "":
			raise("set aside")
		default:
			raise("in hand")
		}
	}
	for _, n := range m.notes {
		var ids []string
		for _, r := range n.Ratings {
			ids = append(ids, r.ID)
		}
		if holds(ids, n.Scope) {
			raise("noted")
		}
	}
	return names[best]
}

func (m *model) count(counts func(person) bool) casework.Coverage {
	var c casework.Coverage
	for _, p := range m.persons {
		if !p.dissatisfied() || !counts(p) {
			continue
		}
		c.All++
		switch m.standing(p) {
		case "answered":
			c.Answered++
		case "in hand":
			c.InHand++
		case "noted":
			c.Noted++
		case "set aside":
			c.SetAside++
		default:
			c.Untouched++
		}
	}
	return c
}

// Whatever people rate, correct, put into cases, merge, note and take back: coverage is what counting person by person gives, at every
// step, in a process that knows all along and in one that was just started; and nobody is counted twice.
func TestCoverageIsExact(t *testing.T) {
	engine := openSQLite(t)
	runs := 0
	var second atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		exact(t, rt, engine, runs, func() time.Time { // which all runs have in common, as their store
			return today.Start().Add(time.Duration(second.Add(1)) * time.Second)
		})
	})
}

func exact(t *testing.T, rt *rapid.T, engine store.Engine, run int, now func() time.Time) {
	prefix := fmt.Sprintf("x%d.", run)
	o := newOffice(rt, t.Context(), engine, prefix)
	m := &model{o: o}
	const first = localday.Day("2026-11-05")
	units := []string{"a", "b", "c", "d", "o", "p"}
	reasons := []string{"waiting", "attitude", "papers"}
	officials := []string{"", "an", "bình"}
	day := rapid.Custom(func(rt *rapid.T) localday.Day { return first.Add(rapid.IntRange(0, 9).Draw(rt, "day")) })
	o.clock = now
	notes := 0
	scope := func(rt *rapid.T) casework.Scope {
		from, to := day.Draw(rt, "from"), day.Draw(rt, "to")
		s := casework.Scope{Unit: prefix + rapid.SampledFrom(units).Draw(rt, "unit"), From: min(from, to), To: max(from, to)}
		switch rapid.IntRange(0, 3).Draw(rt, "of") {
		case 1:
			s.Reason = "reasons:" + rapid.SampledFrom(reasons).Draw(rt, "reason")
		case 2:
			s.Official = rapid.SampledFrom(officials[1:]).Draw(rt, "official")
		}
		return s
	}
	somebody := func(rt *rapid.T) *person {
		return &m.persons[rapid.IntRange(0, len(m.persons)-1).Draw(rt, "person")]
	}
	put := func(c casework.Case, about string) {
		c.ChangedAt = now()
		if at := slices.IndexFunc(m.cases, func(other casework.Case) bool { return other.ID == c.ID }); at >= 0 {
			m.cases[at] = c
		} else {
			m.cases = append(m.cases, c)
		}
		o.cases.put(c, about)
	}
	state := func(rt *rapid.T, c casework.Case) casework.Case {
		switch rapid.IntRange(0, 4).Draw(rt, "state") {
		case 0:
			c.State, c.Finding = casework.Accepted, casework.Partly
		case 1:
			c.State, c.Finding = casework.Reopened, ""
		case 2:
			c.State, c.Finding = casework.Withdrawn, ""
		case 3:
			c.State, c.Finding, c.Route = casework.OutOfScope, "", casework.Route{Kind: casework.Complaint}
		default:
			c.State, c.Finding = casework.Explained, ""
		}
		return c
	}
	actions := map[string]func(*rapid.T){
		"give": func(rt *rapid.T) {
			for range rapid.IntRange(1, 6).Draw(rt, "many") {
				p := opinion{unit: rapid.SampledFrom(units).Draw(rt, "unit"), day: day.Draw(rt, "day"), hour: rapid.IntRange(8, 9).Draw(rt, "hour"),
					score: rapid.Int32Range(1, 4).Draw(rt, "score"), official: rapid.SampledFrom(officials).Draw(rt, "official"),
					reasons: rapid.SliceOfNDistinct(rapid.SampledFrom(reasons), 0, 2, rapid.ID).Draw(rt, "reasons"),
					again:   rapid.IntRange(0, 9).Draw(rt, "ticket") == 0, paper: rapid.Bool().Draw(rt, "paper")}
				m.persons = append(m.persons, person{[]string{o.give(p)}, p, p})
			}
		},
		"correct": func(rt *rapid.T) {
			p := somebody(rt)
			next := p.last
			next.score, next.again = rapid.Int32Range(1, 4).Draw(rt, "score"), false
			next.official = rapid.SampledFrom(officials).Draw(rt, "official")
			next.reasons = rapid.SliceOfNDistinct(rapid.SampledFrom(reasons), 0, 2, rapid.ID).Draw(rt, "reasons")
			next.revises = rapid.SampledFrom([]string{p.ids[len(p.ids)-1], p.ids[0]}).Draw(rt, "revises") // a chain, or one more of the first
			if next.revises != p.ids[len(p.ids)-1] && len(p.ids) > 2 {
				next.revises = p.ids[len(p.ids)-1] // two ends of a chain would both stand
			}
			p.ids, p.last = append(p.ids, o.give(next)), next
		},
		"open": func(rt *rapid.T) {
			c := casework.Case{Opening: casework.Opening{ID: fmt.Sprint(prefix, "case", len(m.cases))}, State: casework.Assigned}
			about := prefix + "d"
			if rapid.Bool().Draw(rt, "collective") {
				s := scope(rt)
				c.Collective = &s
			} else {
				p := somebody(rt)
				about = prefix + p.first.unit
				c.Attached = []string{rapid.SampledFrom(p.ids).Draw(rt, "rating")}
			}
			put(state(rt, c), about)
		},
		"move on": func(rt *rapid.T) {
			if len(m.cases) == 0 {
				return
			}
			c := m.cases[rapid.IntRange(0, len(m.cases)-1).Draw(rt, "case")]
			if c.State == casework.Duplicate {
				return
			}
			about := o.cases.all[c.ID].About
			if p := somebody(rt); rapid.Bool().Draw(rt, "attach") && prefix+p.first.unit == about && c.Collective == nil {
				c.Attached = append(slices.Clone(c.Attached), rapid.SampledFrom(p.ids).Draw(rt, "rating"))
			}
			put(state(rt, c), about)
		},
		"merge": func(rt *rapid.T) {
			if len(m.cases) < 2 {
				return
			}
			at := rapid.IntRange(1, len(m.cases)-1).Draw(rt, "case")
			c, into := m.cases[at], m.cases[rapid.IntRange(0, at-1).Draw(rt, "into")]
			if c.State == casework.Duplicate || into.State == casework.Duplicate {
				return
			}
			c.State, c.MergedInto, c.Finding, c.Route = casework.Duplicate, into.ID, "", casework.Route{}
			put(c, o.cases.all[c.ID].About)
		},
		"note": func(rt *rapid.T) {
			n := Note{ID: noteID(run, notes), Unit: prefix + "p", Reason: "đã biết", Account: "l", By: "lan"}
			if rapid.Bool().Draw(rt, "scope") {
				s := scope(rt)
				n.Scope = &s
			} else {
				p := somebody(rt)
				n.Ratings = []Rated{{p.ids[len(p.ids)-1], prefix + p.first.unit, p.first.day}}
			}
			notes++
			kept, err := o.coverage.AddNote(t.Context(), n)
			o.check(err)
			m.notes = append(m.notes, kept)
		},
		"withdraw": func(rt *rapid.T) {
			if len(m.notes) == 0 {
				return
			}
			at := rapid.IntRange(0, len(m.notes)-1).Draw(rt, "note")
			_, err := o.coverage.WithdrawNote(t.Context(), m.notes[at].ID, "nhầm", "l", "lan")
			o.check(err)
			m.notes = slices.Delete(m.notes, at, at+1)
		},
		"restart": func(*rapid.T) { o.coverage = o.another() },
		"ask": func(rt *rapid.T) {
			o.fold(first, first.Add(9))
			root := rapid.SampledFrom([]string{"p", "c", "d", "o"}).Draw(rt, "asked")
			from, to := day.Draw(rt, "from"), day.Draw(rt, "to")
			period := Period{min(from, to), max(from, to)}
			subtree := o.units.tree.SubtreeToday(prefix + root)
			want := m.count(func(p person) bool {
				return subtree[prefix+p.first.unit] && period.From <= p.first.day && p.first.day <= period.To
			})
			for name, c := range map[string]*Coverage{"known": o.coverage, "started": o.another()} {
				answer, err := c.Of(t.Context(), prefix+root, period)
				o.check(err)
				if answer.Coverage != want {
					rt.Fatalf("%s, %s to %s, %s: %+v, counted %+v", root, period.From, period.To, name, answer.Coverage, want)
				}
			}
			list, _, err := o.coverage.Ratings(t.Context(), prefix+root, period, "", 10_000)
			o.check(err)
			if len(list) != want.Untouched {
				rt.Fatalf("%d ratings are untouched, counted %d", len(list), want.Untouched)
			}
			seen := map[string]bool{}
			for _, u := range list {
				at := slices.IndexFunc(m.persons, func(p person) bool { return p.ids[len(p.ids)-1] == u.ID })
				if at < 0 || seen[u.ID] || m.standing(m.persons[at]) != "untouched" {
					rt.Fatalf("%s is listed as untouched", u.ID)
				}
				seen[u.ID] = true
			}
		},
	}
	names := sortedKeys(actions)
	actions["give"](rt)
	for range rapid.IntRange(2, 12).Draw(rt, "steps") {
		actions[rapid.SampledFrom(names).Draw(rt, "action")](rt)
	}
	actions["ask"](rt)
}

func noteID(run, n int) string { return fmt.Sprintf("00000000-0000-7000-%04x-%012x", 0x8000+run, n) }
