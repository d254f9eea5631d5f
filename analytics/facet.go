package analytics

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

// facetLoop folds unit-month facets that are due, one at a time: they are looked at rarely and cost the most.
func (w *Worker) facetLoop(ctx, work context.Context) {
	for {
		keys, wait := w.facets.take(1)
		if len(keys) == 0 {
			if !w.facets.await(ctx, wait) {
				return
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		start := time.Now()
		err := w.foldFacet(ctx, work, keys[0])
		if err != nil && ctx.Err() != nil {
			return
		}
		if failures := w.facets.folded(keys[0], time.Since(start), err); err != nil {
			w.Metrics.failed()
			w.Logger.Error("figures: a facet cannot be folded; others go on, this one is tried again",
				"facet", keys[0], "failures", failures, "error", err)
		}
	}
}

func facetKeyOf(leaf tally.LeafKey) tally.FacetKey {
	return tally.FacetKey{Unit: leaf.Unit, Month: leaf.Day.Month()}
}

func parseFacetKey(id string) (tally.FacetKey, error) {
	unit, month, ok := strings.Cut(id, "/")
	if _, err := time.Parse("2006-01", month); !ok || err != nil {
		return tally.FacetKey{}, fmt.Errorf("not a unit and month: %q", id)
	}
	return tally.FacetKey{Unit: unit, Month: month}, nil
}

// foldFacet brings one facet up to date. Reading stops with ctx; the write is made under work.
func (w *Worker) foldFacet(ctx, work context.Context, id string) error {
	began := time.Now()
	key, err := parseFacetKey(id)
	if err != nil {
		return err
	}
	state, err := w.states.epoch(ctx)
	if err != nil {
		return err
	}
	counts, total, err := monthCounts(ctx, w.Engine.Ratings(), key)
	if err != nil {
		return err
	}
	stands, err := facetVersion(ctx, w.Engine.Rollups(), key)
	if err != nil || !stands.Less(tally.Version{Epoch: tally.FacetEpoch(state.Epoch), Seen: total}) {
		return err // another worker was here
	}
	facet, err := readFacet(ctx, w.Engine.Ratings(), state.Epoch, key, counts, w.Clock)
	if err != nil {
		return err
	}
	if err := w.Engine.Rollups().RaiseFacets(work, []tally.Facet{facet}); err != nil {
		return err
	}
	w.Metrics.faceted(int(facet.Seen), time.Since(began))
	return nil
}

// monthCounts counts the records of a unit's month by cell: addresses are day first, so it is one short range a day.
func monthCounts(ctx context.Context, ratings store.Ratings, key tally.FacetKey) (map[string]uint32, uint32, error) {
	counts := map[string]uint32{}
	var total uint32
	for _, day := range daysOf(key.Month) {
		from, to := unitDay(day, key.Unit)
		for count, err := range ratings.CellCounts(ctx, from, to) {
			if err != nil {
				return nil, 0, err
			}
			counts[count.Cell] = count.Count
			total += count.Count
		}
	}
	return counts, total, nil
}

// unitDay is the range of the cells of a unit's day.
func unitDay(day localday.Day, unit string) (from, to string) {
	prefix := string(day) + "/" + unit
	return prefix + "/", prefix + "0" // '0' follows '/'
}

func daysOf(month string) []localday.Day {
	var days []localday.Day
	for day := localday.Day(month + "-01"); day.Month() == month; day = day.Add(1) {
		days = append(days, day)
	}
	return days
}

func facetVersion(ctx context.Context, rollups store.Rollups, key tally.FacetKey) (tally.Version, error) {
	for facet, err := range rollups.Facets(ctx, key.Unit, key.Month, key.Month) {
		if err != nil {
			return tally.Version{}, err
		}
		return facet.Version, nil
	}
	return tally.Version{}, nil
}

// settleRounds is how often a month that changes under the reading is read again before it is cut.
const settleRounds = 3

// settleMargin is longer than any write takes to land after its record was stamped.
const settleMargin = time.Minute

// readFacet folds a month cell by cell, so that memory holds one cell's records at a time. Its version is the sum of records
// seen, which orders two facets only where one rests on all records the other rests on. So what is read must have stood
// there at one instant: cells whose count changed under the reading are read again, and where a busy unit never
// stands still, the month is cut at what was received until a minute ago.
func readFacet(ctx context.Context, ratings store.Ratings, epoch uint32, key tally.FacetKey, counts map[string]uint32, clock func() time.Time) (tally.Facet, error) {
	parts := make(map[string]facetPart, len(counts))
	for range settleRounds {
		for cell, count := range counts {
			if part, ok := parts[cell]; !ok || part.facet.Seen != count {
				part, err := readPart(ctx, ratings, epoch, key, cell, time.Time{})
				if err != nil {
					return tally.Facet{}, err
				}
				parts[cell] = part
			}
		}
		again, _, err := monthCounts(ctx, ratings, key)
		if err != nil {
			return tally.Facet{}, err
		}
		if settled(parts, again) {
			return sumParts(epoch, key, parts), nil
		}
		counts = again
	}
	cut := clock().Add(-settleMargin)
	for cell := range counts {
		if part, ok := parts[cell]; !ok || part.facet.Seen != counts[cell] || part.newest.After(cut) {
			part, err := readPart(ctx, ratings, epoch, key, cell, cut)
			if err != nil {
				return tally.Facet{}, err
			}
			parts[cell] = part
		}
	}
	return sumParts(epoch, key, parts), nil
}

type facetPart struct {
	facet  tally.Facet
	newest time.Time // when the newest record was received
}

func readPart(ctx context.Context, ratings store.Ratings, epoch uint32, key tally.FacetKey, cell string, cut time.Time) (facetPart, error) {
	records, err := ratings.Cell(ctx, cell)
	if err != nil {
		return facetPart{}, err
	}
	var part facetPart
	kept := records[:0]
	for _, record := range records {
		if !cut.IsZero() && record.ReceivedAt.After(cut) {
			continue
		}
		if record.ReceivedAt.After(part.newest) {
			part.newest = record.ReceivedAt
		}
		kept = append(kept, record)
	}
	part.facet, err = foldPart(epoch, key, cell, kept)
	return part, err
}

func foldPart(epoch uint32, key tally.FacetKey, cell string, records []rating.Record) (facet tally.Facet, err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			err = fmt.Errorf("fold facet %s, cell %s: %v", key.ID(), cell, trouble)
		}
	}()
	return tally.FoldFacet(epoch, key, records), nil
}

func settled(parts map[string]facetPart, counts map[string]uint32) bool {
	if len(parts) != len(counts) {
		return false
	}
	for cell, count := range counts {
		if part, ok := parts[cell]; !ok || part.facet.Seen != count {
			return false
		}
	}
	return true
}

func sumParts(epoch uint32, key tally.FacetKey, parts map[string]facetPart) tally.Facet {
	sum := emptyFacet(epoch, key)
	for _, part := range parts {
		addFacet(&sum, part.facet)
	}
	return sum
}

func emptyFacet(epoch uint32, key tally.FacetKey) tally.Facet {
	return tally.FoldFacet(epoch, key, nil)
}

// addFacet adds a cell's part to a month: ratings stand or fall within their cell, so parts add up.
func addFacet(sum *tally.Facet, part tally.Facet) {
	sum.Seen += part.Seen
	for _, add := range []struct{ to, from map[string]tally.Counts }{
		{sum.Counters, part.Counters}, {sum.Procedures, part.Procedures}, {sum.Officials, part.Officials}, {sum.Questions, part.Questions},
	} {
		for name, counts := range add.from {
			add.to[name] = add.to[name].Plus(counts)
		}
	}
}
