package analytics

import (
	"context"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

// verdict is what a comparison of a cell's version with the count of its records says.
type verdict int

const (
	fresh    verdict = iota
	stale            // to be folded
	restored         // more was seen than there is: the store was restored from a copy
)

// judge compares. The version must have been read before the count: records only grow, so a count read later is
// never smaller for any other reason than a restore.
func judge(stands tally.Version, count, epoch uint32) verdict {
	switch {
	case stands.Epoch > epoch, stands.Epoch == epoch && stands.Seen > count:
		return restored
	case stands == tally.Version{} && count == 0:
		return fresh
	case stands.Less(tally.Version{Epoch: epoch, Seen: count}):
		return stale
	}
	return fresh
}

// compareCells compares some cells with the counts of their records, and the strips of their leaves with the leaves. It
// answers the cells that are to be folded, and the cells that look restored.
func (w *Worker) compareCells(ctx context.Context, epoch uint32, cells []string) (due, lost []string, err error) {
	sortByUnit(cells)
	slots := map[int]map[string]map[tally.LeafKey]slotOf{} // by year and unit
	for len(cells) > 0 {
		first, _, err := leafOf(cells[0])
		if err != nil {
			w.giveUp(cells[0], err)
			cells = cells[1:]
			continue
		}
		from, to := unitDay(first.Day, first.Unit)
		group := cells[:1]
		for len(group) < len(cells) && from <= cells[len(group)] && cells[len(group)] < to {
			group = cells[:len(group)+1]
		}
		cells = cells[len(group):]
		leaves, err := unitLeaves(ctx, w.Engine.Rollups(), first.Unit, first.Day)
		if err != nil {
			return nil, nil, err
		}
		counts, err := countCells(ctx, w.Engine.Ratings(), group, from, to)
		if err != nil {
			return nil, nil, err
		}
		for _, cell := range group {
			key, hour, err := leafOf(cell)
			if err != nil {
				w.giveUp(cell, err)
				continue
			}
			leaf, ok := leaves[key]
			switch judge(leaf.Hours[hour].Version, counts[cell], epoch) {
			case stale:
				due = append(due, cell)
				continue
			case restored:
				lost = append(lost, cell)
				continue
			}
			if year := key.Day.Year(); ok {
				if slots[year] == nil {
					slots[year] = map[string]map[tally.LeafKey]slotOf{}
				}
				if slots[year][key.Unit] == nil {
					slots[year][key.Unit] = map[tally.LeafKey]slotOf{}
				}
				at, slot := leaf.Slot()
				slots[year][key.Unit][key] = slotOf{at, slot.Version, cell}
			}
		}
	}
	behind, err := w.compareStrips(ctx, slots)
	return append(due, behind...), lost, err
}

// slotOf is where a leaf stands in its strip, and one of its cells: folding that one raises the strip.
type slotOf struct {
	at      tally.SlotKey
	version tally.Version
	cell    string
}

// stripsAtOnce is how many units' strips one call reads.
const stripsAtOnce = 500

func (w *Worker) compareStrips(ctx context.Context, slots map[int]map[string]map[tally.LeafKey]slotOf) (due []string, err error) {
	for year, byUnit := range slots {
		for units := range slices.Chunk(sortedKeys(byUnit), stripsAtOnce) {
			strips := map[tally.StripKey]tally.Strip{}
			for strip, err := range w.Engine.Rollups().Strips(ctx, year, units) {
				if err != nil {
					return nil, err
				}
				strips[strip.Key] = strip
			}
			for _, unit := range units {
				for leaf, want := range byUnit[unit] {
					slot, _ := strips[stripKeyOf(leaf)].Slot(want.at)
					if slot.Less(want.version) {
						due = append(due, want.cell)
					}
				}
			}
		}
	}
	return due, nil
}

func stripKeyOf(leaf tally.LeafKey) tally.StripKey {
	return tally.StripKey{Year: leaf.Day.Year(), Unit: leaf.Unit, Questionnaire: leaf.Questionnaire, QVersion: leaf.QVersion}
}

func unitLeaves(ctx context.Context, rollups store.Rollups, unit string, day localday.Day) (map[tally.LeafKey]tally.Leaf, error) {
	leaves := map[tally.LeafKey]tally.Leaf{}
	for leaf, err := range rollups.Leaves(ctx, unit, string(day), string(day)) {
		if err != nil {
			return nil, err
		}
		leaves[leaf.Key] = leaf
	}
	return leaves, nil
}

// countCells counts the records of cells of one unit's day: a few one by one, more of them as one range.
func countCells(ctx context.Context, ratings store.Ratings, cells []string, from, to string) (map[string]uint32, error) {
	counts := make(map[string]uint32, len(cells))
	ranges := [][2]string{{from, to}}
	if len(cells) <= 3 {
		ranges = ranges[:0]
		for _, cell := range cells {
			ranges = append(ranges, [2]string{cell, cell + "\x00"})
		}
	}
	for _, r := range ranges {
		for count, err := range ratings.CellCounts(ctx, r[0], r[1]) {
			if err != nil {
				return nil, err
			}
			counts[count.Cell] = count.Count
		}
	}
	return counts, nil
}

// giveUp notes a cell that cannot be folded as it is; freshness waits for it.
func (w *Worker) giveUp(cell string, err error) {
	w.cells.failed(cell)
	w.report(folded{cell: cell, err: err}, 1)
}

// foldNow folds cells that a sweep found due, several writes at a time.
func (w *Worker) foldNow(ctx context.Context, cells []string) {
	cells = slices.Compact(slices.Sorted(slices.Values(cells)))
	sortByUnit(cells)
	work, release := lasting(ctx, w.StopWithin)
	defer release()
	chunks := make(chan []string)
	done := make(chan struct{})
	for range w.Folders {
		go func() {
			defer func() { done <- struct{}{} }()
			for chunk := range chunks {
				began := w.Clock()
				for _, result := range w.foldCells(work, chunk) {
					if result.err != nil {
						w.giveUp(result.cell, result.err)
						continue
					}
					w.cells.sweptUp(result.cell, began)
				}
			}
		}()
	}
	for chunk := range slices.Chunk(cells, writeMost) {
		if ctx.Err() != nil {
			break
		}
		chunks <- chunk
	}
	close(chunks)
	for range w.Folders {
		<-done
	}
}

// confirm looks again at a cell that looks restored: an alarm must not rest on one reading. It reads in the order in which
// figures are made backwards, strip, leaf, records: without a restore, each can only be ahead of the one before. above is the
// highest epoch met.
func (w *Worker) confirm(ctx context.Context, epoch uint32, cell string) (above uint32, sure bool, err error) {
	key, hour, err := leafOf(cell)
	if err != nil {
		return 0, false, nil //nolint:nilerr // such a cell was given up before
	}
	if !sleep(ctx, 200*time.Millisecond) {
		return 0, false, ctx.Err()
	}
	at := tally.SlotKey{Day: key.Day.OfYear(), Channel: key.Channel}
	var slot tally.Slot
	for strip, err := range w.Engine.Rollups().Strips(ctx, key.Day.Year(), []string{key.Unit}) {
		if err != nil {
			return 0, false, err
		}
		if strip.Key == stripKeyOf(key) {
			slot, _ = strip.Slot(at)
		}
	}
	leaves, err := unitLeaves(ctx, w.Engine.Rollups(), key.Unit, key.Day)
	if err != nil {
		return 0, false, err
	}
	counts, err := countCells(ctx, w.Engine.Ratings(), []string{cell}, "", "")
	if err != nil {
		return 0, false, err
	}
	leaf := leaves[key]
	stands := leaf.Hours[hour].Version
	_, sum := leaf.Slot()
	ahead := sum.Less(slot.Version)
	sure = ahead || judge(stands, counts[cell], epoch) == restored
	if sure {
		w.Logger.Error("figures: more was counted than is stored: the store was restored from a copy, or ratings were removed; everything is folded again",
			"cell", cell, "seen", stands.Seen, "stored", counts[cell], "strip_ahead", ahead)
		w.Metrics.restored(cell)
	}
	// A slot's epoch is a sum over cells: an epoch above it is above whatever fewer cells add up to.
	return max(epoch, stands.Epoch, slot.Epoch), sure, nil
}

// alarm begins a new epoch where cells have seen more records than there are, so that everything is folded again. It answers
// whether there was cause.
func (w *Worker) alarm(ctx context.Context, epoch uint32, lost []string) (bool, error) {
	for _, cell := range lost {
		above, sure, err := w.confirm(ctx, epoch, cell)
		if err != nil {
			return false, err
		}
		if !sure {
			continue
		}
		next, err := w.states.raiseEpoch(ctx, above, w.Clock(), "more was counted than is stored: "+cell)
		if err != nil {
			return false, err
		}
		w.Logger.Error("figures: a new epoch begins", "epoch", next, "cells_in_doubt", len(lost))
		w.wantAll()
		return true, nil
	}
	return false, nil
}
