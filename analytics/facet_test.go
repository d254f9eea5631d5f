package analytics

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

// An installation whose facets were folded before counters were counted gains them by the sweep, without a new rating and
// without a new epoch; and a worker of the older program does not take them away again.
func TestFacetsOfAnOlderFormatAreFoldedAgain(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.Engine{"sqlite": open, "mongodb": openMongoDB} {
		t.Run(name, func(t *testing.T) {
			engine := open(t)
			ctx := context.Background()
			appendAll(t, engine, random(rand.New(rand.NewPCG(7, 8)), 300, 2, 40)...)
			worker, stop := start(t, Config{Engine: engine, Alone: true})
			untilFresh(t, worker)
			until(t, "facets are still due", func() bool { return worker.facets.waiting() == 0 })
			stop()

			// The same as an older program left it: the plain epoch, and no counters.
			newer := facetsOf(t, engine)
			var older []tally.Facet
			for _, facet := range newer {
				facet.Epoch, facet.Counters = facet.FoldedUnder(), nil
				older = append(older, facet)
			}
			past := open(t)
			if _, err := past.Ratings().Append(ctx, allRecords(t, engine)); err != nil {
				t.Fatal(err)
			}
			if err := past.Rollups().RaiseFacets(ctx, older); err != nil {
				t.Fatal(err)
			}
			for _, facet := range facetsOf(t, past) {
				if !facet.Outdated() || len(facet.Counters) > 0 {
					t.Fatalf("not as an older program left it: %+v", facet)
				}
			}
			worker, _ = start(t, Config{Engine: past, Alone: true})
			untilFresh(t, worker)
			until(t, "facets are still due", func() bool { return worker.facets.waiting() == 0 })
			wantFacets(t, past, 1)
			if diff := cmp.Diff(newer, facetsOf(t, past)); diff != "" {
				t.Errorf("folded again (-want +got):\n%s", diff)
			}
			if state, err := worker.states.epoch(ctx); err != nil || state.Epoch != firstEpoch {
				t.Errorf("epoch %d, %v", state.Epoch, err)
			}

			for i := range older { // even one that has seen more
				older[i].Seen += 100
			}
			if err := past.Rollups().RaiseFacets(ctx, older); err != nil {
				t.Fatal(err)
			}
			wantFacets(t, past, 1)
		})
	}
}

// A reconcile says of such facets that they are behind, which is harmless, and repairs them.
func TestReconcileOfAnOlderFormat(t *testing.T) {
	engine := open(t)
	ctx := context.Background()
	record := rated(at("U00", "2026-03-20", 9, 1), 4)
	worker, stop := start(t, Config{Engine: engine, Alone: true, FacetDelay: 1 << 40})
	appendAll(t, engine, record)
	untilFresh(t, worker)
	stop()
	facet := tally.FoldFacet(1, tally.FacetKey{Unit: "U00", Month: "2026-03"}, allRecords(t, engine))
	facet.Epoch, facet.Counters = 1, nil
	if err := engine.Rollups().RaiseFacets(ctx, []tally.Facet{facet}); err != nil {
		t.Fatal(err)
	}
	report, err := Reconcile(ctx, engine, Reconciling{})
	if err != nil || !report.Clean() || report.Counts[Behind] != 1 {
		t.Errorf("found %v, %v", report.Findings, err)
	}
	if report, err = Reconcile(ctx, engine, Reconciling{Repair: true}); err != nil || report.Epoch != firstEpoch {
		t.Errorf("repaired under epoch %d, %v", report.Epoch, err)
	}
	if report, err = Reconcile(ctx, engine, Reconciling{}); err != nil || len(report.Findings) != 0 {
		t.Errorf("after the repair: %v, %v", report.Findings, err)
	}
	wantFacets(t, engine, 1)
}

func facetsOf(t testing.TB, engine store.Engine) []tally.Facet {
	t.Helper()
	var facets []tally.Facet
	for _, unit := range []string{"U00", "U01"} {
		for facet, err := range engine.Rollups().Facets(context.Background(), unit, "2026-01", "2026-12") {
			if err != nil {
				t.Fatal(err)
			}
			facets = append(facets, facet)
		}
	}
	return facets
}
