package analytics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/analysis"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

const (
	takeAtMost = 8192 // cells a goroutine takes at once, to sort them by unit
	writeMost  = 512  // cells in one write
)

// foldLoop folds what is due until ctx ends; work outlives ctx so that a fold under way is finished.
func (w *Worker) foldLoop(ctx, work context.Context) {
	for {
		keys, wait := w.cells.take(takeAtMost)
		if len(keys) == 0 {
			w.Metrics.waiting(w.cells.waiting(), w.facets.waiting(), w.cells.failing()+w.facets.failing())
			if !w.cells.await(ctx, wait) {
				return
			}
			continue
		}
		sortByUnit(keys)
		for chunk := range slices.Chunk(keys, writeMost) {
			if ctx.Err() != nil {
				return // what was not begun is found by the next sweep
			}
			for _, result := range w.foldCells(work, chunk) {
				failures := w.cells.folded(result.cell, result.cost, result.err)
				w.report(result, failures)
			}
		}
	}
}

// await waits until something may be due; false means ctx ended.
func (d *due) await(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-d.signal:
	case <-timer.C:
	}
	return ctx.Err() == nil
}

func (w *Worker) report(result folded, failures int) {
	if result.err == nil {
		return
	}
	w.Metrics.failed()
	w.Logger.Error("figures: a cell cannot be folded; others go on, this one is tried again",
		"cell", result.cell, "failures", failures, "error", result.err)
}

// folded is what became of one cell.
type folded struct {
	cell    string
	version tally.Version // that stands since, or a later one
	cost    time.Duration
	err     error
}

// foldCells reads, folds and raises cells, and then the strips their leaves belong to. It answers one result a cell.
func (w *Worker) foldCells(ctx context.Context, cells []string) []folded {
	began := time.Now()
	results := make([]folded, len(cells))
	for i, cell := range cells {
		results[i].cell = cell
	}
	state, err := w.states.epoch(ctx)
	if err != nil {
		return failAll(results, err)
	}
	hours := make([]tally.HourCell, 0, len(cells))
	place := make([]int, 0, len(cells)) // of hours[i] in results
	records := 0
	for i := range results {
		r := &results[i]
		start := time.Now()
		hour, err := foldCell(ctx, w.Engine.Ratings(), state.Epoch, r.cell)
		r.cost, r.err, r.version = time.Since(start), err, hour.Cell.Version
		// A cell without records is written only to clear what an earlier epoch left there.
		if err == nil && (r.version.Seen > 0 || state.Epoch > firstEpoch) {
			hours, place = append(hours, hour), append(place, i)
			records += int(hour.Cell.Seen)
		}
	}
	w.raise(ctx, hours, func(i int, err error) { results[place[i]].err = err })
	var raised []tally.HourCell
	for i, hour := range hours {
		if results[place[i]].err == nil {
			raised = append(raised, hour)
		}
	}
	behind := w.raiseStrips(ctx, raised)
	units := map[string]bool{}
	for i, hour := range hours {
		if r := &results[place[i]]; r.err == nil {
			if r.err = behind[hour.Leaf]; r.err == nil {
				units[hour.Leaf.Unit] = true
				w.facets.touch(facetKeyOf(hour.Leaf).ID())
			}
		}
	}
	w.announce(ctx, units)
	w.Metrics.folded(len(units), records, time.Since(began))
	return results
}

func failAll(results []folded, err error) []folded {
	for i := range results {
		results[i].err = err
	}
	return results
}

// foldCell reads a cell's records and folds them. A panic in the fold of damaged records is an error of this cell.
func foldCell(ctx context.Context, ratings store.Ratings, epoch uint32, cell string) (hour tally.HourCell, err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			err = fmt.Errorf("fold %s: %v", cell, trouble)
		}
	}()
	records, err := ratings.Cell(ctx, cell)
	if err != nil {
		return tally.HourCell{}, err
	}
	return tally.Fold(epoch, cell, records)
}

// raise writes hour cells in one write; where that fails other than by the engine being away, one by one, so that no cell
// holds up the others.
func (w *Worker) raise(ctx context.Context, hours []tally.HourCell, fail func(int, error)) {
	if len(hours) == 0 {
		return
	}
	rollups := w.Engine.Rollups()
	err := rollups.Raise(ctx, hours)
	if err == nil {
		return
	}
	alone := len(hours) > 1 && !errors.Is(err, store.ErrUnavailable)
	for i := range hours {
		if alone {
			err = rollups.Raise(ctx, hours[i:i+1])
		}
		if err != nil {
			fail(i, err)
		}
	}
}

// raiseStrips reads the leaves of raised cells again and joins their sums into the strips. Whoever raised a leaf's last cell
// reads the leaf after it, so the strip ends where the leaf ended, whichever workers did it. It answers the leaves whose
// strip could not be raised.
func (w *Worker) raiseStrips(ctx context.Context, hours []tally.HourCell) map[tally.LeafKey]error {
	type span struct{ unit, month string }
	type days struct{ from, to localday.Day }
	spans := map[span]days{}
	wanted := map[tally.LeafKey]bool{}
	for _, hour := range hours {
		key := span{hour.Leaf.Unit, hour.Leaf.Day.Month()}
		wanted[hour.Leaf] = true
		if d, ok := spans[key]; ok {
			spans[key] = days{min(d.from, hour.Leaf.Day), max(d.to, hour.Leaf.Day)}
		} else {
			spans[key] = days{hour.Leaf.Day, hour.Leaf.Day}
		}
	}
	behind := map[tally.LeafKey]error{}
	fail := func(concerns func(tally.LeafKey) bool, err error) {
		for leaf := range wanted {
			if concerns(leaf) {
				behind[leaf] = err
			}
		}
	}
	strips := map[tally.StripKey]map[tally.SlotKey]tally.Slot{}
	for key, d := range spans {
		for leaf, err := range w.Engine.Rollups().Leaves(ctx, key.unit, string(d.from), string(d.to)) {
			if err != nil {
				fail(func(leaf tally.LeafKey) bool { return leaf.Unit == key.unit && leaf.Day.Month() == key.month }, err)
				break
			}
			if !wanted[leaf.Key] {
				continue
			}
			key := leaf.StripKey()
			if strips[key] == nil {
				strips[key] = map[tally.SlotKey]tally.Slot{}
			}
			at, slot := leaf.Slot()
			strips[key][at] = slot
		}
	}
	list := make([]tally.Strip, 0, len(strips))
	for key, slots := range strips {
		strip, err := tally.NewStrip(key, slots)
		if err != nil {
			fail(func(leaf tally.LeafKey) bool { return leaf.Unit == key.Unit && leaf.Day.Year() == key.Year }, err)
			continue
		}
		list = append(list, strip)
	}
	if len(list) == 0 {
		return behind
	}
	if err := w.Engine.Rollups().RaiseStrips(ctx, list); err != nil {
		fail(func(tally.LeafKey) bool { return true }, err)
	}
	return behind
}

// sortByUnit sorts cell addresses by unit and then day, so that neighbours share leaves and strips.
func sortByUnit(cells []string) {
	slices.SortFunc(cells, func(a, b string) int {
		dayA, restA, _ := strings.Cut(a, "/")
		dayB, restB, _ := strings.Cut(b, "/")
		unitA, _, _ := strings.Cut(restA, "/")
		unitB, _, _ := strings.Cut(restB, "/")
		return cmp.Or(strings.Compare(unitA, unitB), strings.Compare(dayA, dayB), strings.Compare(restA, restB))
	})
}

// announce tells the feed which units have new figures.
func (w *Worker) announce(ctx context.Context, units map[string]bool) {
	if w.Feed == nil || len(units) == 0 {
		return
	}
	for _, body := range analysis.EncodeChanged(sortedKeys(units)) {
		if err := w.Feed.Publish(ctx, analysis.Topic, body); err != nil {
			w.Logger.Debug("figures: a change was not announced", "error", err)
			return
		}
	}
}

func sortedKeys[V any](set map[string]V) []string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// leafOf answers the leaf a cell belongs to, and its hour.
func leafOf(cell string) (tally.LeafKey, int, error) {
	at, err := rating.ParseCell(cell)
	if err != nil {
		return tally.LeafKey{}, 0, err
	}
	return tally.LeafKey{
		Unit: at.Unit, Day: at.Day, Channel: at.Channel, Questionnaire: at.Questionnaire, QVersion: at.Version,
	}, at.Hour, nil
}

// cellOf is the address of an hour cell of a leaf.
func cellOf(leaf tally.LeafKey, hour int) string {
	return rating.Counted{
		Unit: leaf.Unit, Day: leaf.Day, Hour: hour, Channel: leaf.Channel, Questionnaire: leaf.Questionnaire, Version: leaf.QVersion,
	}.Cell()
}
