package unit

import (
	"maps"
	"slices"
	"sync"

	"github.com/hailong-vn/hailong/internal/localday"
)

// forest is all units with the ways between them, over all time.
type forest struct {
	units    map[string]*Unit
	children map[string][]string // by parent: units that were below it in any era
	heirOf   map[string][]string // by successor: units it took the place of
	coded    map[place][]string  // by parent, level and code
}

func newForest(size int) forest {
	return forest{
		units:    make(map[string]*Unit, size),
		children: make(map[string][]string, size),
		heirOf:   map[string][]string{},
		coded:    make(map[place][]string, size),
	}
}

func (f *forest) clone() forest {
	return forest{maps.Clone(f.units), maps.Clone(f.children), maps.Clone(f.heirOf), maps.Clone(f.coded)}
}

// link puts the unit in, in place of what stood under its id.
func (f *forest) link(u *Unit) {
	if old := f.units[u.ID]; old != nil {
		f.unlink(old)
	}
	f.units[u.ID] = u
	for _, era := range u.Eras {
		if era.ParentID != "" {
			include(f.children, era.ParentID, u.ID)
		}
		if era.Code != "" {
			include(f.coded, era.place(), u.ID)
		}
	}
	for _, id := range u.SuccessorIDs {
		include(f.heirOf, id, u.ID)
	}
}

func (f *forest) unlink(u *Unit) {
	delete(f.units, u.ID)
	for _, era := range u.Eras {
		exclude(f.children, era.ParentID, u.ID)
		exclude(f.coded, era.place(), u.ID)
	}
	for _, id := range u.SuccessorIDs {
		exclude(f.heirOf, id, u.ID)
	}
}

// include and exclude never write into a list that another forest may share.
func include[K comparable](lists map[K][]string, key K, id string) {
	if list := lists[key]; len(list) == 0 || list[len(list)-1] != id && !slices.Contains(list, id) {
		lists[key] = append(slices.Clip(list), id)
	}
}

func exclude[K comparable](lists map[K][]string, key K, id string) {
	if list := lists[key]; slices.Contains(list, id) {
		lists[key] = slices.DeleteFunc(slices.Clone(list), func(other string) bool { return other == id })
	}
}

// Draft is a tree being changed: each unit put in is checked against all that stands. A draft is used by one goroutine.
type Draft struct{ forest forest }

// Draft begins a change. The tree itself stays as it is.
func (t *Tree) Draft() *Draft { return &Draft{t.forest.clone()} }

// Get answers a unit as it stands in the draft.
func (d *Draft) Get(id string) (Unit, bool) {
	u, ok := d.forest.units[id]
	if !ok {
		return Unit{}, false
	}
	return *u, true
}

// Put adds or replaces one unit, or refuses it with a *fault.Error and stays as it was.
func (d *Draft) Put(u Unit) error {
	if err := u.validate(); err != nil {
		return err
	}
	before := d.forest.units[u.ID]
	d.forest.link(&u)
	if err := d.forest.check(&u); err != nil {
		d.forest.unlink(&u)
		if before != nil {
			d.forest.link(before)
		}
		return err
	}
	return nil
}

// Tree is the tree of the draft, as read on a day. Depth is checked again over the whole: a move takes what is below along.
func (d *Draft) Tree(today localday.Day) (*Tree, error) {
	forest := d.forest.clone()
	for _, u := range forest.units {
		if err := forest.climb(u, u.span(), nil); err != nil {
			return nil, err
		}
	}
	return newTree(forest, today), nil
}

// Build checks all units and makes their tree, as read on a day. The error is a *fault.Error.
func Build(units []Unit, today localday.Day) (*Tree, error) {
	forest := newForest(len(units))
	for i := range units {
		u := units[i]
		if err := u.validate(); err != nil {
			return nil, err
		}
		forest.link(&u)
	}
	for _, id := range slices.Sorted(maps.Keys(forest.units)) { // in order, so that the same units give the same error
		if err := forest.check(forest.units[id]); err != nil {
			return nil, err
		}
	}
	return newTree(forest, today), nil
}

func newTree(forest forest, today localday.Day) *Tree {
	t := &Tree{forest: forest, today: today, ids: slices.Sorted(maps.Keys(forest.units)), views: map[int]*kept{}}
	t.position = make(map[string]int32, len(t.ids))
	for i, id := range t.ids {
		t.position[id] = int32(i)
	}
	for _, u := range forest.units {
		for _, era := range u.Eras {
			t.turns = append(t.turns, era.ValidFrom, era.ValidTo)
		}
	}
	slices.Sort(t.turns)
	t.turns = slices.Compact(t.turns)
	t.turns = slices.DeleteFunc(t.turns, func(day localday.Day) bool { return day == "" })
	t.searchable = sync.OnceValue(t.index)
	t.todays = sync.OnceValue(t.asToday)
	return t
}
