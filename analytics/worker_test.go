package analytics

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

func TestTouchedCellsAreFolded(t *testing.T) {
	engine := open(t)
	worker, _ := start(t, Config{Engine: engine, SweepEvery: time.Hour})
	records := random(rand.New(rand.NewPCG(1, 2)), 2000, 5, 40)
	cells := appendAll(t, engine, records...)
	worker.Touched(cells...)
	until(t, "cells are still due", func() bool { return worker.cells.waiting() == 0 })
	wantFigures(t, engine, 1)
}

func TestTheSweepFindsWhatNoHintTold(t *testing.T) {
	engine := open(t)
	source := rand.New(rand.NewPCG(3, 4))
	appendAll(t, engine, random(source, 500, 5, 40)...)
	worker, _ := start(t, Config{Engine: engine})
	untilFresh(t, worker)
	wantFigures(t, engine, 1)
	appendAll(t, engine, random(source, 500, 5, 40)...)
	untilFresh(t, worker)
	wantFigures(t, engine, 1)
}

// No figure may go backwards, whoever folds it and whenever; at the end all figures are those of a direct fold.
func TestWorkersOnTheSameCells(t *testing.T) {
	for _, c := range []struct {
		name    string
		workers int
		open    func(testing.TB) store.Engine
	}{{"two on sqlite", 2, open}, {"three on sqlite", 3, open}, {"three on mongodb", 3, openMongoDB}} {
		t.Run(c.name, func(t *testing.T) { workersOnTheSameCells(t, c.open(t), c.workers) })
	}
}

func workersOnTheSameCells(t *testing.T, engine store.Engine, workers int) {
	const units, days = 2, 3
	var all []*Worker
	for range workers {
		worker, _ := start(t, Config{Engine: engine, Debounce: time.Millisecond, CostFactor: 1})
		all = append(all, worker)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var appending, reading sync.WaitGroup
	for i := range 4 {
		appending.Go(func() {
			source := rand.New(rand.NewPCG(uint64(i), 9))
			for range 25 {
				cells := appendAll(t, engine, random(source, 1+source.IntN(20), units, days)...)
				for _, worker := range all {
					worker.Touched(cells...)
				}
			}
		})
	}
	reading.Go(func() { watchForward(ctx, t, engine, units) })
	appending.Wait()
	for _, worker := range all {
		until(t, "cells are still due", func() bool { return worker.cells.waiting() == 0 })
		untilFresh(t, worker)
	}
	for _, worker := range all {
		until(t, "facets are still due", func() bool { return worker.facets.waiting() == 0 })
	}
	cancel()
	reading.Wait()
	wantFigures(t, engine, 1)
	wantFacets(t, engine, 1)
}

// watchForward reads leaves, strips and facets over and over and reports every number that fell.
func watchForward(ctx context.Context, t *testing.T, engine store.Engine, units int) {
	highest := map[string]uint32{}
	hold := func(name string, n uint32) {
		if n < highest[name] {
			t.Errorf("%s fell from %d to %d", name, highest[name], n)
		}
		highest[name] = n
	}
	for ; ctx.Err() == nil; sleep(ctx, 20*time.Millisecond) {
		for i := range units {
			unit := fmt.Sprintf("U%02d", i)
			for leaf, err := range engine.Rollups().Leaves(ctx, unit, "2026-01-01", "2026-12-31") {
				if err != nil {
					break
				}
				for hour, cell := range leaf.Hours {
					hold(fmt.Sprint(leaf.Key.ID(), " hour ", hour, " seen"), cell.Seen)
					hold(fmt.Sprint(leaf.Key.ID(), " hour ", hour, " n"), sum(cell.Overall))
				}
			}
			for strip, err := range engine.Rollups().Strips(ctx, 2026, []string{unit}) {
				if err != nil {
					break
				}
				for at, slot := range strip.Slots() {
					hold(fmt.Sprint(strip.Key.ID(), at), sum(slot.Overall))
				}
			}
			for facet, err := range engine.Rollups().Facets(ctx, unit, "2026-01", "2026-12") {
				if err != nil {
					break
				}
				hold("facet "+facet.Key.ID(), facet.Seen)
				hold("procedure "+facet.Key.ID(), sum(facet.Procedures["1.001"]))
			}
		}
	}
}

func sum(counts tally.Counts) (n uint32) {
	for _, count := range counts {
		n += count
	}
	return n
}

// wantFacets holds facets against one fold of each unit's month.
func wantFacets(t testing.TB, engine store.Engine, epoch uint32) {
	t.Helper()
	byMonth := map[tally.FacetKey][]rating.Record{}
	for record, err := range engine.Ratings().Scan(context.Background(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		key := tally.FacetKey{Unit: record.Counted.Unit, Month: record.Counted.Day.Month()}
		byMonth[key] = append(byMonth[key], record)
	}
	for key, records := range byMonth {
		want := tally.FoldFacet(epoch, key, records)
		for got, err := range engine.Rollups().Facets(context.Background(), key.Unit, key.Month, key.Month) {
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("facet %s (-want +got):\n%s", key.ID(), diff)
			}
			delete(byMonth, key)
		}
	}
	for key := range byMonth {
		t.Errorf("facet %s is missing", key.ID())
	}
}
