package analysis

import (
	"slices"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/unit"
)

// cover says to which groups each unit's ratings go. As at the time, that holds for a stretch of days on which the tree
// stands still; as today, one stretch is the whole period. A group is a unit that figures are answered for.
type cover struct {
	groups    []string         // unit ids
	index     map[string]int32 // of a unit in groups
	stretches []stretch
}

type stretch struct {
	Period
	of map[string][]int32 // unit id → groups; shared lists
}

func newCover() *cover { return &cover{index: map[string]int32{}} }

func (c *cover) group(id string) int32 {
	at, ok := c.index[id]
	if !ok {
		at = int32(len(c.groups))
		c.groups, c.index[id] = append(c.groups, id), at
	}
	return at
}

// units lists all units any of whose ratings count.
func (c *cover) units() []string {
	if len(c.stretches) == 1 {
		return sortedKeys(c.stretches[0].of)
	}
	all := map[string]bool{}
	for _, s := range c.stretches {
		for id := range s.of {
			all[id] = true
		}
	}
	return sortedKeys(all)
}

func sortedKeys[V any](set map[string]V) []string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// views cuts a period into stretches of days that have the same view of the tree.
func views(tree *unit.Tree, period Period, each func(Period, *unit.View)) {
	for from := period.From; from <= period.To; {
		view := tree.On(from)
		last := lastWith(tree, view, from, period.To)
		each(Period{from, last}, view)
		from = last.Add(1)
	}
}

// lastWith finds the last day up to end that has the same view as from: views come in order, so it can be halved.
func lastWith(tree *unit.Tree, view *unit.View, from, end localday.Day) localday.Day {
	if tree.On(end) == view {
		return end
	}
	same, other := 0, 1 // days after from
	for tree.On(from.Add(other)) == view {
		same, other = other, other*2
		if from.Add(other) >= end {
			other = int(end.Start().Sub(from.Start()).Hours()/24 + 0.5)
			break
		}
	}
	for other-same > 1 {
		if middle := (same + other) / 2; tree.On(from.Add(middle)) == view {
			same = middle
		} else {
			other = middle
		}
	}
	return from.Add(same)
}

// subtree covers one group: the unit with all below it. A unit's own ratings are its own on any day, even one on which
// the tree does not know it.
func (q asked) subtree() *cover {
	c := newCover()
	own := []int32{c.group(q.Unit)}
	fill := func(p Period, ids []string) {
		of := make(map[string][]int32, len(ids)+1)
		of[q.Unit] = own
		for _, id := range ids {
			of[id] = own
		}
		c.stretches = append(c.stretches, stretch{p, of})
	}
	if q.today {
		fill(q.period, q.tree.ListToday(q.Unit))
	} else {
		views(q.tree, q.period, func(p Period, view *unit.View) { fill(p, view.List(q.Unit)) })
	}
	return c
}

// below covers the unit as group 0 and each unit of a level below it, or each child where level is "", with its own subtree.
func (q asked) below(level string) *cover {
	c := newCover()
	whole := c.group(q.Unit)
	fill := func(p Period, all []string, parts []unit.Unit, list func(string) []string) {
		of := make(map[string][]int32, len(all)+1)
		of[q.Unit] = []int32{whole}
		for _, id := range all {
			of[id] = []int32{whole}
		}
		for _, part := range parts {
			at := c.group(part.ID)
			for _, id := range list(part.ID) {
				of[id] = append(of[id], at)
			}
		}
		c.stretches = append(c.stretches, stretch{p, of})
	}
	parts := func(view *unit.View) []unit.Unit {
		if level == "" {
			return view.Children(q.Unit)
		}
		return view.Descendants(q.Unit, level)
	}
	if q.today {
		fill(q.period, q.tree.ListToday(q.Unit), parts(q.tree.On(q.tree.Today())), q.tree.ListToday)
	} else {
		views(q.tree, q.period, func(p Period, view *unit.View) { fill(p, view.List(q.Unit), parts(view), view.List) })
	}
	return c
}

// every covers every unit of the subtree, each with its own subtree.
func (q asked) every() *cover {
	c := newCover()
	fill := func(p Period, all []string, view *unit.View, place func(string) string) {
		of := make(map[string][]int32, len(all)+1)
		of[q.Unit] = []int32{c.group(q.Unit)}
		for _, id := range all {
			var groups []int32
			for at := place(id); at != ""; at = view.Parent(at) {
				groups = append(groups, c.group(at))
				if at == q.Unit {
					break
				}
			}
			of[id] = groups
		}
		c.stretches = append(c.stretches, stretch{p, of})
	}
	if q.today {
		fill(q.period, q.tree.ListToday(q.Unit), q.tree.On(q.tree.Today()), q.tree.PlaceToday)
	} else {
		views(q.tree, q.period, func(p Period, view *unit.View) {
			fill(p, view.List(q.Unit), view, func(id string) string { return id })
		})
	}
	return c
}
