package analytics

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

// Reconciling says how Reconcile is to go about it.
type Reconciling struct {
	// From and To are the first and last month, yyyy-mm; empty = open.
	From, To string
	// Repair folds again what is found wrong, under a new epoch where a figure is wrong and not merely behind.
	Repair bool
	// Progress is told, now and then, how many records were looked at, of how many. It may be nil.
	Progress func(done, total int)
	// Found is told of every finding as it is made. It may be nil.
	Found func(Finding)
	// Keep bounds Report.Findings; 0 = 1,000. All are counted.
	Keep  int
	Clock func() time.Time // nil = time.Now
}

// Problem is what may be wrong with a figure.
type Problem string

// The problems, from harmless to grave.
const (
	// Behind: not all records are folded yet. The worker gets to it; under live traffic some cells always are.
	Behind Problem = "behind"
	// Drift: what stands is not what the same records fold to.
	Drift Problem = "drift"
	// Lost: more was seen than there is. The store was restored from a copy, or ratings were removed.
	Lost Problem = "lost"
	// Disagree: the engine's own count is not the fold's. One of the two programs is wrong.
	Disagree Problem = "disagree"
	// Damaged: records that cannot be folded.
	Damaged Problem = "damaged"
)

// Finding is one figure that is not as it should be.
type Finding struct {
	Problem Problem
	Kind    string // "cell", "strip" or "facet"
	Name    string // its address
	Stands  string // what is stored, for a person to read
	Folded  string // what the records say
}

// Report is what a reconcile found.
type Report struct {
	Records, Cells, Leaves, Slots, Facets int // looked at
	CountedAgain                          int // cells counted a second way, by the engine itself
	Counts                                map[Problem]int
	Findings                              []Finding // the first ones
	Epoch                                 uint32    // that holds at the end
	Repaired                              int       // cells and facets folded again
}

// Clean tells whether nothing was found but what the worker is about to fold.
func (r Report) Clean() bool {
	return r.Counts[Drift]+r.Counts[Lost]+r.Counts[Disagree]+r.Counts[Damaged] == 0
}

// Reconcile folds every record again and holds what it gets against the leaves, strips and facets that stand, and the overall
// scores against the engine's own count, which must agree. Memory holds one day of addresses and one month's facets at a
// time. It may be ended at any moment by ctx, with what it found so far, and made while ratings come in.
func Reconcile(ctx context.Context, engine store.Engine, how Reconciling) (Report, error) {
	if how.Keep == 0 {
		how.Keep = 1000
	}
	if how.Clock == nil {
		how.Clock = time.Now
	}
	states, err := openStates(ctx, engine)
	if err != nil {
		return Report{}, err
	}
	r := &reconcile{engine: engine, how: how, states: states, report: Report{Counts: map[Problem]int{}}}
	err = r.run(ctx)
	return r.report, err
}

type reconcile struct {
	engine store.Engine
	how    Reconciling
	states states
	report Report
	total  int
	above  uint32          // highest epoch met on a figure that is wrong
	again  map[string]bool // months with findings
}

func (r *reconcile) run(ctx context.Context) error {
	epoch, err := r.states.epoch(ctx)
	if err != nil {
		return err
	}
	r.report.Epoch = epoch.Epoch
	r.again = map[string]bool{}
	var all []string
	for month, err := range months(ctx, r.engine, oldestFirst) {
		if err != nil {
			return err
		}
		if month >= r.how.From && (r.how.To == "" || month <= r.how.To) {
			all = append(all, month)
		}
	}
	for _, month := range all {
		for _, day := range daysOf(month) {
			for count, err := range r.engine.Ratings().CellCounts(ctx, string(day)+"/", string(day)+"0") {
				if err != nil {
					return err
				}
				r.total += int(count.Count)
			}
		}
	}
	for _, month := range all {
		if err := r.month(ctx, month); err != nil {
			return err
		}
	}
	r.progress()
	if !r.how.Repair || len(r.again) == 0 {
		return nil
	}
	return r.repair(ctx)
}

func (r *reconcile) progress() {
	if r.how.Progress != nil {
		r.how.Progress(r.report.Records, max(r.total, r.report.Records))
	}
}

func (r *reconcile) found(problem Problem, kind, name string, stands, folded any) {
	finding := Finding{problem, kind, name, fmt.Sprintf("%v", stands), fmt.Sprintf("%v", folded)}
	r.report.Counts[problem]++
	if len(r.report.Findings) < r.how.Keep {
		r.report.Findings = append(r.report.Findings, finding)
	}
	if r.how.Found != nil {
		r.how.Found(finding)
	}
}

// month looks at one month.
func (r *reconcile) month(ctx context.Context, month string) error {
	facets := map[string]*tally.Facet{} // by unit
	stands := map[string]tally.Facet{}  // read before the records
	slots, err := monthSlots(ctx, r.engine.Rollups(), month)
	if err != nil {
		return err
	}
	before := maps.Clone(r.report.Counts)
	for _, day := range daysOf(month) {
		if err := r.day(ctx, day, slots[day.OfYear()], facets, stands); err != nil {
			return err
		}
		r.progress()
	}
	for unit, facet := range facets {
		r.report.Facets++
		r.compareFacet(stands[unit], *facet)
	}
	if !maps.Equal(before, r.report.Counts) {
		r.again[month] = true
	}
	return nil
}

// monthSlots reads what stands in the strips for a month, by day of the year.
func monthSlots(ctx context.Context, rollups store.Rollups, month string) (map[int]map[slotID]tally.Slot, error) {
	days := daysOf(month)
	from, to := days[0].OfYear(), days[len(days)-1].OfYear()
	slots := map[int]map[slotID]tally.Slot{}
	for strip, err := range rollups.Strips(ctx, days[0].Year(), nil) {
		if err != nil {
			return nil, err
		}
		for at, slot := range strip.Slots() {
			if at.Day < from || to < at.Day {
				continue
			}
			if slots[at.Day] == nil {
				slots[at.Day] = map[slotID]tally.Slot{}
			}
			slots[at.Day][slotID{strip.Key, at}] = slot
		}
	}
	return slots, nil
}

// day looks at one day: unit by unit, as the addresses come.
func (r *reconcile) day(ctx context.Context, day localday.Day, slots map[slotID]tally.Slot, facets map[string]*tally.Facet, stands map[string]tally.Facet) error {
	cells := map[string]map[string]bool{} // by unit: those with records or figures
	note := func(cell string) {
		leaf, _, err := leafOf(cell)
		if err != nil {
			r.found(Damaged, "cell", cell, "", err)
			return
		}
		if cells[leaf.Unit] == nil {
			cells[leaf.Unit] = map[string]bool{}
		}
		cells[leaf.Unit][cell] = true
	}
	for seen, err := range r.engine.Rollups().Seen(ctx, string(day), string(day)) {
		if err != nil {
			return err
		}
		note(seen.Cell)
	}
	for count, err := range r.engine.Ratings().CellCounts(ctx, string(day)+"/", string(day)+"0") {
		if err != nil {
			return err
		}
		note(count.Cell)
	}
	for id, slot := range slots { // a strip may know a day of which nothing else is left
		if slot.Version != (tally.Version{}) {
			note(cellOf(tally.LeafKey{Unit: id.strip.Unit, Day: day, Channel: id.at.Channel, Questionnaire: id.strip.Questionnaire, QVersion: id.strip.QVersion}, 0))
		}
	}
	for _, unit := range sortedKeys(cells) {
		if err := r.unitDay(ctx, unit, day, cells[unit], slots, facets, stands); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// unitDay looks at one unit's day. Figures are read before records, strips before leaves: what lies ahead is wrong.
func (r *reconcile) unitDay(ctx context.Context, unit string, day localday.Day, cells map[string]bool, slots map[slotID]tally.Slot, facets map[string]*tally.Facet, stands map[string]tally.Facet) error {
	key := tally.FacetKey{Unit: unit, Month: day.Month()}
	if facets[unit] == nil {
		for facet, err := range r.engine.Rollups().Facets(ctx, unit, key.Month, key.Month) {
			if err != nil {
				return err
			}
			stands[unit] = facet
		}
		empty := emptyFacet(stands[unit].FoldedUnder(), key)
		facets[unit] = &empty
	}
	leaves, err := unitLeaves(ctx, r.engine.Rollups(), unit, day)
	if err != nil {
		return err
	}
	from, to := unitDay(day, unit)
	again, err := countAgain(ctx, r.engine.Ratings(), from, to)
	if err != nil {
		return err
	}
	r.report.Leaves += len(leaves)
	r.compareSlots(unit, day, leaves, slots)
	for _, cell := range sortedKeys(cells) {
		leafKey, hour, err := leafOf(cell)
		if err != nil {
			return err
		}
		cellStands := leaves[leafKey].Hours[hour]
		records, err := r.engine.Ratings().Cell(ctx, cell)
		if err != nil {
			return err
		}
		r.report.Records += len(records)
		r.report.Cells++
		if part, err := foldPart(stands[unit].FoldedUnder(), key, cell, records); err == nil {
			addFacet(facets[unit], part)
		}
		folded, err := tally.Fold(cellStands.Epoch, cell, records)
		if err != nil {
			r.found(Damaged, "cell", cell, cellStands, err)
			continue
		}
		r.compareCell(cell, cellStands, folded.Cell)
		if err := r.compareCount(ctx, cell, records, folded.Cell, again[cell]); err != nil {
			return err
		}
	}
	return nil
}

func countAgain(ctx context.Context, ratings store.Ratings, from, to string) (map[string]tally.Counts, error) {
	again := map[string]tally.Counts{}
	for scores, err := range ratings.CountAgain(ctx, from, to) {
		if err != nil {
			return nil, err
		}
		again[scores.Cell] = scores.Overall
	}
	return again, nil
}

// compareCount holds the fold against the engine's own count of the cell.
func (r *reconcile) compareCount(ctx context.Context, cell string, records []rating.Record, folded tally.Cell, again tally.Counts) error {
	r.report.CountedAgain++
	for range 3 {
		if again == folded.Overall || contested(records) {
			return nil
		}
		// Something may have come in between the two readings.
		counts, err := countAgain(ctx, r.engine.Ratings(), cell, cell+"\x00")
		if err != nil {
			return err
		}
		if records, err = r.engine.Ratings().Cell(ctx, cell); err != nil {
			return err
		}
		hour, err := tally.Fold(folded.Epoch, cell, records)
		if err != nil {
			return nil //nolint:nilerr // damage is reported where the cell is compared
		}
		again, folded = counts[cell], hour.Cell
	}
	if again != folded.Overall {
		r.found(Disagree, "cell", cell, again, folded.Overall)
	}
	return nil
}

// contested tells whether ratings of a cell revise the same rating, or each other in a ring. The fold decides between them
// (see tally.Fold); the engines' plain count leaves out whatever is revised and cannot.
func contested(records []rating.Record) bool {
	revises := map[string]string{}
	revised := map[string]bool{}
	for _, record := range records {
		if record.Kind != rating.KindRating || record.Revises == "" {
			continue
		}
		if revised[record.Revises] {
			return true
		}
		revised[record.Revises] = true
		_, _, id := rating.SplitRecordID(record.ID)
		revises[id] = record.Revises
	}
	for id := range revises {
		steps := 0
		for at, ok := revises[id]; ok; at, ok = revises[at] {
			if steps++; at == id || steps > len(revises) {
				return true
			}
		}
	}
	return false
}
