package analytics

import (
	"context"
	"maps"
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

// comparison compares cells with the counts of their records, and the strips of their leaves with the leaves.
type comparison struct {
	worker *Worker
	epoch  uint32
	// known are versions that an earlier comparison found to stand in leaf and strip. Figures never go backwards, so where
	// the count still is what was seen, nothing else need be read.
	known map[string]tally.Version
	found map[string]tally.Version // the same, as found by this comparison
	due   []string                 // cells to be folded
	lost  []string                 // cells that look restored
}

// cells compares some cells.
func (c *comparison) cells(ctx context.Context, cells []string) error {
	sortByUnit(cells)
	slots := map[int]map[string]map[tally.LeafKey]slotOf{} // by year and unit
	for len(cells) > 0 {
		first, _, err := leafOf(cells[0])
		if err != nil {
			c.worker.giveUp(cells[0], err)
			cells = cells[1:]
			continue
		}
		from, to := unitDay(first.Day, first.Unit)
		group := cells[:1]
		for len(group) < len(cells) && from <= cells[len(group)] && cells[len(group)] < to {
			group = cells[:len(group)+1]
		}
		cells = cells[len(group):]
		if group, err = c.news(ctx, group, from, to); err != nil {
			return err
		}
		if len(group) == 0 {
			continue
		}
		if err := c.unitDay(ctx, first.Unit, first.Day, group, slots); err != nil {
			return err
		}
	}
	return c.strips(ctx, slots)
}

// news leaves out the cells of a unit's day of which it is known that they are fresh.
func (c *comparison) news(ctx context.Context, group []string, from, to string) ([]string, error) {
	if !slices.ContainsFunc(group, func(cell string) bool { return c.known[cell].Epoch == c.epoch }) {
		return group, nil
	}
	counts, err := countCells(ctx, c.worker.Engine.Ratings(), group, from, to)
	if err != nil {
		return nil, err
	}
	var news []string
	for _, cell := range group {
		if known := c.known[cell]; known == (tally.Version{Epoch: c.epoch, Seen: counts[cell]}) {
			c.found[cell] = known
		} else {
			news = append(news, cell)
		}
	}
	return news, nil
}

// unitDay compares cells of one unit's day and notes where their leaves stand.
func (c *comparison) unitDay(ctx context.Context, unit string, day localday.Day, group []string, slots map[int]map[string]map[tally.LeafKey]slotOf) error {
	leaves, err := unitLeaves(ctx, c.worker.Engine.Rollups(), unit, day)
	if err != nil {
		return err
	}
	from, to := unitDay(day, unit)
	counts, err := countCells(ctx, c.worker.Engine.Ratings(), group, from, to)
	if err != nil {
		return err
	}
	for _, cell := range group {
		key, hour, err := leafOf(cell)
		if err != nil {
			c.worker.giveUp(cell, err)
			continue
		}
		leaf, ok := leaves[key]
		stands := leaf.Hours[hour].Version
		switch judge(stands, counts[cell], c.epoch) {
		case stale:
			c.due = append(c.due, cell)
			continue
		case restored:
			c.lost = append(c.lost, cell)
			continue
		}
		if !ok {
			continue
		}
		year := day.Year()
		if slots[year] == nil {
			slots[year] = map[string]map[tally.LeafKey]slotOf{}
		}
		if slots[year][unit] == nil {
			slots[year][unit] = map[tally.LeafKey]slotOf{}
		}
		at, slot := leaf.Slot()
		of := slots[year][unit][key]
		slots[year][unit][key] = slotOf{at, slot.Version, append(of.cells, cell)}
		c.found[cell] = stands
	}
	return nil
}

// slotOf is where a leaf stands in its strip, and those of its cells that were compared.
type slotOf struct {
	at      tally.SlotKey
	version tally.Version
	cells   []string
}

// stripsAtOnce is how many units' strips one call reads.
const stripsAtOnce = 500

// strips compares the strips with the leaves. Where one is behind, folding any cell of the leaf raises it.
func (c *comparison) strips(ctx context.Context, slots map[int]map[string]map[tally.LeafKey]slotOf) error {
	for year, byUnit := range slots {
		for units := range slices.Chunk(sortedKeys(byUnit), stripsAtOnce) {
			strips := map[tally.StripKey]tally.Strip{}
			for strip, err := range c.worker.Engine.Rollups().Strips(ctx, year, units) {
				if err != nil {
					return err
				}
				strips[strip.Key] = strip
			}
			for _, unit := range units {
				for leaf, want := range byUnit[unit] {
					slot, _ := strips[stripKeyOf(leaf)].Slot(want.at)
					if !slot.Less(want.version) {
						continue
					}
					c.due = append(c.due, want.cells[0])
					for _, cell := range want.cells {
						delete(c.found, cell)
					}
				}
			}
		}
	}
	return nil
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

// foldNow folds cells that a sweep found due, several writes at a time, and answers the versions that stand since.
func (w *Worker) foldNow(ctx context.Context, cells []string) map[string]tally.Version {
	cells = slices.Compact(slices.Sorted(slices.Values(cells)))
	sortByUnit(cells)
	work, release := lasting(ctx, w.StopWithin)
	defer release()
	chunks := make(chan []string)
	done := make(chan map[string]tally.Version)
	for range w.Folders {
		go func() {
			stand := map[string]tally.Version{}
			defer func() { done <- stand }()
			for chunk := range chunks {
				began := w.Clock()
				for _, result := range w.foldCells(work, chunk) {
					if result.err != nil {
						w.giveUp(result.cell, result.err)
						continue
					}
					w.cells.sweptUp(result.cell, began)
					stand[result.cell] = result.version
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
	stand := map[string]tally.Version{}
	for range w.Folders {
		maps.Copy(stand, <-done)
	}
	return stand
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
