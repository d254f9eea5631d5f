package unit

// todayView is today's tree with every other unit hung where its ratings count today.
type todayView struct{ view *View }

// SubtreeToday is root and all units whose ratings count below it as today:
//
//   - a unit of today counts where it stands;
//   - an ended unit counts with its successor, and with that one's successor in turn;
//   - an ended unit with several successors (split) counts with the nearest unit that holds all of them, because nobody
//     knows which part of its past belongs to which; where there is none, it counts like one without successors;
//   - an ended unit without successors counts with its last parent, and stands alone where it had none;
//   - a unit that is not yet there counts with its first parent.
//
// So the subtrees of the tops (TopsToday) hold every unit exactly once. root "" is all units; nil where root is unknown.
func (t *Tree) SubtreeToday(root string) map[string]bool { return t.todays().view.Subtree(root) }

// ListToday is SubtreeToday as a list, each unit before those that count with it.
func (t *Tree) ListToday(root string) []string { return t.todays().view.List(root) }

// TopsToday lists the units that count with no other: today's tops, and ended ones without any heir.
func (t *Tree) TopsToday() []string {
	var tops []string
	for i, parent := range t.todays().view.parent {
		if parent == top {
			tops = append(tops, t.ids[i])
		}
	}
	return tops
}

// PlaceToday is the unit of today with which the unit's ratings count; the unit itself where it is there today, or
// has no heir.
func (t *Tree) PlaceToday(id string) string {
	position, ok := t.position[id]
	if !ok {
		return ""
	}
	if _, there := t.forest.units[id].At(t.today); there {
		return id
	}
	if parent := t.todays().view.parent[position]; parent >= 0 {
		return t.ids[parent]
	}
	return id
}

func (t *Tree) asToday() *todayView {
	now := t.On(t.today)
	parent := make([]int32, len(t.ids))
	for i := range t.ids {
		if now.parent[i] != absent {
			parent[i] = now.parent[i]
			continue
		}
		if at := t.heir(now, int32(i)); at != int32(i) {
			parent[i] = at
		} else {
			parent[i] = top
		}
	}
	return &todayView{t.lay(t.today, parent)}
}

// heir answers where a unit counts today. It ends: a successor outlives the unit it succeeds, and a parent ends no earlier
// than what was below it on its last day, which was a tree.
func (t *Tree) heir(now *View, position int32) int32 {
	if now.parent[position] != absent {
		return position
	}
	u := t.forest.units[t.ids[position]]
	if u.End() == "" || t.today < u.End() { // not yet there
		if parent := u.Eras[0].ParentID; parent != "" {
			return t.heir(now, t.position[parent])
		}
		return position
	}
	if len(u.SuccessorIDs) > 0 {
		common := t.heir(now, t.position[u.SuccessorIDs[0]])
		for _, id := range u.SuccessorIDs[1:] {
			common = now.common(common, t.heir(now, t.position[id]))
		}
		if common >= 0 {
			return common
		}
	}
	if parent := u.last().ParentID; parent != "" {
		return t.heir(now, t.position[parent])
	}
	return position
}

// common is the nearest unit that holds both; top where there is none. Units that are not there today hold only themselves.
func (v *View) common(a, b int32) int32 {
	if a == b {
		return a
	}
	if a < 0 || b < 0 || v.parent[a] == absent || v.parent[b] == absent {
		return top
	}
	for ; a >= 0; a = v.parent[a] {
		if v.begin[a] <= v.begin[b] && v.begin[b] < v.end[a] {
			return a
		}
	}
	return top
}
