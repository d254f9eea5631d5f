package office

import (
	"context"
	"strings"

	"github.com/hailong-vn/hailong/internal/deadline"
)

// Table is the deadlines that hold for a unit.
type Table struct {
	deadline.Rules
	Unit    string // where they were decided; meaningless where Default
	Default bool   // they are the product's own: nobody decided, and they are not law
	Made    Change // that made them; the zero value where Default
	Version string // of the unit's own decision, for SaveDeadlines
	Own     bool   // the unit decided for itself
}

// Rules are the deadlines that hold for a unit, from memory; "" = for everything.
func (o *Office) Rules(unitID string) deadline.Rules { return o.Table(unitID).Rules }

// Table is Rules with where they come from.
func (o *Office) Table(unitID string) Table {
	now := o.state.Load()
	own := now.standing[key{Deadlines, unitID}]
	for _, at := range o.ways(unitID) {
		if rules, ok := now.tables[at]; ok {
			return Table{Rules: rules, Unit: at, Made: now.standing[key{Deadlines, at}], Version: own.Version(), Own: at == unitID}
		}
	}
	return Table{Rules: o.defaults, Default: true, Version: own.Version()}
}

// CheckDeadlines reads a table without keeping it. The error is fault.Faults, with everything that is wrong: those of
// deadline.Parse, and "office_deadline_missing" for steps that casework cannot be without.
func CheckDeadlines(text string) (deadline.Rules, error) { return parse(text) }

// SaveDeadlines decides the table of a unit ("" = of everything) where known is the version that stands, or "" = whatever
// stands. An empty text = what is decided above holds again. The running clocks of cases keep the terms they started with.
// Stale "office_rules_changed" with "name"; otherwise as CheckDeadlines.
func (o *Office) SaveDeadlines(ctx context.Context, unitID, text, known string, by By) (Table, error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if strings.TrimSpace(text) == "" {
		text = ""
	} else if _, err := parse(text); err != nil {
		return Table{}, err
	}
	if _, err := o.decide(ctx, Change{Unit: unitID, What: Deadlines, By: by, Deadlines: text}, known); err != nil {
		return Table{}, err
	}
	return o.Table(unitID), nil
}
