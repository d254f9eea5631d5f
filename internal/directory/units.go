package directory

import (
	"context"
	"slices"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/unit"
)

// CreateUnit makes a unit that holds from a day on ("" = always). An empty id is made here. The same unit again answers what
// stands; another under the same id is fault.Exists.
func (d *Directory) CreateUnit(ctx context.Context, id string, from localday.Day, words unit.Words) (unit.Unit, error) {
	if id == "" {
		id = d.options.NewID()
	}
	var made unit.Unit
	err := d.commit(ctx, func(s *snapshot) (change, error) {
		made = unit.New(id, homeOf(s.tree.Get, id, words.ParentID), from, words)
		if stands, ok := s.tree.Get(id); ok {
			if stands.Eras[0].Words != made.Eras[0].Words || stands.Start() != from {
				return change{}, fault.New(fault.Exists, "directory_id_taken", "id", id)
			}
			made = stands
			return change{}, nil
		}
		return put(s, made)
	})
	return made, err
}

// ChangeUnit records what holds of a unit from a day on: the unit keeps its id and its past.
func (d *Directory) ChangeUnit(ctx context.Context, id string, from localday.Day, words unit.Words) (unit.Unit, error) {
	if from == "" {
		return unit.Unit{}, fault.New(fault.Invalid, "unit_day_missing", "unit", id)
	}
	return d.event(ctx, id, func(u unit.Unit) (unit.Unit, error) {
		if last := u.Eras[len(u.Eras)-1]; words.NameEN == "" && words.Name == last.Name {
			words.NameEN = last.NameEN // the contract does not carry it
		}
		return u.Change(from, words)
	})
}

// CloseUnit ends a unit: to is the first day on which it is no more; successors take its place (merged, split).
func (d *Directory) CloseUnit(ctx context.Context, id string, to localday.Day, successors []string) (unit.Unit, error) {
	return d.event(ctx, id, func(u unit.Unit) (unit.Unit, error) { return u.Close(to, successors...) })
}

func (d *Directory) event(ctx context.Context, id string, happen func(unit.Unit) (unit.Unit, error)) (unit.Unit, error) {
	var after unit.Unit
	err := d.commit(ctx, func(s *snapshot) (change, error) {
		before, ok := s.tree.Get(id)
		if !ok {
			return change{}, fault.New(fault.NotFound, "directory_unit_missing", "unit", clip(id))
		}
		var err error
		if after, err = happen(before); err != nil {
			return change{}, err
		}
		if same(before, after) {
			return change{}, nil
		}
		return put(s, after)
	})
	return after, err
}

func same(a, b unit.Unit) bool {
	return slices.Equal(a.Eras, b.Eras) && slices.Equal(a.SuccessorIDs, b.SuccessorIDs)
}

// put checks a unit against all others.
func put(s *snapshot, u unit.Unit) (change, error) {
	draft := s.tree.Draft()
	if err := draft.Put(u); err != nil {
		return change{}, err
	}
	if _, err := draft.Tree(s.tree.Today()); err != nil {
		return change{}, err
	}
	return change{units: []unit.Unit{u}}, nil
}

// homeOf: a unit's home is that of its first parent; a unit at the top is its own.
func homeOf(get func(string) (unit.Unit, bool), id, parent string) string {
	if above, ok := get(parent); ok {
		return above.Home
	}
	return id
}

// UnitRow is a unit of a list, as it shall be from a day on.
type UnitRow struct {
	ID    string
	From  localday.Day
	Words unit.Words
}

// Imported says what became of a row.
type Imported string

// What can become of a row.
const (
	Created   Imported = "created"
	Unchanged Imported = "unchanged" // these words held on that day already
	Changed   Imported = "changed"   // a dated change was recorded
	Refused   Imported = "refused"
)

// RowResult is what became of one row, with the reason where it was refused.
type RowResult struct {
	Imported Imported
	Err      error
}

// ImportUnits brings units to what a list says, in any order of rows, each for itself: a bad row is refused and the others
// stand. The same list again changes nothing. Rows are committed some hundred at a time; progress (may be nil) is told
// after each. Where the error is not nil, rows without a result were not reached.
func (d *Directory) ImportUnits(ctx context.Context, rows []UnitRow, progress func(done, total int)) ([]RowResult, error) {
	results := make([]RowResult, len(rows))
	order := parentsFirst(rows, results)
	done := len(rows) - len(order)
	for batch := range slices.Chunk(order, maxWrites) {
		err := d.commit(ctx, func(s *snapshot) (change, error) { return planRows(s, rows, batch, results) })
		if err != nil {
			for _, i := range batch {
				results[i] = RowResult{}
			}
			return results, err
		}
		done += len(batch)
		if progress != nil {
			progress(done, len(rows))
		}
	}
	return results, nil
}

// PlanUnits says what ImportUnits would answer, and changes nothing.
func (d *Directory) PlanUnits(rows []UnitRow) ([]RowResult, error) {
	results := make([]RowResult, len(rows))
	order := parentsFirst(rows, results)
	_, err := planRows(d.current.Load(), rows, order, results)
	return results, err
}

func planRows(s *snapshot, rows []UnitRow, batch []int, results []RowResult) (change, error) {
	draft := s.tree.Draft()
	var c change
	for _, i := range batch {
		row := rows[i]
		u, stands := draft.Get(row.ID)
		result := Created
		var err error
		switch {
		case !stands:
			u = unit.New(row.ID, homeOf(draft.Get, row.ID, row.Words.ParentID), row.From, row.Words)
		default:
			before := u
			wanted := unit.New(row.ID, u.Home, row.From, row.Words).Eras[0].Words
			if era, there := u.At(row.From); !there || era.Words != wanted {
				u, err = u.Change(row.From, wanted)
			}
			if result = Changed; err == nil && same(before, u) {
				results[i] = RowResult{Imported: Unchanged}
				continue
			}
		}
		if err == nil {
			err = draft.Put(u)
		}
		if err != nil {
			results[i] = RowResult{Refused, err}
			continue
		}
		results[i] = RowResult{Imported: result}
		c.units = append(c.units, u)
	}
	if len(c.units) == 0 {
		return change{}, nil
	}
	_, err := draft.Tree(s.tree.Today())
	return c, err
}

// parentsFirst orders the rows so that each comes after the row of its parent. A row whose id came before is refused. Rows
// that stand above each other in a ring come last; the checks refuse them.
func parentsFirst(rows []UnitRow, results []RowResult) []int {
	first := make(map[string]int, len(rows))
	for i, row := range rows {
		if _, twice := first[row.ID]; twice {
			results[i] = RowResult{Refused, fault.New(fault.Invalid, "directory_row_twice", "id", clip(row.ID))}
			continue
		}
		first[row.ID] = i
	}
	order := make([]int, 0, len(rows))
	placed := make([]bool, len(rows))
	var path []int
	for i := range rows {
		path = path[:0]
		for at, ok := i, results[i].Err == nil; ok && !placed[at]; at, ok = first[rows[at].Words.ParentID] {
			placed[at] = true
			path = append(path, at)
		}
		slices.Reverse(path)
		order = append(order, path...)
	}
	return order
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80]
	}
	return s
}
