// Package unit is the tree of units (đơn vị) as it lives in time. A unit's id is for ever; its code, name, level and
// parent hold from a day to a day. A merger, a split, a new name or a move is a dated event and never rewrites what was.
//
// The package is pure: units go in, an immutable Tree comes out that answers for any day.
package unit

import (
	"slices"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/searchtext"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Unit is one node of the tree, with all of its past.
type Unit struct {
	ID string `bson:"_id"` // for ever
	// Home is the unit's home region: the top of the tree it was made in, fixed for the unit's life, because it is the
	// first part of every stored rating's identity.
	Home         string   `bson:"home"`
	Eras         []Era    `bson:"eras"`                 // in order, each beginning where the one before ends
	SuccessorIDs []string `bson:"successors,omitempty"` // units that took its place when it was closed
}

// Era is what holds of a unit from ValidFrom until the day before ValidTo.
type Era struct {
	Words     `bson:",inline"`
	ValidFrom localday.Day `bson:"from,omitempty"` // "" = always
	ValidTo   localday.Day `bson:"to,omitempty"`   // first day on which it holds no longer; "" = it still holds
	Folded    string       `bson:"folded"`         // Name as searchtext folds it
}

// Words are what may change in a unit's life.
type Words struct {
	Code     string `bson:"code,omitempty"`    // official code; unique among the units of its level below one parent, at one time
	Name     string `bson:"name"`              // full name, such as "Phường Ba Đình", in NFC
	NameEN   string `bson:"name_en,omitempty"` // English name, for search and English screens; may be empty
	Level    string `bson:"level"`             // such as "province", "commune", "office"
	ParentID string `bson:"parent,omitempty"`  // "" = at the top
}

// New makes a unit that holds from a day on ("" = always).
func New(id, home string, from localday.Day, words Words) Unit {
	return Unit{ID: id, Home: home, Eras: []Era{newEra(from, "", words)}}
}

func newEra(from, to localday.Day, words Words) Era {
	words.Name, words.NameEN = norm.NFC.String(words.Name), norm.NFC.String(words.NameEN)
	return Era{Words: words, ValidFrom: from, ValidTo: to, Folded: searchtext.Fold(words.Name)}
}

// Start is the unit's first day; "" = always.
func (u Unit) Start() localday.Day { return u.Eras[0].ValidFrom }

// End is the first day on which the unit is no more; "" = open.
func (u Unit) End() localday.Day { return u.Eras[len(u.Eras)-1].ValidTo }

// At answers what held on a day; false where the unit was not there.
func (u Unit) At(day localday.Day) (Era, bool) {
	for i := len(u.Eras) - 1; i >= 0; i-- {
		if u.Eras[i].span().holds(day) {
			return u.Eras[i], true
		}
	}
	return Era{}, false
}

// Near answers what held on a day; before the unit's time its first words, after it its last.
func (u Unit) Near(day localday.Day) Era {
	if era, ok := u.At(day); ok {
		return era
	}
	if day < u.Start() {
		return u.Eras[0]
	}
	return u.Eras[len(u.Eras)-1]
}

// Change records what holds from a day on. On the first day of the last era it corrects that era; the same words again
// change nothing. The past cannot be changed: the day must not lie before the last era.
func (u Unit) Change(from localday.Day, words Words) (Unit, error) {
	last := u.Eras[len(u.Eras)-1]
	era := newEra(from, last.ValidTo, words)
	switch {
	case from < last.ValidFrom:
		return u, fault.New(fault.Invalid, "unit_change_in_past", "unit", u.ID, "day", from, "last", last.ValidFrom)
	case last.ValidTo != "" && from >= last.ValidTo:
		return u, fault.New(fault.Invalid, "unit_closed", "unit", u.ID, "day", last.ValidTo)
	case era.Words == last.Words:
		return u, nil
	}
	u.Eras = slices.Clone(u.Eras)
	if from == last.ValidFrom {
		u.Eras[len(u.Eras)-1] = era
		return u, nil
	}
	u.Eras[len(u.Eras)-1].ValidTo = from
	u.Eras = append(u.Eras, era)
	return u, nil
}

// Rename records another name from a day on.
func (u Unit) Rename(from localday.Day, name string) (Unit, error) {
	words := u.last()
	words.Name = name
	return u.Change(from, words)
}

// Move records another parent from a day on.
func (u Unit) Move(from localday.Day, parentID string) (Unit, error) {
	words := u.last()
	words.ParentID = parentID
	return u.Change(from, words)
}

// Recode records another code from a day on.
func (u Unit) Recode(from localday.Day, code string) (Unit, error) {
	words := u.last()
	words.Code = code
	return u.Change(from, words)
}

func (u Unit) last() Words { return u.Eras[len(u.Eras)-1].Words }

// Close ends the unit: day is the first on which it is no more. successors are the units that take its place: one where it
// was merged, several where it was split, none where it has no heir. The same again changes nothing.
func (u Unit) Close(day localday.Day, successors ...string) (Unit, error) {
	last := u.Eras[len(u.Eras)-1]
	switch {
	case day == "":
		return u, fault.New(fault.Invalid, "unit_day_missing", "unit", u.ID)
	case last.ValidTo == day && slices.Equal(u.SuccessorIDs, successors):
		return u, nil
	case last.ValidTo != "":
		return u, fault.New(fault.Exists, "unit_closed", "unit", u.ID, "day", last.ValidTo)
	case day <= last.ValidFrom:
		return u, fault.New(fault.Invalid, "unit_change_in_past", "unit", u.ID, "day", day, "last", last.ValidFrom)
	}
	u.Eras = slices.Clone(u.Eras)
	u.Eras[len(u.Eras)-1].ValidTo = day
	u.SuccessorIDs = slices.Clone(successors)
	return u, nil
}

// Proto is the unit as the contract shows it on a day: what held then, or what was nearest. Its dates are
// those of the era.
func (u Unit) Proto(day localday.Day) *pb.Unit {
	era := u.Near(day)
	return &pb.Unit{
		Id: u.ID, ParentId: era.ParentID, Code: era.Code, Name: era.Name, Level: era.Level,
		ValidFrom: string(era.ValidFrom), ValidTo: string(era.ValidTo), SuccessorIds: u.SuccessorIDs,
	}
}
