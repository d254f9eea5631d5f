package server

import (
	"strings"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/searchtext"
	"github.com/hailong-vn/hailong/internal/unit"
)

// unitResolver finds the unit a person or a file means.
type unitResolver struct{ directory *directory.Directory }

// ResolveUnit finds a unit by id, by code, or by its name, with or without diacritics, where only one has it: a file that
// is vague must not be guessed at.
func (r unitResolver) ResolveUnit(text string) (string, bool) {
	text = strings.TrimSpace(text)
	tree := r.directory.Tree()
	if _, ok := tree.Get(text); ok {
		return text, true
	}
	called := r.called(text, tree.Search(text, 50))
	if len(called) != 1 {
		return "", false
	}
	return called[0].ID, true
}

// called keeps the units of that very code or name.
func (r unitResolver) called(text string, found []unit.Unit) []unit.Unit {
	today, folded := r.directory.Tree().Today(), searchtext.Fold(text)
	var called []unit.Unit
	for _, u := range found {
		if era := u.Near(today); era.Code == text || era.Folded == folded {
			called = append(called, u)
		}
	}
	return called
}

// shown is how many units an ambiguous name lists.
const shown = 8

// find is ResolveUnit for a person, who may name a unit in part ("thach ha") and is told the choice where several fit.
func (r unitResolver) find(text string) (string, error) {
	if id, ok := r.ResolveUnit(text); ok {
		return id, nil
	}
	tree := r.directory.Tree()
	found := tree.Search(text, 50)
	if called := r.called(text, found); len(called) > 0 {
		found = called
	}
	switch len(found) {
	case 0:
		return "", fault.New(fault.NotFound, "unit_unknown", "unit", text)
	case 1:
		return found[0].ID, nil
	}
	var choice []string
	for _, u := range found[:min(len(found), shown)] {
		era := u.Near(tree.Today())
		line := era.Code + " " + era.Name
		if above, ok := tree.Get(era.ParentID); ok {
			line += ", " + above.Near(tree.Today()).Name
		}
		choice = append(choice, line)
	}
	return "", fault.New(fault.Invalid, "unit_ambiguous", "unit", text, "count", len(found), "choice", strings.Join(choice, "; "))
}
