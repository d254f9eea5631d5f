package casebook

import (
	"slices"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/unit"
)

// above lists "", a unit and every unit that holds it, as unit.Tree.Within says: those above it today, those with which it counts today
// where it ended, and those above which it ever stood.
func (b *Book) above(id string) []string {
	tree := b.options.Tree()
	b.branches.mu.Lock()
	defer b.branches.mu.Unlock()
	if b.branches.tree != tree {
		b.branches.tree, b.branches.by = tree, map[string][]string{}
	}
	all, ok := b.branches.by[id]
	if !ok {
		all = branch(tree, id)
		b.branches.by[id] = all
	}
	return all
}

func branch(tree *unit.Tree, id string) []string {
	all := []string{"", id}
	for i := 1; i < len(all); i++ {
		u, ok := tree.Get(all[i])
		if !ok {
			continue
		}
		others := []string{tree.PlaceToday(all[i])}
		for _, era := range u.Eras {
			others = append(others, era.ParentID)
		}
		for _, above := range tree.Ancestors(all[i]) {
			others = append(others, above.ID)
		}
		for _, other := range others {
			if !slices.Contains(all, other) {
				all = append(all, other)
			}
		}
	}
	// What was above a unit only before this one stood below it does not hold it.
	all = slices.DeleteFunc(all, func(other string) bool { return other != "" && other != id && !tree.Within(id, other) })
	slices.Sort(all[1:])
	return all
}

// aboveCase lists the units in whose lists a case stands.
func (b *Book) aboveCase(c casework.Case) []string {
	all := slices.Clone(b.above(c.Receiving))
	if c.Assigned != "" {
		for _, id := range b.above(c.Assigned) {
			if !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
	}
	slices.Sort(all)
	return all
}

// Above lists "", a unit and every unit that holds it, today or where it ever stood: the units in whose lists something of it stands.
func (b *Book) Above(id string) []string { return slices.Clone(b.above(id)) }
