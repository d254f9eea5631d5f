// Package unitimport reads lists of units from CSV files into the directory, and brings the official list of Vietnam along.
package unitimport

import (
	"context"
	"io"
	"slices"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/unit"
)

// Options say how a list is meant.
type Options struct {
	// ValidFrom is the local day from which the list holds. Required.
	ValidFrom localday.Day
	// Edition tells one list of codes from another, such as "2025"; it is part of every unit's id, so a later file of the same
	// codes is imported with the same edition and a later ValidFrom. "" = the year of ValidFrom.
	Edition string
	// Progress is told how many of the rows are done; may be nil.
	Progress func(done, total int)
}

// Summary says what an import did.
type Summary struct {
	Rows      int // lines with a unit
	Created   int
	Unchanged int
	Changed   int         // units for which the list says something else now: recorded as of ValidFrom
	Failed    int         // lines that were refused
	Errors    []LineError // by line; the first MaxErrors of them
}

// LineError is why a line was refused. The header is line 1.
type LineError struct {
	Line int
	Err  *fault.Error
}

// MaxErrors is how many errors a summary keeps.
const MaxErrors = 1000

// ID is the id of a unit from a list: the same unit of the same edition always gets the same, which is what lets an import be
// repeated. A code is unique at its level, fixed for the unit's life and never given again (Decision 19/2025/QĐ-TTg);
// levels have separate lists. The official ones tell themselves apart by their length (province 2, district 3,
// commune 5 digits) and give "vn-00004-2025"; every other level is named: "vn-office-12-2025".
func ID(level, code, edition string) string {
	if official[level] != len(code) {
		code = level + "-" + code
	}
	return "vn-" + code + "-" + edition
}

var official = map[string]int{"province": 2, "district": 3, "commune": 5}

// Import brings the directory to what a list says: a unit that is not there is created, one whose words differ is changed as of
// ValidFrom, and units that the list leaves out stay as they are. A bad line is told in the summary and fails no
// other. The same list again changes nothing. An error means that the list could not be read, or the directory not
// written; what was written until then stands, and the import can be repeated.
func Import(ctx context.Context, d *directory.Directory, list io.Reader, options Options) (Summary, error) {
	return bring(list, d, options, func(rows []directory.UnitRow, progress func(done, total int)) ([]directory.RowResult, error) {
		return d.ImportUnits(ctx, rows, progress)
	})
}

// bring reads a list, hands its rows to the directory and sums up what that says.
func bring(list io.Reader, d *directory.Directory, options Options, hand func([]directory.UnitRow, func(done, total int)) ([]directory.RowResult, error)) (Summary, error) {
	if _, err := localday.Parse(string(options.ValidFrom)); err != nil {
		return Summary{}, fault.New(fault.Invalid, "unitimport_day_invalid", "day", clip(string(options.ValidFrom)))
	}
	if options.Edition == "" {
		options.Edition = string(options.ValidFrom[:4])
	}
	if !unit.ValidID(options.Edition) {
		return Summary{}, fault.New(fault.Invalid, "unitimport_edition_invalid", "edition", clip(options.Edition))
	}
	lines, refused, err := read(list)
	if err != nil {
		return Summary{}, err
	}
	summary := Summary{Rows: len(lines) + len(refused)}
	rows, at, unplaced := resolve(lines, d.Tree(), options)
	refused = append(refused, unplaced...)
	progress := func(done, _ int) {
		if options.Progress != nil {
			options.Progress(summary.Rows-len(rows)+done, summary.Rows)
		}
	}
	results, err := hand(rows, progress)
	for i, result := range results {
		switch result.Imported {
		case directory.Created:
			summary.Created++
		case directory.Unchanged:
			summary.Unchanged++
		case directory.Changed:
			summary.Changed++
		case directory.Refused:
			refused = append(refused, LineError{at[i], fault.Of(result.Err)})
		}
	}
	slices.SortStableFunc(refused, func(a, b LineError) int { return a.Line - b.Line })
	summary.Failed = len(refused)
	summary.Errors = refused[:min(len(refused), MaxErrors)]
	return summary, err
}

// resolve gives each line its unit's id and its parent's; at is the line of each row.
func resolve(lines []line, tree *unit.Tree, options Options) (rows []directory.UnitRow, at []int, refused []LineError) {
	inFile := map[string][]int{}
	for i, l := range lines {
		inFile[l.code] = append(inFile[l.code], i)
	}
	standing := func() map[string][]string { // by code, on the day the list holds from
		byCode := map[string][]string{}
		for _, id := range tree.On(options.ValidFrom).List("") {
			u, _ := tree.Get(id)
			if code := u.Near(options.ValidFrom).Code; code != "" {
				byCode[code] = append(byCode[code], id)
			}
		}
		return byCode
	}
	var byCode map[string][]string
	for i, l := range lines {
		row := directory.UnitRow{ID: ID(l.level, l.code, options.Edition), From: options.ValidFrom, Words: l.words()}
		if l.parent != "" {
			parents := parentsIn(lines, inFile[l.parent], i, options.Edition)
			if len(parents) == 0 {
				if byCode == nil {
					byCode = standing()
				}
				parents = slices.DeleteFunc(slices.Clone(byCode[l.parent]), func(id string) bool { return id == row.ID })
			}
			if len(parents) != 1 {
				reason := "unitimport_parent_missing"
				if len(parents) > 1 {
					reason = "unitimport_parent_ambiguous"
				}
				refused = append(refused, LineError{l.number, fault.New(fault.Invalid, reason, "code", l.code, "parent", l.parent)})
				continue
			}
			row.Words.ParentID = parents[0]
		}
		rows, at = append(rows, row), append(at, l.number)
	}
	return rows, at, refused
}

// parentsIn lists the units of the file that line i may mean by its parent's code: those of another level if there are
// any, for a unit rarely stands below one of its own.
func parentsIn(lines []line, candidates []int, i int, edition string) []string {
	var others, alike []string
	for _, c := range candidates {
		id := ID(lines[c].level, lines[c].code, edition)
		switch {
		case c == i:
		case lines[c].level == lines[i].level:
			alike = append(alike, id)
		case !slices.Contains(others, id): // a line that stands twice is one unit
			others = append(others, id)
		}
	}
	if len(others) > 0 {
		return others
	}
	slices.Sort(alike)
	return slices.Compact(alike)
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80]
	}
	return s
}
