package unit

import (
	"slices"
	"unicode/utf8"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
)

// Limits. The deepest real tree has five or six levels; the limit only stops what cannot be meant.
const (
	maxDepth      = 64
	maxEras       = 1000
	maxSuccessors = 100
	maxName       = 300 // characters
)

// ValidID tells whether an id may stand in addresses of figures: letters, digits, "_", ".", "-", 1 to 64 of them.
func ValidID(id string) bool { return len(id) >= 1 && validCode(id) }

// validCode is ValidID or empty.
func validCode(code string) bool {
	if len(code) > 64 {
		return false
	}
	for i := range len(code) {
		c := code[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

func validText(text string, limit int) bool {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > limit {
		return false
	}
	for _, r := range text {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// validate looks at the unit alone.
func (u *Unit) validate() error {
	switch {
	case !ValidID(u.ID):
		return fault.New(fault.Invalid, "unit_id_invalid", "unit", clip(u.ID))
	case !ValidID(u.Home):
		return fault.New(fault.Invalid, "unit_home_invalid", "unit", u.ID)
	case len(u.Eras) == 0 || len(u.Eras) > maxEras:
		return fault.New(fault.Invalid, "unit_eras_count", "unit", u.ID, "limit", maxEras)
	case len(u.SuccessorIDs) > maxSuccessors:
		return fault.New(fault.Invalid, "unit_successors_count", "unit", u.ID, "limit", maxSuccessors)
	case len(u.SuccessorIDs) > 0 && u.End() == "":
		return fault.New(fault.Invalid, "unit_successors_open", "unit", u.ID)
	}
	for i, era := range u.Eras {
		for _, day := range []localday.Day{era.ValidFrom, era.ValidTo} {
			if day == "" {
				continue
			}
			if _, err := localday.Parse(string(day)); err != nil {
				return fault.New(fault.Invalid, "unit_day_invalid", "unit", u.ID, "day", clip(string(day)))
			}
		}
		switch {
		case era.ValidTo != "" && era.ValidTo <= era.ValidFrom, i > 0 && era.ValidFrom == "":
			return fault.New(fault.Invalid, "unit_days_order", "unit", u.ID, "from", era.ValidFrom, "to", era.ValidTo)
		case i > 0 && u.Eras[i-1].ValidTo != era.ValidFrom:
			return fault.New(fault.Invalid, "unit_eras_gap", "unit", u.ID, "day", era.ValidFrom)
		case era.Name == "" || !validText(era.Name, maxName) || !validText(era.NameEN, maxName):
			return fault.New(fault.Invalid, "unit_name_invalid", "unit", u.ID, "limit", maxName)
		case !validCode(era.Code):
			return fault.New(fault.Invalid, "unit_code_invalid", "unit", u.ID, "code", clip(era.Code))
		case !ValidID(era.Level):
			return fault.New(fault.Invalid, "unit_level_invalid", "unit", u.ID, "level", clip(era.Level))
		}
	}
	for i, id := range u.SuccessorIDs {
		if id == u.ID || slices.Contains(u.SuccessorIDs[:i], id) {
			return fault.New(fault.Invalid, "unit_successor_invalid", "unit", u.ID, "successor", clip(id))
		}
	}
	return nil
}

// clip keeps what a stranger sent short enough for a message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80]
	}
	return s
}

// check looks at the unit among the others: parents are there on those days, nothing is above itself on any day,
// children and predecessors still have what they refer to, and no brother bears its code.
func (f *forest) check(u *Unit) error {
	for _, era := range u.Eras {
		if era.ParentID == "" {
			continue
		}
		parent, ok := f.units[era.ParentID]
		if !ok {
			return fault.New(fault.Invalid, "unit_parent_missing", "unit", u.ID, "parent", clip(era.ParentID))
		}
		if !parent.span().covers(era.span()) {
			return fault.New(fault.Invalid, "unit_parent_absent", "unit", u.ID, "parent", parent.ID, "from", era.ValidFrom, "to", era.ValidTo)
		}
	}
	if err := f.climb(u, u.span(), nil); err != nil {
		return err
	}
	for _, id := range f.children[u.ID] {
		child := f.units[id]
		for _, era := range child.Eras {
			if era.ParentID == u.ID && !u.span().covers(era.span()) {
				return fault.New(fault.Invalid, "unit_has_children", "unit", u.ID, "child", child.ID)
			}
		}
	}
	for _, id := range u.SuccessorIDs {
		if err := f.succeeds(id, u); err != nil {
			return err
		}
	}
	for _, id := range f.heirOf[u.ID] {
		if err := f.succeeds(u.ID, f.units[id]); err != nil {
			return err
		}
	}
	return f.checkCodes(u)
}

// climb follows the unit upward through the days of s. Days only get fewer on the way up, so a unit met
// twice is above itself on a day that is left.
func (f *forest) climb(u *Unit, s span, path []string) error {
	if slices.Contains(path, u.ID) {
		return fault.New(fault.Invalid, "unit_cycle", "unit", path[0], "day", s.from)
	}
	if len(path) >= maxDepth {
		return fault.New(fault.Invalid, "unit_too_deep", "unit", path[0], "limit", maxDepth)
	}
	path = append(path, u.ID)
	for _, era := range u.Eras {
		if both, ok := s.meet(era.span()); ok && era.ParentID != "" {
			if parent := f.units[era.ParentID]; parent != nil {
				if err := f.climb(parent, both, path); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// succeeds: a successor is there on the day it takes over. So it outlives the one it succeeds, and following
// successors always comes to an end.
func (f *forest) succeeds(id string, closed *Unit) error {
	successor, ok := f.units[id]
	if !ok || !successor.span().holds(closed.End()) {
		return fault.New(fault.Invalid, "unit_successor_absent", "unit", closed.ID, "successor", clip(id), "day", closed.End())
	}
	return nil
}

// place is where a code must be alone.
type place struct{ parent, level, code string }

func (e Era) place() place { return place{e.ParentID, e.Level, e.Code} }

func (f *forest) checkCodes(u *Unit) error {
	for _, era := range u.Eras {
		if era.Code == "" {
			continue
		}
		for _, id := range f.coded[era.place()] {
			if id == u.ID {
				continue
			}
			for _, other := range f.units[id].Eras {
				if other.place() != era.place() {
					continue
				}
				if _, both := era.span().meet(other.span()); both {
					return fault.New(fault.Exists, "unit_code_taken", "unit", u.ID, "code", era.Code, "other", id)
				}
			}
		}
	}
	return nil
}
