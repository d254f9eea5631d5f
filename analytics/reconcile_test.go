package analytics

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

// filled is an engine with ratings and their figures.
func filled(t *testing.T, open func(testing.TB) store.Engine) (store.Engine, []rating.Record) {
	t.Helper()
	engine := open(t)
	records := random(rand.New(rand.NewPCG(11, 12)), 120, 3, 40)
	appendAll(t, engine, records...)
	worker, stop := start(t, Config{Engine: engine, Alone: true})
	untilFresh(t, worker)
	until(t, "facets are due", func() bool { return worker.facets.waiting() == 0 })
	stop()
	wantFacets(t, engine, 1)
	return engine, records
}

func TestReconcileFindsNothing(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { reconcileFindsNothing(t, open) })
	t.Run("mongodb", func(t *testing.T) { reconcileFindsNothing(t, openMongoDB) })
}

func reconcileFindsNothing(t *testing.T, open func(testing.TB) store.Engine) {
	engine, records := filled(t, open)
	var last, total int
	report, err := Reconcile(context.Background(), engine, Reconciling{Repair: true, Progress: func(done, of int) {
		if done < last || done > of {
			t.Errorf("progress from %d to %d of %d", last, done, of)
		}
		last, total = done, of
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Findings) != 0 || !report.Clean() || report.Epoch != 1 || report.Repaired != 0 {
		t.Errorf("found %+v", report)
	}
	if report.Records != len(records) || last != len(records) || total != len(records) || report.CountedAgain != report.Cells || report.Facets == 0 || report.Slots != report.Leaves {
		t.Errorf("looked at %+v, progress %d of %d", report, last, total)
	}
}

func TestReconcileFindsAndRepairs(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, engine store.Engine, record rating.Record)
		want  map[Problem]int
		epoch uint32
	}{
		"a rating that nobody folded": {func(t *testing.T, engine store.Engine, record rating.Record) {
			appendAll(t, engine, rated(record.Counted, 5))
		}, map[Problem]int{Behind: 2}, 1}, // the cell and the facet
		"a cell that counts otherwise": {func(t *testing.T, engine store.Engine, record rating.Record) {
			cell := foldStored(t, engine, record.Cell)
			cell.Cell.Overall[1] += 7
			cell.Cell.Epoch = 2
			raise(t, engine, cell)
		}, map[Problem]int{Drift: 1, Lost: 0}, 3},
		"a cell that has seen more": {func(t *testing.T, engine store.Engine, record rating.Record) {
			cell := foldStored(t, engine, record.Cell)
			cell.Cell.Seen += 3
			raise(t, engine, cell)
		}, map[Problem]int{Lost: 1}, 2},
		"a strip that counts otherwise": {func(t *testing.T, engine store.Engine, record rating.Record) {
			key, _, _ := leafOf(record.Cell)
			for leaf, err := range engine.Rollups().Leaves(ctx, key.Unit, string(key.Day), string(key.Day)) {
				if err != nil {
					t.Fatal(err)
				}
				if leaf.Key != key {
					continue
				}
				at, slot := leaf.Slot()
				slot.Overall[5] += 9 // the same version, another content
				strip, err := tally.NewStrip(leaf.StripKey(), map[tally.SlotKey]tally.Slot{at: slot})
				if err != nil {
					t.Fatal(err)
				}
				if err := engine.Rollups().RaiseStrips(ctx, []tally.Strip{strip}); err != nil {
					t.Fatal(err)
				}
			}
		}, map[Problem]int{Drift: 1}, 2},
		"a facet that counts otherwise": {func(t *testing.T, engine store.Engine, record rating.Record) {
			key := tally.FacetKey{Unit: record.Counted.Unit, Month: record.Counted.Day.Month()}
			for facet, err := range engine.Rollups().Facets(ctx, key.Unit, key.Month, key.Month) {
				if err != nil {
					t.Fatal(err)
				}
				facet.Epoch = tally.FacetEpoch(4)
				facet.Officials["nobody"] = tally.Counts{0, 0, 0, 0, 0, 3}
				if err := engine.Rollups().RaiseFacets(ctx, []tally.Facet{facet}); err != nil {
					t.Fatal(err)
				}
			}
		}, map[Problem]int{Drift: 1}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			engine, records := filled(t, open)
			c.spoil(t, engine, records[0])
			report, err := Reconcile(ctx, engine, Reconciling{})
			if err != nil {
				t.Fatal(err)
			}
			for problem, n := range c.want {
				if n > 0 && report.Counts[problem] < n {
					t.Errorf("found %v, want %v; %+v", report.Counts, c.want, report.Findings)
				}
			}
			if report.Epoch != 1 || report.Repaired != 0 {
				t.Errorf("without repair: epoch %d, %d repaired", report.Epoch, report.Repaired)
			}
			if report, err = Reconcile(ctx, engine, Reconciling{Repair: true}); err != nil {
				t.Fatal(err)
			}
			if report.Epoch != c.epoch || report.Repaired == 0 {
				t.Errorf("repair: epoch %d, want %d; %d repaired", report.Epoch, c.epoch, report.Repaired)
			}
			if report, err = Reconcile(ctx, engine, Reconciling{}); err != nil || len(report.Findings) > 0 {
				t.Errorf("after repair: %+v, %v", report.Findings, err)
			}
		})
	}
}

func foldStored(t *testing.T, engine store.Engine, cell string) tally.HourCell {
	t.Helper()
	hour, err := foldCell(context.Background(), engine.Ratings(), 1, cell)
	if err != nil {
		t.Fatal(err)
	}
	return hour
}

// lying is an engine whose own count is wrong in one cell.
type lying struct {
	store.Engine
	about string
}

func (l lying) Ratings() store.Ratings { return lyingRatings{l.Engine.Ratings(), l.about} }

type lyingRatings struct {
	store.Ratings
	about string
}

func (l lyingRatings) CountAgain(ctx context.Context, from, to string) iter.Seq2[store.CellScores, error] {
	return func(yield func(store.CellScores, error) bool) {
		for scores, err := range l.Ratings.CountAgain(ctx, from, to) {
			if scores.Cell == l.about {
				scores.Overall[3]++
			}
			if !yield(scores, err) {
				return
			}
		}
	}
}

func TestReconcileWhereTheEngineCountsOtherwise(t *testing.T) {
	engine, _ := filled(t, open)
	alone := rated(at("U09", "2026-03-20", 9, 1), 4)
	appendAll(t, engine, alone)
	raise(t, engine, foldStored(t, engine, alone.Cell))
	report, err := Reconcile(context.Background(), lying{engine, alone.Cell}, Reconciling{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[Problem]int{Disagree: 1, Behind: 1}, report.Counts); diff != "" || report.Clean() {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Ratings that compete to revise one are decided by the fold; the plain count cannot, and that is no disagreement.
func TestContestedRevisions(t *testing.T) {
	first := rated(at("U00", "2026-03-20", 9, 1), 1)
	revising := func(other rating.Record, score int32) rating.Record {
		record := rated(first.Counted, score)
		_, _, record.Revises = rating.SplitRecordID(other.ID)
		return record
	}
	second, third := revising(first, 3), revising(first, 5)
	chain := revising(second, 4)
	ring := first
	_, _, ring.Revises = rating.SplitRecordID(second.ID)
	for name, c := range map[string]struct {
		records []rating.Record
		want    bool
	}{
		"none":  {[]rating.Record{first}, false},
		"one":   {[]rating.Record{first, second}, false},
		"chain": {[]rating.Record{first, second, chain}, false},
		"two":   {[]rating.Record{first, second, third}, true},
		"ring":  {[]rating.Record{ring, second}, true},
		"self": {[]rating.Record{func() rating.Record {
			r := rated(first.Counted, 1)
			_, _, r.Revises = rating.SplitRecordID(r.ID)
			return r
		}()}, true},
	} {
		if got := contested(c.records); got != c.want {
			t.Errorf("%s: contested %v, want %v", name, got, c.want)
		}
	}
	engine := open(t)
	appendAll(t, engine, first, second, third)
	report, err := Reconcile(context.Background(), engine, Reconciling{})
	if err != nil || !report.Clean() {
		t.Errorf("found %+v, %v", report.Findings, err)
	}
}

func TestReconcileCanBeEnded(t *testing.T) {
	engine, _ := filled(t, open)
	ctx, cancel := context.WithCancel(context.Background())
	report, err := Reconcile(ctx, engine, Reconciling{Progress: func(done, _ int) {
		if done > 0 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || report.Records == 0 {
		t.Errorf("%+v, %v", report, err)
	}
}
