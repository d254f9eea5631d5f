package unit

import (
	"slices"
	"sync"

	"github.com/hailong-vn/hailong/internal/localday"
)

// Tree is an immutable snapshot of all units, read on one day ("today") and answering for every day. All methods may be
// called by many goroutines. Maps and lists it answers are shared: they must not be changed.
type Tree struct {
	forest   forest
	today    localday.Day
	ids      []string         // sorted
	position map[string]int32 // of an id in ids
	turns    []localday.Day   // days on which anything changes; between two of them the tree stands still

	mu    sync.Mutex
	views map[int]*kept // by number of turns passed
	uses  int64

	todays     func() *todayView
	searchable func() []entry
}

// keptViews bounds the shapes held at a time: a report reads a few years, which have a few shapes.
const keptViews = 32

type kept struct {
	view *View
	used int64
}

// Today is the day the snapshot is read on.
func (t *Tree) Today() localday.Day { return t.today }

// As is the same tree read on another day.
func (t *Tree) As(today localday.Day) *Tree {
	if today == t.today {
		return t
	}
	return newTree(t.forest, today)
}

// Len is the number of units, ended ones too.
func (t *Tree) Len() int { return len(t.ids) }

// IDs lists the ids of all units, sorted.
func (t *Tree) IDs() []string { return t.ids }

// Get answers a unit with all of its past.
func (t *Tree) Get(id string) (Unit, bool) {
	u, ok := t.forest.units[id]
	if !ok {
		return Unit{}, false
	}
	return *u, true
}

// Home is the unit's home region, the first part of its ratings' identity; "" for an unknown unit.
func (t *Tree) Home(id string) string {
	if u, ok := t.forest.units[id]; ok {
		return u.Home
	}
	return ""
}

// On is the tree's shape on a day. It is worked out once for all days on which nothing changes.
func (t *Tree) On(day localday.Day) *View {
	passed, exact := slices.BinarySearch(t.turns, day)
	if exact {
		passed++
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.uses++
	if held, ok := t.views[passed]; ok {
		held.used = t.uses
		return held.view
	}
	if len(t.views) >= keptViews {
		oldest := -1
		for turn, held := range t.views {
			if oldest < 0 || held.used < t.views[oldest].used {
				oldest = turn
			}
		}
		delete(t.views, oldest)
	}
	view := t.shape(day)
	t.views[passed] = &kept{view, t.uses}
	return view
}

// SubtreeOn is root and all units below it as at a day; nil where root was not there. root "" is every unit there was.
func (t *Tree) SubtreeOn(root string, day localday.Day) map[string]bool {
	return t.On(day).Subtree(root)
}

// ChildrenOn lists the units right below id on a day, by code and name; "" lists the tops.
func (t *Tree) ChildrenOn(id string, day localday.Day) []Unit { return t.On(day).Children(id) }

// AncestorsOn lists the units above id on a day, nearest first.
func (t *Tree) AncestorsOn(id string, day localday.Day) []Unit { return t.On(day).Ancestors(id) }

// DescendantsOn lists the units of a level below root on a day, in the tree's order; root "" looks everywhere.
func (t *Tree) DescendantsOn(root, level string, day localday.Day) []Unit {
	return t.On(day).Descendants(root, level)
}

// Children lists the units right below id today, by code and name; "" lists the tops.
func (t *Tree) Children(id string) []Unit { return t.ChildrenOn(id, t.today) }

// Ancestors lists the units above id today, nearest first.
func (t *Tree) Ancestors(id string) []Unit { return t.AncestorsOn(id, t.today) }

// Descendants lists the units of a level below root today.
func (t *Tree) Descendants(root, level string) []Unit { return t.DescendantsOn(root, level, t.today) }

// Within tells whether id is root, or is counted below it today (SubtreeToday), or was below it on any day up to today.
// root "" holds everything.
func (t *Tree) Within(id, root string) bool {
	if root == "" {
		return true
	}
	u, ok := t.forest.units[id]
	if !ok {
		return false
	}
	return id == root || t.below(u, root, u.span()) || t.todays().view.within(id, root)
}

// below climbs from u through the days of s in search of root.
func (t *Tree) below(u *Unit, root string, s span) bool {
	for _, era := range u.Eras {
		both, ok := s.meet(era.span())
		if !ok || era.ParentID == "" || both.from > t.today {
			continue
		}
		if era.ParentID == root || t.below(t.forest.units[era.ParentID], root, both) {
			return true
		}
	}
	return false
}
