package unit

import (
	"cmp"
	"slices"
	"sync"

	"github.com/hailong-vn/hailong/internal/localday"
)

// View is the tree's shape on one day. Units stand in depth-first order, so every subtree is one run of a list.
type View struct {
	tree   *Tree
	day    localday.Day
	parent []int32 // by position in tree.ids: position of the parent, top or absent
	order  []int32 // positions, each unit before those below it
	begin  []int32 // by position: the unit's place in order
	end    []int32 // and the place after its subtree
	listed []string

	subtrees sync.Map // root → map[string]bool, made when first asked for
}

// What parent says where there is none.
const (
	top    int32 = -1
	absent int32 = -2
)

// shape works out the view of a day.
func (t *Tree) shape(day localday.Day) *View {
	parent := make([]int32, len(t.ids))
	for i, id := range t.ids {
		era, ok := t.forest.units[id].At(day)
		switch {
		case !ok:
			parent[i] = absent
		case era.ParentID == "":
			parent[i] = top
		default:
			parent[i] = t.position[era.ParentID]
		}
	}
	return t.lay(day, parent)
}

// lay puts the units in depth-first order, those below one parent by code, then name, then id.
func (t *Tree) lay(day localday.Day, parent []int32) *View {
	v := &View{tree: t, day: day, parent: parent}
	type key struct {
		position     int32
		code, folded string
	}
	keys := make([]key, 0, len(parent))
	for i, p := range parent {
		if p != absent {
			era := t.forest.units[t.ids[i]].Near(day)
			keys = append(keys, key{int32(i), era.Code, era.Folded})
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.folded, b.folded), cmp.Compare(a.position, b.position))
	})
	// first and next chain the children of each parent; chaining backwards leaves them in order.
	first, next := make([]int32, len(parent)+1), make([]int32, len(parent))
	for i := range first {
		first[i] = -1
	}
	for _, k := range slices.Backward(keys) {
		at := int32(len(parent)) // the tops hang from the last place
		if p := parent[k.position]; p != top {
			at = p
		}
		next[k.position], first[at] = first[at], k.position
	}
	v.begin, v.end = make([]int32, len(parent)), make([]int32, len(parent))
	v.order = make([]int32, 0, len(keys))
	v.listed = make([]string, 0, len(keys))
	var walk func(position int32)
	walk = func(position int32) {
		for ; position >= 0; position = next[position] {
			v.begin[position] = int32(len(v.order))
			v.order = append(v.order, position)
			v.listed = append(v.listed, t.ids[position])
			walk(first[position])
			v.end[position] = int32(len(v.order))
		}
	}
	walk(first[len(parent)])
	return v
}

// find answers the position of a unit that was there.
func (v *View) find(id string) (int32, bool) {
	position, ok := v.tree.position[id]
	if !ok || v.parent[position] == absent {
		return 0, false
	}
	return position, true
}

// Has tells whether the unit was there.
func (v *View) Has(id string) bool {
	_, ok := v.find(id)
	return ok
}

// List is root and all units below it, each unit before those below it; root "" lists every unit there was.
func (v *View) List(root string) []string {
	if root == "" {
		return v.listed
	}
	position, ok := v.find(root)
	if !ok {
		return nil
	}
	return v.listed[v.begin[position]:v.end[position]:v.end[position]]
}

// Subtree is List as a set.
func (v *View) Subtree(root string) map[string]bool {
	if held, ok := v.subtrees.Load(root); ok {
		return held.(map[string]bool)
	}
	list := v.List(root)
	if list == nil {
		return nil
	}
	set := make(map[string]bool, len(list))
	for _, id := range list {
		set[id] = true
	}
	held, _ := v.subtrees.LoadOrStore(root, set)
	return held.(map[string]bool)
}

// Parent answers the unit above id; "" at the top or where the unit was not there.
func (v *View) Parent(id string) string {
	if position, ok := v.find(id); ok && v.parent[position] >= 0 {
		return v.tree.ids[v.parent[position]]
	}
	return ""
}

// Children lists the units right below id, by code and name; "" lists the tops.
func (v *View) Children(id string) []Unit {
	place, end := int32(0), int32(len(v.order))
	if id != "" {
		position, ok := v.find(id)
		if !ok {
			return nil
		}
		place, end = v.begin[position]+1, v.end[position]
	}
	var children []Unit
	for place < end {
		position := v.order[place]
		children = append(children, v.unit(position))
		place = v.end[position]
	}
	return children
}

// Ancestors lists the units above id, nearest first.
func (v *View) Ancestors(id string) []Unit {
	position, ok := v.find(id)
	if !ok {
		return nil
	}
	var above []Unit
	for p := v.parent[position]; p >= 0; p = v.parent[p] {
		above = append(above, v.unit(p))
	}
	return above
}

// Descendants lists the units of a level below root (not root itself), in the tree's order; root "" looks everywhere.
func (v *View) Descendants(root, level string) []Unit {
	var found []Unit
	for i, id := range v.List(root) {
		if i == 0 && root != "" {
			continue
		}
		if u := v.tree.forest.units[id]; u.Near(v.day).Level == level {
			found = append(found, *u)
		}
	}
	return found
}

// within tells whether id is root or below it.
func (v *View) within(id, root string) bool {
	inner, ok := v.find(id)
	if !ok {
		return false
	}
	outer, ok := v.find(root)
	return ok && v.begin[outer] <= v.begin[inner] && v.begin[inner] < v.end[outer]
}

func (v *View) unit(position int32) Unit { return *v.tree.forest.units[v.tree.ids[position]] }
