package analytics

import (
	"context"
	"maps"
	"slices"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/tally"
)

// compareCell holds a cell that stands against the fold of its records under the same epoch.
func (r *reconcile) compareCell(cell string, stands, folded tally.Cell) {
	switch {
	case stands.Seen > folded.Seen:
		r.above = max(r.above, stands.Epoch)
		r.found(Lost, "cell", cell, stands.Version, folded.Version)
	case stands.Seen < folded.Seen:
		r.found(Behind, "cell", cell, stands.Version, folded.Version)
	case !sameCell(stands, folded):
		r.above = max(r.above, stands.Epoch)
		r.found(Drift, "cell", cell, stands, folded)
	case stands.Epoch > r.report.Epoch:
		r.above = max(r.above, stands.Epoch)
		r.found(Lost, "cell", cell, stands.Version, "the document of epochs is older")
	}
}

func sameCell(a, b tally.Cell) bool {
	return a.Overall == b.Overall && a.Flagged == b.Flagged && maps.Equal(a.Questions, b.Questions) && maps.Equal(a.Choices, b.Choices)
}

// compareSlots holds a day's slots in the strips, read earlier, against the leaves.
func (r *reconcile) compareSlots(unit string, day localday.Day, leaves map[tally.LeafKey]tally.Leaf, slots map[slotID]tally.Slot) {
	known := map[slotID]bool{}
	for key, leaf := range leaves {
		at, want := leaf.Slot()
		id := slotID{stripKeyOf(key), at}
		known[id] = true
		r.report.Slots++
		r.compareSlot(key.ID(), slots[id], want)
	}
	for id, slot := range slots {
		if id.strip.Unit == unit && !known[id] {
			r.report.Slots++
			r.compareSlot(id.strip.ID()+" "+string(day), slot, tally.Slot{})
		}
	}
}

func (r *reconcile) compareSlot(name string, stands, want tally.Slot) {
	switch {
	case stands.Less(want.Version):
		r.found(Behind, "strip", name, stands.Version, want.Version)
	case want.Less(stands.Version):
		r.above = max(r.above, stands.Epoch)
		r.found(Lost, "strip", name, stands.Version, want.Version)
	case stands != want:
		r.above = max(r.above, stands.Epoch)
		r.found(Drift, "strip", name, stands, want)
	}
}

// compareFacet holds a facet that stands, read earlier, against the fold of its month under the same epoch. Records that came
// in meanwhile make it look behind, which it is.
func (r *reconcile) compareFacet(stands, folded tally.Facet) {
	name := folded.Key.ID()
	switch {
	case stands.Seen > folded.Seen:
		r.above = max(r.above, stands.FoldedUnder())
		r.found(Lost, "facet", name, stands.Version, folded.Version)
	case stands.Seen < folded.Seen, folded.Seen > 0 && stands.Outdated():
		r.found(Behind, "facet", name, stands.Version, folded.Version)
	case folded.Seen > 0 && !sameFacet(stands, folded):
		r.above = max(r.above, stands.FoldedUnder())
		r.found(Drift, "facet", name, stands, folded)
	}
}

func sameFacet(a, b tally.Facet) bool {
	return maps.Equal(a.Counters, b.Counters) && maps.Equal(a.Procedures, b.Procedures) && maps.Equal(a.Officials, b.Officials) && maps.Equal(a.Questions, b.Questions)
}

// repair folds the months with findings again, under a new epoch where something is wrong rather than behind: a fold under
// the same epoch does not land where as much was seen. Other months keep their epoch, for the sweep to raise in its time.
func (r *reconcile) repair(ctx context.Context) error {
	if r.above > 0 {
		epoch, err := r.states.raiseEpoch(ctx, max(r.above, r.report.Epoch), r.how.Clock(), "repair by reconcile")
		if err != nil {
			return err
		}
		r.report.Epoch = epoch
	}
	worker, err := New(Config{Engine: r.engine, Clock: r.how.Clock})
	if err != nil {
		return err
	}
	worker.states = r.states
	for _, month := range slices.Sorted(maps.Keys(r.again)) {
		if err := r.repairMonth(ctx, worker, month); err != nil {
			return err
		}
	}
	return nil
}

func (r *reconcile) repairMonth(ctx context.Context, worker *Worker, month string) error {
	sweep := monthSweep{worker: worker, epoch: r.report.Epoch, month: month, units: map[string]uint32{}}
	if err := sweep.readStrips(ctx); err != nil {
		return err
	}
	for _, day := range daysOf(month) {
		if _, err := sweep.day(ctx, day); err != nil {
			return err
		}
	}
	r.report.Repaired += len(sweep.due)
	if err := sweep.fold(ctx); err != nil {
		return err
	}
	if err := sweep.facets(ctx); err != nil {
		return err
	}
	for {
		keys := worker.facets.takeAll()
		if len(keys) == 0 {
			return nil
		}
		for _, key := range keys {
			if err := worker.foldFacet(ctx, ctx, key); err != nil {
				return err
			}
			worker.facets.folded(key, 0, nil)
			r.report.Repaired++
		}
	}
}
