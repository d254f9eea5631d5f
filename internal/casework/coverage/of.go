package coverage

import (
	"cmp"
	"context"
	"slices"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/unit"
)

// Answer is the coverage of a unit's subtree.
type Answer struct {
	casework.Coverage
	Unit     string
	Period   Period
	Children []Child // the units right below, least covered first: those with most untouched ratings
	Withheld bool    // it rests on too few ratings for whoever may not read single ones
}

// Child is one of them with its own subtree.
type Child struct {
	Unit unit.Unit
	casework.Coverage
	Withheld bool // as in Answer
}

// Withhold takes away what rests on fewer than LeastShown ratings: for whoever may not read single ratings. Where that is only one child the
// smallest other is withheld too, because the whole is shown.
func (a Answer) Withhold() Answer {
	few := func(n int) bool { return n > 0 && n < LeastShown }
	if few(a.All) {
		return Answer{Unit: a.Unit, Period: a.Period, Withheld: true}
	}
	a.Children = slices.Clone(a.Children)
	hidden, least := 0, -1
	for i := range a.Children {
		switch child := &a.Children[i]; {
		case few(child.All):
			child.Coverage, child.Withheld = casework.Coverage{}, true
			hidden++
		case least < 0 || child.All < a.Children[least].All:
			least = i
		}
	}
	if hidden == 1 && least >= 0 {
		a.Children[least].Coverage, a.Children[least].Withheld = casework.Coverage{}, true
	}
	slices.SortFunc(a.Children, func(a, b Child) int {
		return cmp.Or(cmp.Compare(b.Untouched, a.Untouched), cmp.Compare(b.All-b.Answered, a.All-a.Answered), cmp.Compare(a.Unit.ID, b.Unit.ID))
	})
	return a
}

// Of answers the coverage of a unit and of those right below it. NotFound "unit_unknown".
func (c *Coverage) Of(ctx context.Context, unit string, p Period) (Answer, error) {
	q, err := c.ask(ctx, unit, p)
	if err != nil {
		return Answer{}, told(err)
	}
	by, err := c.cover(ctx, q)
	if err != nil {
		return Answer{}, told(err)
	}
	answer := Answer{Unit: unit, Period: p}
	for _, one := range by {
		add(&answer.Coverage, one)
	}
	for _, child := range q.tree.Children(unit) {
		below := Child{Unit: child}
		for _, id := range q.tree.ListToday(child.ID) {
			add(&below.Coverage, by[id])
		}
		if below.All > 0 {
			answer.Children = append(answer.Children, below)
		}
	}
	slices.SortFunc(answer.Children, func(a, b Child) int {
		return cmp.Or(cmp.Compare(b.Untouched, a.Untouched), cmp.Compare(b.All-b.Answered, a.All-a.Answered), cmp.Compare(a.Unit.ID, b.Unit.ID))
	})
	return answer, nil
}

func add(to *casework.Coverage, one casework.Coverage) {
	to.All += one.All
	to.Answered += one.Answered
	to.InHand += one.InHand
	to.Noted += one.Noted
	to.SetAside += one.SetAside
	to.Untouched += one.Untouched
	to.Strange += one.Strange
}

// asked is a question with what the figures say to it.
type asked struct {
	unit   string
	period Period
	tree   *unit.Tree
	units  []string
	leaves map[string][]leaf // with dissatisfied ratings, by unit
	within func(unit, scope string) bool
}

// ask reads what a question rests on: the figures' leaves, and cases and notes as they are now.
func (c *Coverage) ask(ctx context.Context, root string, p Period) (*asked, error) {
	q := &asked{unit: root, period: p, tree: c.options.Units.Tree()}
	var err error
	if q.units, err = subtree(q.tree, root); err != nil {
		return nil, err
	}
	version, err := c.version(ctx) // before anything is read: what is written meanwhile makes it newer than its version, never older
	if err != nil {
		return nil, err
	}
	if q.leaves, _, err = c.leaves(ctx, q.units, p, q.tree.Len()); err != nil {
		return nil, err
	}
	q.within = remembered(q.tree.Within)
	return q, c.holdings.upTo(ctx, p.From, version)
}

// remembered asks only once.
func remembered(within func(unit, scope string) bool) func(unit, scope string) bool {
	type pair struct{ unit, scope string }
	known := map[pair]bool{}
	return func(unit, scope string) bool {
		if unit == scope {
			return true
		}
		at := pair{unit, scope}
		is, ok := known[at]
		if !ok {
			is = within(unit, scope)
			known[at] = is
		}
		return is
	}
}

// claim is what cases and notes say of a unit's ratings in a period.
type claim struct {
	cases []Case // whose scopes hold some of them, and that hold some themselves
	notes []casework.Note
	held  map[localday.Day][]string // ratings that are named, by day
	fine  []casework.Scope          // scopes of a reason or an official: numbers alone do not do
	wide  []casework.Scope          // all scopes
}

func (k *claim) nothing() bool { return len(k.held) == 0 && len(k.wide) == 0 }

// needs tells whether a day's ratings must be known one by one.
func (k *claim) needs(day localday.Day) bool {
	return len(k.held[day]) > 0 || slices.ContainsFunc(k.fine, func(s casework.Scope) bool { return s.From <= day && day <= s.To })
}

// scoped is a scope with whose it is.
type scoped struct {
	casework.Scope
	of   Case // ID "" = a note's
	note *Note
}

// scopes are those that touch a period. The book must not change meanwhile.
func (b *book) scopes(p Period) []scoped {
	var list []scoped
	for _, c := range b.cases {
		if s := c.Collective; s != nil && s.From <= p.To && p.From <= s.To {
			list = append(list, scoped{Scope: *s, of: c})
		}
	}
	for id, n := range b.notes {
		if s := n.Scope; s != nil && !b.withdrawn[id] && s.From <= p.To && p.From <= s.To {
			list = append(list, scoped{Scope: *s, note: &n})
		}
	}
	return list
}

// claim gathers what concerns one unit.
func (b *book) claim(unit string, p Period, scopes []scoped, within func(unit, scope string) bool) claim {
	var k claim
	cases := map[string]bool{}
	takeCase := func(c Case) {
		for !cases[c.ID] && c.ID != "" {
			cases[c.ID] = true
			k.cases = append(k.cases, c)
			c = b.cases[c.MergedInto]
		}
	}
	for _, s := range scopes {
		if s.Unit != "" && !within(unit, s.Unit) {
			continue
		}
		k.wide = append(k.wide, s.Scope)
		if s.Reason != "" || s.Official != "" {
			k.fine = append(k.fine, s.Scope)
		}
		if s.note != nil {
			k.notes = append(k.notes, casework.Note{Scope: s.note.Scope})
		} else {
			takeCase(s.of)
		}
	}
	noted := map[string]bool{}
	for id, day := range b.placed[unit] {
		rating := named{unit, id}
		if day < p.From || p.To < day || !b.touched(rating) {
			continue
		}
		if k.held == nil {
			k.held = map[localday.Day][]string{}
		}
		k.held[day] = append(k.held[day], id)
		for _, holder := range b.holders[rating] {
			takeCase(b.cases[holder])
		}
		for _, note := range b.noted[rating] {
			if !noted[note] && !b.withdrawn[note] {
				noted[note] = true
				n := casework.Note{}
				for _, r := range b.notes[note].Ratings {
					if r.Unit == unit {
						n.Ratings = append(n.Ratings, r.ID)
					}
				}
				k.notes = append(k.notes, n)
			}
		}
	}
	return k
}

// cover answers the coverage of each unit of a question alone; those without dissatisfied ratings are left out.
func (c *Coverage) cover(ctx context.Context, q *asked) (map[string]casework.Coverage, error) {
	h := c.holdings
	h.lock.RLock()
	scopes := h.scopes(q.period)
	claims := make(map[string]claim, len(q.leaves))
	need := map[string][]leaf{}
	for id, leaves := range q.leaves {
		k := h.claim(id, q.period, scopes, q.within)
		claims[id] = k
		if k.nothing() {
			continue
		}
		for _, l := range leaves {
			if k.needs(l.key.Day) {
				need[id] = append(need[id], l)
			}
		}
	}
	h.lock.RUnlock()
	digests, err := c.read(ctx, need)
	if err != nil {
		return nil, err
	}
	out := make(map[string]casework.Coverage, len(q.leaves))
	for id, leaves := range q.leaves {
		k := claims[id]
		if !k.nothing() {
			out[id] = coverUnit(id, leaves, k, digests[id], q.within)
			continue
		}
		var all casework.Coverage
		for _, l := range leaves {
			all.All += l.n
		}
		all.Untouched = all.All
		out[id] = all
	}
	return out, nil
}

// coverUnit lets casework count one unit's ratings.
func coverUnit(unit string, leaves []leaf, k claim, digests []*digest, within func(unit, scope string) bool) casework.Coverage {
	var groups []casework.Group
	for _, l := range leaves {
		if !k.needs(l.key.Day) {
			groups = append(groups, casework.Group{Traits: casework.Traits{Unit: l.key.Unit, Day: l.key.Day}, N: l.n})
		}
	}
	given := map[string]bool{}
	for _, ids := range k.held {
		for _, id := range ids {
			given[id] = true
		}
	}
	is := map[string]string{} // a rating that is named → the one that counts
	var held []casework.Held
	for _, d := range digests {
		for i := range d.Groups {
			g := &d.Groups[i]
			traits := d.traits(g)
			groups = append(groups, casework.Group{Traits: traits, N: g.n()})
			for _, ids := range [][]string{g.Said, g.Bare} {
				for _, id := range ids {
					if given[id] {
						is[id] = id
						held = append(held, casework.Held{Rating: id, Traits: traits})
					}
				}
			}
		}
	}
	for _, d := range digests {
		for _, f := range d.Former {
			if !given[f.Was] || is[f.Was] != "" {
				continue
			}
			is[f.Was] = f.Is
			for i := range d.Groups {
				g := &d.Groups[i]
				if g.has(f.Is) {
					held = append(held, casework.Held{Rating: f.Is, Traits: d.traits(g)})
				}
			}
		}
	}
	cases := make([]casework.Case, len(k.cases))
	for i, one := range k.cases {
		cases[i] = one.Case
		cases[i].Attached = nil
		for _, id := range one.Attached {
			if r := nameOf(id, one.About); r.unit == unit && is[r.id] != "" {
				cases[i].Attached = append(cases[i].Attached, is[r.id])
			}
		}
	}
	notes := make([]casework.Note, len(k.notes))
	for i, one := range k.notes {
		notes[i].Scope = one.Scope
		for _, id := range one.Ratings {
			if is[id] != "" {
				notes[i].Ratings = append(notes[i].Ratings, is[id])
			}
		}
	}
	return casework.Cover(groups, held, cases, notes, within)
}

func (g *group) has(id string) bool {
	if _, ok := slices.BinarySearch(g.Bare, id); ok {
		return true
	}
	_, ok := slices.BinarySearch(g.Said, id)
	return ok
}

func tooMuch(count int) error {
	return fault.New(fault.Invalid, "coverage_too_much", "count", count, "limit", MaxLeaves)
}
